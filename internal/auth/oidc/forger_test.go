package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// forger is a provider that does what a real one doesn't.
type forger struct {
	t      *testing.T
	server *httptest.Server
	mu     sync.Mutex // of keys and answer
	keys   []jose.JSONWebKey
	asked  atomic.Int32                              // for keys
	token  func(nonce string) string                 // what the token endpoint answers as id_token
	answer map[string]func(http.ResponseWriter) bool // by path; false goes on as usual
	more   map[string]any                            // of the description
	access string
	nonce  string
	secret string // that the token endpoint was shown within the form
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var sameKey *rsa.PrivateKey // making one takes long

func newForger(t *testing.T) (*forger, *rsa.PrivateKey) {
	t.Helper()
	if sameKey == nil {
		sameKey = rsaKey(t, 2048)
	}
	key := sameKey
	f := &forger{t: t, keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "one", Algorithm: "RS256", Use: "sig"}}, answer: map[string]func(http.ResponseWriter) bool{}, access: "an-access-token"}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.server.Close)
	return f, key
}

func (f *forger) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	other, keys := f.answer[r.URL.Path], f.keys
	f.mu.Unlock()
	if other != nil && other(w) {
		return
	}
	var v any
	switch base := f.server.URL; r.URL.Path {
	case "/.well-known/openid-configuration":
		d := map[string]any{"issuer": base, "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token", "jwks_uri": base + "/keys", "userinfo_endpoint": base + "/userinfo"}
		maps.Copy(d, f.more)
		v = d
	case "/keys":
		f.asked.Add(1)
		v = jose.JSONWebKeySet{Keys: keys}
	case "/token":
		answer := map[string]any{"access_token": f.access, "token_type": "Bearer", "refresh_token": "a-refresh-token"}
		if id := f.token(f.nonce); id != "" {
			answer["id_token"] = id
		}
		f.secret = r.PostFormValue("client_secret")
		v = answer
	case "/userinfo":
		v = map[string]any{"sub": "somebody-else", "groups": []string{"admins"}}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// now has the forger answer otherwise, also to who asks beside the test.
func (f *forger) now(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *forger) config() Config {
	return Config{Name: "main", Issuer: f.server.URL, ClientID: "signalbox", Claims: Claims{Username: "preferred_username"}}
}

// good are claims with which ann comes in.
func (f *forger) good(change map[string]any) map[string]any {
	now := time.Now().Unix()
	c := map[string]any{"iss": f.server.URL, "aud": "signalbox", "sub": "1", "exp": now + 300, "iat": now, "preferred_username": "ann", "groups": []string{"sre"}}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func (f *forger) sign(key any, alg jose.SignatureAlgorithm, kid string, claims map[string]any) string {
	f.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	body, _ := json.Marshal(claims)
	jws, err := signer.Sign(body)
	if err != nil {
		f.t.Fatal(err)
	}
	text, _ := jws.CompactSerialize()
	return text
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// comeBack begins a login and brings an answer of the provider.
func (f *forger) comeBack(s *site, b *browser, change func(url.Values)) shown {
	f.t.Helper()
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := b.Get(s.server.URL + "/auth/oidc/main/start")
	if err != nil {
		f.t.Fatal(err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		f.t.Fatalf("%d %s", resp.StatusCode, &s.log)
	}
	f.nonce = to.Query().Get("nonce")
	q := url.Values{"state": {to.Query().Get("state")}, "code": {"x"}}
	if change != nil {
		change(q)
	}
	return b.do("GET", s.server.URL+"/auth/oidc/main/callback?"+q.Encode(), nil)
}

func TestTokensThatAreNotGood(t *testing.T) {
	f, key := newForger(t)
	weak, other := rsaKey(t, 1024), rsaKey(t, 2048)
	curve, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	secret := []byte("0123456789abcdef0123456789abcdef")
	f.keys = append(f.keys, jose.JSONWebKey{Key: &weak.PublicKey, KeyID: "weak"}, jose.JSONWebKey{Key: &curve.PublicKey, KeyID: "curve"},
		jose.JSONWebKey{Key: secret, KeyID: "shared"}, jose.JSONWebKey{Key: &other.PublicKey, KeyID: "box", Use: "enc"})
	now := time.Now().Unix()
	public := f.keys[0].Key.(*rsa.PublicKey).N.Bytes()
	with := func(change map[string]any) func(string) string {
		return func(nonce string) string {
			c := f.good(map[string]any{"nonce": nonce})
			for k, v := range change {
				if c[k] = v; v == nil {
					delete(c, k)
				}
			}
			return f.sign(key, jose.RS256, "one", c)
		}
	}
	by := func(key any, alg jose.SignatureAlgorithm, kid string) func(string) string {
		return func(nonce string) string { return f.sign(key, alg, kid, f.good(map[string]any{"nonce": nonce})) }
	}
	unsigned := func(header string) func(string) string {
		return func(nonce string) string {
			body, _ := json.Marshal(f.good(map[string]any{"nonce": nonce}))
			return b64(header) + "." + b64(string(body)) + "."
		}
	}
	for _, c := range []struct {
		name  string
		token func(string) string
		ok    bool
	}{
		{"good", with(nil), true},
		{"of another good key", by(curve, jose.ES256, "curve"), true},
		{"without a key's name", by(key, jose.RS256, ""), true},
		{"one audience of several, given to us", with(map[string]any{"aud": []string{"x", "signalbox"}, "azp": "signalbox"}), true},
		{"as late as the leeway", with(map[string]any{"exp": now - 40}), true},
		{"alg none", unsigned(`{"alg":"none"}`), false},
		{"alg None", unsigned(`{"alg":"None","kid":"one"}`), false},
		{"without signature", unsigned(`{"alg":"RS256","kid":"one"}`), false},
		{"HMAC by the public key", by(public, jose.HS256, "one"), false},
		{"HMAC by a key in the set", by(secret, jose.HS256, "shared"), false},
		{"an algorithm that isn't in the list", by(key, jose.RS512, "one"), false},
		{"an algorithm that isn't the key's", by(key, jose.PS256, "one"), false},
		{"a key that is too short", by(weak, jose.RS256, "weak"), false},
		{"a key for encrypting", by(other, jose.RS256, "box"), false},
		{"another's key by a known name", by(other, jose.RS256, "one"), false},
		{"another's key", by(rsaKey(t, 2048), jose.RS256, "two"), false},
		{"another audience", with(map[string]any{"aud": "grafana"}), false},
		{"no audience", with(map[string]any{"aud": nil}), false},
		{"several audiences, given to nobody", with(map[string]any{"aud": []string{"x", "signalbox"}}), false},
		{"given to another", with(map[string]any{"azp": "grafana"}), false},
		{"azp is no text", with(map[string]any{"azp": []string{"signalbox"}}), false},
		{"another issuer", with(map[string]any{"iss": "https://evil.example.org"}), false},
		{"expired", with(map[string]any{"exp": now - 120}), false},
		{"never expires", with(map[string]any{"exp": nil}), false},
		{"not yet", with(map[string]any{"nbf": now + 600}), false},
		{"of the future", with(map[string]any{"iat": now + 600}), false},
		{"iat is no number", with(map[string]any{"iat": "soon"}), false},
		{"nbf without end", with(map[string]any{"nbf": 1e300}), false},
		{"of another login", with(map[string]any{"nonce": "x"}), false},
		{"of no login", with(map[string]any{"nonce": nil}), false},
		{"nobody", with(map[string]any{"sub": nil}), false},
		{"an access token of another", with(map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), false},
		{"of several signatures", func(nonce string) string { return `{"payload":"e30","signatures":[]}` }, false},
		{"nothing", func(string) string { return "" }, false},
		{"nonsense", func(string) string { return "a.b.c" }, false},
		{"a critical header", func(nonce string) string {
			body, _ := json.Marshal(f.good(map[string]any{"nonce": nonce}))
			return b64(`{"alg":"RS256","kid":"one","crit":["x"],"x":1}`) + "." + b64(string(body)) + ".AAAA"
		}, false},
	} {
		s := newSite(t)
		s.configure(f.config())
		f.token = c.token
		b := newBrowser(t)
		page := f.comeBack(s, b, nil)
		if _, ok := s.session(b); ok != c.ok || !ok && page.status != http.StatusUnauthorized {
			t.Errorf("%s: %v, %d\n%s", c.name, ok, page.status, &s.log)
		}
	}
	sum := sha256.Sum256([]byte(f.access))
	s := newSite(t)
	s.configure(f.config())
	f.token = with(map[string]any{"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16])})
	b := newBrowser(t)
	if f.comeBack(s, b, nil); !holds(s, b) {
		t.Errorf("the right at_hash\n%s", &s.log)
	}
}

// An answer fits only the browser, the provider and the minutes of the login that it is for.
func TestAnswersThatDoNotFit(t *testing.T) {
	f, key := newForger(t)
	f.token = func(nonce string) string {
		return f.sign(key, jose.RS256, "one", f.good(map[string]any{"nonce": nonce}))
	}
	for name, c := range map[string]struct {
		change func(s *site, b *browser, q url.Values)
		status int
	}{
		"another state":             {func(_ *site, _ *browser, q url.Values) { q.Set("state", q.Get("state")[:8]+"ABCDEFGHIJKLMNOPQR") }, 400},
		"no state":                  {func(_ *site, _ *browser, q url.Values) { q.Del("state") }, 400},
		"a short state":             {func(_ *site, _ *browser, q url.Values) { q.Set("state", "x") }, 400},
		"another browser":           {func(_ *site, b *browser, _ url.Values) { b.Jar = newBrowser(t).Jar }, 400},
		"too late":                  {func(s *site, _ *browser, _ url.Values) { s.ahead.Store(int64(cookieLife)) }, 400},
		"another start's key":       {func(s *site, _ *browser, _ url.Values) { s.configure(f.config()) }, 400},
		"another provider by name":  {func(_ *site, _ *browser, q url.Values) { q.Set("iss", "https://evil.example.org") }, 401},
		"denied":                    {func(_ *site, _ *browser, q url.Values) { q.Set("error", "access_denied") }, 403},
		"the provider's fault":      {func(_ *site, _ *browser, q url.Values) { q.Set("error", "server_error") }, 503},
		"our fault":                 {func(_ *site, _ *browser, q url.Values) { q.Set("error", "invalid_scope") }, 503},
		"a fault with markup in it": {func(_ *site, _ *browser, q url.Values) { q.Set("error", "<script>x</script>") }, 503},
		"a description with markup": {func(_ *site, _ *browser, q url.Values) {
			q.Set("error", "access_denied")
			q.Set("error_description", "<script>x</script>")
		}, 403},
		"a cookie that was cut": {func(s *site, b *browser, q url.Values) { setCookie(s, b, q, "AAAA") }, 400},
		"a cookie of another's words": {func(s *site, b *browser, q url.Values) {
			setCookie(s, b, q, b64(`{"p":"main","s":"`+q.Get("state")+`","u":9999999999}`))
		}, 400},
	} {
		s := newSite(t)
		s.configure(f.config())
		b := newBrowser(t)
		page := f.comeBack(s, b, func(q url.Values) { c.change(s, b, q) })
		if page.status != c.status || s.count() != 0 {
			t.Errorf("%s: %d, %d sessions\n%s", name, page.status, s.count(), page.text)
		}
		if strings.Contains(page.text, "<script") {
			t.Errorf("%s: %s", name, page.text)
		}
	}
	// What the browser was given for one login is good once.
	s := newSite(t)
	s.configure(f.config())
	b := newBrowser(t)
	var again url.Values
	f.comeBack(s, b, func(q url.Values) { again = q })
	if page := b.do("GET", s.server.URL+"/auth/oidc/main/callback?"+again.Encode(), nil); page.status != 400 || s.count() != 1 {
		t.Errorf("twice: %d, %d sessions", page.status, s.count())
	}
	for _, path := range []string{"/auth/oidc/other/start", "/auth/oidc/other/callback?state=abcdefghijkl&code=x"} {
		if page := b.do("GET", s.server.URL+path, nil); page.status != 404 {
			t.Errorf("%s: %d", path, page.status)
		}
	}
}

// What was begun with one provider ends with it: another one gets no code that isn't its own.
func TestProvidersAreNotMixedUp(t *testing.T) {
	f, key := newForger(t)
	f.token = func(nonce string) string {
		return f.sign(key, jose.RS256, "one", f.good(map[string]any{"nonce": nonce}))
	}
	other := f.config()
	other.Name = "other"
	s := newSite(t)
	s.configure(f.config(), other)
	b := newBrowser(t)
	var q url.Values
	f.comeBack(s, b, func(v url.Values) {
		q = url.Values{"state": v["state"], "code": v["code"]}
		v.Set("state", "xxxxxxxxxxxx")
	})
	if page := b.do("GET", s.server.URL+"/auth/oidc/other/callback?"+q.Encode(), nil); page.status != 400 || s.count() != 0 {
		t.Errorf("%d, %d sessions", page.status, s.count())
	}
	if page := b.do("GET", s.server.URL+"/auth/oidc/main/callback?"+q.Encode(), nil); page.status != 303 || s.count() != 1 {
		t.Errorf("where it was begun: %d, %d sessions", page.status, s.count())
	}
}

// A provider that wants the secret within the form gets it there.
func TestSecretWithinTheForm(t *testing.T) {
	f, key := newForger(t)
	f.token = func(nonce string) string {
		return f.sign(key, jose.RS256, "one", f.good(map[string]any{"nonce": nonce}))
	}
	cfg := f.config()
	cfg.ClientSecretEnv = "SIGNALBOX_TEST_SECRET"
	t.Setenv("SIGNALBOX_TEST_SECRET", "s")
	for methods, want := range map[string]string{"client_secret_post": "s", "client_secret_basic": ""} {
		f.more = map[string]any{"token_endpoint_auth_methods_supported": []string{methods}}
		s := newSite(t)
		s.configure(cfg)
		b := newBrowser(t)
		if f.comeBack(s, b, nil); !holds(s, b) || f.secret != want {
			t.Errorf("%s: %q %s", methods, f.secret, &s.log)
		}
	}
}

func TestWhatARefreshTells(t *testing.T) {
	f, key := newForger(t)
	say := func(change map[string]any) func(string) string {
		return func(nonce string) string {
			c := f.good(map[string]any{"nonce": nonce})
			maps.Copy(c, change)
			return f.sign(key, jose.RS256, "one", c)
		}
	}
	userinfo := func(text string) func(http.ResponseWriter) bool {
		return func(w http.ResponseWriter) bool {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(text))
			return true
		}
	}
	fails := func(status int, text string) func(http.ResponseWriter) bool {
		return func(w http.ResponseWriter) bool {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
			return true
		}
	}
	var down *login.Unavailable
	var refused *login.Refused
	for _, c := range []struct {
		name   string
		change func()
		groups string // "" is an error
		err    func(error) bool
	}{
		{"other groups", func() { f.token = say(map[string]any{"groups": []string{"ops"}}) }, "ops", nil},
		{"somebody else", func() { f.token = say(map[string]any{"sub": "2"}) }, "", func(err error) bool { return errors.Is(err, login.ErrUnauthenticated) }},
		{"another client's", func() { f.token = say(map[string]any{"azp": "x"}) }, "", func(err error) bool { return errors.Is(err, login.ErrUnauthenticated) }},
		{"no token of identity", func() {
			f.token = func(string) string { return "" }
			f.answer["/userinfo"] = userinfo(`{"sub":"1","preferred_username":"ann","groups":["web"]}`)
		}, "web", nil},
		{"no token of identity, and another's userinfo", func() { f.token = func(string) string { return "" } }, "", func(err error) bool { return errors.Is(err, login.ErrUnauthenticated) }},
		{"withdrawn", func() { f.answer["/token"] = fails(400, `{"error":"invalid_grant"}`) }, "", func(err error) bool { return errors.Is(err, login.ErrUnauthenticated) }},
		{"our fault", func() { f.answer["/token"] = fails(401, `{"error":"invalid_client"}`) }, "", func(err error) bool { return errors.As(err, &down) }},
		{"their fault", func() { f.answer["/token"] = fails(500, "oops") }, "", func(err error) bool { return errors.As(err, &down) }},
		{"no longer allowed", func() { f.token = say(map[string]any{"groups": []string{"guests"}}) }, "", func(err error) bool { return errors.As(err, &refused) }},
	} {
		clear(f.answer)
		f.token = say(nil)
		s, cfg := newSite(t), f.config()
		cfg.Allowed.Groups = []string{"sre", "ops", "web"}
		s.configure(cfg)
		b := newBrowser(t)
		f.comeBack(s, b, nil)
		was, ok := s.session(b)
		if !ok {
			t.Fatal(&s.log)
		}
		c.change()
		l, err := s.logins.Recheck(t.Context(), was)
		if c.groups == "" && (err == nil || !c.err(err)) || c.groups != "" && (err != nil || l.Groups[0] != c.groups || l.Subject != "user:ann") {
			t.Errorf("%s: %+v, %v", c.name, l.Identity, err)
		}
	}
}

func setCookie(s *site, b *browser, q url.Values, value string) {
	u, _ := url.Parse(s.server.URL)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: s.logins.cookieOf(q.Get("state")), Value: value, Path: "/"}})
}

// What is asked of the provider, and what the browser carries.
func TestTheQuestion(t *testing.T) {
	f, _ := newForger(t)
	s := newSite(t)
	s.configure(f.config())
	seen := map[string]bool{}
	b := newBrowser(t)
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for range 8 {
		resp, err := b.Get(s.server.URL + "/auth/oidc/main/start")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		to, _ := resp.Location()
		q := to.Query()
		if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || len(q.Get("state")) < 26 || len(q.Get("nonce")) < 26 ||
			q.Get("redirect_uri") != s.server.URL+"/auth/oidc/main/callback" || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s", to)
		}
		for _, name := range []string{"state", "nonce", "code_challenge"} {
			if seen[q.Get(name)] {
				t.Errorf("%s twice", name)
			}
			seen[q.Get(name)] = true
		}
		c := resp.Cookies()[len(resp.Cookies())-1]
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 600 || strings.Contains(c.Value, q.Get("nonce")) {
			t.Errorf("%+v", c)
		}
	}
	u, _ := url.Parse(s.server.URL)
	if n := len(b.Jar.Cookies(u)); n > maxCookies {
		t.Errorf("%d logins are begun in one browser", n)
	}
	s.logins.deps.External, _ = url.Parse("https://signalbox.example.org/box")
	if c := s.logins.cookie("abcdefghij", "v", 1); c.Name != "__Host-signalbox_login_abcdefgh" || !c.Secure || c.Path != "/" || c.Domain != "" {
		t.Errorf("%+v", c)
	}
	p := newProvider(f.config(), s.logins.deps)
	if got := p.redirectURL(); got != "https://signalbox.example.org/box/auth/oidc/main/callback" {
		t.Error(got)
	}
}
