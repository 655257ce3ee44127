package account

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
)

// Token is the group of commands about API tokens.
func Token() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "token",
		Short: "API tokens, for programs that ask or send",
		Long: `API tokens let programs ask and send: agents, dashboards, CI jobs, exporters. A token has
roles of its own, never more than its owner has, and an end. Programs send it as
"Authorization: Bearer TOKEN", those that know only passwords as the password.`,
		Example: `  signalbox token create agents --role ingest --service
  signalbox token list
  signalbox token revoke k3jq5zxw2mnb7aop`,
	}, tokenCreate(), tokenList(), tokenRevoke(), tokenRotate())
}

func tokenCreate() *cobra.Command {
	var c client.Client
	var as show.Form
	var req identity.TokenRequest
	var roles, tenants, namespaces []string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token; its text is printed once",
		Long: `Makes a token and prints its text, alone on standard output and this once: the server
keeps a hash of it only. NAME says what it is for.

A token holds the roles given, on the tenants and namespaces given, and never more than
you hold yourself at the time of a request: when you lose a permission or are disabled,
your tokens lose it, too. A token of a service account (--service) belongs to nobody and
stays when you leave; only who may manage accounts makes one.`,
		Example: `  signalbox token create laptop --role viewer --lifetime 7d
  signalbox token create prometheus --role ingest --service --lifetime 365d
  signalbox token create checkout-ci --role responder --namespace checkout --lifetime 30d`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			for _, r := range roles {
				req.Grants = append(req.Grants, access.Grant{Role: r, Tenants: tenants, Namespaces: namespaces})
			}
			return newText(cmd, &c, "/sb/v1/tokens", req, as)
		},
	}
	fs := cmd.Flags()
	fs.StringSliceVar(&roles, "role", nil, "role that the token has; several with commas or by repeating it (signalbox roles lists them)")
	fs.StringSliceVar(&tenants, "tenant", nil, "tenant that it is good for, * for every; default if none is given")
	fs.StringSliceVar(&namespaces, "namespace", nil, "namespace that it is good for; all if none is given")
	fs.StringVar(&req.Lifetime, "lifetime", "", "how long it is good, for example 30d; auth.tokens.lifetime if absent")
	fs.BoolVar(&req.Service, "service", false, "make it a service account's, which stays when you leave")
	_ = cmd.MarkFlagRequired("role")
	c.IdentityFlags(fs)
	as.Flag(fs)
	return cmd
}

// newText asks for a token's text. It alone goes to standard output, so that a script can take it.
func newText(cmd *cobra.Command, c *client.Client, path string, body any, as show.Form) error {
	var got show.Answer[identity.NewTokenResponse]
	if err := c.PostJSON(cmd.Context(), path, body, &got); err != nil {
		return err
	}
	return got.Print(cmd.OutOrStdout(), as, func(w io.Writer, made identity.NewTokenResponse) {
		fmt.Fprintln(w, made.Text)
		t := made.Token
		fmt.Fprintf(cmd.ErrOrStderr(), "Token %s (%s), good until %s. Its text is not shown again.\n", t.ID, show.Printable(t.Name), when(t.Expires))
		if !t.FormerUntil.IsZero() {
			fmt.Fprintf(cmd.ErrOrStderr(), "The text before goes on being taken until %s.\n", when(t.FormerUntil))
		}
	})
}

func tokenList() *cobra.Command {
	var c client.Client
	var as show.Form
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List tokens, with when and from where each was used last",
		Example: `  signalbox token list
  signalbox token list --all`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd, &c, whose("tokens", all), as, writeTokens)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "everybody's, those of service accounts too; needs auth.manage")
	c.IdentityFlags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writeTokens(w io.Writer, got identity.TokensResponse) {
	t := show.NewTable("ID", "NAME", "OWNER", "GRANTS", "EXPIRES", "LAST USED", "FROM")
	for _, k := range got.Tokens {
		var grants []string
		for _, g := range k.Grants {
			grants = append(grants, grantText(g))
		}
		t.Row(k.ID, k.Name, cmp.Or(k.Owner, "(service)"), strings.Join(grants, "; "), when(k.Expires), when(k.Seen), k.Remote)
	}
	t.Write(w)
}

func grantText(g access.Grant) string {
	text := g.Role
	if len(g.Tenants) > 0 {
		text += " on " + strings.Join(g.Tenants, ", ")
	}
	if len(g.Namespaces) > 0 {
		text += " for " + strings.Join(g.Namespaces, ", ")
	}
	return text
}

func tokenRevoke() *cobra.Command {
	var c client.Client
	var anybodys bool
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "End a token; the next request with it is refused",
		Example: `  signalbox token revoke k3jq5zxw2mnb7aop
  signalbox token revoke --all k3jq5zxw2mnb7aop`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return remove(cmd, &c, whose("tokens", anybodys)+"/"+url.PathEscape(args[0]), "Token "+args[0]+" is revoked.")
		},
	}
	cmd.Flags().BoolVar(&anybodys, "all", false, "also one of somebody else or of a service account; needs auth.manage")
	c.IdentityFlags(cmd.Flags())
	return cmd
}

func tokenRotate() *cobra.Command {
	var c client.Client
	var as show.Form
	var service bool
	var req identity.RotateRequest
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Give a token another text, printed once, and its lifetime anew",
		Long: `Gives a token another text and its lifetime anew. The text before goes on being taken
for a while, so that programs can change over one after the other.`,
		Example: `  signalbox token rotate k3jq5zxw2mnb7aop
  signalbox token rotate --service --overlap 1h k3jq5zxw2mnb7aop`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return newText(cmd, &c, whose("tokens", service)+"/"+url.PathEscape(args[0])+"/rotate", req, as)
		},
	}
	cmd.Flags().StringVar(&req.Overlap, "overlap", "", "how long the text before goes on being taken, for example 1h or 0s; auth.tokens.overlap if absent")
	cmd.Flags().BoolVar(&service, "service", false, "one of a service account; needs auth.manage")
	c.IdentityFlags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

// whose is where one's own are, or everybody's.
func whose(what string, all bool) string {
	if all {
		return "/sb/v1/admin/" + what
	}
	return "/sb/v1/" + what
}

// remove deletes what is at a path and says so.
func remove(cmd *cobra.Command, c *client.Client, path, said string) error {
	var any any
	if err := c.Delete(cmd.Context(), path, nil, &any); err != nil {
		return err
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), said)
	return err
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}
