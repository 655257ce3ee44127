// Package slack writes to channels and people of a Slack workspace as a bot, and understands the buttons under its messages.
//
// A page is one message, which is changed when the page is taken or ends; what is known of its alerts stands in the message's thread, and a
// page that is sent again is told in the thread and in the channel. In: messages, and Slack's signed interactions. Out: calls of
// chat.postMessage and chat.update, and what people asked for.
//
// Invariants: nothing that comes from telemetry is markup: it is plain text in every block, and escaped where Slack has none, so that no
// label mentions a channel, makes a link or breaks a block. Every text is within Slack's limits. An interaction counts once, within
// five minutes, with Slack's signature. Plain HTTP, because two methods are called, and because a library would try again by
// itself, where the courier does.
//
// Start reading at Send, then blocks.go and presses.go.
package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Config is channels.slack.
type Config struct {
	kind.Account `yaml:",inline"`
	// SigningSecret is the app's; with it messages have buttons, and Slack's interactions are believed.
	SigningSecret *secretfile.Key `yaml:"signing_secret"`
	// People says who members are: names of oncall_files by member ID (U…). Others are found by their e-mail.
	People map[string]string `yaml:"people"`
}

const defaultURL = "https://slack.com/api"

var memberRE = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)

func (c *Config) members() kind.Pressers {
	return kind.Pressers{Field: "signing_secret", Secret: c.SigningSecret, People: c.People, ID: memberRE, Sample: "member ID, such as U012AB3CD: anna"}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() (errs []error) {
	return append(c.Account.Validate(), c.members().Validate()...)
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string { return append(c.Account.Files(), c.members().Files()...) }

// Channel writes to one workspace.
type Channel struct {
	cfg    Config
	client *kind.Client
	memory notify.Memory
	turns  *kind.OneAtATime
}

// New makes the channel.
func New(c *Config, d kind.Deps) (*Channel, error) {
	client, err := d.Client("slack", c.HTTP)
	if err != nil {
		return nil, err
	}
	return &Channel{cfg: *c, client: client, memory: d.Memory, turns: kind.NewOneAtATime()}, nil
}

// posted is what is remembered of a message.
type posted struct {
	Channel  string `json:"channel"`
	TS       string `json:"ts"`
	Threaded bool   `json:"threaded"` // its details are there too
}

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if m.To.Address == "" {
		return notify.Receipt{}, notify.Refused(errors.New("slack: the address is empty: give a channel ID (C…), a #name or a member ID (U…)"))
	}
	if m.Page == nil {
		said, err := c.post(ctx, message{Channel: m.To.Address, Text: fallback(m), Blocks: c.blocks(m), about: m})
		return said.receipt("posted"), err
	}
	leave, err := c.turns.Enter(ctx, m)
	if err != nil {
		return notify.Receipt{}, err
	}
	defer leave()
	before, err := c.recall(ctx, m)
	if err != nil {
		return notify.Receipt{}, err
	}
	if before.TS == "" {
		return c.begin(ctx, m)
	}
	err = c.update(ctx, message{Channel: before.Channel, TS: before.TS, Text: fallback(m), Blocks: c.blocks(m), about: m})
	if isGone(err) {
		return c.begin(ctx, m)
	}
	if err != nil {
		return notify.Receipt{}, err
	}
	return c.follow(ctx, m, before)
}

// begin is the first that a channel hears of a page.
func (c *Channel) begin(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	said, err := c.post(ctx, message{Channel: m.To.Address, Text: fallback(m), Blocks: c.blocks(m), about: m})
	if err != nil {
		return notify.Receipt{}, err
	}
	if m.Kind == notify.Resolved {
		return said.receipt("posted"), nil
	}
	now, note := posted{Channel: said.Channel, TS: said.TS}, "posted"
	// Before the thread: a try that ends between both goes on there, and posts no second message. What is posted is posted, whether that
	// can be remembered or not.
	if err := c.remember(ctx, m, now); err != nil {
		note += "; it will not be changed: " + err.Error()
	}
	return c.thread(ctx, m, now, note)
}

// follow is what comes after a message was changed.
func (c *Channel) follow(ctx context.Context, m notify.Message, before posted) (notify.Receipt, error) {
	if m.Kind == notify.Acknowledged || m.Kind == notify.Resolved {
		// A change of a message notifies nobody.
		if _, err := c.post(ctx, message{Channel: before.Channel, ThreadTS: before.TS, Text: escape(fit.Runes(fit.Marked(m), maxFallback))}); err != nil {
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
	if !before.Threaded {
		return c.thread(ctx, m, before, "changed")
	}
	again := message{Channel: before.Channel, ThreadTS: before.TS, Broadcast: true, Text: fallback(m), Blocks: []block{section(fit.Runes(fit.Marked(m), maxText))}}
	if _, err := c.post(ctx, again); err != nil {
		return notify.Receipt{}, err
	}
	return before.receipt("told again in the thread"), nil
}

// thread writes what is known of the alerts below the message.
func (c *Channel) thread(ctx context.Context, m notify.Message, at posted, note string) (notify.Receipt, error) {
	if details := details(m); len(details) > 0 {
		if _, err := c.post(ctx, message{Channel: at.Channel, ThreadTS: at.TS, Text: "What is known of the alerts", Blocks: details}); err != nil {
			return notify.Receipt{}, err
		}
	}
	at.Threaded = true
	if err := c.remember(ctx, m, at); err != nil {
		note += "; " + err.Error()
	}
	return at.receipt(note), nil
}

func (c *Channel) recall(ctx context.Context, m notify.Message) (out posted, err error) {
	text, err := c.memory.Recall(ctx, m.To, m.DedupKey)
	if err != nil || text == "" {
		return out, err
	}
	_ = json.Unmarshal([]byte(text), &out) // damaged is as if forgotten: a new message is better than none
	return out, nil
}

func (c *Channel) remember(ctx context.Context, m notify.Message, p posted) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return c.memory.Remember(ctx, m.To, m.DedupKey, string(text))
}

func (p posted) receipt(note string) notify.Receipt {
	if p.TS == "" {
		return notify.Receipt{}
	}
	return notify.Receipt{ID: p.Channel + "/" + p.TS, Note: note}
}

// message is what chat.postMessage, chat.update and chat.postEphemeral take.
type message struct {
	Channel  string  `json:"channel"`
	TS       string  `json:"ts,omitempty"`
	ThreadTS string  `json:"thread_ts,omitempty"`
	User     string  `json:"user,omitempty"`
	Text     string  `json:"text"`
	Blocks   []block `json:"blocks,omitempty"`
	// Broadcast shows a message of a thread in the channel too.
	Broadcast bool `json:"reply_broadcast,omitempty"`
	// Parse and LinkNames are said because chat.update means something else where they are absent: it makes links of names.
	Parse     string `json:"parse"`
	LinkNames bool   `json:"link_names"`
	// Slack fetches no address for a preview.
	UnfurlLinks *bool `json:"unfurl_links,omitempty"`
	UnfurlMedia *bool `json:"unfurl_media,omitempty"`

	about notify.Message // what of it nobody else may see stands in no error
}

func (c *Channel) post(ctx context.Context, m message) (posted, error) {
	no := false
	m.UnfurlLinks, m.UnfurlMedia = &no, &no
	var out posted
	err := c.call(ctx, "chat.postMessage", m, &out)
	return out, err
}

func (c *Channel) update(ctx context.Context, m message) error {
	return c.call(ctx, "chat.update", m, nil)
}

// methodError is what a method answers with "ok": false.
type methodError struct {
	code   string
	detail []string
}

// Error implements error.
func (e *methodError) Error() string {
	text := e.code
	if cure := cures()[e.code]; cure != "" {
		text += ": " + cure
	}
	if len(e.detail) > 0 {
		text += ": " + strings.Join(e.detail, "; ")
	}
	return fit.Line(text)
}

func cures() map[string]string {
	const token = "check channels.slack.token"
	return map[string]string{
		"not_in_channel": "invite the app to the channel", "channel_not_found": "give the channel's ID and invite the app to it",
		"is_archived": "the channel is archived", "missing_scope": "give the app the scope and install it again",
		"invalid_auth": token, "not_authed": token, "token_revoked": token, "token_expired": token, "account_inactive": token,
	}
}

// troubles are errors of Slack itself: another try may help.
func troubles() []string {
	return []string{"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
}

// isGone says that a message cannot be changed any more: somebody removed it, or it is too old.
func isGone(err error) bool {
	var e *methodError
	return errors.As(err, &e) && slices.Contains([]string{"message_not_found", "cant_update_message", "edit_window_closed"}, e.code)
}

// rest is how long to wait where Slack asks for patience and does not say how long.
const rest = 30 * time.Second

// call calls a method of the Web API.
func (c *Channel) call(ctx context.Context, method string, in, out any) error {
	var about notify.Message
	if m, ok := in.(message); ok {
		m.Parse, about = "none", m.about
		in = m
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.ask(ctx, about, kind.Request{
		Method: http.MethodPost, URL: cmp.Or(c.cfg.URL, defaultURL) + "/" + method, Body: body,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
	}, out)
}

func (c *Channel) ask(ctx context.Context, about notify.Message, r kind.Request, out any) error {
	token, err := c.cfg.Token.Secret()
	if err != nil {
		return fmt.Errorf("slack: token: %w", err)
	}
	r.Secrets = []string{token.Text()}
	r.Header.Set("Authorization", "Bearer "+token.Text())
	answer, err := c.client.Do(ctx, about, r)
	if err != nil {
		return err
	}
	var said struct {
		OK       bool   `json:"ok"`
		Error    string `json:"error"`
		Needed   string `json:"needed"`
		Metadata struct {
			Messages []string `json:"messages"`
		} `json:"response_metadata"`
	}
	if err := json.Unmarshal(answer.Body, &said); err != nil {
		return errors.New("slack: the answer is not the JSON that is documented")
	}
	if !said.OK {
		detail := slices.DeleteFunc(append(said.Metadata.Messages, said.Needed), func(text string) bool { return text == "" })
		failed := kind.Said("slack", about, &methodError{code: said.Error, detail: detail}, r.Secrets)
		if slices.Contains(troubles(), said.Error) {
			return notify.Later(failed, rest)
		}
		return notify.Refused(failed)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer.Body, out)
}
