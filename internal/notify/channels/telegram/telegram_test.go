package telegram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/telegram"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

const token, webhook = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qc", "hunter2_webhook"

type memory map[string]string

func (m memory) Remember(_ context.Context, to notify.Target, key, what string) error {
	m[to.Address+"/"+key] = what
	return nil
}

func (m memory) Recall(_ context.Context, to notify.Target, key string) (string, error) {
	return m[to.Address+"/"+key], nil
}

func secret(t *testing.T, text string) secretfile.Key {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return secretfile.Key{File: file}
}

func newChannel(t *testing.T, base string) *telegram.Channel {
	t.Helper()
	hook := secret(t, webhook)
	cfg := &telegram.Config{Account: kind.Account{Token: secret(t, token), URL: base}, WebhookSecret: &hook, People: map[string]string{"7": "anna"}}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	c, err := telegram.New(cfg, kind.Deps{Outgoing: outgoing.New(outgoing.Config{}), Now: time.Now, Memory: memory{}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// bot is a strict stand-in for the Bot API.
type bot struct {
	*httptest.Server
	texts map[int64]string // by message_id
	calls []call
}

// call is any of the methods that are used, with the fields that are documented.
type call struct {
	method string
	Chat   json.RawMessage `json:"chat_id"`
	ID     int64           `json:"message_id"`
	Text   string          `json:"text"`
	Prev   *struct {
		Disabled bool `json:"is_disabled"`
	} `json:"link_preview_options"`
	Silent bool `json:"disable_notification"`
	Reply  *struct {
		ID     int64 `json:"message_id"`
		Anyway bool  `json:"allow_sending_without_reply"`
	} `json:"reply_parameters"`
	Markup *struct {
		Keyboard [][]struct {
			Text string `json:"text"`
			URL  string `json:"url"`
			Data string `json:"callback_data"`
		} `json:"inline_keyboard"`
	} `json:"reply_markup"`
	Query string `json:"callback_query_id"`
	Alert bool   `json:"show_alert"`
}

func newBot(t *testing.T) *bot {
	b := &bot{texts: map[int64]string{}}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer, err := b.serve(r, body)
		if err != nil {
			w.WriteHeader(400)
			text, _ := json.Marshal("Bad Request: " + err.Error())
			fmt.Fprintf(w, `{"ok":false,"error_code":400,"description":%s}`, text)
			return
		}
		io.WriteString(w, answer)
	}))
	t.Cleanup(b.Close)
	return b
}

var mentions = regexp.MustCompile(`@[A-Za-z0-9_]`)

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func (b *bot) serve(r *http.Request, body []byte) (string, error) {
	method, ok := strings.CutPrefix(r.URL.Path, "/bot"+token+"/")
	if !ok || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
		return "", errors.New("Unauthorized")
	}
	c := call{method: method}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return "", err
	}
	if method == "answerCallbackQuery" {
		b.calls = append(b.calls, c)
		if c.Query == "" || units(c.Text) > 200 {
			return "", errors.New("QUERY_ID_INVALID")
		}
		return `{"ok":true,"result":true}`, nil
	}
	if err := c.check(); err != nil {
		return "", err
	}
	b.calls = append(b.calls, c)
	id := int64(len(b.texts) + 1)
	keyboard, _ := json.Marshal(c.Markup)
	now := c.Text + string(keyboard)
	switch method {
	case "sendMessage":
		if c.ID != 0 {
			return "", errors.New("message_id is no parameter")
		}
	case "editMessageText":
		if id = c.ID; b.texts[id] == "" {
			return "", errors.New("message to edit not found")
		}
		if b.texts[id] == now {
			return "", errors.New("message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message")
		}
	default:
		return "", errors.New("Not Found")
	}
	b.texts[id] = now
	return fmt.Sprintf(`{"ok":true,"result":{"message_id":%d,"date":1,"chat":{"id":-1009876543210,"type":"supergroup"},"text":"x"}}`, id), nil
}

func (c call) check() error {
	switch {
	case units(c.Text) == 0 || units(c.Text) > 4096:
		return fmt.Errorf("message is too long: %d", units(c.Text))
	case c.Prev == nil || !c.Prev.Disabled:
		return errors.New("links are fetched")
	case mentions.MatchString(c.Text):
		return errors.New("somebody is mentioned: " + c.Text)
	case len(c.Chat) == 0:
		return errors.New("chat_id is empty")
	case c.Markup == nil:
		return nil
	}
	for _, row := range c.Markup.Keyboard {
		for _, k := range row {
			if k.Text == "" || len(k.Data) > 64 || (k.Data == "") == (k.URL == "") || k.URL != "" && !strings.HasPrefix(k.URL, "https://") {
				return fmt.Errorf("BUTTON_DATA_INVALID %+v", k)
			}
		}
	}
	return nil
}

func TestTelegramTakesEveryMessage(t *testing.T) {
	b := newBot(t)
	channeltest.Run(t, channeltest.Case{
		New: func(t *testing.T, base string) notify.Channel { return newChannel(t, base) },
		To:  notify.Target{Channel: "telegram", Address: "-1009876543210"}, Secrets: []string{token},
		Accept: func(r *http.Request, body []byte, _ notify.Message) (string, error) { return b.serve(r, body) },
	})
}

func page() *model.Page {
	return &model.Page{
		ID: "19c8d0f8a00-0123456789ab", DedupKey: "k", Time: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), Status: "firing", Title: "Down", Summary: "@all it is down",
		Alerts: []model.PageAlert{{Labels: model.Labels{"alertname": "Down"}, Status: "firing"}},
	}
}

func message(k notify.Kind, p *model.Page) notify.Message {
	return notify.Message{
		DedupKey: "k", Kind: k, Title: p.Title, Page: p, To: notify.Target{Channel: "telegram", Address: "-1009876543210"},
		Links: []notify.Link{{Text: "Page", URL: "https://signalbox.example/pages/1"}},
	}
}

func TestAPageIsOneMessageThatIsChanged(t *testing.T) {
	b := newBot(t)
	c, p := newChannel(t, b.URL), page()
	send := func(k notify.Kind) string {
		t.Helper()
		r, err := c.Send(t.Context(), message(k, p))
		if err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	first, again := send(notify.Paged), send(notify.Paged)
	p.AckedBy = "anna"
	taken := send(notify.Acknowledged)
	p.Status = "resolved"
	over := send(notify.Resolved)
	if first != "-1009876543210/1" || again != first || taken != first || over != first {
		t.Error(first, again, taken, over)
	}
	var did []string
	for _, k := range b.calls {
		text := k.method
		if k.Reply != nil {
			text += " in reply to " + strconv.FormatInt(k.Reply.ID, 10)
		}
		if k.Silent {
			text += " silently"
		}
		did = append(did, text)
	}
	// The second page changes nothing of the first message, which Telegram says by an error, and is told anyway.
	want := "sendMessage, editMessageText, sendMessage in reply to 1, editMessageText, sendMessage in reply to 1 silently, editMessageText, sendMessage in reply to 1 silently"
	if got := strings.Join(did, ", "); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if strings.Contains(b.texts[1], "callback_data\":\"a:") || !strings.HasPrefix(b.texts[1], "✅ Resolved: Down") {
		t.Error(b.texts[1])
	}
	if next := send(notify.Paged); next == first {
		t.Error("a new page changed an old message")
	}
}

func TestHowLongToWaitStandsInTheBody(t *testing.T) {
	for body, want := range map[string]time.Duration{
		`{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 31","parameters":{"retry_after":31}}`: 31 * time.Second,
		`{"ok":false,"error_code":429,"parameters":{"retry_after":999999}}`:                                               time.Hour,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(429)
			io.WriteString(w, body)
		}))
		_, err := newChannel(t, s.URL).Send(t.Context(), message(notify.Paged, page()))
		if notify.RetryAfter(err) != want || strings.Contains(err.Error(), token) {
			t.Error(err, notify.RetryAfter(err))
		}
		s.Close()
	}
	for _, to := range []string{"", "0", "anna", "@", "-100/../x"} {
		m := message(notify.Paged, page())
		m.To.Address = to
		if _, err := newChannel(t, "http://127.0.0.1:1").Send(t.Context(), m); !notify.IsRefused(err) {
			t.Errorf("%q: %v", to, err)
		}
	}
}

type hands struct {
	notify.Hands
	did   []string
	acked string
	err   error
}

func (h *hands) Acknowledge(_ context.Context, id, by, how string) (model.Page, error) {
	h.did = append(h.did, id+" by "+by+" from "+how)
	if h.acked != "" {
		by = h.acked
	}
	return model.Page{AckedBy: by}, h.err
}

func (h *hands) Person(_ context.Context, p notify.Presser) string { return p.Name }

func TestTheButtonAcknowledgesThePageUnderWhichItStood(t *testing.T) {
	for _, c := range []struct {
		name, secret, data, from string
		hands                    hands
		outcome, did, said       string
		err                      error
	}{
		{name: "somebody known", from: "7", outcome: "acknowledged", did: "19c8d0f8a00-0123456789ab by anna from telegram", said: "You have taken"},
		{name: "somebody unknown", from: "8", outcome: "acknowledged", did: "19c8d0f8a00-0123456789ab by telegram:8 (eve) from telegram", said: "You have taken"},
		{name: "too late", from: "7", hands: hands{acked: "bert"}, outcome: "late", did: "19c8d0f8a00-0123456789ab by anna from telegram", said: "taken by bert"},
		{name: "gone", from: "7", hands: hands{err: store.ErrNotFound}, outcome: "refused", did: "19c8d0f8a00-0123456789ab by anna from telegram", said: "not there any more"},
		{name: "another page", from: "7", data: "a:19c8d0f8a00-0123456789ac:", outcome: "refused", said: "not known"},
		{name: "no proof", from: "7", data: "a:19c8d0f8a00-0123456789ab:", outcome: "refused", said: "not known"},
		{name: "nonsense", from: "7", data: "x", outcome: "refused", said: "not known"},
		{name: "another secret", secret: "guess", err: notify.ErrUnproved},
		{name: "no secret", secret: " ", err: notify.ErrUnproved},
	} {
		b := newBot(t)
		ch := newChannel(t, b.URL)
		if _, err := ch.Send(t.Context(), message(notify.Paged, page())); err != nil {
			t.Fatal(err)
		}
		data := b.calls[0].Markup.Keyboard[0][0].Data
		if c.data != "" {
			data = c.data + strings.Repeat("A", 16)
		}
		body := fmt.Sprintf(`{"update_id":1,"callback_query":{"id":"4382bfdwdsb323b2d9","from":{"id":%s,"is_bot":false,"first_name":"E","username":"eve"},"chat_instance":"1",
			"message":{"message_id":1,"date":1,"chat":{"id":-1009876543210,"type":"supergroup"},"text":"🔴 Down @all","reply_markup":{"inline_keyboard":[[{"text":"Acknowledge","callback_data":%q}],
			[{"text":"Page","url":"https://signalbox.example/pages/1"}]]}},"data":%q}}`, map[bool]string{true: c.from, false: "7"}[c.from != ""], data, data)
		r := httptest.NewRequest("POST", "/", nil)
		if c.secret == "" {
			c.secret = webhook
		}
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", strings.TrimSpace(c.secret))
		work, err := ch.Intake(&c.hands, time.Now).Read(r, []byte(body))
		if !errors.Is(err, c.err) || (work == nil) != (c.err != nil) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if work == nil {
			continue
		}
		outcome, err := work(t.Context())
		said := ""
		for _, k := range b.calls {
			if k.method == "answerCallbackQuery" {
				said += k.Text
			}
		}
		if outcome != c.outcome || err != nil || strings.Join(c.hands.did, ", ") != c.did || !strings.Contains(said, c.said) {
			t.Errorf("%s: %s, %v, did %v, said %q", c.name, outcome, err, c.hands.did, said)
		}
		if c.outcome != "refused" && (strings.Contains(b.texts[1], "callback_data\":\"a:") || !strings.Contains(b.texts[1], "Taken by") || !strings.Contains(b.texts[1], "/pages/1")) {
			t.Errorf("%s: %s", c.name, b.texts[1])
		}
	}
}

func TestWhatIsNoButtonIsNoHarm(t *testing.T) {
	in := newChannel(t, "http://127.0.0.1:1").Intake(&hands{}, time.Now)
	for body, bad := range map[string]bool{
		`{"update_id":1,"message":{"text":"/start"}}`: false, `{}`: false, `[]`: true, `{`: true, `{"callback_query":{"message":{}}}`: true, `{"callback_query":{"id":"1","from":{"id":1}}}`: false,
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", webhook)
		if work, err := in.Read(r, []byte(body)); work != nil || errors.Is(err, notify.ErrMalformed) != bad {
			t.Errorf("%s: %v", body, err)
		}
	}
}
