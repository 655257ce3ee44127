// Package opsgenie makes, acknowledges and closes alerts of Opsgenie, and of Jira Service Management, which has the same API.
//
// A page is one alert there: its alias is the dedup key. In: messages about pages. Out: one call each. An address says who is told: a
// team, or user:, schedule:, escalation: and a name. Plain HTTP, because it is three calls.
//
// Invariants: every field is within Opsgenie's limits, which cuts what is longer without saying so; what is no page is refused, since an alert would
// wake somebody. Start reading at Send, then alert.go.
package opsgenie

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

// Config is channels.opsgenie.
type Config struct {
	// Key is that of an API integration that may create and update alerts.
	Key secretfile.Key `yaml:"key"`
	// URL is where the API is; https://api.opsgenie.com by default, https://api.eu.opsgenie.com for accounts of the EU.
	URL string `yaml:"url"`
	// HTTP says how it is called, with the keys of Prometheus' scrape_configs.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

const defaultURL = "https://api.opsgenie.com"

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() (errs []error) {
	if err := c.Key.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("key: %w", err))
	}
	if err := weblink.Check(c.URL); err != nil {
		errs = append(errs, fmt.Errorf("url: %w", err))
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string { return append(outgoing.Files(c.HTTP), &c.Key.File) }

// Channel makes alerts.
type Channel struct {
	cfg    Config
	client *kind.Client
}

// New makes the channel.
func New(c *Config, d kind.Deps) (*Channel, error) {
	client, err := d.Client("opsgenie", c.HTTP)
	if err != nil {
		return nil, err
	}
	return &Channel{cfg: *c, client: client}, nil
}

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if m.DedupKey == "" {
		return notify.Receipt{}, notify.Refused(errors.New("opsgenie: the message has no dedup key"))
	}
	alias := aliasOf(m.DedupKey)
	var path string
	var body any
	switch m.Kind {
	case notify.Paged, notify.Noticed, notify.Drill:
		to, err := responderOf(m.To.Address)
		if err != nil {
			return notify.Receipt{}, notify.Refused(fmt.Errorf("opsgenie: %w", err))
		}
		path, body = "", alertOf(m, alias, to)
	case notify.Acknowledged:
		path, body = "/"+alias+"/acknowledge?identifierType=alias", stepOf(m)
	case notify.Resolved:
		path, body = "/"+alias+"/close?identifierType=alias", stepOf(m)
	default:
		return notify.Receipt{}, notify.Refused(fmt.Errorf("opsgenie: it takes pages and what becomes of them, and a message of kind %q would wake somebody", m.Kind))
	}
	return c.call(ctx, m, path, body, alias)
}

func (c *Channel) call(ctx context.Context, m notify.Message, path string, in any, alias string) (notify.Receipt, error) {
	key, err := c.cfg.Key.Secret()
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("opsgenie: key: %w", err)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return notify.Receipt{}, err
	}
	answer, err := c.client.Do(ctx, m, kind.Request{
		Method: http.MethodPost, URL: strings.TrimSuffix(cmp.Or(c.cfg.URL, defaultURL), "/") + "/v2/alerts" + path, Body: body,
		Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"GenieKey " + key.Text()}}, Secrets: []string{key.Text()},
	})
	if err != nil {
		return notify.Receipt{}, err
	}
	var said struct {
		Request string `json:"requestId"`
		Result  string `json:"result"`
	}
	if err := json.Unmarshal(answer.Body, &said); err != nil || said.Request == "" {
		// Something else than Opsgenie answered. Another try is harmless: the alias is the same.
		return notify.Receipt{}, fmt.Errorf("opsgenie: the answer (status %d) does not say that the request was taken", answer.Status)
	}
	return notify.Receipt{ID: alias, Note: fit.Runes(fit.Line(said.Result), 100)}, nil
}
