// Package ntfy publishes messages to topics of an ntfy server, ntfy.sh or one's own.
//
// In: messages. Out: one publication as JSON each (https://docs.ntfy.sh/publish/#publish-as-json). An address is a topic, which is a
// secret where the server has no access control, and is shown in no error. Invariant: nothing is sent that the server would turn into
// an attachment or refuse by its default limits. Start reading at Send.
package ntfy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Config is channels.ntfy.
type Config struct {
	// URL is that of the server; https://ntfy.sh where it is absent.
	URL string `yaml:"url"`
	// Token is an access token of the server; absent where topics are open.
	Token *secretfile.Key `yaml:"token"`
	// HTTP says how it is called, with the keys of Prometheus' scrape_configs: tls_config, proxy_url and more.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

const usual = "https://ntfy.sh"

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() []error {
	var errs []error
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
			errs = append(errs, errors.New("url: must be http or https and a host, without a path: topics are addresses"))
		}
	}
	if c.Token != nil {
		if err := c.Token.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("token: %w", err))
		}
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	out := outgoing.Files(c.HTTP)
	if c.Token != nil {
		out = append(out, &c.Token.File)
	}
	return out
}

// Channel publishes.
type Channel struct {
	cfg    Config
	client *kind.Client
}

// New makes the channel.
func New(c *Config, d kind.Deps) (*Channel, error) {
	out := &Channel{cfg: *c}
	if out.cfg.URL == "" {
		out.cfg.URL = usual
	}
	var err error
	out.client, err = d.Client("ntfy", c.HTTP)
	return out, err
}

// Pace is what a server stands by its defaults: 60 requests at once, then one every five seconds.
func (*Channel) Pace() (perSecond float64, burst int) { return 0.2, 50 }

var topic = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if !topic.MatchString(m.To.Address) {
		return notify.Receipt{}, notify.Refused(errors.New("ntfy: the address is no topic: it must have 1 to 64 letters, digits, - or _"))
	}
	secrets, header := []string{m.To.Address}, http.Header{"Content-Type": {"application/json"}, "User-Agent": {"signalbox"}}
	if c.cfg.Token != nil {
		token, err := c.cfg.Token.Secret()
		if err != nil {
			return notify.Receipt{}, fmt.Errorf("ntfy: token: %w", err)
		}
		secrets = append(secrets, token.Text())
		header.Set("Authorization", "Bearer "+token.Text())
	}
	body, err := json.Marshal(publicationOf(m))
	if err != nil {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("ntfy: %w", err))
	}
	answer, err := c.client.Do(ctx, m, kind.Request{Method: http.MethodPost, URL: c.cfg.URL, Header: header, Body: body, Secrets: secrets})
	if err != nil {
		return notify.Receipt{}, err
	}
	var taken struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(answer.Body, &taken) // it was taken, whatever else it says
	return notify.Receipt{ID: fit.Runes(fit.Line(taken.ID), 64), Note: "published"}, nil
}

// What a server takes by its defaults: 4,096 bytes of a message, three actions.
const (
	mostMessage = 4096
	mostTitle   = 200
	mostActions = 3
	mostURL     = 1500
)

type publication struct {
	Topic    string   `json:"topic"`
	Title    string   `json:"title"`
	Message  string   `json:"message"`
	Priority int      `json:"priority"`
	Tags     []string `json:"tags,omitempty"`
	Click    string   `json:"click,omitempty"`
	Actions  []action `json:"actions,omitempty"`
}

type action struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
	Clear  bool   `json:"clear,omitempty"`
}

func publicationOf(m notify.Message) publication {
	priority, tag := look(m)
	title := fit.Line(m.Title)
	if m.Level != "" {
		title = "[" + fit.Runes(fit.Line(m.Level), 10) + "] " + title
	}
	p := publication{Topic: m.To.Address, Title: fit.Bytes(title, mostTitle), Message: fit.Bytes(fit.Text(m.Text), mostMessage), Priority: priority, Tags: []string{tag}}
	if p.Message == "" {
		p.Message = p.Title // an empty one would read "triggered"
	}
	if m.Acknowledge != "" && len(m.Acknowledge) <= mostURL {
		p.Actions = append(p.Actions, action{Action: "view", Label: "Acknowledge", URL: m.Acknowledge, Clear: true})
	}
	for _, l := range m.Links {
		if len(l.URL) > mostURL {
			continue
		}
		if p.Click == "" {
			p.Click = l.URL
		}
		if len(p.Actions) < mostActions {
			p.Actions = append(p.Actions, action{Action: "view", Label: fit.Runes(fit.Line(l.Text), 40), URL: l.URL})
		}
	}
	return p
}

// look is how loud a message is, and its picture.
func look(m notify.Message) (priority int, tag string) {
	switch m.Kind {
	case notify.Paged:
		return 5, "rotating_light"
	case notify.Drill:
		return 5, "test_tube"
	case notify.Noticed:
		return 4, "warning"
	case notify.Acknowledged:
		return 2, "eyes"
	case notify.Resolved:
		return 3, "white_check_mark"
	case notify.Verification:
		return 4, "key"
	case notify.Told:
	}
	return 3, "information_source"
}
