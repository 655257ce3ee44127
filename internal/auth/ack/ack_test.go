package ack

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/auth/accounts/links"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/throttle"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/store"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// state is a tenant's pages and what was spent.
type state struct {
	pages map[string]model.Page
	spent map[string]bool
	fail  error
}

func (s *state) Page(_ context.Context, id string) (model.Page, error) {
	p, ok := s.pages[id]
	if !ok {
		return p, store.ErrNotFound
	}
	return p, s.fail
}

func (s *state) AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error) {
	p, err := s.Page(ctx, id)
	if err == nil && p.AckedBy == "" {
		p.AckedBy, p.AckedAt = by, &at
		s.pages[id] = p
	}
	return p, err
}

func (s *state) Spend(_ context.Context, id string, _ time.Time) error {
	if s.spent[id] {
		return store.ErrSpent
	}
	s.spent[id] = true
	return nil
}

func (s *state) DropSpent(context.Context, time.Time) error { return nil }

type fixture struct {
	*state
	pages   *Pages
	links   *links.Links
	now     time.Time
	audited []model.AuditEntry
}

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{now: noon, state: &state{spent: map[string]bool{}, pages: map[string]model.Page{"p1": {
		ID: "p1", Time: noon.Add(-12 * time.Minute), Status: "firing", Severity: "critical", Title: "Burn on edge", Summary: "<script>alert(1)</script>",
		Alerts: []model.PageAlert{{Fingerprint: "abc", Status: "firing", StartsAt: noon.Add(-15 * time.Minute), Labels: model.Labels{"alertname": "Burn", "service": "edge"}}},
	}}}}
	f.links = links.New([]byte("key"), f.state, func() time.Time { return f.now })
	var err error
	f.pages, err = New(Deps{
		External: &url.URL{Scheme: "https", Host: "sb.example", Path: "/below"}, Now: func() time.Time { return f.now }, Logger: slog.New(slog.DiscardHandler),
		Registerer: prometheus.NewPedanticRegistry(), Links: f.links, Limits: throttle.DefaultConfig(),
		Store:  func(tenant string) (Store, func(), bool) { return f.state, func() {}, tenant == "acme" },
		Record: func(_ context.Context, e model.AuditEntry) { f.audited = append(f.audited, e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) link(t *testing.T, to notify.Recipient) string {
	t.Helper()
	text, err := To(f.links, f.pages.deps.External, "acme")(model.Page{ID: "p1"}, to)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var hidden = regexp.MustCompile(`name="token" value="([^"]+)"`)

// open is a GET of a link, and the form that it shows.
func (f *fixture) open(link string) (*http.Response, string, string) {
	w := httptest.NewRecorder()
	f.pages.ServePage(w, httptest.NewRequest(http.MethodGet, link, nil))
	text, _ := io.ReadAll(w.Result().Body)
	token := ""
	if m := hidden.FindStringSubmatch(string(text)); m != nil {
		token = m[1]
	}
	return w.Result(), string(text), token
}

func (f *fixture) press(token string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "https://sb.example/below/auth/page", strings.NewReader(url.Values{"token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	f.pages.ServePage(w, r)
	return w.Code, w.Body.String()
}

var ann = notify.Recipient{Channel: "email", Receiver: "team", Address: "ann@x.example"}

func TestAPageIsAcknowledgedByItsLink(t *testing.T) {
	f := setup(t)
	link := f.link(t, ann)
	var token string
	for range 3 { // a scanner of mail, a preview, a person
		res, text, form := f.open(link)
		token = form
		h := res.Header
		if res.StatusCode != 200 || form == "" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "strict-origin" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Fatalf("%d %v", res.StatusCode, h)
		}
		for _, want := range []string{
			"Burn on edge", "critical", "for 12 min", "11:48 UTC", "ann@x.example", "link:email/ann@x.example", `href="https://sb.example/below/alerts/abc"`, `action="/below/auth/page"`, "viewport", "&lt;script&gt;",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("it does not say %s", want)
			}
		}
		if strings.Contains(text, "<script") {
			t.Error("what an alert says is run")
		}
	}
	if f.state.pages["p1"].AckedBy != "" || len(f.spent)+len(f.audited) != 0 {
		t.Fatal("looking does something")
	}
	if status, text := f.press(token); status != 200 || !strings.Contains(text, ">Acknowledged<") {
		t.Fatalf("%d %s", status, text)
	}
	p := f.state.pages["p1"]
	if p.AckedBy != "link:email/ann@x.example" || !p.AckedAt.Equal(noon) {
		t.Errorf("%+v", p)
	}
	e := f.audited[0]
	if len(f.audited) != 1 || e.Actor != p.AckedBy || e.Action != "page.ack" || e.Tenant != "acme" || e.Subject != "p1" || len(e.Details["link"]) != 26 || e.Details["remote"] != "192.0.2.1" {
		t.Errorf("%+v", f.audited)
	}
	if status, text := f.press(token); status != 200 || !strings.Contains(text, ">Acknowledged<") || len(f.audited) != 1 { // the page was loaded again
		t.Errorf("again: %d %s", status, text)
	}
	if _, text, form := f.open(f.link(t, notify.Recipient{Channel: "slack", Receiver: "team"})); form != "" || !strings.Contains(text, "Already acknowledged") || !strings.Contains(text, "ann@x.example") {
		t.Error("another's link still asks")
	}
}

// Of a link that is used, too old or forged nobody learns more than that.
func TestALinkThatIsNotGood(t *testing.T) {
	f := setup(t)
	good := f.link(t, ann)
	_, _, token := f.open(good)
	password, err := f.links.Sign(links.Claim{Purpose: links.Password, Thing: "p1", Subject: "user:ann", Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	f.spent[claimOf(t, f, token)] = true
	f.now = noon.Add(time.Minute)
	old := f.link(t, ann)
	for name, c := range map[string]struct {
		link  string
		after time.Duration
	}{
		"expired": {old, links.Lifetime}, "forged": {strings.Replace(old, "token=", "token=x", 1), 0}, "cut off": {old[:len(old)-5], 0}, "none": {"https://sb.example/auth/page", 0},
		"for something else": {"https://sb.example/auth/page?token=" + password, 0},
	} {
		was := f.now
		f.now = f.now.Add(c.after)
		res, text, form := f.open(c.link)
		if res.StatusCode != http.StatusGone || form != "" || strings.Contains(text, "Burn") || !strings.Contains(text, "Nothing was acknowledged") || !strings.Contains(text, "not valid any more") {
			t.Errorf("%s: %d %s", name, res.StatusCode, text)
		}
		f.now = was
	}
	if status, text := f.press(token); status != http.StatusGone || strings.Contains(text, "Burn") {
		t.Errorf("used: %d %s", status, text)
	}
	if f.state.pages["p1"].AckedBy != "" || len(f.audited) != 0 {
		t.Error("something was acknowledged")
	}
}

func claimOf(t *testing.T, f *fixture, token string) string {
	t.Helper()
	c, err := f.links.Look(token, links.Acknowledge)
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

func TestWhoTriesWrongLinksWaitsAndWhoHasARightOneDoesNot(t *testing.T) {
	f := setup(t)
	statuses := map[int]int{}
	for range 50 {
		res, _, _ := f.open("https://sb.example/auth/page?token=guess")
		if statuses[res.StatusCode]++; res.StatusCode == http.StatusTooManyRequests && res.Header.Get("Retry-After") == "" {
			t.Fatal("it does not say how long")
		}
	}
	if statuses[http.StatusTooManyRequests] < 40 {
		t.Errorf("%v", statuses)
	}
	if res, _, form := f.open(f.link(t, ann)); res.StatusCode != 200 || form == "" {
		t.Errorf("a right link from the same address: %d", res.StatusCode)
	}
}

func TestTheFormGoesBackToItsPageAlsoWithoutAPath(t *testing.T) {
	f := setup(t)
	f.pages.deps.External = &url.URL{Scheme: "https", Host: "sb.example"}
	if _, text, _ := f.open(f.link(t, ann)); !strings.Contains(text, `action="/auth/page"`) {
		t.Error(text)
	}
}

func TestAPageThatIsOverOrGone(t *testing.T) {
	f := setup(t)
	link := f.link(t, ann)
	_, _, token := f.open(link)
	p := f.state.pages["p1"]
	p.Status, p.ResolvedAt = "resolved", &noon
	f.state.pages["p1"] = p
	for range 2 {
		if status, text := f.press(token); status != 200 || !strings.Contains(text, "This is over") || !strings.Contains(text, "12:00 UTC") {
			t.Errorf("over: %d %s", status, text)
		}
	}
	if f.state.pages["p1"].AckedBy != "" {
		t.Error("it was acknowledged after its end")
	}
	f.fail = errors.New("the disk is gone: /var/lib/secret")
	if status, text := f.press(token); status != http.StatusServiceUnavailable || strings.Contains(text, "disk") {
		t.Errorf("broken: %d %s", status, text)
	}
	f.fail = nil
	delete(f.state.pages, "p1")
	if status, _ := f.press(token); status != http.StatusGone {
		t.Errorf("gone: %d", status)
	}
	text, err := To(f.links, f.pages.deps.External, "elsewhere")(model.Page{ID: "p1"}, ann)
	if err != nil {
		t.Fatal(err)
	}
	if res, _, _ := f.open(text); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("of a tenant that is not served: %d", res.StatusCode)
	}
}
