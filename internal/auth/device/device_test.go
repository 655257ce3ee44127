package device

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
)

// world is a server of logins, with a clock and a person.
type world struct {
	t      *testing.T
	l      *Logins
	now    time.Time
	person *access.Identity
	issued int
	fail   error
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), person: &access.Identity{Subject: "user:ann", Name: "Ann", Kind: access.User}}
	external, _ := url.Parse("https://signalbox.example.org/box")
	w.l = New(Deps{
		External: external, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
		Who: func(*http.Request) (access.Identity, bool) {
			if w.person == nil {
				return access.Identity{}, false
			}
			return *w.person, true
		},
		LoginPage: func(to string) string { return "/login?" + url.Values{"return_to": {to}}.Encode() },
		Issue: func(_ context.Context, of access.Identity, from string) (string, time.Time, error) {
			w.issued++
			if from != "192.0.2.1" {
				t.Errorf("issued to %s", from)
			}
			return "token-of-" + of.Subject, w.now.Add(time.Hour), w.fail
		},
	})
	return w
}

func (w *world) ask(serve http.HandlerFunc, method, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	serve(rec, req)
	return rec
}

func (w *world) json(rec *httptest.ResponseRecorder) map[string]any {
	w.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil || rec.Header().Get("Cache-Control") != "no-store" {
		w.t.Fatalf("%s %v", rec.Body, err)
	}
	return v
}

func (w *world) begin() (secret, code string) {
	w.t.Helper()
	v := w.json(w.ask(w.l.ServeCode, "POST", "/auth/device/code", nil))
	secret, _ = v["device_code"].(string)
	code, _ = v["user_code"].(string)
	if len(secret) < 26 || !regexp.MustCompile(`^[B-Z]{4}-[B-Z]{4}$`).MatchString(code) || v["verification_uri"] != "https://signalbox.example.org/box/auth/device" ||
		v["verification_uri_complete"] != "https://signalbox.example.org/box/auth/device?user_code="+code || v["interval"] != 5.0 || v["expires_in"] != 600.0 {
		w.t.Fatal(v)
	}
	return secret, code
}

func (w *world) poll(secret string) string {
	w.t.Helper()
	rec := w.ask(w.l.ServeToken, "POST", "/auth/device/token", url.Values{"grant_type": {grantType}, "device_code": {secret}})
	v := w.json(rec)
	if token, ok := v["access_token"].(string); ok && v["token_type"] == "Bearer" && v["expires_in"] == 3600.0 {
		return token
	}
	if rec.Code < 400 {
		w.t.Errorf("%d %v", rec.Code, v)
	}
	problem, _ := v["error"].(string)
	return problem
}

func (w *world) answer(code, answer string, headers ...string) *httptest.ResponseRecorder {
	return w.ask(w.l.ServePage, "POST", "/auth/device", url.Values{"user_code": {code}, "answer": {answer}}, headers...)
}

// A browser would look for a form's address without a slash below the page's own.
func TestTheFormGoesBackToItsPageAlsoWithoutAPath(t *testing.T) {
	w := newWorld(t)
	_, code := w.begin()
	w.l.deps.External = &url.URL{Scheme: "https", Host: "signalbox.example.org"}
	if rec := w.ask(w.l.ServePage, "GET", "/auth/device?user_code="+code, nil); !strings.Contains(rec.Body.String(), `action="/auth/device"`) {
		t.Error(rec.Body)
	}
}

func TestAProgramIsLetIn(t *testing.T) {
	w := newWorld(t)
	secret, code := w.begin()
	if got := w.poll(secret); got != "authorization_pending" {
		t.Fatal(got)
	}
	if got := w.poll(secret); got != "slow_down" {
		t.Errorf("asked again at once: %s", got)
	}
	rec := w.ask(w.l.ServePage, "GET", "/auth/device?user_code="+strings.ToLower(strings.ReplaceAll(code, "-", "")), nil)
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), "192.0.2.1 asks to act as Ann") || !strings.Contains(rec.Body.String(), `action="/box/auth/device"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	w.now = w.now.Add(time.Minute)
	if got := w.poll(secret); got != "authorization_pending" || w.issued != 0 {
		t.Errorf("looking at it is not agreeing: %s", got)
	}
	if rec := w.answer(code, "allow"); rec.Code != 200 || !strings.Contains(rec.Body.String(), "acts as Ann") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.answer(code, "deny"); rec.Code != 404 {
		t.Errorf("an answer is for good: %d", rec.Code)
	}
	w.now = w.now.Add(time.Minute)
	if got := w.poll(secret); got != "token-of-user:ann" {
		t.Error(got)
	}
	if got := w.poll(secret); got != "invalid_grant" || w.issued != 1 {
		t.Errorf("a code is good once: %s, %d", got, w.issued)
	}
}

func TestAProgramIsNotLetIn(t *testing.T) {
	w := newWorld(t)
	secret, code := w.begin()
	w.answer(code, "deny")
	if got := w.poll(secret); got != "access_denied" {
		t.Errorf("refused: %s", got)
	}
	secret, code = w.begin()
	w.answer(code, "perhaps")
	if got := w.poll(secret); got != "access_denied" {
		t.Errorf("anything but yes is no: %s", got)
	}
	secret, code = w.begin()
	for name, headers := range map[string][]string{"another site": {"Sec-Fetch-Site", "cross-site"}, "a neighbour": {"Sec-Fetch-Site", "same-site"}, "another origin": {"Origin", "https://evil.example.org"}} {
		if rec := w.answer(code, "allow", headers...); rec.Code != 403 {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	person := w.person
	for _, w.person = range []*access.Identity{nil, {Subject: "token:x", Kind: access.Token}, {Subject: "certificate:x", Kind: access.Certificate}, {Kind: access.Nobody}} {
		rec := w.answer(code, "allow")
		if to := rec.Header().Get("Location"); rec.Code != 303 || to != "/login?return_to="+url.QueryEscape("/auth/device?user_code="+code) {
			t.Errorf("%+v: %d %s", w.person, rec.Code, to)
		}
	}
	w.person = person
	if got := w.poll(secret); got != "authorization_pending" {
		t.Error(got)
	}
	w.answer(code, "allow")
	w.now = w.now.Add(life)
	if got := w.poll(secret); got != "expired_token" {
		t.Errorf("too late: %s", got)
	}
	if rec := w.answer(code, "allow"); rec.Code != 404 {
		t.Errorf("too late to agree: %d", rec.Code)
	}
	if got := w.poll("guess"); got != "invalid_grant" {
		t.Error(got)
	}
	if got := w.json(w.ask(w.l.ServeToken, "POST", "/x", url.Values{"grant_type": {"password"}}))["error"]; got != "unsupported_grant_type" {
		t.Error(got)
	}
	secret, code = w.begin()
	w.answer(code, "allow")
	w.fail = errors.New("the disk is full")
	if got := w.poll(secret); got != "server_error" {
		t.Error(got)
	}
	if w.issued != 1 {
		t.Errorf("%d tokens were made", w.issued)
	}
}

func TestBounds(t *testing.T) {
	w := newWorld(t)
	_, code := w.begin()
	for range maxGuesses {
		if rec := w.answer("BBBB-BBBB", "allow"); rec.Code != 404 {
			t.Fatal(rec.Code)
		}
	}
	if rec := w.answer(code, "allow"); rec.Code != 429 {
		t.Errorf("after many guesses: %d", rec.Code)
	}
	w.now = w.now.Add(life)
	for range maxWaiting {
		w.begin()
	}
	if rec := w.ask(w.l.ServeCode, "POST", "/auth/device/code", nil); rec.Code != 503 {
		t.Errorf("too many wait: %d", rec.Code)
	}
	w.now = w.now.Add(life)
	if w.begin(); len(w.l.waiting) != 1 {
		t.Errorf("%d are kept", len(w.l.waiting))
	}
	if rec := w.ask(w.l.ServePage, "GET", "/auth/device", nil); rec.Code != 200 || !strings.Contains(rec.Body.String(), `name="user_code"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	w.person.Name = "<script>x</script>"
	_, code = w.begin()
	for _, rec := range []*httptest.ResponseRecorder{w.ask(w.l.ServePage, "GET", "/auth/device?user_code="+code, nil), w.ask(w.l.ServePage, "GET", "/auth/device?user_code="+url.QueryEscape(code+"<script>"), nil), w.answer(code, "allow")} {
		if strings.Contains(rec.Body.String(), "<script") {
			t.Error(rec.Body)
		}
	}
}
