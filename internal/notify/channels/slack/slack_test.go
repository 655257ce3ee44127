package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/slack"
	"github.com/signalbox-project/signalbox/internal/notify/channeltest"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// memory is a notify.Memory of one channel.
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

func newChannel(t *testing.T, w *workspace, change ...func(*slack.Config)) *slack.Channel {
	t.Helper()
	signing := secret(t, signingSecret)
	cfg := &slack.Config{Account: kind.Account{Token: secret(t, token), URL: w.URL}, SigningSecret: &signing}
	for _, f := range change {
		f(cfg)
	}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	c, err := slack.New(cfg, kind.Deps{Outgoing: outgoing.New(outgoing.Config{}), Now: time.Now, Memory: memory{}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func page() *model.Page {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	return &model.Page{
		ID: "pg-1", DedupKey: "{alertname=\"Down\"}", Time: at, Status: "firing", Severity: "critical", Title: "Down", Summary: "checkout is down", Service: "checkout",
		Alerts: []model.PageAlert{{Labels: model.Labels{"alertname": "Down", "region": "eu"}, Annotations: model.Labels{"summary": "it is down"}, StartsAt: at, Status: "firing"}},
	}
}

func message(kind notify.Kind, p *model.Page) notify.Message {
	return notify.Message{
		DedupKey: p.DedupKey, Kind: kind, Level: "P1", Title: p.Title, Text: p.Summary, Page: p, To: notify.Target{Channel: "slack", Address: "#oncall"},
		Links: []notify.Link{{Text: "Page", URL: "https://signalbox.example/pages/pg-1"}},
	}
}

func TestSlackTakesEveryMessage(t *testing.T) {
	w := newWorkspace(t)
	channeltest.Run(t, channeltest.Case{
		New: func(t *testing.T, base string) notify.Channel {
			return newChannel(t, w, func(c *slack.Config) { c.URL = base })
		},
		To: notify.Target{Channel: "slack", Address: "#oncall"}, Secrets: []string{token},
		Accept: func(r *http.Request, body []byte, _ notify.Message) (string, error) {
			r.Body = io.NopCloser(bytes.NewReader(body))
			answer, code := w.serve(strings.TrimPrefix(r.URL.Path, "/"), r)
			if code != "" {
				return `{"ok":false}`, errors.New(code + ": " + answer)
			}
			return answer, nil
		},
	})
}

func TestAPageIsOneMessageThatIsChanged(t *testing.T) {
	w := newWorkspace(t)
	c, p := newChannel(t, w), page()
	send := func(m notify.Message) notify.Receipt {
		t.Helper()
		r, err := c.Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := send(message(notify.Paged, p))
	again := send(message(notify.Paged, p))
	by := "anna"
	p.AckedBy = by
	send(message(notify.Acknowledged, p))
	ended := p.Time.Add(time.Hour)
	p.Status, p.ResolvedAt = "resolved", &ended
	last := send(message(notify.Resolved, p))
	if first.ID == "" || again.ID != first.ID || last.ID != first.ID {
		t.Errorf("receipts %v, %v, %v", first, again, last)
	}
	var did []string
	for _, k := range w.calls {
		text := k.Method
		if k.ThreadTS != "" {
			text += " in the thread"
		}
		if k.Broadcast {
			text += " and the channel"
		}
		did = append(did, text)
	}
	want := "chat.postMessage, chat.postMessage in the thread, chat.update, chat.postMessage in the thread and the channel, " +
		"chat.update, chat.postMessage in the thread, chat.update, chat.postMessage in the thread"
	if got := strings.Join(did, ", "); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	text, _ := json.Marshal(w.messages[first.ID].Blocks)
	for _, part := range []string{"✅ Resolved: P1 · Down", "taken by anna", "over since 11:00 UTC", "https://signalbox.example/pages/pg-1"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is missing in %s", part, text)
		}
	}
	if strings.Contains(string(text), "signalbox.acknowledge") {
		t.Error("a page that is over can be acknowledged")
	}
	// The next page of the same alerts is a message of its own.
	if next := send(message(notify.Paged, page())); next.ID == first.ID {
		t.Error("a new page changed an old message")
	}
}

// A person and a team may be told in the same place, at once.
func TestWhatIsSentAtOnceIsOneMessage(t *testing.T) {
	w := newWorkspace(t)
	c := newChannel(t, w)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := c.Send(t.Context(), message(notify.Paged, page())); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	posted := 0
	for _, k := range w.calls {
		if k.Method == "chat.postMessage" && k.ThreadTS == "" {
			posted++
		}
	}
	if posted != 1 {
		t.Errorf("%d messages", posted)
	}
}

func TestATryThatBrokeOffGoesOnInTheSameMessage(t *testing.T) {
	w := newWorkspace(t)
	c, n := newChannel(t, w), 0
	w.answer = func(string) (int, http.Header, string) {
		if n++; n == 2 {
			return 503, nil, "upstream"
		}
		return 0, nil, ""
	}
	if _, err := c.Send(t.Context(), message(notify.Paged, page())); err == nil || notify.IsRefused(err) {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), message(notify.Paged, page())); err != nil {
		t.Fatal(err)
	}
	posted := 0
	for _, k := range w.calls {
		if k.Method == "chat.postMessage" && k.ThreadTS == "" {
			posted++
		}
	}
	if posted != 1 || w.calls[len(w.calls)-1].ThreadTS == "" {
		t.Errorf("%d messages, %+v", posted, w.calls)
	}
}

func TestAMessageThatSomebodyRemovedIsSentAnew(t *testing.T) {
	w := newWorkspace(t)
	c := newChannel(t, w)
	first, err := c.Send(t.Context(), message(notify.Paged, page()))
	if err != nil {
		t.Fatal(err)
	}
	delete(w.messages, first.ID)
	second, err := c.Send(t.Context(), message(notify.Paged, page()))
	if err != nil || second.ID == first.ID {
		t.Error(second, err)
	}
}

func TestWhateverAlertsSayIsTakenAndMeansNothing(t *testing.T) {
	pieces := []string{
		"<!channel>", "<!here|x>", "@here", "<@U012AB3CD>", "<https://evil.example|click>", "<javascript:alert(1)|x>", "&amp;", "&lt;!channel&gt;", "*b*", "`", "```", "\n>", "🔥",
		"👨\u200d👩\u200d👧", "\u202e", "\x00", "\xff", "e\u0301", strings.Repeat("x", 4000), strings.Repeat("漢", 2999), strings.Repeat("🔥", 1500), "\"", "\\", "]}",
	}
	w := newWorkspace(t)
	c := newChannel(t, w)
	for range 150 {
		word := func() string {
			var b strings.Builder
			for range rand.IntN(5) {
				b.WriteString(pieces[rand.IntN(len(pieces))])
			}
			return b.String()
		}
		p := page()
		p.Title, p.Summary, p.Service, p.Severity, p.AckedBy, p.DedupKey = word(), word(), word(), word(), word(), word()
		for range rand.IntN(60) {
			p.Alerts = append(p.Alerts, model.PageAlert{Labels: model.Labels{word(): word(), "a": word()}, Annotations: model.Labels{word(): word()}, Status: "firing"})
		}
		kinds := []notify.Kind{notify.Paged, notify.Noticed, notify.Acknowledged, notify.Resolved, notify.Drill, notify.Verification, notify.Told}
		m := message(kinds[rand.IntN(len(kinds))], p)
		m.Title, m.Text, m.Level, m.Acknowledge = word(), word(), word(), word()
		if rand.IntN(4) == 0 {
			m.Page = nil
		}
		m.Links = []notify.Link{{Text: word(), URL: word()}, {Text: word(), URL: "javascript:alert(1)"}, {Text: word(), URL: "https://ok.example/" + word()}}
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Fatalf("%v: %+v", err, m)
		}
	}
}

func TestErrorsAreRefusedOrLaterAndHoldNoSecret(t *testing.T) {
	for _, c := range []struct {
		name    string
		status  int
		header  http.Header
		body    string
		refused bool
		after   time.Duration
		says    string
	}{
		{"no such channel", 200, nil, `{"ok":false,"error":"channel_not_found"}`, true, 0, "invite the app"},
		{"a bad token", 200, nil, `{"ok":false,"error":"invalid_auth"}`, true, 0, "channels.slack.token"},
		{"blocks", 200, nil, `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] must be less than 3001 characters"]}}`, true, 0, "3001"},
		{"an echo", 200, nil, `{"ok":false,"error":"x ` + token + `","response_metadata":{"messages":["` + token + `"]}}`, true, 0, "slack: x"},
		{"trouble", 200, nil, `{"ok":false,"error":"internal_error"}`, false, 30 * time.Second, "internal_error"},
		{"too often", 429, http.Header{"Retry-After": {"30"}}, ``, false, 30 * time.Second, "429"},
		{"broken", 500, nil, `<html>`, false, 0, "500"},
		{"no JSON", 200, nil, `<html>`, false, 0, "documented"},
		{"elsewhere", 302, http.Header{"Location": {"https://evil.example"}}, ``, true, 0, "302"},
	} {
		w := newWorkspace(t)
		w.answer = func(string) (int, http.Header, string) { return c.status, c.header, c.body }
		_, err := newChannel(t, w).Send(t.Context(), message(notify.Paged, page()))
		if err == nil || notify.IsRefused(err) != c.refused || notify.RetryAfter(err) != c.after || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, refused %v, after %s", c.name, err, notify.IsRefused(err), notify.RetryAfter(err))
		}
	}
	w := newWorkspace(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newChannel(t, w).Send(ctx, message(notify.Paged, page())); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := newChannel(t, w).Send(t.Context(), notify.Message{}); !notify.IsRefused(err) {
		t.Error(err)
	}
}

func TestWithoutASigningSecretTheButtonIsALink(t *testing.T) {
	w := newWorkspace(t)
	c := newChannel(t, w, func(c *slack.Config) { c.SigningSecret = nil })
	m := message(notify.Paged, page())
	m.Acknowledge = "https://signalbox.example/auth/page?token=x"
	if _, err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(w.calls[0].Blocks)
	if !strings.Contains(string(text), m.Acknowledge) || strings.Contains(string(text), "signalbox.acknowledge") || strings.Contains(string(text), "signalbox.silence") {
		t.Errorf("%s", text)
	}
}

func TestWrongConfigurationsAreNamed(t *testing.T) {
	errs := (&slack.Config{Account: kind.Account{URL: "javascript:alert(1)"}, People: map[string]string{"anna": "anna"}, SigningSecret: &secretfile.Key{}}).Validate()
	var text []string
	for _, err := range errs {
		text = append(text, err.Error())
	}
	for _, part := range []string{"token: needs", "signing_secret: needs", "people: must", "url: must"} {
		if !strings.Contains(strings.Join(text, "\n"), part) {
			t.Errorf("%s is missing in %v", part, text)
		}
	}
}
