package account

import (
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
)

// Session is the group of commands about sessions.
func Session() *cobra.Command {
	return command.Group(&cobra.Command{
		Use:   "session",
		Short: "Where one is logged in",
		Example: `  signalbox session list
  signalbox session revoke --others`,
	}, sessionList(), sessionRevoke())
}

func sessionList() *cobra.Command {
	var c client.Client
	var as show.Form
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the browsers and programs in which you are logged in, the one used last first",
		Example: `  signalbox session list
  signalbox session list --all`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return list(cmd, &c, whose("sessions", all), as, writeSessions)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "everybody's; needs auth.manage")
	c.IdentityFlags(cmd.Flags())
	as.Flag(cmd.Flags())
	return cmd
}

func writeSessions(w io.Writer, got identity.SessionsResponse) {
	t := show.NewTable("ID", "WHO", "LAST USED", "FROM", "ENDS", "IN")
	for _, s := range got.Sessions {
		in := s.Agent
		if s.Current {
			in += " (this one)"
		}
		t.Row(s.ID, s.Subject, when(s.Seen), s.Remote, when(s.Expires), in)
	}
	t.Write(w)
}

func sessionRevoke() *cobra.Command {
	var c client.Client
	var anybodys, others bool
	cmd := &cobra.Command{
		Use:   "revoke [ID]",
		Short: "Log out somewhere else; the next request from there is refused",
		Example: `  signalbox session revoke 0192f6a1-7c1e-4b7e-9d54-0c1f3a5b7d90
  signalbox session revoke --others`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case others && (len(args) > 0 || anybodys), !others && len(args) == 0:
				return command.Usage(errors.New("give the ID of a session, or --others"))
			case !others:
				return remove(cmd, &c, whose("sessions", anybodys)+"/"+url.PathEscape(args[0]), "Session "+args[0]+" is ended.")
			}
			var got identity.EndedResponse
			if err := c.Delete(cmd.Context(), "/sb/v1/sessions", nil, &got); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d other sessions are ended.\n", got.Ended)
			return err
		},
	}
	cmd.Flags().BoolVar(&anybodys, "all", false, "also one of somebody else; needs auth.manage")
	cmd.Flags().BoolVar(&others, "others", false, "all of yours but this one")
	c.IdentityFlags(cmd.Flags())
	return cmd
}
