package account

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
)

// User is the group of commands about users.
func User() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "user",
		Short: "Local users",
		Long: `Local users are those whose passwords Signalbox itself keeps; people who log in by OpenID
Connect or a directory are none. A local user has a role by a group: signalbox:viewer,
signalbox:responder, signalbox:editor, signalbox:admin, signalbox:ingest, or by a binding
in the server's configuration.`,
		Example: `  signalbox user add ann --group signalbox:responder
  signalbox user groups ann signalbox:editor
  signalbox user disable ann`,
	}, userAdd(), userList(), userSet("disable", true), userSet("enable", false), userGroups(), userDelete(), userLink(), recoverCommand())
}

func userAdd() *cobra.Command {
	var c client.Client
	var as show.Form
	var req identity.UserRequest
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a user, and print the link with which they choose a password",
		Long: `Adds a local user and prints a link with which they choose their password: good for 24
hours, once. Whoever has it can log in as the user: give it to nobody else.`,
		Example: `  signalbox user add ann --shown "Ann Lee" --group signalbox:responder`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			var got show.Answer[identity.NewUserResponse]
			if err := c.PostJSON(cmd.Context(), "/sb/v1/users", req, &got); err != nil {
				return err
			}
			return got.Print(cmd.OutOrStdout(), as, func(w io.Writer, made identity.NewUserResponse) {
				writeLink(w, &c, made.User.Name, made.Path)
			})
		},
	}
	cmd.Flags().StringVar(&req.Shown, "shown", "", "name for people")
	cmd.Flags().StringSliceVar(&req.Groups, "group", nil, "group that the user is in; signalbox:ROLE gives a role; several with commas or by repeating it")
	c.IdentityFlags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writeLink(w io.Writer, c *client.Client, name, path string) {
	fmt.Fprintf(w, "%s\n\nOpen it within 24 hours, or give it to %s and nobody else.\n", c.Link(path), show.Printable(name))
}

func userList() *cobra.Command {
	var c client.Client
	var as show.Form
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List local users",
		Example: `  signalbox user list`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return list(cmd, &c, "/sb/v1/users", as, writeUsers) },
	}
	c.IdentityFlags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writeUsers(w io.Writer, got identity.UsersResponse) {
	t := show.NewTable("NAME", "SHOWN", "GROUPS", "STATE", "PASSWORD CHOSEN")
	for _, u := range got.Users {
		state := "enabled"
		if u.Disabled {
			state = "disabled"
		}
		t.Row(u.Name, u.Shown, strings.Join(u.Groups, ", "), state, when(u.PasswordChanged))
	}
	t.Write(w)
}

func userSet(verb string, disabled bool) *cobra.Command {
	var c client.Client
	short := "Let a user in again"
	if disabled {
		short = "Let a user in no more: sessions end at once, and their tokens are refused"
	}
	cmd := &cobra.Command{
		Use:     verb + " NAME",
		Short:   short,
		Example: "  signalbox user " + verb + " ann",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(cmd, &c, args[0], identity.UserChange{Disabled: &disabled})
		},
	}
	c.IdentityFlags(cmd.Flags())
	return cmd
}

func userGroups() *cobra.Command {
	var c client.Client
	cmd := &cobra.Command{
		Use:   "groups NAME [GROUP...]",
		Short: "Put a user in these groups, and in no others",
		Long: `Puts a user in the groups given, and in no others; without any, in none. The user's
sessions end: they log in again.`,
		Example: `  signalbox user groups ann signalbox:editor payments`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			groups := args[1:]
			return change(cmd, &c, args[0], identity.UserChange{Groups: &groups})
		},
	}
	c.IdentityFlags(cmd.Flags())
	return cmd
}

func change(cmd *cobra.Command, c *client.Client, name string, to identity.UserChange) error {
	var u identity.UserInfo
	if err := c.Patch(cmd.Context(), "/sb/v1/users/"+url.PathEscape(name), to, &u); err != nil {
		return err
	}
	writeUsers(cmd.OutOrStdout(), identity.UsersResponse{Users: []identity.UserInfo{u}})
	return nil
}

func userDelete() *cobra.Command {
	var c client.Client
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Short:   "Delete a user with their sessions and tokens",
		Example: `  signalbox user delete ann`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return remove(cmd, &c, "/sb/v1/users/"+url.PathEscape(args[0]), "User "+args[0]+" is deleted.")
		},
	}
	c.IdentityFlags(cmd.Flags())
	return cmd
}

func userLink() *cobra.Command {
	var c client.Client
	cmd := &cobra.Command{
		Use:   "password-link NAME",
		Short: "Print a link with which a user chooses another password",
		Long: `Prints a link with which a local user chooses another password: good for 24 hours, once.
The password before stays good until then. Where nobody can log in any more, signalbox
user recover makes one on the server itself.`,
		Example: `  signalbox user password-link ann`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got identity.LinkResponse
			if err := c.PostJSON(cmd.Context(), "/sb/v1/users/"+url.PathEscape(args[0])+"/link", struct{}{}, &got); err != nil {
				return err
			}
			writeLink(cmd.OutOrStdout(), &c, args[0], got.Path)
			return nil
		},
	}
	c.IdentityFlags(cmd.Flags())
	return cmd
}
