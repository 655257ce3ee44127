// Package pagerduty sends events to PagerDuty: Events API v2, trigger, acknowledge and resolve.
//
// A page is one alert there, since both have the same dedup key: what escalates and what PagerDuty counts as one are the same thing.
// In: messages about pages. Out: one event each. An address is the name of a service of the configuration. Plain HTTP, because it is one call, and
// because PagerDuty's own client knows neither what is refused nor how long to wait.
//
// Invariants: an event is within PagerDuty's limits (1,024 characters of summary, 255 of dedup key, 512 KB in all); what has no dedup key in
// PagerDuty's sense, such as a hand-over note, is refused, since it would wake somebody. Start reading at Send, then event.go.
package pagerduty

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// Config is channels.pagerduty.
type Config struct {
	// Services are those of PagerDuty that events go to; an address is a service's name.
	Services []Service `yaml:"services"`
	// URL takes the events; https://events.pagerduty.com/v2/enqueue by default, https://events.eu.pagerduty.com/v2/enqueue for accounts of the EU.
	URL string `yaml:"url"`
	// HTTP says how it is called, with the keys of Prometheus' scrape_configs.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

// Service is a service of PagerDuty.
type Service struct {
	Name string `yaml:"name"` // of addresses
	// RoutingKey is the integration key of an "Events API v2" integration of the service.
	RoutingKey secretfile.Key `yaml:"routing_key"`
}

const defaultURL = "https://events.pagerduty.com/v2/enqueue"

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() (errs []error) {
	if len(c.Services) == 0 {
		errs = append(errs, errors.New("services: must not be empty"))
	}
	seen := map[string]bool{}
	for i, s := range c.Services {
		switch at := fmt.Sprintf("services[%d]", i); {
		case s.Name == "" || strings.TrimSpace(s.Name) != s.Name:
			errs = append(errs, fmt.Errorf("%s.name: must not be empty or have space around it, got %q", at, s.Name))
		case seen[s.Name]:
			errs = append(errs, fmt.Errorf("%s.name: %q is there twice", at, s.Name))
		}
		seen[s.Name] = true
		if err := s.RoutingKey.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("services[%d].routing_key: %w", i, err))
		}
	}
	if err := weblink.Check(c.URL); err != nil {
		errs = append(errs, fmt.Errorf("url: %w", err))
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	out := outgoing.Files(c.HTTP)
	for i := range c.Services {
		out = append(out, &c.Services[i].RoutingKey.File)
	}
	return out
}

// Channel sends events.
type Channel struct {
	url    string
	keys   map[string]secretfile.Key
	client *kind.Client
	source string
}

// New makes the channel.
func New(c *Config, d kind.Deps) (*Channel, error) {
	client, err := d.Client("pagerduty", c.HTTP)
	if err != nil {
		return nil, err
	}
	out := &Channel{url: cmp.Or(c.URL, defaultURL), keys: map[string]secretfile.Key{}, client: client, source: cmp.Or(d.ExternalURL, "signalbox")}
	for _, s := range c.Services {
		out.keys[s.Name] = s.RoutingKey
	}
	return out, nil
}

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	key, known := c.keys[m.To.Address]
	if !known {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("pagerduty: no service is called %q: name it in channels.pagerduty.services", fit.Runes(fit.Line(m.To.Address), 64)))
	}
	routing, err := key.Secret()
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("pagerduty %s: routing_key: %w", m.To.Address, err)
	}
	e, err := c.eventOf(m)
	if err != nil {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("pagerduty: %w", err))
	}
	e.RoutingKey = routing.Text()
	body, err := e.encode()
	if err != nil {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("pagerduty: %w", err))
	}
	answer, err := c.client.Do(ctx, m, kind.Request{
		Method: http.MethodPost, URL: c.url, Body: body, Secrets: []string{routing.Text()}, Header: http.Header{"Content-Type": {"application/json"}},
	})
	if err != nil {
		return notify.Receipt{}, err
	}
	var said struct {
		Status   string `json:"status"`
		DedupKey string `json:"dedup_key"`
	}
	if err := json.Unmarshal(answer.Body, &said); err != nil || said.Status != "success" || said.DedupKey != e.DedupKey {
		// Something else than PagerDuty answered, such as a portal of the network. Another try is harmless: it is the same event.
		return notify.Receipt{}, fmt.Errorf("pagerduty: the answer (status %d) does not say that the event was taken", answer.Status)
	}
	return notify.Receipt{ID: e.DedupKey, Note: e.Action}, nil
}
