package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// client speaks to a running server.
type client struct {
	server  string
	tenant  string
	timeout time.Duration
}

func (c *client) flags(fs *pflag.FlagSet) {
	c.server = "http://localhost:4300"
	fs.Var((*serverURL)(&c.server), "server", "base URL of the running server, or its host:port")
	fs.StringVar(&c.tenant, "tenant", model.DefaultTenant, "tenant to ask as ("+model.TenantHeader+")")
	fs.DurationVar(&c.timeout, "timeout", 30*time.Second, "give up after this long")
}

// serverURL is a flag that takes what people type: a URL, or host:port alone.
type serverURL string

// String implements pflag.Value.
func (s *serverURL) String() string { return string(*s) }

// Type implements pflag.Value.
func (s *serverURL) Type() string { return "string" }

// Set implements pflag.Value.
func (s *serverURL) Set(text string) error {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		text = "http://" + strings.TrimPrefix(text, "//")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return errors.New("give a URL such as https://signalbox.example.org, or host:port")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%s:// is not spoken here, give http:// or https://", u.Scheme)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return errors.New("give the address alone, without a query or a fragment")
	}
	*s = serverURL(strings.TrimSuffix(text, "/"))
	return nil
}

// shown is the server's address without a password.
func (c *client) shown() string { return redact.Text(c.server) }

// get fetches path and decodes the JSON answer into v.
func (c *client) get(ctx context.Context, path string, params url.Values, v any) error {
	if len(params) > 0 {
		path += "?" + params.Encode()
	}
	return c.do(ctx, http.MethodGet, path, "", nil, v)
}

// postJSON sends body as JSON and decodes the JSON answer into v.
func (c *client) postJSON(ctx context.Context, path string, body, v any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return c.do(ctx, http.MethodPost, path, "application/json", bytes.NewReader(text), v)
}

// postForm sends params as a form, for expressions too long for a URL.
func (c *client) postForm(ctx context.Context, path string, params url.Values, v any) error {
	return c.do(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(params.Encode()), v)
}

func (c *client) do(ctx context.Context, method, path, contentType string, body io.Reader, v any) error {
	text, err := c.raw(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s answered something that is not ours (is this a Signalbox server?): %w", c.shown(), err)
	}
	return nil
}

// raw answers the body as it came.
func (c *client) raw(ctx context.Context, method, path, contentType string, body io.Reader) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.server+path, body)
	if err != nil {
		return nil, usageError{fmt.Errorf("--server %s: %w", c.shown(), err)}
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set(model.TenantHeader, c.tenant)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", c.shown(), err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s answered %s: %s", c.shown(), resp.Status, serverMessage(text))
	}
	return text, nil
}

func (c *client) unreachable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s did not answer within %s (--timeout)", c.shown(), c.timeout)
	}
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	return fmt.Errorf("%s: %w; start one with 'signalbox serve' or name another with --server", c.shown(), err)
}

// serverMessage is the message inside an error answer of ours, Prometheus' or
// Alertmanager's.
func serverMessage(text []byte) string {
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(text, &body) == nil && body.Error != nil {
		var ours struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(body.Error, &ours) == nil && ours.Message != "" {
			return ours.Message
		}
		var plain string
		if json.Unmarshal(body.Error, &plain) == nil && plain != "" {
			return plain
		}
	}
	if s := strings.TrimSpace(string(text)); s != "" {
		return s
	}
	return "no explanation"
}

// output is how a command prints its answer.
type output struct{ json bool }

func (o *output) flags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.json, "json", false, "print the server's JSON answer")
}

// print writes v as JSON if that was asked for, otherwise calls text.
func (o *output) print(cmd *cobra.Command, v any, text func(w io.Writer) error) error {
	if !o.json {
		return text(cmd.OutOrStdout())
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
