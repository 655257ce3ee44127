// Package tracker writes pages into issue trackers: GitHub, GitLab and Jira.
//
// A page is one issue, found again by what was remembered, or by a label that is made of the page's key. An acknowledgement is a comment; so
// is the end, which closes the issue where that is wanted. In: messages about pages. Out: calls of the trackers' APIs, by plain HTTP, since they are
// four to each, and a library each would be more than this package.
//
// Invariants: what comes from telemetry stands in blocks of code, where no tracker knows markup: it mentions nobody, and gives no command. A try that broke off
// goes on in the same issue. What is no page is refused. Start reading at Channel.Send, then forge and its three kinds.
package tracker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
)

// Config is what all trackers have.
type Config struct {
	kind.Account `yaml:",inline"`
	// Close closes an issue when its page is over.
	Close bool `yaml:"close"`
	// Labels are set beside those of Signalbox.
	Labels []string `yaml:"labels"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c *Config) Validate() (errs []error) {
	errs = c.Account.Validate()
	for i, l := range c.Labels {
		if l == "" || len(l) > 50 || strings.ContainsAny(l, " ,\t\n") {
			errs = append(errs, fmt.Errorf("labels[%d]: must have 1 to 50 characters without spaces and commas, got %q", i, l))
		}
	}
	return errs
}

// forge is one kind of tracker. issue is how it calls one in its addresses; "" is none.
type forge interface {
	// place checks an address.
	place(address string) error
	find(ctx context.Context, c *caller, place, label string) (issue string, err error)
	open(ctx context.Context, c *caller, place string, i issue) (id string, err error)
	comment(ctx context.Context, c *caller, place, id string, t text) error
	close(ctx context.Context, c *caller, place, id string) error
}

// issue is what is opened.
type issue struct {
	title  string
	text   text
	labels []string
}

// Channel writes into one tracker.
type Channel struct {
	name   string
	cfg    Config
	client *kind.Client
	memory notify.Memory
	forge  forge
	auth   func(h http.Header, token string)
	turns  *kind.OneAtATime
}

func newChannel(name string, cfg Config, d kind.Deps, f forge, auth func(http.Header, string)) (*Channel, error) {
	client, err := d.Client(name, cfg.HTTP)
	if err != nil {
		return nil, err
	}
	return &Channel{name: name, cfg: cfg, client: client, memory: d.Memory, forge: f, auth: auth, turns: kind.NewOneAtATime()}, nil
}

// labelOf finds the issue of a page.
func labelOf(dedupKey string) string {
	sum := sha256.Sum256([]byte(dedupKey))
	return "signalbox-" + hex.EncodeToString(sum[:10])
}

// Send implements notify.Channel.
func (c *Channel) Send(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	if err := c.check(m); err != nil {
		return notify.Receipt{}, notify.Refused(fmt.Errorf("%s: %w", c.name, err))
	}
	token, err := c.cfg.Token.Secret()
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("%s: token: %w", c.name, err)
	}
	leave, err := c.turns.Enter(ctx, m)
	if err != nil {
		return notify.Receipt{}, err
	}
	defer leave()
	call := &caller{Channel: c, token: token.Text(), about: m}
	id, err := c.memory.Recall(ctx, m.To, m.DedupKey)
	if err == nil && id == "" {
		id, err = c.forge.find(ctx, call, m.To.Address, labelOf(m.DedupKey))
	}
	if err != nil {
		return notify.Receipt{}, err
	}
	switch {
	case m.Kind == notify.Acknowledged || m.Kind == notify.Resolved:
		return c.follow(ctx, call, id)
	case id != "":
		return notify.Receipt{ID: id, Note: "there is an open issue"}, nil
	}
	id, err = c.forge.open(ctx, call, m.To.Address, issue{title: fit.UTF16(fit.Headline(m), maxTitle), text: textOf(m), labels: append([]string{"signalbox", labelOf(m.DedupKey)}, c.cfg.Labels...)})
	if err != nil {
		return notify.Receipt{}, err
	}
	return c.keep(ctx, m, id, "opened"), nil
}

func (c *Channel) check(m notify.Message) error {
	switch m.Kind {
	case notify.Paged, notify.Noticed, notify.Drill, notify.Acknowledged, notify.Resolved:
	default:
		return fmt.Errorf("it takes pages and what becomes of them, not messages of kind %q", m.Kind)
	}
	if m.DedupKey == "" {
		return errors.New("the message has no dedup key")
	}
	return c.forge.place(m.To.Address)
}

// follow says in an issue what became of its page. It is closed first: a second try closes it again, which is no harm, and does not say everything twice.
func (c *Channel) follow(ctx context.Context, call *caller, id string) (notify.Receipt, error) {
	m := call.about
	if id == "" {
		return notify.Receipt{Note: "there is no open issue"}, nil
	}
	over := m.Kind == notify.Resolved
	if over && c.cfg.Close {
		if err := c.forge.close(ctx, call, m.To.Address, id); err != nil {
			return notify.Receipt{}, err
		}
	}
	if err := c.forge.comment(ctx, call, m.To.Address, id, text{code: fit.UTF16(fit.Headline(m), maxTitle)}); err != nil {
		return notify.Receipt{}, err
	}
	if over {
		return c.keep(ctx, m, "", "commented"), nil
	}
	return notify.Receipt{ID: id, Note: "commented"}, nil
}

// keep remembers the issue of a page; "" forgets it. What was written is written, whether that can be remembered or not.
func (c *Channel) keep(ctx context.Context, m notify.Message, id, note string) notify.Receipt {
	if err := c.memory.Remember(ctx, m.To, m.DedupKey, id); err != nil {
		note += "; " + err.Error()
	}
	return notify.Receipt{ID: id, Note: note}
}

// caller calls the API of a tracker about one message.
type caller struct {
	*Channel
	token string
	about notify.Message
}

func (c *caller) do(ctx context.Context, method, base, path string, header http.Header, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {"signalbox"}}
	for k, v := range header {
		h[k] = v
	}
	c.auth(h, c.token)
	answer, err := c.client.Do(ctx, c.about, kind.Request{
		Method: method, URL: c.cfg.Base(base) + path, Header: h, Body: body, Secrets: []string{c.token, h.Get("Authorization")},
	})
	if err != nil {
		// GitHub and GitLab refuse by 403 who asks too often.
		if said := kind.AnswerOf(err); notify.IsRefused(err) && bytes.Contains(bytes.ToLower(said), []byte("rate limit")) {
			return notify.Later(errors.New(c.name+": it is asked too often"), time.Minute)
		}
		return err
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Body, out); err != nil {
		return fmt.Errorf("%s: the answer is not the JSON that is documented", c.name)
	}
	return nil
}
