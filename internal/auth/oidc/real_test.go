package oidc

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// realProvider is npm's oidc-provider in a process of its own.
type realProvider struct {
	t      *testing.T
	issuer string
	port   string
	site   *site
	cmd    *exec.Cmd
	env    []string
}

func startProvider(t *testing.T, s *site, env ...string) *realProvider {
	t.Helper()
	p := &realProvider{t: t, site: s, port: "0", env: env}
	p.start()
	t.Cleanup(p.stop)
	return p
}

func (p *realProvider) start() {
	p.t.Helper()
	p.cmd = exec.Command("../../../test/oidc/run.sh", p.port, p.site.server.URL)
	p.cmd.Env = append(os.Environ(), p.env...)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	var log strings.Builder
	p.cmd.Stderr = &log
	p.t.Cleanup(func() {
		if p.t.Failed() {
			p.t.Log(log.String())
		}
	})
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.t.Fatalf("the provider did not start: %v", err)
	}
	p.issuer = strings.TrimSpace(line)
	at, err := url.Parse(p.issuer)
	if err != nil {
		p.t.Fatal(err)
	}
	p.port = at.Port() // when it is started again, it is where it was
}

func (p *realProvider) stop() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() }

// says sets what the provider says of somebody; nil is nothing: they are gone.
func (p *realProvider) says(name string, of map[string]any) {
	p.t.Helper()
	body, _ := json.Marshal(of)
	req, _ := http.NewRequest("PUT", p.issuer+"/test/accounts/"+name, strings.NewReader(string(body)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		p.t.Fatal(err)
	}
	resp.Body.Close()
}

func (p *realProvider) config() Config {
	file := filepath.Join(p.t.TempDir(), "secret")
	_ = os.WriteFile(file, []byte("a-secret-of-the-client\n"), 0o600)
	return Config{
		Name: "main", Issuer: p.issuer, ClientID: "signalbox", ClientSecretFile: file, Scopes: []string{"openid", "profile", "email", "groups"},
		Claims: Claims{Username: "preferred_username"},
	}
}

func TestRealProvider(t *testing.T) {
	s := newSite(t)
	p := startProvider(t, s)
	t.Run("who comes in", p.testLogin)
	t.Run("another client's registration", p.testPublic)
	t.Run("groups change, people leave", p.testRecheck)
	t.Run("logout both ways", p.testLogout)
	t.Run("clocks", p.testClocks)
	t.Run("machines", p.testMachines)
	t.Run("wrong secret", p.testWrongSecret)
	t.Run("down and up again", p.testDown)
}

func (p *realProvider) testLogin(t *testing.T) {
	s := p.site
	s.configure(p.config())
	b := newBrowser(t)
	end := b.login(s.server.URL+"/auth/oidc/main/start?return_to="+url.QueryEscape("/services/pay?range=1h"), "ann")
	l, ok := s.session(b)
	if !ok || end.status != 200 || end.text != "you are at /services/pay?range=1h" {
		t.Fatalf("%d %s\n%s", end.status, end.text, &s.log)
	}
	if l.Subject != "user:ann" || l.Kind != access.User || l.Provider != "main" || !slices.Equal(l.Groups, []string{"sre"}) || l.Ref != "ann" || l.Sid == "" || l.Recheck.IsZero() {
		t.Errorf("%+v", l)
	}
	// The same again in the same browser is a new session; nothing of the login is left in it.
	b.login(s.server.URL+"/auth/oidc/main/start", "ann")
	u, _ := url.Parse(s.server.URL)
	for _, c := range b.Jar.Cookies(u) {
		if s.count() != 2 || strings.HasPrefix(c.Name, cookieName) {
			t.Errorf("%d sessions, %v", s.count(), c)
		}
	}
	for name, c := range map[string]struct {
		change func(*Config)
		tells  string
	}{
		"a group that must be":  {func(c *Config) { c.Allowed.Groups = []string{"ops"} }, "none of the groups"},
		"a domain that must be": {func(c *Config) { c.Allowed.Domains = []string{"example.com"} }, "a domain that may log in"},
		"a claim that isn't":    {func(c *Config) { c.Claims.Username = "upn" }, "does not say what you are called"},
	} {
		cfg := p.config()
		c.change(&cfg)
		s.configure(cfg)
		b := newBrowser(t)
		if end := b.login(s.server.URL+"/auth/oidc/main/start", "ann"); end.status != 403 || !strings.Contains(end.text, c.tells) || !strings.Contains(end.text, `href="/auth/oidc/main/start"`) {
			t.Errorf("%s: %d %s", name, end.status, end.text)
		}
		if _, ok := s.session(b); ok {
			t.Errorf("%s: a session", name)
		}
	}
	if strings.Contains(s.log.String(), "a-secret") || strings.Contains(s.log.String(), "eyJ") {
		t.Errorf("a secret in the log:\n%s", &s.log)
	}
}

// A client without secret logs in by PKCE alone, and gets no refresh token here.
func (p *realProvider) testPublic(t *testing.T) {
	s, cfg := p.site, p.config()
	cfg.Name, cfg.ClientID, cfg.ClientSecretFile = "public", "public", ""
	s.configure(cfg)
	b := newBrowser(t)
	b.login(s.server.URL+"/auth/oidc/public/start", "bob")
	l, ok := s.session(b)
	if !ok || l.Subject != "user:bob" || !l.Recheck.IsZero() || l.Ends.IsZero() {
		t.Fatalf("%+v\n%s", l, &s.log)
	}
	if _, err := s.logins.Recheck(t.Context(), l); !errors.Is(err, login.ErrAgain) {
		t.Error(err)
	}
	s.configure(p.config()) // the provider is configured no longer
	if _, err := s.logins.Recheck(t.Context(), l); !errors.Is(err, login.ErrAgain) {
		t.Error(err)
	}
}

func (p *realProvider) testRecheck(t *testing.T) {
	s, cfg := p.site, p.config()
	cfg.Allowed.Groups = []string{"sre", "ops"}
	s.configure(cfg)
	b := newBrowser(t)
	b.login(s.server.URL+"/auth/oidc/main/start", "cee")
	l, ok := s.session(b)
	if !ok {
		t.Fatal(&s.log)
	}
	person := func(groups ...string) map[string]any {
		return map[string]any{"preferred_username": "cee", "name": "Cee", "email": "cee@example.org", "email_verified": true, "groups": groups}
	}
	p.says("cee", person("ops", "oncall"))
	was := l
	l, err := s.logins.Recheck(t.Context(), was)
	if err != nil || !slices.Equal(l.Groups, []string{"oncall", "ops"}) || l.Ref != "cee" || !l.Ends.Equal(was.Ends) || !l.Recheck.After(was.Recheck) || l.Sid != was.Sid {
		t.Fatalf("%+v, %v", l, err)
	}
	p.says("cee", person("guests"))
	was = l
	var refused *login.Refused
	if _, err = s.logins.Recheck(t.Context(), was); !errors.As(err, &refused) {
		t.Errorf("out of the groups that may log in: %v", err)
	}
	// A refresh token is good once: shown again it looks stolen, and the provider ends all that came of the login.
	if _, err = s.logins.Recheck(t.Context(), was); !errors.Is(err, login.ErrUnauthenticated) {
		t.Errorf("shown twice: %v", err)
	}
	p.says("cee", person("sre"))
	b.login(s.server.URL+"/auth/oidc/main/start", "cee")
	if l, ok = s.session(b); !ok {
		t.Fatal(&s.log)
	}
	p.says("cee", nil)
	if _, err = s.logins.Recheck(t.Context(), l); !errors.Is(err, login.ErrUnauthenticated) {
		t.Errorf("gone: %v", err)
	}
}

func (p *realProvider) testLogout(t *testing.T) {
	s := p.site
	s.configure(p.config())
	b, other := newBrowser(t), newBrowser(t)
	b.login(s.server.URL+"/auth/oidc/main/start", "dora")
	other.login(s.server.URL+"/auth/oidc/main/start", "dora")
	before := s.count()
	// The provider ends its own session and tells us by the back channel; only that browser's session is meant.
	page := b.do("GET", p.issuer+"/session/end", nil)
	form := askedToLogOut(t, page)
	b.do("POST", form.action, url.Values{"xsrf": {form.xsrf}, "logout": {"yes"}})
	if _, ok := s.session(b); ok || s.count() != before-1 {
		t.Errorf("the back channel ended %d sessions\n%s", before-s.count(), &s.log)
	}
	if _, ok := s.session(other); !ok {
		t.Error("another browser's session has ended")
	}
	// We end it and send the browser there to end theirs.
	page = other.do("POST", s.server.URL+"/leave", nil)
	if _, ok := s.session(other); ok || !strings.HasPrefix(page.url.String(), p.issuer+"/session/end?") || page.url.Query().Get("id_token_hint") == "" {
		t.Errorf("at %s", page.url)
	}
	form = askedToLogOut(t, page)
	if page = other.do("POST", form.action, url.Values{"xsrf": {form.xsrf}, "logout": {"yes"}}); page.text != "you are at /" {
		t.Errorf("%s %s", page.url, page.text)
	}
	if page = newBrowser(t).do("POST", s.server.URL+"/leave", nil); page.text != "you are at /" {
		t.Errorf("without a session: %s", page.text)
	}
}

// A clock that is off by less than the leeway is borne with, by more it is told.
func (p *realProvider) testClocks(t *testing.T) {
	s := p.site
	defer func() { s.ahead.Store(int64(0)) }()
	for _, c := range []struct {
		ahead time.Duration
		ok    bool
	}{{50 * time.Second, true}, {-50 * time.Second, true}, {-2 * time.Minute, false}, {60*time.Minute + 20*time.Second, true}, {62 * time.Minute, false}} {
		s.ahead.Store(int64(0))
		s.configure(p.config())
		b := newBrowser(t)
		page := b.do("GET", s.server.URL+"/auth/oidc/main/start", nil)
		s.ahead.Store(int64(c.ahead))
		if c.ahead > 10*time.Minute { // the login itself is begun by the same clock
			page = b.do("GET", s.server.URL+"/auth/oidc/main/start", nil)
		}
		page = b.login(page.url.String(), "eve")
		if _, ok := s.session(b); ok != c.ok || !ok && (page.status != 401 || !strings.Contains(page.text, "the clocks of Signalbox and of the provider differ")) {
			t.Errorf("%v ahead: %v, %d %s", c.ahead, ok, page.status, page.text)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "compare the clock here with the provider's") || !strings.Contains(log, "has expired") {
		t.Errorf("the log doesn't say that clocks differ:\n%s", log)
	}
}

func (p *realProvider) testMachines(t *testing.T) {
	s, cfg := p.site, p.config()
	cfg.Bearer = Bearer{Audiences: []string{"urn:signalbox"}, Subject: "client_id", Rules: []Rule{{When: map[string]string{"client_id": "machine"}, Groups: []string{"ci"}}}}
	s.configure(cfg)
	token := func(resource string) string {
		req, _ := http.NewRequest("POST", p.issuer+"/token", strings.NewReader(url.Values{"grant_type": {"client_credentials"}, "resource": {resource}}.Encode()))
		req.SetBasicAuth("machine", "a-secret-of-the-machine")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
			t.Fatalf("%d, %v", resp.StatusCode, err)
		}
		return answer.AccessToken
	}
	id, ours, err := s.logins.Bearer(t.Context(), token("urn:signalbox"))
	if !ours || err != nil || id.Subject != "token:main:machine" || id.Kind != access.Token || !slices.Equal(id.Groups, []string{"ci"}) {
		t.Errorf("%+v, %v, %v", id, ours, err)
	}
	if id, ours, err = s.logins.Bearer(t.Context(), token("urn:another")); !ours || !errors.Is(err, login.ErrUnauthenticated) {
		t.Errorf("for another service: %+v, %v", id, err)
	}
}

func (p *realProvider) testWrongSecret(t *testing.T) {
	s, cfg := p.site, p.config()
	cfg.ClientSecretFile, cfg.ClientSecretEnv = "", "SIGNALBOX_TEST_SECRET"
	t.Setenv("SIGNALBOX_TEST_SECRET", "another")
	s.configure(cfg)
	b := newBrowser(t)
	if page := b.login(s.server.URL+"/auth/oidc/main/start", "ann"); page.status != 503 || !strings.Contains(s.log.String(), "client_id and its secret") {
		t.Errorf("%d %s\n%s", page.status, page.text, &s.log)
	}
	t.Setenv("SIGNALBOX_TEST_SECRET", "")
	if page := b.do("GET", s.server.URL+"/auth/oidc/main/start", nil); page.status != 503 {
		t.Errorf("%d %s", page.status, page.text)
	}
}

// A provider that is down stops nothing but new logins by it, and these tell what to do.
func (p *realProvider) testDown(t *testing.T) {
	s := p.site
	cfg := p.config()
	s.configure(cfg)
	b := newBrowser(t)
	b.login(s.server.URL+"/auth/oidc/main/start", "finn")
	l, ok := s.session(b)
	if !ok {
		t.Fatal(&s.log)
	}
	p.stop()
	var down *login.Unavailable
	if _, err := s.logins.Recheck(t.Context(), l); !errors.As(err, &down) || down.Provider != "main" {
		t.Errorf("a session goes on: %v", err)
	}
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if page := b.do("POST", s.server.URL+"/leave", nil); page.status != http.StatusSeeOther || holds(s, b) {
		t.Errorf("%+v", page)
	}
	s.configure(cfg) // a start while it is down
	for range 2 {
		page := newBrowser(t).do("GET", s.server.URL+"/auth/oidc/main/start", nil)
		if page.status != 503 || !strings.Contains(page.text, "&#34;main&#34; is not possible at the moment") || !strings.Contains(page.text, "Sessions that exist go on") {
			t.Errorf("%d %s", page.status, page.text)
		}
	}
	resp, err := http.Get(s.server.URL + "/auth/oidc/main/start")
	var told login.Said
	if err != nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || json.NewDecoder(resp.Body).Decode(&told) != nil || told.Cure == "" {
		t.Errorf("%v %+v", err, told)
	}
	p.start()
	s.ahead.Add(int64(foundPause))
	defer func() { s.ahead.Store(int64(0)) }()
	b = newBrowser(t)
	if b.login(s.server.URL+"/auth/oidc/main/start", "finn"); !holds(s, b) {
		t.Errorf("up again: %s", &s.log)
	}
}

func holds(s *site, b *browser) bool { _, ok := s.session(b); return ok }

// What a provider tells only by its userinfo endpoint is asked for there.
func TestRealProviderWithClaimsByUserinfo(t *testing.T) {
	s := newSite(t)
	p := startProvider(t, s, "CLAIMS_BY_USERINFO=yes")
	s.configure(p.config())
	b := newBrowser(t)
	b.login(s.server.URL+"/auth/oidc/main/start", "gil")
	if l, ok := s.session(b); !ok || l.Subject != "user:gil" || !slices.Equal(l.Groups, []string{"sre"}) {
		t.Errorf("%+v\n%s", l, &s.log)
	}
}
