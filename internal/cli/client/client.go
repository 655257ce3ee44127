// Package client speaks HTTP to a running server, for every command that needs one, and
// turns what goes wrong into a sentence with the cure.
//
// It knows addresses, tenants and how servers word their errors; what is asked and how it is
// printed is up to the commands. A password in an address is never shown.
//
// Who asks is said by a token that the user gives, or by the login that `signalbox login` keeps for the server, in a file of the user's
// own. Invariants: what is kept for one server is sent to no other, also not when a server sends on; and nothing is sent in the clear
// to another machine unless the user says so. Start reading at Client, then credential.go.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// Client speaks to a running server.
type Client struct {
	server  string
	tenant  string
	timeout time.Duration
	tls     promconfig.TLSConfig

	credential credential
}

// Flags lets the user say which server, as whom, and which tenant.
func (c *Client) Flags(fs *pflag.FlagSet) {
	c.IdentityFlags(fs)
	fs.StringVar(&c.tenant, "tenant", "", "tenant to ask as ("+model.TenantHeader+"); empty is default, or the only one that you may see")
}

// Tenant is which tenant the user asks as; "" is not said.
func (c *Client) Tenant() string { return c.tenant }

// IdentityFlags are Flags for what concerns no tenant.
func (c *Client) IdentityFlags(fs *pflag.FlagSet) {
	c.ServerFlags(fs)
	c.credential.flags(fs)
}

// ServerFlags lets the user say which server, and how it is reached.
func (c *Client) ServerFlags(fs *pflag.FlagSet) {
	c.server = "http://localhost:4300"
	fs.Var((*URL)(&c.server), "server", "base URL of the running server, or its host:port")
	fs.DurationVar(&c.timeout, "timeout", 30*time.Second, "give up after this long")
	fs.StringVar(&c.tls.CAFile, "tls-ca-file", "", "authorities that the server's certificate may come from; empty trusts those of this machine")
	fs.StringVar(&c.tls.CertFile, "tls-cert-file", "", "certificate to show the server, where it asks for one")
	fs.StringVar(&c.tls.KeyFile, "tls-key-file", "", "key of --tls-cert-file")
	fs.BoolVar(&c.tls.InsecureSkipVerify, "tls-insecure-skip-verify", false, "talk to a server whose certificate cannot be verified: whoever is between may read and change everything")
	fs.BoolVar(&c.credential.plainHTTP, "plain-http", false, "show who you are over http:// to another machine too: whoever is between can read it and act as you")
}

// URL is a flag that takes what people type: a URL, or host:port alone.
type URL string

// String implements pflag.Value.
func (s *URL) String() string { return string(*s) }

// Type implements pflag.Value.
func (s *URL) Type() string { return "string" }

// Set implements pflag.Value.
func (s *URL) Set(text string) error {
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
	*s = URL(strings.TrimSuffix(text, "/"))
	return nil
}

// shown is the server's address without a password.
func (c *Client) shown() string { return redact.Text(c.server) }

// Get fetches path and decodes the JSON answer into v.
func (c *Client) Get(ctx context.Context, path string, params url.Values, v any) error {
	return c.do(ctx, http.MethodGet, withQuery(path, params), "", nil, v)
}

// GetRaw answers the body as it came.
func (c *Client) GetRaw(ctx context.Context, path string, params url.Values) ([]byte, error) {
	return c.raw(ctx, http.MethodGet, withQuery(path, params), "", nil)
}

// Delete removes path and decodes the JSON answer into v.
func (c *Client) Delete(ctx context.Context, path string, params url.Values, v any) error {
	return c.do(ctx, http.MethodDelete, withQuery(path, params), "", nil, v)
}

func withQuery(path string, params url.Values) string {
	if len(params) > 0 {
		path += "?" + params.Encode()
	}
	return path
}

// PostJSON sends body as JSON and decodes the JSON answer into v.
func (c *Client) PostJSON(ctx context.Context, path string, body, v any) error {
	return c.send(ctx, http.MethodPost, path, body, v)
}

// PostForm sends params as a form, for expressions too long for a URL.
func (c *Client) PostForm(ctx context.Context, path string, params url.Values, v any) error {
	return c.do(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(params.Encode()), v)
}

// Patch changes path with body as JSON and decodes the JSON answer into v.
func (c *Client) Patch(ctx context.Context, path string, body, v any) error {
	return c.send(ctx, http.MethodPatch, path, body, v)
}

func (c *Client) send(ctx context.Context, method, path string, body, v any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	return c.do(ctx, method, path, "application/json", bytes.NewReader(text), v)
}

func (c *Client) do(ctx context.Context, method, path, contentType string, body io.Reader, v any) error {
	text, err := c.raw(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s answered something that is not ours (is this a Signalbox server?): %w", c.shown(), err)
	}
	return nil
}

func (c *Client) raw(ctx context.Context, method, path, contentType string, body io.Reader) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := c.open(ctx, method, path, contentType, body)
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	text, err := io.ReadAll(answer)
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", c.shown(), err)
	}
	return text, nil
}

// Copy writes an answer as it comes, however long it is: the timeout is for its beginning.
func (c *Client) Copy(ctx context.Context, path string, params url.Values, w io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(c.timeout, func() { cancel(context.DeadlineExceeded) })
	answer, err := c.open(ctx, http.MethodGet, withQuery(path, params), "", nil)
	if !late.Stop() && err != nil {
		return c.unreachable(context.DeadlineExceeded)
	}
	if err != nil {
		return err
	}
	defer answer.Close()
	if _, err := io.Copy(w, answer); err != nil {
		return fmt.Errorf("the answer of %s is not whole: %w", c.shown(), err)
	}
	return nil
}

// open asks; whoever gets an answer closes it.
func (c *Client) open(ctx context.Context, method, path, contentType string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.server+path, body)
	if err != nil {
		return nil, command.Usage(fmt.Errorf("--server %s: %w", c.shown(), err))
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Accept", "application/json")
	if c.tenant != "" {
		req.Header.Set(model.TenantHeader, c.tenant)
	}
	from, err := c.authorize(req)
	if err != nil {
		return nil, err
	}
	web, err := c.http()
	if err != nil {
		return nil, err
	}
	resp, err := web.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what it says of it, if anything
		return nil, &RefusedError{Server: c.shown(), Status: resp.StatusCode, Message: serverMessage(text), cure: c.cure(resp.StatusCode, from)}
	}
	return resp.Body, nil
}

// http is how the server is asked. Whoever types a command names its server: no address is refused.
func (c *Client) http() (*http.Client, error) {
	cfg := promconfig.DefaultHTTPClientConfig
	cfg.ProxyFromEnvironment = true
	cfg.TLSConfig = c.tls
	if err := cfg.TLSConfig.Validate(); err != nil {
		return nil, command.Usage(errors.New("--tls-cert-file and --tls-key-file: give both or none"))
	}
	web, err := outgoing.New(outgoing.Config{Allow: []string{"0.0.0.0/0", "::/0"}, MaxAnswerBytes: outgoing.Unbounded}).Client(&cfg, "cli")
	if err != nil {
		return nil, command.Usage(fmt.Errorf("--tls-ca-file, --tls-cert-file or --tls-key-file: %w", err))
	}
	web.CheckRedirect = stay
	return web, nil
}

// RefusedError is an answer that is none.
type RefusedError struct {
	Server, Message string
	Status          int
	cure            string
}

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s answered %d %s: %s%s", e.Server, e.Status, http.StatusText(e.Status), e.Message, e.cure)
}

func (c *Client) unreachable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s did not answer within %s (--timeout)", c.shown(), c.timeout)
	}
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	var elsewhere *elsewhereError
	if errors.As(err, &elsewhere) {
		return fmt.Errorf("%s %w", c.shown(), elsewhere)
	}
	if cure := untrusted(err); cure != "" {
		return fmt.Errorf("%s: %w; %s", c.shown(), err, cure)
	}
	return fmt.Errorf("%s: %w; start one with 'signalbox serve' or name another with --server", c.shown(), err)
}

// untrusted says what to do when TLS failed, "" if it did not.
func untrusted(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &authority):
		return "name its authority with --tls-ca-file"
	case errors.As(err, &name):
		return "ask for it by a name in its certificate"
	case errors.As(err, &plain):
		return "it speaks no TLS: ask with http://"
	case strings.Contains(err.Error(), "certificate required"):
		return "show one with --tls-cert-file and --tls-key-file"
	}
	return ""
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
