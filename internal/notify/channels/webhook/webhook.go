// Package webhook tells systems of somebody's own, with a signed request.
//
// In: messages. Out: one POST of JSON each; docs/channels.md has its form. An address is the name of a receiver of the
// configuration, so that whoever writes a contact reaches nothing else, and each receiver has a secret of its own. Invariants: body and
// time are signed together; a message has the same id at each try. Start reading at Send.
package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/platform/signature"
)

// Config is channels.webhook.
type Config struct {
	// Receivers are who can be told; an address is a receiver's name.
	Receivers []Receiver `yaml:"receivers"`
}

// Receiver takes messages.
type Receiver struct {
	Name string `yaml:"name"` // of addresses
	// URL takes the messages.
	URL string `yaml:"url"`
	// URLFrom holds the URL where a part of it is a secret.
	URLFrom *secretfile.Key `yaml:"url_from"`
	// Secret is what messages are signed with.
	Secret secretfile.Key `yaml:"secret"`
	// HTTP says how it is called, with the keys of Prometheus' scrape_configs: tls_config, authorization, proxy_url and more.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() []error {
	var errs []error
	if len(c.Receivers) == 0 {
		errs = append(errs, errors.New("receivers: must not be empty"))
	}
	seen := map[string]bool{}
	for i, r := range c.Receivers {
		bad := func(field, format string, args ...any) {
			errs = append(errs, fmt.Errorf("receivers[%d].%s: %w", i, field, fmt.Errorf(format, args...)))
		}
		if r.Name == "" || len(r.Name) > 64 || strings.TrimSpace(r.Name) != r.Name {
			bad("name", "must have 1 to 64 characters and no space around them, got %q", r.Name)
		}
		if seen[r.Name] {
			bad("name", "%q is there twice", r.Name)
		}
		seen[r.Name] = true
		switch {
		case (r.URL == "") == (r.URLFrom == nil):
			bad("url", "needs either url or url_from")
		case r.URLFrom != nil:
			if err := r.URLFrom.Validate(); err != nil {
				bad("url_from", "%w", err)
			}
		case parse(r.URL) == nil:
			bad("url", "must be an absolute http or https URL without a user or a fragment")
		}
		if err := r.Secret.Validate(); err != nil {
			bad("secret", "%w", err)
		}
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	var out []*string
	for i := range c.Receivers {
		r := &c.Receivers[i]
		out = append(append(out, outgoing.Files(r.HTTP)...), &r.Secret.File)
		if r.URLFrom != nil {
			out = append(out, &r.URLFrom.File)
		}
	}
	return out
}

// parse answers nil for what no receiver can be.
func parse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		return nil
	}
	return u
}

// Channel tells the receivers.
type Channel struct {
	now       func() time.Time
	receivers map[string]receiver
}

type receiver struct {
	Receiver
	client *kind.Client
}

// New makes the channel.
func New(c *Config, d kind.Deps) (*Channel, error) {
	out := &Channel{now: d.Now, receivers: map[string]receiver{}}
	for i, r := range c.Receivers {
		client, err := d.Client("webhook "+r.Name, r.HTTP)
		if err != nil {
			return nil, fmt.Errorf("receivers[%d].%w", i, err)
		}
		out.receivers[r.Name] = receiver{r, client}
	}
	return out, nil
}

// Service is which of the receivers an address is of: one that does not answer holds up none of the others.
func (c *Channel) Service(address string) string {
	if _, known := c.receivers[address]; known {
		return address
	}
	return ""
}

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	r, known := c.receivers[m.To.Address]
	if !known {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("webhook: no receiver is called %q: name it in channels.webhook.receivers", fit.Runes(fit.Line(m.To.Address), 64)))
	}
	secret, target, err := r.secrets()
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("webhook %s: %w", r.Name, err)
	}
	body, err := json.Marshal(payloadOf(m))
	if err != nil {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("webhook %s: %w", r.Name, err))
	}
	at, id := strconv.FormatInt(c.now().Unix(), 10), fit.ID(m)
	hidden := []string{secret.Text()}
	if u := parse(target); r.URLFrom != nil && u.RequestURI() != "/" {
		hidden = append(hidden, u.RequestURI())
	}
	answer, err := r.client.Do(ctx, m, kind.Request{
		Method: http.MethodPost, URL: target, Body: body, Secrets: hidden,
		Header: http.Header{
			"Content-Type": {"application/json"}, "User-Agent": {"signalbox"}, signature.Delivery: {id}, signature.Timestamp: {at},
			signature.Header: {signature.Sign(secret.Bytes(), at, body)},
		},
	})
	if err != nil {
		return notify.Receipt{}, err
	}
	return notify.Receipt{ID: id, Note: "status " + strconv.Itoa(answer.Status)}, nil
}

// secrets are read for each message, so that a new one counts at once.
func (r receiver) secrets() (secret secretfile.Secret, target string, err error) {
	if secret, err = r.Secret.Secret(); err != nil {
		return secret, "", fmt.Errorf("secret: %w", err)
	}
	if r.URLFrom == nil {
		return secret, r.URL, nil
	}
	from, err := r.URLFrom.Secret()
	if err != nil {
		return secret, "", fmt.Errorf("url_from: %w", err)
	}
	if parse(from.Text()) == nil {
		return secret, "", fmt.Errorf("url_from: %s holds no absolute http or https URL without a user or a fragment", r.URLFrom.Where())
	}
	return secret, from.Text(), nil
}
