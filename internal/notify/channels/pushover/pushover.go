// Package pushover sends messages to phones by way of Pushover, and understands that somebody acknowledged one there.
//
// A page is of the highest priority, which rings until somebody acknowledges it, and is acknowledged in Signalbox then. In: messages, and Pushover's callbacks.
// Out: calls of its message and receipt API (https://pushover.net/api), and acknowledgements. Plain HTTP, because three methods are called.
//
// Invariants: a message is within what Pushover takes; a callback is believed with the proof that its address has in it, which only we and Pushover
// know. The token, people's keys and the proof are in no error. Start reading at Send, then callback.go.
package pushover

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Config is channels.pushover.
type Config struct {
	kind.Account `yaml:",inline"`
	// Retry is how often a page rings until it is acknowledged; 1m by default, at least 30s.
	Retry common.Duration `yaml:"retry"`
	// Expire is how long it rings; 1h by default, at most 3h.
	Expire common.Duration `yaml:"expire"`
}

const defaultURL = "https://api.pushover.net"

// What Pushover takes.
const (
	leastRetry, usualRetry = 30 * time.Second, time.Minute
	mostExpire, usualHour  = 3 * time.Hour, time.Hour
	maxTitle, maxMessage   = 250, 1024
	maxURL, maxURLTitle    = 512, 100
	maxCallback            = 2000
)

var keyRE = regexp.MustCompile(`^[A-Za-z0-9]{30}$`)

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() (errs []error) {
	errs = c.Account.Validate()
	if c.Retry != 0 && time.Duration(c.Retry) < leastRetry {
		errs = append(errs, fmt.Errorf("retry: at least %s, which is what Pushover takes, got %s", leastRetry, c.Retry))
	}
	if c.Expire != 0 && time.Duration(c.Expire) > mostExpire {
		errs = append(errs, fmt.Errorf("expire: at most 3h, which is what Pushover takes, got %s", c.Expire))
	}
	if c.expire() < c.retry() {
		errs = append(errs, fmt.Errorf("expire: must not be less than retry, which is %s", common.Duration(c.retry())))
	}
	return errs
}

func (c *Config) retry() time.Duration  { return cmp.Or(time.Duration(c.Retry), usualRetry) }
func (c *Config) expire() time.Duration { return cmp.Or(time.Duration(c.Expire), usualHour) }

// Channel sends as one application.
type Channel struct {
	cfg    Config
	client *kind.Client
	hooks  string
}

// New makes the channel.
func New(c *Config, d kind.Deps) (*Channel, error) {
	client, err := d.Client(name, c.HTTP)
	return &Channel{cfg: *c, client: client, hooks: d.Hook(name)}, err
}

// Pace is less than the two connections at once that Pushover asks for come to.
func (*Channel) Pace() (perSecond float64, burst int) { return 2, 20 }

// payload is what messages.json takes.
type payload struct {
	Token     string `json:"token"`
	User      string `json:"user"`
	Title     string `json:"title"`
	Message   string `json:"message"`
	Priority  int    `json:"priority"`
	Timestamp int64  `json:"timestamp,omitempty"`
	URL       string `json:"url,omitempty"`
	URLTitle  string `json:"url_title,omitempty"`
	Retry     int    `json:"retry,omitempty"`
	Expire    int    `json:"expire,omitempty"`
	Callback  string `json:"callback,omitempty"`
	Tags      string `json:"tags,omitempty"`
}

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if !keyRE.MatchString(m.To.Address) {
		return notify.Receipt{}, notify.Refused(errors.New("pushover: the address is no key of a user or group: it must have 30 letters and digits"))
	}
	token, err := c.cfg.Token.Secret()
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("pushover: token: %w", err)
	}
	note := "sent"
	if m.Kind == notify.Acknowledged || m.Kind == notify.Resolved {
		// It rings no more; who is told of it hears of it all the same.
		if err := c.hush(ctx, m, token.Text()); err != nil {
			note += "; it may ring on: " + err.Error()
		}
	}
	var said struct {
		Request string `json:"request"`
		Receipt string `json:"receipt"`
	}
	if err := c.post(ctx, m, "/1/messages.json", c.payload(m, token), token.Text(), &said); err != nil {
		return notify.Receipt{}, err
	}
	return notify.Receipt{ID: fit.Runes(fit.Line(cmp.Or(said.Receipt, said.Request)), 64), Note: note}, nil
}

func (c *Channel) payload(m notify.Message, token secretfile.Secret) payload {
	p := payload{Token: token.Text(), User: m.To.Address, Title: fit.Runes(fit.Headline(m), maxTitle), Message: fit.Runes(fit.Body(m), maxMessage), Priority: priority(m.Kind)}
	if p.Message == "" {
		p.Message = p.Title // an empty one is refused
	}
	if !m.Time.IsZero() {
		p.Timestamp = m.Time.Unix()
	}
	if p.Priority == emergency {
		p.Retry, p.Expire = int(c.cfg.retry()/time.Second), int(c.cfg.expire()/time.Second)
		p.Tags, p.Callback = tag(m.DedupKey), c.callback(m, token)
	}
	for _, l := range m.Links {
		if at := fit.Link(l.URL, maxURL); at != "" {
			p.URL, p.URLTitle = at, cmp.Or(fit.Runes(fit.Line(l.Text), maxURLTitle), "Open")
			break
		}
	}
	// Whoever cannot acknowledge by Pushover itself has the link.
	if at := fit.Link(m.Acknowledge, maxURL); at != "" && p.Callback == "" {
		p.URL, p.URLTitle = at, "Acknowledge"
	}
	return p
}

const emergency = 2

// priority is how loud a message is: an emergency rings also in quiet hours, until somebody acknowledges it.
func priority(k notify.Kind) int {
	switch k {
	case notify.Paged, notify.Drill:
		return emergency
	case notify.Acknowledged, notify.Told:
		return -1
	case notify.Noticed, notify.Resolved, notify.Verification:
	}
	return 0
}

// tag is by what messages about one page are found again.
func tag(dedupKey string) string {
	sum := sha256.Sum256([]byte(dedupKey))
	return "signalbox-" + hex.EncodeToString(sum[:10])
}

// hush ends the ringing of a page, with whomever of this application's it rings.
func (c *Channel) hush(ctx context.Context, m notify.Message, token string) error {
	return c.post(ctx, m, "/1/receipts/cancel_by_tag/"+tag(m.DedupKey)+".json", map[string]string{"token": token}, token, &struct{}{})
}

func (c *Channel) post(ctx context.Context, m notify.Message, path string, in any, token string, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return notify.Refused(fmt.Errorf("pushover: %w", err))
	}
	secrets := []string{token, m.To.Address}
	if p, ok := in.(payload); ok && p.Callback != "" {
		secrets = append(secrets, p.Callback, proofIn(p.Callback))
	}
	answer, err := c.client.Do(ctx, m, kind.Request{
		Method: http.MethodPost, URL: c.cfg.Base(defaultURL) + path, Body: body,
		Header: http.Header{"Content-Type": {"application/json"}}, Secrets: secrets,
	})
	if err != nil {
		return used(err)
	}
	var said struct {
		Status int `json:"status"`
	}
	if err := json.Unmarshal(answer.Body, &said); err != nil || said.Status != 1 {
		return errors.New("pushover: the answer is not the JSON that is documented")
	}
	return json.Unmarshal(answer.Body, out)
}

// used is an error that is worth no try before the next month begins, where the application has sent all that it may: another channel is
// better than waiting. Else Pushover wants nothing for five seconds after an error of its own.
func used(err error) error {
	status, header := kind.StatusOf(err)
	switch {
	case status == http.StatusTooManyRequests && header.Get("X-Limit-App-Remaining") == "0":
		return notify.Refused(fmt.Errorf("%w; the application's messages of this month are used up", err))
	case status >= http.StatusInternalServerError && notify.RetryAfter(err) == 0:
		return notify.Later(err, patience)
	}
	return err
}

const patience = 5 * time.Second

func proofIn(callback string) string {
	u, err := url.Parse(callback)
	if err != nil {
		return ""
	}
	return u.Query().Get("proof")
}
