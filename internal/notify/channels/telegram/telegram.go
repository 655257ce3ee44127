// Package telegram writes to people, groups and channels of Telegram as a bot, and understands the button under its messages.
//
// A page is one message, which is changed when the page is taken or ends; what should be noticed is a reply to it. In: messages, and
// Telegram's callback queries by webhook. Out: calls of the Bot API, and acknowledgements. Plain HTTP, because four methods are called, and
// because a library would try again by itself, where the courier does.
//
// Invariants: text is plain and mentions nobody, whatever stands in labels; it has at most 4,096 characters; an update is believed with
// the secret that Telegram was given, and a button acknowledges only the page under which it stood, since clients can send what they like. The
// token, which is a part of every address, is in no error. Start reading at Send, then text.go and presses.go.
package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Config is channels.telegram.
type Config struct {
	kind.Account `yaml:",inline"`
	// WebhookSecret is the secret_token that setWebhook was given; with it messages have a button, and Telegram's updates are believed.
	WebhookSecret *secretfile.Key `yaml:"webhook_secret"`
	// People says who users are: names of oncall_files by user ID (a number).
	People map[string]string `yaml:"people"`
}

const defaultURL = "https://api.telegram.org"

var (
	userRE = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
	chatRE = regexp.MustCompile(`^(-?[1-9][0-9]{0,18}|@[A-Za-z0-9_]{4,32})$`)
)

func (c *Config) users() kind.Pressers {
	return kind.Pressers{Field: "webhook_secret", Secret: c.WebhookSecret, People: c.People, ID: userRE, Sample: `user ID, such as "123456789": anna`}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() (errs []error) {
	return append(c.Account.Validate(), c.users().Validate()...)
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string { return append(c.Account.Files(), c.users().Files()...) }

// Channel writes as one bot.
type Channel struct {
	cfg    Config
	client *kind.Client
	memory notify.Memory
	turns  *kind.OneAtATime
}

// New makes the channel.
func New(c *Config, d kind.Deps) (*Channel, error) {
	client, err := d.Client("telegram", c.HTTP)
	if err != nil {
		return nil, err
	}
	return &Channel{cfg: *c, client: client, memory: d.Memory, turns: kind.NewOneAtATime()}, nil
}

// posted is where a message is.
type posted struct {
	Chat json.Number `json:"chat"`
	ID   int64       `json:"id"`
}

func (p posted) receipt(note string) notify.Receipt {
	return notify.Receipt{ID: p.Chat.String() + "/" + strconv.FormatInt(p.ID, 10), Note: note}
}

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if !chatRE.MatchString(m.To.Address) {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("telegram: %q is no chat: give its number, or @name of a public channel", fit.Runes(fit.Line(m.To.Address), 64)))
	}
	keys, err := c.keyboard(m)
	if err != nil {
		return notify.Receipt{}, err
	}
	msg := message{Chat: m.To.Address, Text: text(m), Markup: keys}
	var before posted
	if m.Page != nil {
		leave, err := c.turns.Enter(ctx, m)
		if err != nil {
			return notify.Receipt{}, err
		}
		defer leave()
		kept, err := c.memory.Recall(ctx, m.To, m.DedupKey)
		if err != nil {
			return notify.Receipt{}, err
		}
		if kept != "" && json.Unmarshal([]byte(kept), &before) != nil {
			before = posted{} // a new message is better than none
		}
	}
	if before.ID == 0 {
		return c.begin(ctx, m, msg)
	}
	err = c.edit(ctx, message{Chat: before.Chat.String(), ID: before.ID, Text: msg.Text, Markup: keys}, m)
	if err != nil && !notify.IsRefused(err) {
		return notify.Receipt{}, err
	}
	if err != nil { // removed, or too old to be changed
		return c.begin(ctx, m, msg)
	}
	return c.follow(ctx, m, msg, before)
}

// begin is the first that a chat hears of a page.
func (c *Channel) begin(ctx context.Context, m notify.Message, msg message) (notify.Receipt, error) {
	at, err := c.post(ctx, msg, m)
	if err != nil {
		return notify.Receipt{}, err
	}
	note := "sent"
	if m.Page != nil && m.Kind != notify.Resolved {
		kept, err := json.Marshal(at)
		if err == nil {
			err = c.memory.Remember(ctx, m.To, m.DedupKey, string(kept))
		}
		if err != nil {
			note += "; it will not be changed: " + err.Error()
		}
	}
	return at.receipt(note), nil
}

// follow says what is new in a reply, since a change of a message notifies nobody.
func (c *Channel) follow(ctx context.Context, m notify.Message, msg message, before posted) (notify.Receipt, error) {
	reply := message{Chat: before.Chat.String(), Text: fit.UTF16(harmless(fit.Marked(m)), maxText), Reply: &replyTo{ID: before.ID, Anyway: true}}
	if m.Kind == notify.Acknowledged || m.Kind == notify.Resolved {
		reply.Silent = true
	} else {
		reply.Markup = msg.Markup
	}
	if _, err := c.post(ctx, reply, m); err != nil {
		return notify.Receipt{}, err
	}
	note := "changed"
	if m.Kind == notify.Resolved {
		if err := c.memory.Remember(ctx, m.To, m.DedupKey, ""); err != nil {
			note += "; " + err.Error()
		}
	}
	return before.receipt(note), nil
}

// message is what sendMessage and editMessageText take.
type message struct {
	Chat    string    `json:"chat_id"`
	ID      int64     `json:"message_id,omitempty"`
	Text    string    `json:"text"`
	Preview noPreview `json:"link_preview_options"`
	Silent  bool      `json:"disable_notification,omitempty"`
	Reply   *replyTo  `json:"reply_parameters,omitempty"`
	Markup  *markup   `json:"reply_markup,omitempty"`
}

// noPreview keeps Telegram from fetching what links lead to.
type noPreview struct{}

// MarshalJSON implements json.Marshaler.
func (noPreview) MarshalJSON() ([]byte, error) { return []byte(`{"is_disabled":true}`), nil }

type replyTo struct {
	ID     int64 `json:"message_id"`
	Anyway bool  `json:"allow_sending_without_reply"`
}

type markup struct {
	Keyboard [][]button `json:"inline_keyboard"`
}

type button struct {
	Text string `json:"text"`
	URL  string `json:"url,omitempty"`
	Data string `json:"callback_data,omitempty"`
}

func (c *Channel) post(ctx context.Context, m message, about notify.Message) (posted, error) {
	var out struct {
		ID   int64 `json:"message_id"`
		Chat struct {
			ID json.Number `json:"id"`
		} `json:"chat"`
	}
	err := c.call(ctx, "sendMessage", m, &out, about)
	return posted{Chat: out.Chat.ID, ID: out.ID}, err
}

// edit changes a message; one that is as it should be already is fine.
func (c *Channel) edit(ctx context.Context, m message, about notify.Message) error {
	err := c.call(ctx, "editMessageText", m, nil, about)
	if err != nil && bytes.Contains(kind.AnswerOf(err), []byte("message is not modified")) {
		return nil
	}
	return err
}

// call calls a method of the Bot API.
func (c *Channel) call(ctx context.Context, method string, in, out any, about notify.Message) error {
	token, err := c.cfg.Token.Secret()
	if err != nil {
		return fmt.Errorf("telegram: token: %w", err)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.client.Do(ctx, about, kind.Request{
		Method: http.MethodPost, URL: c.cfg.Base(defaultURL) + "/bot" + token.Text() + "/" + method, Body: body,
		Header: http.Header{"Content-Type": {"application/json"}}, Secrets: []string{token.Text()},
	})
	if err != nil {
		return patience(err)
	}
	var said struct {
		OK     bool            `json:"ok"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal(answer.Body, &said); err != nil || !said.OK {
		return errors.New("telegram: the answer is not the JSON that is documented")
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(said.Result, out)
}

// patience is an error with how long Telegram asks to wait, which it says in the body.
func patience(err error) error {
	var said struct {
		Parameters struct {
			RetryAfter int `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(kind.AnswerOf(err), &said) == nil && said.Parameters.RetryAfter > 0 {
		return notify.Later(err, time.Duration(min(said.Parameters.RetryAfter, 3600))*time.Second)
	}
	return err
}
