// Package people holds commands about people and their turns, beside those of cli/ask that only ask.
//
// In: flags and a server. Out: text. Start reading at Calendar.
package people

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
)

// turns are whose a calendar shows: one of the two.
type turns struct{ schedule, person string }

func (t turns) params() (url.Values, error) {
	switch {
	case (t.schedule == "") == (t.person == ""):
		return nil, command.Usage(errors.New("give one of --schedule and --person"))
	case t.schedule != "":
		return url.Values{"schedule": {t.schedule}}, nil
	}
	return url.Values{"person": {t.person}}, nil
}

// Calendar prints turns as a calendar.
func Calendar() *cobra.Command {
	var c client.Client
	var of turns
	var lifetime string
	var subscribe bool
	cmd := &cobra.Command{
		Use:   "calendar",
		Short: "Turns as a calendar, to import or to subscribe to",
		Long: `Prints the turns of the last month and the next six as an iCalendar file (RFC 5545): of
one schedule or of one person.

--subscribe prints an address instead, which calendar programs read again and again. It
holds a token that shows who is on call and opens nothing else; whoever has the address
can read that, until the token ends or is revoked (signalbox token list).`,
		Example: `  signalbox oncall calendar --schedule platform-primary
  signalbox oncall calendar --person sre-1 --subscribe --lifetime 365d`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			params, err := of.params()
			if err != nil {
				return err
			}
			feed, err := c.GetRaw(cmd.Context(), access.CalendarPath, params) // a name that is wrong is said before a token is made
			if err != nil {
				return err
			}
			if subscribe {
				return subscription(cmd, &c, "calendar of "+of.schedule+of.person, lifetime, params)
			}
			_, err = cmd.OutOrStdout().Write(feed)
			return err
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&of.schedule, "schedule", "", "everybody's turns by one schedule")
	fs.StringVar(&of.person, "person", "", "one person's turns by all schedules, by the name in oncall_files")
	fs.BoolVar(&subscribe, "subscribe", false, "print an address for calendar programs")
	fs.StringVar(&lifetime, "lifetime", "", "how long the address is good, for example 365d; auth.tokens.lifetime if absent")
	c.Flags(fs)
	return cmd
}

// subscription prints the address of a feed, with a token where the server wants one.
func subscription(cmd *cobra.Command, c *client.Client, name, lifetime string, params url.Values) error {
	grant := access.Grant{Role: access.RoleCalendar}
	if c.Tenant() != "" {
		grant.Tenants = []string{c.Tenant()}
	}
	var made identity.NewTokenResponse
	err := c.PostJSON(cmd.Context(), "/sb/v1/tokens", identity.TokenRequest{Name: name, Grants: []access.Grant{grant}, Lifetime: lifetime}, &made)
	var refused *client.RefusedError
	open := errors.As(err, &refused) && refused.Status == http.StatusNotFound // without authentication there are no tokens
	if err != nil && !open {
		return err
	}
	if !open {
		params.Set(access.CalendarToken, made.Text)
		fmt.Fprintf(cmd.ErrOrStderr(), "Good until %s; signalbox token revoke %s ends it.\n", made.Token.Expires.UTC().Format("2006-01-02"), made.Token.ID)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), c.Link(access.CalendarPath+"?"+params.Encode()))
	return err
}
