// Package kind states what kinds of channels are made with, and how they look at an answer over HTTP.
//
// It knows no service. In: a request and the secrets that stand in it. Out: the answer, or an error in the words of notify: refused,
// later, or worth another try. Invariants: nothing is tried twice, no redirect is followed, and no error holds a secret or a path
// of the URL, which is one with many services. Start reading at Deps, then Client.Do.
package kind

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// Deps are what kinds are made with.
type Deps struct {
	Outgoing    *outgoing.Guard // the way out
	Now         func() time.Time
	ExternalURL string        // as users reach us
	Hooks       string        // where services send what people answer, and the kind; "" where they do not reach us
	Memory      notify.Memory // of what was sent
}

// Hook is where the service of a kind sends what people answer; "" where it does not reach us.
func (d Deps) Hook(kind string) string {
	if d.Hooks == "" {
		return ""
	}
	return d.Hooks + kind
}

// Made are channels, by the names that addresses call them.
type Made map[string]notify.Channel

// One makes a kind that is one channel, by its own name.
func One[C any, Ch notify.Channel](name string, build func(C, Deps) (Ch, error), cfg C) func(Deps) (Made, error) {
	return func(d Deps) (Made, error) {
		ch, err := build(cfg, d)
		return Made{name: ch}, err
	}
}

// Host is our name, as users reach us.
func (d Deps) Host() string {
	if u, err := url.Parse(d.ExternalURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "localhost"
}

// Client asks one service.
type Client struct {
	service   string
	transport http.RoundTripper
}

// Client is a way to a service; service is how errors name it, cfg may be nil.
func (d Deps) Client(service string, cfg *promconfig.HTTPClientConfig) (*Client, error) {
	c, err := d.Outgoing.Client(cfg, service)
	if err != nil {
		return nil, fmt.Errorf("http_config: %w", err)
	}
	return &Client{service: service, transport: c.Transport}, nil
}

// Request is one call.
type Request struct {
	Method  string
	URL     string
	Header  http.Header
	Body    []byte
	Secrets []string // what no error may show, even where the service repeats it
}

// Answer is what a service answered with a status of 2xx.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do asks once, about a message.
func (c *Client) Do(ctx context.Context, m notify.Message, r Request) (Answer, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" {
		return Answer{}, notify.Refused(fmt.Errorf("%s: its URL is none", c.service))
	}
	once := outcall.Client{Base: u, Transport: c.transport, Attempts: 1}
	got, err := once.Do(ctx, outcall.Request{Method: r.Method, URL: u, Header: r.Header, Body: r.Body})
	if err == nil {
		return Answer{Status: got.Status, Header: got.Header, Body: got.Body}, nil
	}
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // without the URL
	}
	return Answer{}, c.judged(m, err, r.Secrets)
}

// judged says what an error is worth.
func (c *Client) judged(m notify.Message, err error, secrets []string) error {
	said := Said(c.service, m, err, secrets)
	var answer *outcall.StatusError
	var unreachable *outgoing.RefusedError
	switch {
	case errors.As(err, &unreachable):
		return notify.Refused(said)
	case !errors.As(err, &answer):
		return said
	case answer.After > 0 && (answer.Status == http.StatusTooManyRequests || answer.Status >= 500):
		return notify.Later(said, answer.After)
	case answer.Status == http.StatusTooManyRequests:
		return notify.Later(said, unsaid)
	case answer.Status == http.StatusRequestTimeout, answer.Status == http.StatusTooEarly, answer.Status >= 500:
		return said
	}
	return notify.Refused(said)
}

// unsaid is how long to wait for a service that asks for patience and does not say how long.
const unsaid = 5 * time.Second

// failure is an error without secrets, behind which the cause is still known.
type failure struct {
	text  string
	cause error
}

// Error implements error.
func (f *failure) Error() string { return f.text }

// Unwrap is there for errors.Is and errors.As; what is behind is never printed.
func (f *failure) Unwrap() error { return f.cause }

// Said is an error of a service, about a message, as it may be shown.
func Said(service string, m notify.Message, err error, secrets []string) error {
	text := err.Error()
	var answer *outcall.StatusError
	if errors.As(err, &answer) {
		// The beginning that is shown could end within a secret.
		whole := *answer
		whole.Body = fit.Line(string(answer.Answer))
		text = whole.Error()
	}
	return &failure{text: service + ": " + fit.Runes(without(text, append(ofMessage(m), secrets...)), mostSaid), cause: err}
}

// mostSaid bounds what is shown of an error.
const mostSaid = 300

// without is a text without secrets, in whatever form a URL or JSON has them.
func without(text string, secrets []string) string {
	for _, s := range secrets {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			if len(form) > 0 {
				text = strings.ReplaceAll(text, form, redact.Mask)
			}
		}
	}
	return redact.Text(text)
}

// ofMessage is what of a message nobody may see but its recipient: a service may repeat it.
func ofMessage(m notify.Message) []string {
	var out []string
	if m.Acknowledge != "" {
		out = append(out, m.Acknowledge, m.Acknowledge[strings.LastIndexAny(m.Acknowledge, "/=")+1:])
	}
	if m.Kind == notify.Verification {
		out = append(out, strings.Fields(m.Text)...)
	}
	return out
}

// AnswerOf is all that a service said when it did not take a message; nil where it said nothing.
func AnswerOf(err error) []byte {
	var answer *outcall.StatusError
	if errors.As(err, &answer) {
		return answer.Answer
	}
	return nil
}

// StatusOf is the status with which a service did not take a message, and what stood above its answer; 0 where it said nothing.
func StatusOf(err error) (int, http.Header) {
	var answer *outcall.StatusError
	if errors.As(err, &answer) {
		return answer.Status, answer.Header
	}
	return 0, nil
}
