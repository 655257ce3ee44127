// Package teams posts adaptive cards to channels and chats of Microsoft Teams, by way of a workflow ("When a Teams webhook request is received").
//
// In: messages. Out: one POST of a card each. A workflow answers nothing that a message could be changed by, so that what becomes of a page
// is a card of its own, and acknowledging is a link. An address is the name of a destination of the configuration: its URL is the secret.
//
// Invariants: what comes from telemetry stands in text runs, which know no markup, so that no label makes a link or mentions anybody; a
// card has less than the 28 KB that Teams takes, and loses alerts, then lines, before its title and links. Start reading at Send, then card.go.
package teams

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Config is channels.teams.
type Config struct {
	// Destinations are channels and chats; an address is a destination's name.
	Destinations []Destination `yaml:"destinations"`
	// HTTP says how workflows are called, with the keys of Prometheus' scrape_configs.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

// Destination is a channel or a chat.
type Destination struct {
	Name string `yaml:"name"` // of addresses
	// URL holds the address of the workflow: whoever knows it can post there.
	URL secretfile.Key `yaml:"url"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() (errs []error) {
	if len(c.Destinations) == 0 {
		errs = append(errs, errors.New("destinations: must not be empty"))
	}
	seen := map[string]bool{}
	for i, d := range c.Destinations {
		bad := func(field string, err error) {
			errs = append(errs, fmt.Errorf("destinations[%d].%s: %w", i, field, err))
		}
		if d.Name == "" || strings.TrimSpace(d.Name) != d.Name {
			bad("name", fmt.Errorf("must not be empty or have space around it, got %q", d.Name))
		}
		if seen[d.Name] {
			bad("name", fmt.Errorf("%q is there twice", d.Name))
		}
		seen[d.Name] = true
		if err := d.URL.Validate(); err != nil {
			bad("url", err)
		}
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	out := outgoing.Files(c.HTTP)
	for i := range c.Destinations {
		out = append(out, &c.Destinations[i].URL.File)
	}
	return out
}

// Channel posts cards.
type Channel struct {
	urls   map[string]secretfile.Key
	client *kind.Client
}

// New makes the channel.
func New(c *Config, d kind.Deps) (*Channel, error) {
	client, err := d.Client("teams", c.HTTP)
	if err != nil {
		return nil, err
	}
	out := &Channel{urls: map[string]secretfile.Key{}, client: client}
	for _, to := range c.Destinations {
		out.urls[to.Name] = to.URL
	}
	return out, nil
}

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	key, known := c.urls[m.To.Address]
	if !known {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("teams: no destination is called %q: name it in channels.teams.destinations", fit.Runes(fit.Line(m.To.Address), 64)))
	}
	secret, err := key.Secret()
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("teams %s: url: %w", m.To.Address, err)
	}
	u, err := url.Parse(secret.Text())
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("teams %s: url: %s holds no absolute https URL", m.To.Address, key.Where()))
	}
	body, err := encode(m)
	if err != nil {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("teams: %w", err))
	}
	answer, err := c.client.Do(ctx, m, kind.Request{
		Method: http.MethodPost, URL: secret.Text(), Body: body, Header: http.Header{"Content-Type": {"application/json"}},
		Secrets: []string{secret.Text(), u.RequestURI(), u.Query().Get("sig")},
	})
	if err != nil {
		return notify.Receipt{}, err
	}
	// Connectors, which workflows replace, answer 200 to what they did not deliver.
	if said := string(answer.Body); strings.Contains(said, "HTTP error 429") {
		return notify.Receipt{}, notify.Later(errors.New("teams: it is asked too often"), pause)
	} else if strings.Contains(said, "message delivery failed") {
		return notify.Receipt{}, errors.New("teams: the message was not delivered")
	}
	return notify.Receipt{ID: fit.ID(m), Note: "status " + strconv.Itoa(answer.Status)}, nil
}
