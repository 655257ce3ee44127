package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

func (f *forger) machines() Config {
	return Config{Name: "github", Issuer: f.server.URL, Bearer: Bearer{Audiences: []string{"https://signalbox.example.org"}, Rules: []Rule{
		{When: map[string]string{"repository": "example/shop", "ref": "refs/heads/main"}, Groups: []string{"deployers", "ci"}},
		{When: map[string]string{"repository": "example/*", "ref_protected": "true"}, Groups: []string{"ci"}},
		{When: map[string]string{"kubernetes.io.namespace": "shop"}, Groups: []string{"agents"}},
	}}}
}

func TestMachines(t *testing.T) {
	f, key := newForger(t)
	s := newSite(t)
	s.configure(f.machines())
	aud := "https://signalbox.example.org"
	for _, c := range []struct {
		name   string
		claims map[string]any
		groups []string // nil is refused
	}{
		{"a rule", map[string]any{"repository": "example/shop", "ref": "refs/heads/main"}, []string{"ci", "deployers"}},
		{"two rules", map[string]any{"repository": "example/shop", "ref": "refs/heads/main", "ref_protected": true}, []string{"ci", "deployers"}},
		{"a pattern", map[string]any{"repository": "example/web", "ref_protected": "true"}, []string{"ci"}},
		{"a path, as Kubernetes has it", map[string]any{"kubernetes.io": map[string]any{"namespace": "shop"}}, []string{"agents"}},
		{"another branch", map[string]any{"repository": "example/shop", "ref": "refs/heads/evil"}, nil},
		{"another's repository", map[string]any{"repository": "evil/shop", "ref": "refs/heads/main", "ref_protected": true}, nil},
		{"half of a rule", map[string]any{"ref_protected": true}, nil},
		{"nothing", nil, nil},
		{"a list", map[string]any{"repository": []string{"example/shop"}, "ref": "refs/heads/main"}, nil},
		{"a login's token", map[string]any{"repository": "example/shop", "ref": "refs/heads/main", "nonce": "x"}, nil},
		{"a logout's token", map[string]any{"repository": "example/shop", "ref": "refs/heads/main", "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}, nil},
		{"another audience", map[string]any{"repository": "example/shop", "ref": "refs/heads/main", "aud": "https://github.com/example"}, nil},
		{"expired", map[string]any{"repository": "example/shop", "ref": "refs/heads/main", "exp": time.Now().Unix() - 60}, nil},
		{"no name", map[string]any{"repository": "example/shop", "ref": "refs/heads/main", "sub": "a\nb"}, nil},
	} {
		claims := f.good(map[string]any{"aud": aud, "sub": "repo:example/shop"})
		for k, v := range c.claims {
			claims[k] = v
		}
		id, ours, err := s.logins.Bearer(t.Context(), f.sign(key, jose.RS256, "one", claims))
		if c.groups == nil {
			if err == nil || !ours || id.Subject != "" {
				t.Errorf("%s: %+v", c.name, id)
			}
			continue
		}
		if err != nil || !ours || id.Subject != "token:github:repo:example/shop" || !slices.Equal(id.Groups, c.groups) {
			t.Errorf("%s: %+v, %v", c.name, id, err)
		}
	}
	for _, token := range []string{"", "sbx_abc", "a.b.c", "a." + b64(`{"iss":"https://elsewhere.example.org"}`) + ".c", "a." + b64(`{"iss":1}`) + ".c"} {
		if _, ours, err := s.logins.Bearer(t.Context(), token); ours || err != nil {
			t.Errorf("%q is not ours to judge: %v", token, err)
		}
	}
	if page := newBrowser(t).do("GET", s.server.URL+"/auth/oidc/github/start", nil); page.status != 404 {
		t.Errorf("nobody logs in by a provider of machines: %d", page.status)
	}
}

// Keys are fetched once, again when a new one signs, and not for every invented one.
func TestKeys(t *testing.T) {
	f, key := newForger(t)
	s := newSite(t)
	s.configure(f.machines())
	claims := f.good(map[string]any{"aud": "https://signalbox.example.org", "repository": "example/shop", "ref": "refs/heads/main", "exp": time.Now().Unix() + 7*86400})
	try := func(key any, kid string) error {
		_, _, err := s.logins.Bearer(t.Context(), f.sign(key, jose.RS256, kid, claims))
		return err
	}
	for range 20 {
		if err := try(key, "one"); err != nil {
			t.Fatal(err)
		}
	}
	stranger := rsaKey(t, 2048)
	for range 20 {
		if err := try(stranger, "two"); !errors.Is(err, login.ErrUnauthenticated) {
			t.Fatal(err)
		}
	}
	if n := f.asked.Load(); n != 1 {
		t.Errorf("asked %d times within a moment", n)
	}
	next := rsaKey(t, 2048)
	f.now(func() { f.keys = []jose.JSONWebKey{{Key: &next.PublicKey, KeyID: "two"}} })
	s.ahead.Add(int64(keysPause))
	if err := try(next, "two"); err != nil || f.asked.Load() != 2 {
		t.Errorf("a new key: %v, asked %d times", err, f.asked.Load())
	}
	if err := try(key, "one"); !errors.Is(err, login.ErrUnauthenticated) {
		t.Errorf("a key that was withdrawn: %v", err)
	}
	// While the provider is down its keys go on to count, for a day.
	f.now(func() { f.answer["/keys"] = func(w http.ResponseWriter) bool { w.WriteHeader(500); return true } })
	s.ahead.Add(int64(keysStale - time.Minute))
	if err := try(next, "two"); err != nil {
		t.Errorf("down: %v", err)
	}
	s.ahead.Add(int64(2 * time.Minute))
	var down *login.Unavailable
	if err := try(next, "two"); !errors.As(err, &down) || down.Provider != "github" {
		t.Errorf("down for a day: %v", err)
	}
	f.now(func() { delete(f.answer, "/keys") })
	s.ahead.Add(int64(keysPause))
	if err := try(next, "two"); err != nil {
		t.Errorf("up again: %v", err)
	}
}

// Kubernetes wants a token where its keys are fetched; nobody else is shown it.
func TestTokenForDiscovery(t *testing.T) {
	f, key := newForger(t)
	var shown []string
	handler := f.server.Config.Handler
	f.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		handler.ServeHTTP(w, r)
	})
	cfg := f.machines()
	cfg.Bearer.DiscoveryTokenFile = filepath.Join(t.TempDir(), "token")
	_ = os.WriteFile(cfg.Bearer.DiscoveryTokenFile, []byte("of-a-pod\n"), 0o600)
	s := newSite(t)
	s.configure(cfg)
	claims := f.good(map[string]any{"aud": "https://signalbox.example.org", "repository": "example/shop", "ref": "refs/heads/main"})
	if _, _, err := s.logins.Bearer(t.Context(), f.sign(key, jose.RS256, "one", claims)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(shown, []string{"GET /.well-known/openid-configuration Bearer of-a-pod", "GET /keys Bearer of-a-pod"}) {
		t.Error(shown)
	}
}

func TestForgedLogout(t *testing.T) {
	f, key := newForger(t)
	f.token = func(nonce string) string {
		return f.sign(key, jose.RS256, "one", f.good(map[string]any{"nonce": nonce, "sid": "s1"}))
	}
	s := newSite(t)
	s.configure(f.config())
	b := newBrowser(t)
	f.comeBack(s, b, nil)
	if !holds(s, b) {
		t.Fatal(&s.log)
	}
	const event = "http://schemas.openid.net/event/backchannel-logout"
	now := time.Now().Unix()
	token := func(key any, change map[string]any) string {
		c := f.good(map[string]any{"jti": "j1", "sid": "s1", "events": map[string]any{event: map[string]any{}}})
		for k, v := range change {
			if c[k] = v; v == nil {
				delete(c, k)
			}
		}
		return f.sign(key, jose.RS256, "one", c)
	}
	post := func(token string) int {
		return b.do("POST", s.server.URL+"/auth/oidc/main/backchannel-logout", url.Values{"logout_token": {token}}).status
	}
	for name, token := range map[string]string{
		"a stranger's":        token(rsaKey(t, 2048), nil),
		"another client's":    token(key, map[string]any{"aud": "grafana"}),
		"a login's":           f.token("x"),
		"with a nonce":        token(key, map[string]any{"nonce": "x"}),
		"of nobody":           token(key, map[string]any{"sub": nil, "sid": nil}),
		"old":                 token(key, map[string]any{"iat": now - 3600}),
		"of the future":       token(key, map[string]any{"iat": now + 120}),
		"expired":             token(key, map[string]any{"exp": now - 60}),
		"without id":          token(key, map[string]any{"jti": nil}),
		"of another issuer":   token(key, map[string]any{"iss": "https://evil.example.org"}),
		"of another event":    token(key, map[string]any{"events": map[string]any{"x": 1}}),
		"nothing":             "",
		"larger than allowed": string(make([]byte, maxLogoutToken)),
	} {
		if status := post(token); status != 400 || !holds(s, b) {
			t.Errorf("%s: %d", name, status)
		}
	}
	s.fail = errors.New("the disk is full")
	good := token(key, nil)
	if status := post(good); status != 500 {
		t.Errorf("not kept: %d", status)
	}
	s.fail = nil
	if status := post(good); status != 200 || holds(s, b) {
		t.Errorf("good: %d\n%s", status, &s.log)
	}
	if status := post(good); status != 400 {
		t.Errorf("twice: %d", status)
	}
	if status := b.do("POST", s.server.URL+"/auth/oidc/none/backchannel-logout", nil).status; status != 404 {
		t.Errorf("of nobody we know: %d", status)
	}
}
