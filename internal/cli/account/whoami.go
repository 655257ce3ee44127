package account

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/show"
)

// WhoAmI shows who asks, and what they may.
func WhoAmI() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Who a server takes you for, what you may there, and why",
		Long: `Shows who the server takes you for, your groups, and for each permission whether you
have it, for which namespaces, and which binding, group or token gives it.`,
		Example: `  signalbox whoami
  signalbox whoami --tenant payments
  signalbox whoami --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd, &c, "/sb/v1/me", as, func(w io.Writer, me identity.MeResponse) { writeMe(w, c.Server(), me) })
		},
	}
	c.Flags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writeMe(w io.Writer, server string, me identity.MeResponse) {
	head := show.NewTable("server", server)
	name := cmp.Or(me.Subject, "nobody: authentication is off, and everybody who reaches the server may everything")
	if me.Name != "" && me.Name != me.Subject {
		name += " (" + me.Name + ")"
	}
	head.Row("you", name)
	if me.Provider != "" {
		head.Row("logged in by", me.Provider)
	}
	if len(me.Groups) > 0 {
		head.Row("groups", strings.Join(me.Groups, ", "))
	}
	head.Row("tenant", me.Tenant)
	head.Write(w)
	if len(me.Permissions) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := show.NewTable("PERMISSION", "YOU MAY", "NAMESPACES", "BY")
	for _, p := range me.Permissions {
		may, where := "no", "-"
		if p.Allowed {
			may, where = "yes", cmp.Or(strings.Join(p.Namespaces, ", "), "all")
		}
		t.Row(string(p.Permission), may, where, strings.Join(p.By, "; "))
	}
	t.Write(w)
}

// Roles shows which role may what.
func Roles() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use:   "roles",
		Short: "Which role may what",
		Long: `Lists every permission, what it lets its holder do, and the roles that contain it: those
that are always there, and those of auth.roles in the server's configuration.`,
		Example: `  signalbox roles
  signalbox roles --output yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd, &c, "/sb/v1/roles", as, writeRoles)
		},
	}
	c.IdentityFlags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writeRoles(w io.Writer, got identity.RolesResponse) {
	t := show.NewTable("PERMISSION", "ROLES", "LETS YOU")
	for _, p := range got.Permissions {
		var with []string
		for _, r := range got.Roles {
			if slices.Contains(r.Permissions, p.Permission) {
				with = append(with, r.Name)
			}
		}
		t.Row(string(p.Permission), strings.Join(with, " "), p.Allows)
	}
	t.Write(w)
}

// list prints what a server answers at a path.
func list[T any](cmd *cobra.Command, c *client.Client, path string, as show.Form, table func(io.Writer, T)) error {
	var got show.Answer[T]
	if err := c.Get(cmd.Context(), path, nil, &got); err != nil {
		return err
	}
	return got.Print(cmd.OutOrStdout(), as, table)
}
