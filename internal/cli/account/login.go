package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Login logs in by the browser of whoever types it.
func Login() *cobra.Command {
	var c client.Client
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Log in, by a browser on any machine",
		Long: `Shows an address and a code. Open the address in a browser, on this machine or
another, log in there as always, and agree if the page shows the same code. From then
on every command asks that server as you.

The login is kept in a file that only you can read, below signalbox/logins in your
configuration folder ($XDG_CONFIG_HOME, or ~/.config), one for each server. It is sent
to that server alone, also when the server sends on to another, and over http:// to
this machine alone, unless you add --plain-http. It ends when your browser would have to
log in again, when it isn't used for as long as a session lasts, or by signalbox logout.

A program without a person, such as a CI job, uses an API token instead: give it by
SIGNALBOX_TOKEN or --token-file, which count before a login.`,
		Example: `  signalbox login --server https://signalbox.example.org
  export SIGNALBOX_SERVER=https://signalbox.example.org
  signalbox whoami`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return login(cmd.Context(), &c, cmd.ErrOrStderr()) },
	}
	c.ServerFlags(cmd.Flags())
	return cmd
}

func login(ctx context.Context, c *client.Client, say io.Writer) error {
	if err := c.MaySendSecret(); err != nil {
		return err
	}
	code, err := begin(ctx, c)
	if err != nil {
		return err
	}
	fmt.Fprintf(say, "Open this address in a browser, and agree if the page shows the code %s:\n\n  %s\n\nWaiting, for %s at most ...\n",
		show.Printable(code.UserCode), show.Printable(cmp.Or(code.Complete, code.Address)), seconds(code.Expires))
	token, err := wait(ctx, c, code)
	if err != nil {
		return err
	}
	var me identity.MeResponse
	if err := c.As(token.secret).Get(ctx, "/sb/v1/me", nil, &me); err != nil {
		return err
	}
	before, stored := c.Stored()
	if err := c.Keep(client.Login{Subject: me.Subject, Token: token.secret.Text(), Expires: token.until}); err != nil {
		return errors.Join(err, end(ctx, c, token.secret))
	}
	if stored == nil {
		_ = end(ctx, c, secretfile.Of(before.Token)) // it ends by itself where the server cannot be told
	}
	fmt.Fprintf(say, "Logged in to %s as %s, until %s at most.\n", c.Server(), show.Printable(me.Subject), token.until.Local().Format(time.RFC1123))
	return nil
}

// code is what a server answers to a program that wants to log in (RFC 8628).
type code struct {
	Device   string  `json:"device_code"`
	UserCode string  `json:"user_code"`
	Address  string  `json:"verification_uri"`
	Complete string  `json:"verification_uri_complete"`
	Expires  float64 `json:"expires_in"`
	Interval float64 `json:"interval"`
}

func begin(ctx context.Context, c *client.Client) (code, error) {
	var got code
	err := c.Anonymous().PostForm(ctx, "/auth/device/code", url.Values{"client_id": {"signalbox"}}, &got)
	var refused *client.RefusedError
	if errors.As(err, &refused) && (refused.Status == http.StatusNotFound || refused.Status == http.StatusMethodNotAllowed) {
		return got, fmt.Errorf("nobody logs in to %s: authentication is off there, and commands work without", c.Server())
	}
	if err == nil && (got.Device == "" || got.UserCode == "" || got.Address == "") {
		err = fmt.Errorf("%s answered no code to log in with (is this a Signalbox server?)", c.Server())
	}
	if got.Interval <= 0 {
		got.Interval = 5 // as the RFC has it
	}
	return got, err
}

// issued is a token with which a program acts as its person.
type issued struct {
	secret secretfile.Secret
	until  time.Time
}

// wait asks until the person agreed.
func wait(ctx context.Context, c *client.Client, by code) (issued, error) {
	pause, late := seconds(by.Interval), time.Now().Add(seconds(by.Expires))
	for {
		select {
		case <-ctx.Done():
			return issued{}, ctx.Err()
		case <-time.After(pause):
		}
		var got struct {
			Token   string  `json:"access_token"`
			Expires float64 `json:"expires_in"`
		}
		err := c.Anonymous().PostForm(ctx, "/auth/device/token", url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {by.Device}, "client_id": {"signalbox"},
		}, &got)
		if err == nil && got.Token != "" {
			return issued{secretfile.Of(got.Token), time.Now().Add(seconds(got.Expires))}, nil
		}
		again, err := answered(err)
		if err != nil && (!again || time.Now().After(late)) {
			return issued{}, err
		}
		var refused *client.RefusedError
		if errors.As(err, &refused) && refused.Message == "slow_down" {
			pause += 5 * time.Second
		}
	}
}

// answered says what a refusal of a token means, and whether to ask again: a server that does not answer may be back in a moment.
func answered(err error) (again bool, _ error) {
	var refused *client.RefusedError
	if !errors.As(err, &refused) || refused.Status >= http.StatusInternalServerError {
		return err != nil, cmp.Or(err, errors.New("the server answered no token"))
	}
	switch refused.Message {
	case "authorization_pending", "slow_down":
		return true, err
	case "access_denied":
		return false, errors.New("refused in the browser")
	case "expired_token", "invalid_grant":
		return false, errors.New("the code has expired: start again")
	}
	return false, err
}

func seconds(n float64) time.Duration {
	return time.Duration(min(n, time.Hour.Seconds()*24*366) * float64(time.Second))
}

// end ends the session of a program.
func end(ctx context.Context, c *client.Client, token secretfile.Secret) error {
	var out identity.OutResponse
	return c.As(token).PostJSON(ctx, "/sb/v1/logout", struct{}{}, &out)
}

// Logout ends what Login began.
func Logout() *cobra.Command {
	var c client.Client
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "End the login of this machine at a server",
		Long: `Ends the session that signalbox login began and deletes the file that holds it. Browsers
stay logged in, and API tokens stay good.`,
		Example: `  signalbox logout --server https://signalbox.example.org`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			was, err := c.Forget()
			if errors.Is(err, fs.ErrNotExist) {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "Nobody was logged in to %s.\n", c.Server())
				return err
			}
			if err != nil {
				return err
			}
			if err := end(cmd.Context(), &c, secretfile.Of(was.Token)); err != nil {
				return fmt.Errorf("the login is deleted here, but the server does not know: its session ends by itself, or by `signalbox session revoke`: %w", err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Logged out of %s.\n", c.Server())
			return err
		},
	}
	c.ServerFlags(cmd.Flags())
	return cmd
}
