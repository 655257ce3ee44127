// Package twilio sends text messages and calls phones by way of Twilio, and understands what people answer: a text, a key of the phone.
//
// It is two channels, sms and voice, with one account. In: messages, and Twilio's requests. Out: calls of its REST API, acknowledgements, and what became of
// messages after Twilio took them, so that the next contact is tried where a phone was busy. Plain HTTP, because two methods are called, and a library would try again by itself.
//
// Invariants: a request is believed with Twilio's signature over our own address; a text has three segments at most, and one number gets so many messages an
// hour; what is spoken is plain text. The token and people's numbers are in no error. Start reading at Channel.send, then sms.go, voice.go and hooks.go.
package twilio

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
)

// Config is channels.twilio.
type Config struct {
	// SID is the account's (AC…).
	SID          string `yaml:"account"`
	kind.Account `yaml:",inline"`
	// From is the number that texts and calls.
	From string `yaml:"from"`
	// Service is the SID of a messaging service (MG…) that texts in place of From.
	Service string `yaml:"messaging_service"`
	// Replies says that Twilio hands us what people text back, so that they are offered to acknowledge by it.
	Replies bool `yaml:"replies"`
	// Machines has Twilio find out whether a machine took the call, which counts as not reached.
	Machines bool `yaml:"machine_detection"`
	// Language is the one of the voice that reads, such as en-GB; en-US by default. Voice is Twilio's name of it.
	Language string `yaml:"language"`
	Voice    string `yaml:"voice"`
	// PerHour bounds the messages and calls to one number; 20 by default.
	PerHour int `yaml:"most_per_hour"`
}

const (
	defaultURL   = "https://api.twilio.com"
	usualPerHour = 20
	hour         = time.Hour
)

var (
	accountRE  = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	serviceRE  = regexp.MustCompile(`^MG[0-9a-f]{32}$`)
	numberRE   = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	languageRE = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)
	voiceRE    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,60}$`)
)

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() (errs []error) {
	bad := func(wrong bool, text string) {
		if wrong {
			errs = append(errs, errors.New(text))
		}
	}
	errs = c.Account.Validate()
	bad(!accountRE.MatchString(c.SID), "account: must be the account's SID: AC and 32 hexadecimal digits")
	bad(!numberRE.MatchString(c.From), "from: must be a number of the account with its country's code such as +15551234567 (E.164), in quotes")
	bad(c.Service != "" && !serviceRE.MatchString(c.Service), "messaging_service: must be the SID of a messaging service: MG and 32 hexadecimal digits")
	bad(c.Language != "" && !languageRE.MatchString(c.Language), "language: must be one such as en-GB")
	bad(c.Voice != "" && !voiceRE.MatchString(c.Voice), "voice: must be a name of Twilio's such as Polly.Amy")
	bad(c.PerHour < 0, "most_per_hour: must not be negative")
	return errs
}

// New makes both channels, by the names that addresses call them.
func New(c *Config, d kind.Deps) (kind.Made, error) {
	client, err := d.Client("twilio", c.HTTP)
	if err != nil {
		return nil, err
	}
	own := func(name string) Channel {
		return Channel{cfg: *c, name: name, client: client, hook: d.Hook(name), guard: &guard{most: cmp.Or(c.PerHour, usualPerHour), now: d.Now, sent: map[string][]time.Time{}}}
	}
	return kind.Made{sms: &SMS{Channel: own(sms), memory: d.Memory, now: d.Now}, voice: &Voice{own(voice)}}, nil
}

// Channel is what both have in common.
type Channel struct {
	cfg    Config
	name   string
	client *kind.Client
	hook   string // where Twilio sends; "" where it does not reach us
	guard  *guard
}

// Pace is what one number may send by Twilio's own limits: more waits there.
func (*Channel) Pace() (perSecond float64, burst int) { return 1, 10 }

// send asks for one message or call.
func (c *Channel) send(ctx context.Context, m notify.Message, what string, form url.Values) (string, string, error) {
	token, err := c.cfg.Token.Secret()
	if err != nil {
		return "", "", fmt.Errorf("twilio: token: %w", err)
	}
	if err := c.guard.take(m.To.Address); err != nil {
		return "", "", err
	}
	basic := base64.StdEncoding.EncodeToString([]byte(c.cfg.SID + ":" + token.Text()))
	secrets := []string{token.Text(), basic, m.To.Address, strings.TrimPrefix(m.To.Address, "+")}
	if m.Kind == notify.Verification {
		secrets = append(secrets, digits(m.Text)) // as a voice says it
	}
	answer, err := c.client.Do(ctx, m, kind.Request{
		Method: http.MethodPost, URL: c.cfg.Base(defaultURL) + "/2010-04-01/Accounts/" + c.cfg.SID + "/" + what + ".json",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {"Basic " + basic}},
		Body:   []byte(form.Encode()), Secrets: secrets,
	})
	if err != nil {
		c.guard.giveBack(m.To.Address)
		return "", "", plainly(err)
	}
	var said struct {
		SID    string `json:"sid"`
		Status string `json:"status"`
	}
	if err := json.Unmarshal(answer.Body, &said); err != nil || said.SID == "" {
		return "", "", errors.New("twilio: the answer is not the JSON that is documented")
	}
	return fit.Runes(fit.Line(said.SID), 64), fit.Runes(fit.Line(said.Status), 40), nil
}

// plainly says what numbers of Twilio's errors mean that somebody has to act on.
func plainly(err error) error {
	var said struct {
		Code int `json:"code"`
	}
	_ = json.Unmarshal(kind.AnswerOf(err), &said)
	meaning := map[int]string{
		21610: "the person texted STOP to this number, and has to text START to get messages again",
		21211: "the number is none", 21614: "the number takes no text messages", 21408: "the account may not text to that country",
		21215: "the account may not call that country", 20003: "account or token is wrong",
	}[said.Code]
	if meaning == "" {
		return err
	}
	return notify.Refused(fmt.Errorf("%w: %s", err, meaning))
}

// address refuses what is no number.
func (c *Channel) address(m notify.Message) error {
	if !numberRE.MatchString(m.To.Address) {
		return notify.Refused(fmt.Errorf("%s: the address is no number with its country's code such as +4915112345678 (E.164)", c.name))
	}
	return nil
}

// statusURL is where Twilio tells what became of a message about a page.
func (c *Channel) statusURL(m notify.Message) string {
	if c.hook == "" || m.Page == nil || m.Page.ID == "" {
		return ""
	}
	return c.hook + "?" + url.Values{"about": {"status"}, "page": {m.Page.ID}}.Encode()
}

// guard bounds what one number is sent in an hour, since each message costs money. mu guards sent.
type guard struct {
	most int
	now  func() time.Time

	mu   sync.Mutex
	sent map[string][]time.Time
}

func (g *guard) take(address string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for a, times := range g.sent {
		for len(times) > 0 && now.Sub(times[0]) >= hour {
			times = times[1:]
		}
		if g.sent[a] = times; len(times) == 0 {
			delete(g.sent, a)
		}
	}
	if len(g.sent[address]) >= g.most {
		return notify.Refused(fmt.Errorf("twilio: the number was sent %d messages within an hour, which is most_per_hour; the next contact is tried", g.most))
	}
	g.sent[address] = append(g.sent[address], now)
	return nil
}

// giveBack is for what Twilio did not take.
func (g *guard) giveBack(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.sent[address]); n > 0 {
		g.sent[address] = g.sent[address][:n-1]
	}
}
