package slack

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	name     = "slack"
	window   = 5 * time.Minute // as Slack recommends
	silence  = time.Hour
	maxTruth = 10_000 // signatures that are remembered; only Slack makes them
)

// presses understands buttons that were pressed. Safe for concurrent use.
type presses struct {
	*Channel
	hands notify.Hands
	now   func() time.Time

	mu   sync.Mutex
	seen map[string]time.Time // signatures, until they are too old
}

// Intake understands what people press; nil without a signing secret.
func (c *Channel) Intake(hands notify.Hands, now func() time.Time) notify.Intake {
	if c.cfg.SigningSecret == nil {
		return nil
	}
	return &presses{Channel: c, hands: hands, now: now, seen: map[string]time.Time{}}
}

// interaction is what Slack sends when somebody presses a button, as far as it matters here.
type interaction struct {
	Type string `json:"type"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		TeamID   string `json:"team_id"`
	} `json:"user"`
	Container struct {
		Type      string `json:"type"`
		MessageTS string `json:"message_ts"`
		ChannelID string `json:"channel_id"`
	} `json:"container"`
	Message struct {
		Text   string            `json:"text"`
		Blocks []json.RawMessage `json:"blocks"`
	} `json:"message"`
	Actions []struct {
		ActionID string `json:"action_id"`
		Value    string `json:"value"`
	} `json:"actions"`
}

// Read implements notify.Intake.
func (p *presses) Read(r *http.Request, body []byte) (notify.Work, error) {
	if err := p.prove(r.Header, body); err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the body is no form", notify.ErrMalformed)
	}
	if form.Get("payload") == "" {
		return nil, nil // Slack looks whether we are there
	}
	var in interaction
	if err := json.Unmarshal([]byte(form.Get("payload")), &in); err != nil {
		return nil, fmt.Errorf("%w: payload is not the JSON that is documented", notify.ErrMalformed)
	}
	if in.Type != "block_actions" || in.Container.Type != "message" || len(in.Actions) != 1 {
		return nil, nil
	}
	if in.User.ID == "" || in.Container.ChannelID == "" || in.Container.MessageTS == "" {
		return nil, fmt.Errorf("%w: payload: user, channel or message is missing", notify.ErrMalformed)
	}
	switch in.Actions[0].ActionID {
	case actAck:
		return func(ctx context.Context) (string, error) { return p.acknowledge(ctx, in) }, nil
	case actSilence:
		return func(ctx context.Context) (string, error) { return p.silence(ctx, in) }, nil
	}
	return nil, nil // a link
}

// prove checks Slack's signature of a body, and that it is new.
func (p *presses) prove(h http.Header, body []byte) error {
	secret, err := p.cfg.SigningSecret.Secret()
	if err != nil {
		return fmt.Errorf("slack: signing_secret: %w", err)
	}
	stamp, given := h.Get("X-Slack-Request-Timestamp"), h.Get("X-Slack-Signature")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return notify.ErrUnproved
	}
	now := p.now()
	if age := now.Unix() - seconds; age > int64(window.Seconds()) || age < -int64(window.Seconds()) {
		return notify.ErrUnproved
	}
	if !hmac.Equal([]byte(given), []byte(sign(secret.Bytes(), stamp, body))) || !p.first(given, now) {
		return notify.ErrUnproved
	}
	return nil
}

// sign is version 0 of Slack's signatures.
func sign(secret []byte, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// first says whether a signature comes for the first time. A signature may come from window before to window after its time.
func (p *presses) first(signature string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s, at := range p.seen {
		if now.Sub(at) > 2*window {
			delete(p.seen, s)
		}
	}
	if _, again := p.seen[signature]; again || len(p.seen) >= maxTruth {
		return false
	}
	p.seen[signature] = now
	return true
}

// who finds out who pressed: the name in oncall_files, or "", and what they are called in the audit log.
func (p *presses) who(ctx context.Context, in interaction) (person, called string) {
	seen := notify.Presser{Channel: name, ID: in.User.ID, Name: p.cfg.People[in.User.ID]}
	if seen.Name == "" {
		seen.Email = p.email(ctx, in)
	}
	if person = p.hands.Person(ctx, seen); person != "" {
		return person, person
	}
	return "", fit.Runes(name+":"+in.User.ID+" ("+fit.Line(in.User.Username)+")", 120)
}

// email is what the workspace says is somebody's; "" where that cannot be known, or is not confirmed.
func (p *presses) email(ctx context.Context, in interaction) string {
	var out struct {
		User struct {
			ID        string `json:"id"`
			TeamID    string `json:"team_id"`
			Deleted   bool   `json:"deleted"`
			Bot       bool   `json:"is_bot"`
			Confirmed *bool  `json:"is_email_confirmed"`
			Profile   struct {
				Email string `json:"email"`
			} `json:"profile"`
		} `json:"user"`
	}
	err := p.ask(ctx, notify.Message{}, kind.Request{
		Method: http.MethodPost, URL: cmp.Or(p.cfg.URL, defaultURL) + "/users.info", Body: []byte(url.Values{"user": {in.User.ID}}.Encode()),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}, &out)
	u := out.User
	if err != nil || u.ID != in.User.ID || u.Deleted || u.Bot || u.TeamID != in.Team.ID || u.Confirmed != nil && !*u.Confirmed {
		return ""
	}
	return u.Profile.Email
}

// stranger says that somebody belongs to another organisation that a channel is shared with.
func (in interaction) stranger() bool { return in.User.TeamID != "" && in.User.TeamID != in.Team.ID }

func (p *presses) acknowledge(ctx context.Context, in interaction) (string, error) {
	person, called := p.who(ctx, in)
	if person == "" && in.stranger() {
		return "refused", p.whisper(ctx, in, "Nothing was acknowledged: you belong to another organisation. Ask somebody of this one, or have your member ID named in channels.slack.people.")
	}
	page, err := p.hands.Acknowledge(ctx, in.Actions[0].Value, called, name)
	if errors.Is(err, store.ErrNotFound) {
		return "refused", p.whisper(ctx, in, "Nothing was acknowledged: the page is not there any more.")
	}
	if err != nil {
		return "failed", errors.Join(err, p.whisper(ctx, in, "The page could not be acknowledged. Open it in Signalbox and acknowledge it there."))
	}
	if page.AckedBy != called {
		said := "Somebody was quicker: the page is taken by " + fit.Line(page.AckedBy) + "."
		if page.AckedBy == "" {
			said = "Nothing was acknowledged: the page is over."
		}
		return "late", errors.Join(p.whisper(ctx, in, said), p.mark(ctx, in, page))
	}
	return "acknowledged", p.mark(ctx, in, page)
}

// mark changes the message that a button was under: all of it stays but for the button, and how the page stands.
func (p *presses) mark(ctx context.Context, in interaction, page model.Page) error {
	var blocks []any
	for _, raw := range in.Message.Blocks {
		var b map[string]any
		if json.Unmarshal(raw, &b) != nil {
			continue
		}
		switch b["block_id"] {
		case statusBlock:
			blocks = append(blocks, block{Type: "context", BlockID: statusBlock, Elements: []element{{Type: "plain_text", Text: fit.UTF16(status(&page), maxText)}}})
			continue
		case actionBlock:
			var left []any
			elements, _ := b["elements"].([]any)
			for _, e := range elements {
				if m, ok := e.(map[string]any); !ok || m["action_id"] != actAck {
					left = append(left, e)
				}
			}
			if b["elements"] = left; len(left) == 0 {
				continue
			}
		}
		blocks = append(blocks, b)
	}
	if len(blocks) == 0 {
		return nil
	}
	return p.call(ctx, "chat.update", map[string]any{
		"channel": in.Container.ChannelID, "ts": in.Container.MessageTS, "text": escape(fit.UTF16(fit.Marked(notify.Message{Kind: notify.Acknowledged, Page: &page}), maxFallback)),
		"blocks": blocks, "parse": "none", "link_names": false,
	}, nil)
}

func (p *presses) silence(ctx context.Context, in interaction) (string, error) {
	person, _ := p.who(ctx, in)
	if person == "" {
		return "refused", p.whisper(ctx, in, "Nothing was silenced: Signalbox does not know who you are. Have your member ID ("+in.User.ID+
			") named in channels.slack.people, or your e-mail in people of oncall_files; until then silence in Signalbox.")
	}
	said, err := p.hands.Silence(ctx, in.Actions[0].Value, person, name, silence)
	var no interface{ BadRequest() }
	switch {
	case errors.As(err, &no):
		return "refused", p.whisper(ctx, in, "Nothing was silenced: "+err.Error())
	case errors.Is(err, store.ErrNotFound):
		return "refused", p.whisper(ctx, in, "Nothing was silenced: the page is not there any more.")
	case err != nil:
		return "failed", errors.Join(err, p.whisper(ctx, in, "The alerts could not be silenced. Open Signalbox and silence them there."))
	}
	_, err = p.post(ctx, message{
		Channel: in.Container.ChannelID, ThreadTS: in.Container.MessageTS,
		Text: escape(fit.UTF16(strings.TrimSpace(fit.Line(person)+" silenced "+fit.Line(said)), maxFallback)),
	})
	return "silenced", err
}

// whisper says something to who pressed, and to nobody else.
func (p *presses) whisper(ctx context.Context, in interaction, said string) error {
	return p.call(ctx, "chat.postEphemeral", message{
		Channel: in.Container.ChannelID, User: in.User.ID, Text: escape(fit.UTF16(said, maxFallback)),
	}, nil)
}
