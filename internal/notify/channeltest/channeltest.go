// Package channeltest is what every channel must do, whatever its service.
//
// A test says how the channel is made against a base URL, and what its service's documentation says of a request; the suite sends
// messages of all kinds, hostile ones among them, and plays the service that refuses, is slow, overloaded, away, or repeats what it
// was sent. Invariant: a request that the documentation does not allow fails the test. Start reading at Case, then Run.
package channeltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// Case is one channel.
type Case struct {
	// New makes the channel, with base in place of the service's own.
	New func(t *testing.T, base string) notify.Channel
	// To is an address that the service knows.
	To notify.Target
	// Accept judges a request by the documentation: an error says what is wrong with it. It answers as the service does.
	Accept func(r *http.Request, body []byte, m notify.Message) (answer string, err error)
	// Status is that of an answer to a good request; 0 is 200.
	Status int
	// Header is that of an answer to a good request.
	Header http.Header
	// Patience is how long the service's documentation has everybody wait after an error of its own (5xx).
	Patience time.Duration
	// Secrets are what neither an error nor a receipt may show.
	Secrets []string
	// Kinds are those of messages that the channel takes; nil is all of them.
	Kinds []notify.Kind
}

// service is the strict fake.
type service struct {
	*httptest.Server
	handle func(w http.ResponseWriter, r *http.Request, body []byte)
	asked  chan struct{}
}

func serve(t *testing.T) *service {
	t.Helper()
	s := &service{asked: make(chan struct{}, 1000)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		s.asked <- struct{}{}
		s.handle(w, r, body)
	}))
	t.Cleanup(s.Close)
	return s
}

// Run checks the channel.
func Run(t *testing.T, c Case) {
	t.Helper()
	t.Run("messages", c.messages)
	t.Run("answers", c.answers)
	t.Run("nobody there", c.nobody)
	t.Run("cancelled", c.cancelled)
}

func (c Case) messages(t *testing.T) {
	s := serve(t)
	ch := c.New(t, s.URL)
	for name, m := range Messages(c.To, c.Kinds...) {
		s.handle = func(w http.ResponseWriter, r *http.Request, body []byte) {
			answer, err := c.Accept(r, body, m)
			if err != nil {
				t.Errorf("%s: the service would not take it: %v\n%s %s\n%.2000s", name, err, r.Method, r.URL, body)
			}
			c.answer(w, answer)
		}
		receipt, err := ch.Send(t.Context(), m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.hides(t, fmt.Sprintf("%+v", receipt))
	}
}

func (c Case) answer(w http.ResponseWriter, body string) {
	for k, v := range c.Header {
		w.Header()[k] = v
	}
	if c.Status != 0 {
		w.WriteHeader(c.Status)
	}
	_, _ = io.WriteString(w, body)
}

func (c Case) hides(t *testing.T, text string) {
	t.Helper()
	for _, secret := range append([]string{ackToken, code}, c.Secrets...) {
		if strings.Contains(text, secret) {
			t.Errorf("shows the secret %q: %s", secret, text)
		}
	}
}

// answers are those of a service that does not take a message. Each repeats what it was sent, secrets and all.
func (c Case) answers(t *testing.T) {
	s := serve(t)
	ch := c.New(t, s.URL)
	m := Messages(c.To, c.Kinds...)["ordinary "+string(c.kinds()[0])]
	for _, a := range []struct {
		status  int
		after   string
		refused bool
		later   time.Duration
	}{
		{status: 400, refused: true},
		{status: 401, refused: true},
		{status: 403, refused: true},
		{status: 404, refused: true},
		{status: 410, refused: true},
		{status: 301, refused: true},
		{status: 408},
		{status: 500},
		{status: 502},
		{status: 503},
		{status: 504},
		{status: 429, after: "17", later: 17 * time.Second},
		{status: 503, after: "5", later: 5 * time.Second},
		{status: 429, later: -1},
	} {
		s.handle = func(w http.ResponseWriter, r *http.Request, body []byte) {
			if a.after != "" {
				w.Header().Set("Retry-After", a.after)
			}
			w.Header().Set("Location", s.URL+"/elsewhere")
			w.WriteHeader(a.status)
			var echo bytes.Buffer
			fmt.Fprintf(&echo, "{\"error\": \"%s %s\"} %s ", r.URL, strings.Join(c.Secrets, " "), body)
			_ = r.Header.Write(&echo)
			_, _ = w.Write(echo.Bytes())
		}
		s.forget()
		a.later = c.patience(a.status, a.later)
		_, err := ch.Send(t.Context(), m)
		switch later := notify.RetryAfter(err); {
		case err == nil:
			t.Errorf("%d: no error", a.status)
			continue
		case notify.IsRefused(err) != a.refused:
			t.Errorf("%d: refused is %t, want %t: %v", a.status, notify.IsRefused(err), a.refused, err)
		case a.later >= 0 && later != a.later, a.later < 0 && later <= 0:
			t.Errorf("%d with Retry-After %q: waits %s, want %s", a.status, a.after, later, a.later)
		}
		if len(s.asked) != 1 {
			t.Errorf("%d: asked %d times, want once", a.status, len(s.asked))
		}
		c.hides(t, err.Error())
		if len(err.Error()) > 1000 {
			t.Errorf("%d: the error has %d bytes", a.status, len(err.Error()))
		}
	}
}

// forget has what was asked so far not count.
func (s *service) forget() {
	for len(s.asked) > 0 {
		<-s.asked
	}
}

// patience is how long everybody waits after an answer.
func (c Case) patience(status int, asked time.Duration) time.Duration {
	if status >= http.StatusInternalServerError && asked == 0 {
		return c.Patience
	}
	return asked
}

func (c Case) nobody(t *testing.T) {
	s := serve(t)
	ch := c.New(t, s.URL)
	s.Close()
	_, err := ch.Send(t.Context(), Messages(c.To, c.Kinds...)["ordinary "+string(c.kinds()[0])])
	if err == nil || notify.IsRefused(err) {
		t.Errorf("got %v, want an error that is worth another try", err)
		return
	}
	c.hides(t, err.Error())
}

func (c Case) cancelled(t *testing.T) {
	s := serve(t)
	ch := c.New(t, s.URL)
	s.handle = func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() }
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-s.asked
		cancel()
	}()
	_, err := ch.Send(ctx, Messages(c.To, c.Kinds...)["ordinary "+string(c.kinds()[0])])
	if !errors.Is(err, context.Canceled) || notify.IsRefused(err) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	cancelled, stop := context.WithCancel(t.Context())
	stop()
	if _, err := ch.Send(cancelled, Messages(c.To, c.Kinds...)["ordinary "+string(c.kinds()[0])]); err == nil {
		t.Error("sent although cancelled before")
	}
}

func (c Case) kinds() []notify.Kind {
	if len(c.Kinds) > 0 {
		return c.Kinds
	}
	return Kinds()
}

// Kinds are all kinds of messages.
func Kinds() []notify.Kind {
	return []notify.Kind{notify.Paged, notify.Noticed, notify.Acknowledged, notify.Resolved, notify.Drill, notify.Verification, notify.Told}
}

// Hostile is text that breaks out of what carries it where that does not escape it.
const Hostile = "<script>alert(1)</script> & \"quotes\" 'single' `ticks` *bold* _it_ <@U123> <!channel> {{.Secret}} ${HOME} %s \\n \\\r\nBcc: evil@example.com\r\n\r\n.\r\n\x00\x1b[31m\u202egnp.exe \u2028 👩\u200d🚀🏴󠁧󠁢󠁳󠁣󠁴󠁿 \xff\xfe ]]> --> </Say><Dial>"

// What nobody may see but the recipient.
const ackToken, code = "TOKENOFTHELINK", "123456"

// Messages are messages of each kind, ordinary and not; no kinds are all.
func Messages(to notify.Target, kinds ...notify.Kind) map[string]notify.Message {
	if len(kinds) == 0 {
		kinds = Kinds()
	}
	out := map[string]notify.Message{}
	for _, k := range kinds {
		out["ordinary "+string(k)] = message(to, k)
	}
	m := message(to, kinds[0])
	m.Page, m.Text, m.Level, m.Acknowledge, m.Links, m.To.Person = nil, "", "", "", nil, ""
	out["little"] = m
	m = message(to, kinds[0])
	m.Title, m.Text, m.Level = Hostile, Hostile, Hostile
	m.Page.Title, m.Page.Summary, m.Page.Service = Hostile, Hostile, Hostile
	m.Links = append(m.Links, notify.Link{Text: Hostile, URL: "https://signalbox.example/x?a=1&b=\"'<>"})
	m.To.Person = Hostile
	out["hostile"] = m
	for name, unit := range map[string]string{"long": "x", "long of emoji": "😀", "long of lines": "ä\n"} {
		m = message(to, kinds[0])
		m.Title, m.Text = strings.Repeat(unit, 10_000), strings.Repeat(unit, 100_000)
		m.DedupKey = strings.Repeat("k", 1_000)
		m.Page.Summary = m.Text
		for len(m.Page.Alerts) < 300 {
			m.Page.Alerts = append(m.Page.Alerts, m.Page.Alerts[0])
		}
		for len(m.Links) < 40 {
			m.Links = append(m.Links, notify.Link{Text: m.Title, URL: "https://signalbox.example/" + strings.Repeat("u", 1_000)})
		}
		out[name] = m
	}
	return out
}

func message(to notify.Target, k notify.Kind) notify.Message {
	at := time.Date(2026, 11, 30, 3, 14, 15, 0, time.UTC)
	p := &model.Page{
		ID: "01JDXXXXXXXXXXXXXXXXXXXXXX", DedupKey: "{}/{service=\"cart\"}:{service=\"cart\"}", Time: at, Updated: at, Status: "firing", Severity: "critical",
		Title: "cart: error budget burns 20 times too fast", Summary: "2.1 % of requests fail, 0.1 % are allowed", Service: "cart", Receiver: "platform",
		GroupLabels: model.Labels{"service": "cart"},
		Alerts:      []model.PageAlert{{Fingerprint: "0123456789abcdef", Status: "firing", Labels: model.Labels{"alertname": "CartBurns", "service": "cart"}, Annotations: model.Labels{"summary": "burns"}, StartsAt: at}},
	}
	m := notify.Message{
		DedupKey: p.DedupKey, Kind: k, To: to, Level: "P0", Title: p.Title, Text: p.Summary + "\nsince 03:14 UTC", Page: p,
		Acknowledge: "https://signalbox.example/ack/" + ackToken, Links: []notify.Link{{Text: "Page", URL: "https://signalbox.example/pages/01JDXXXXXXXXXXXXXXXXXXXXXX"}}, Time: at,
	}
	switch k {
	case notify.Acknowledged:
		p.AckedBy, p.AckedAt = "ada", &at
		m.Acknowledge = ""
	case notify.Resolved:
		p.Status, p.ResolvedAt = "resolved", &at
		m.Acknowledge = ""
	case notify.Verification:
		m.Page, m.Acknowledge, m.Level, m.Links = nil, "", "", nil
		m.Title, m.Text = "Is this your address?", "Your code is "+code
	case notify.Told:
		m.Page, m.Acknowledge, m.Level = nil, "", ""
	case notify.Paged, notify.Noticed, notify.Drill:
	}
	return m
}
