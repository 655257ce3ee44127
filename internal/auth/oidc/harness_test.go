package oidc

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// site is what of Signalbox a login touches: its addresses, and sessions in a map.
type site struct {
	t      *testing.T
	server *httptest.Server
	logins *Logins
	log    bytes.Buffer
	ahead  atomic.Int64 // of our clock, in nanoseconds

	mu       sync.Mutex
	sessions map[string]login.Login
	fail     error // of ending sessions
}

// newSite serves; logins come by configure, since a provider must know the address first.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, sessions: map[string]login.Login{}}
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(*Logins) http.HandlerFunc{
		"GET /auth/oidc/{name}/start":               func(l *Logins) http.HandlerFunc { return l.ServeStart },
		"GET /auth/oidc/{name}/callback":            func(l *Logins) http.HandlerFunc { return l.ServeCallback },
		"POST /auth/oidc/{name}/backchannel-logout": func(l *Logins) http.HandlerFunc { return l.ServeBackchannel },
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { serve(s.logins)(w, r) })
	}
	mux.HandleFunc("POST /leave", func(w http.ResponseWriter, r *http.Request) { // as the UI does with what the API answers
		was, _ := s.forget(r)
		http.Redirect(w, r, cmp.Or(s.logins.EndSession(r.Context(), was), "/"), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "you are at %s", r.URL.RequestURI()) })
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	return s
}

func (s *site) configure(cfgs ...Config) {
	s.t.Helper()
	for _, c := range cfgs {
		if errs := c.WithDefaults().Validate(); len(errs) > 0 {
			s.t.Fatal(errs)
		}
	}
	logins, err := New(cfgs, s.deps())
	if err != nil {
		s.t.Fatal(err)
	}
	s.logins = logins
}

func (s *site) deps() Deps {
	external, _ := url.Parse(s.server.URL)
	return Deps{
		External: external, Now: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		Begin: s.begin, End: s.end,
	}
}

func (s *site) begin(w http.ResponseWriter, _ *http.Request, l login.Login) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprint(len(s.sessions) + 1)
	s.sessions[id] = l
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/"})
	return nil
}

func (s *site) end(_ context.Context, provider, ref, sid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, l := range s.sessions {
		if l.Provider == provider && (sid != "" && l.Sid == sid || sid == "" && l.Ref == ref) {
			delete(s.sessions, id)
		}
	}
	return s.fail
}

func (s *site) forget(r *http.Request) (login.Login, bool) {
	c, err := r.Cookie("session")
	if err != nil {
		return login.Login{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.sessions[c.Value]
	delete(s.sessions, c.Value)
	return l, ok
}

func (s *site) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// browser keeps cookies and follows redirects, as one does.
type browser struct {
	t *testing.T
	*http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t, &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// shown is a page that a browser shows.
type shown struct {
	url    *url.URL
	status int
	text   string
}

func (b *browser) do(method, address string, form url.Values) shown {
	b.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return shown{resp.Request.URL, resp.StatusCode, string(body)}
}

var formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)

// login goes to a provider's pages, types a name, agrees, and comes back.
func (b *browser) login(start, name string) shown {
	b.t.Helper()
	p := b.do("GET", start, nil)
	for range 3 {
		m := formAction.FindStringSubmatch(p.text)
		if m == nil {
			return p
		}
		to, err := p.url.Parse(m[1])
		if err != nil {
			b.t.Fatal(err)
		}
		form := url.Values{"prompt": {"consent"}}
		if strings.Contains(p.text, `name="login"`) {
			form = url.Values{"prompt": {"login"}, "login": {name}, "password": {"any"}}
		}
		p = b.do("POST", to.String(), form)
	}
	return p
}

// session is the login of a browser's session, if it has one.
func (s *site) session(b *browser) (login.Login, bool) {
	u, _ := url.Parse(s.server.URL)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range b.Jar.Cookies(u) {
		if l, ok := s.sessions[c.Value]; ok && c.Name == "session" {
			return l, true
		}
	}
	return login.Login{}, false
}

type logoutForm struct{ action, xsrf string }

// askedToLogOut reads the page on which a provider asks whether to log out.
func askedToLogOut(t *testing.T, p shown) logoutForm {
	t.Helper()
	action := formAction.FindStringSubmatch(p.text)
	xsrf := regexp.MustCompile(`name="xsrf" value="([^"]+)"`).FindStringSubmatch(p.text)
	if action == nil || xsrf == nil {
		t.Fatalf("no form: %d %s", p.status, p.text)
	}
	to, _ := p.url.Parse(action[1])
	return logoutForm{to.String(), xsrf[1]}
}
