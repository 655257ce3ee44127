package app

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// oidcProvider is npm's oidc-provider in a process of its own, as the tests of internal/auth/oidc use it.
type oidcProvider struct {
	command      *exec.Cmd
	issuer, port string
	signalbox    string // where browsers reach us
}

func (p *oidcProvider) start(t *testing.T) {
	t.Helper()
	p.command = exec.Command("../../test/oidc/run.sh", p.port, p.signalbox)
	out, err := p.command.StdoutPipe()
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider did not start: %v", err)
	}
	p.issuer = strings.TrimSpace(line)
	p.port = p.issuer[strings.LastIndex(p.issuer, ":")+1:] // where it is again after a stop
}

func (p *oidcProvider) stop() { _, _ = p.command.Process.Kill(), p.command.Wait() }

// says sets the groups of somebody; none: they are gone.
func (p *oidcProvider) says(t *testing.T, name string, groups ...string) {
	t.Helper()
	body := "null"
	if len(groups) > 0 {
		text, _ := json.Marshal(map[string]any{"preferred_username": name, "groups": groups})
		body = string(text)
	}
	req, _ := http.NewRequest("PUT", p.issuer+"/test/accounts/"+name, strings.NewReader(body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(err, resp)
	}
	_ = resp.Body.Close()
}

// surfer is a browser with cookies that fills in a provider's forms.
type surfer struct {
	t *testing.T
	*http.Client
}

func newSurfer(t *testing.T) surfer {
	jar, _ := cookiejar.New(nil)
	return surfer{t, &http.Client{Jar: jar, Timeout: patience}}
}

type shownPage struct {
	status int
	at     *url.URL
	text   string
	header http.Header
}

func (b surfer) do(method, address string, form url.Values) shownPage {
	b.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if form == nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return shownPage{resp.StatusCode, resp.Request.URL, string(text), resp.Header}
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	formSecret = regexp.MustCompile(`name="xsrf" value="([^"]+)"`)
)

// submit sends the form of a page.
func (b surfer) submit(p shownPage, form url.Values) shownPage {
	b.t.Helper()
	m := formAction.FindStringSubmatch(p.text)
	if m == nil {
		b.t.Fatalf("no form at %s: %d %s", p.at, p.status, p.text)
	}
	to, err := p.at.Parse(m[1])
	if err != nil {
		b.t.Fatal(err)
	}
	if secret := formSecret.FindStringSubmatch(p.text); secret != nil {
		form.Set("xsrf", secret[1])
	}
	return b.do("POST", to.String(), form)
}

func asksForAPassword(p shownPage) bool { return strings.Contains(p.text, `name="login"`) }

// login comes in by the provider, and says whether it asked for a password.
func (b surfer) login(start, name string) (p shownPage, asked bool) {
	b.t.Helper()
	p = b.do("GET", start, nil)
	for range 3 {
		switch {
		case asksForAPassword(p):
			asked = true
			p = b.submit(p, url.Values{"prompt": {"login"}, "login": {name}, "password": {"any"}})
		case formAction.MatchString(p.text):
			p = b.submit(p, url.Values{"prompt": {"consent"}})
		}
	}
	return p, asked
}

// behind is a whole process behind a proxy, whose address a provider can know before the process starts.
type behind struct {
	*guarded
	provider *oidcProvider
	url      string
}

func startBehind(t *testing.T) *behind {
	t.Helper()
	var to atomic.Pointer[url.URL]
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to.Load())
		r.Out.Host = r.In.Host
	}})
	t.Cleanup(proxy.Close)
	b := &behind{url: proxy.URL, provider: &oidcProvider{port: "0", signalbox: proxy.URL}}
	b.provider.start(t)
	t.Cleanup(b.provider.stop)
	b.guarded = startGuarded(t, map[string]string{"secret": "a-secret-of-the-client", "signalbox.yml": fmt.Sprintf(`
auth:
  oidc:
    - {name: main, issuer: %q, client_id: signalbox, client_secret_file: secret, recheck: 1ms, scopes: [openid, profile, groups], claims: {username: preferred_username}}
  bindings:
    - {role: editor, groups: [sre]}
    - {role: viewer, groups: [guests]}
`, b.provider.issuer)}, func(o *Options) { o.ExternalURL = proxy.URL })
	address, _ := url.Parse(b.Addresses().Web)
	to.Store(address)
	return b
}

// role is editor or viewer, by what somebody may; "" for who is nobody here.
func (b *behind) role(s surfer) string {
	p := s.do("GET", b.url+"/sb/v1/me", nil)
	var me struct {
		Permissions []struct {
			Permission string
			Allowed    bool
		}
	}
	if p.status != http.StatusOK || json.Unmarshal([]byte(p.text), &me) != nil {
		return ""
	}
	may := map[string]bool{}
	for _, p := range me.Permissions {
		may[p.Permission] = p.Allowed
	}
	switch {
	case may[string(access.GateOverride)]:
		return policy.Editor
	case may[string(access.MetricsRead)]:
		return policy.Viewer
	}
	return "no role"
}

// recheck asks the provider about all sessions now.
func (b *behind) recheck(t *testing.T) error {
	return b.home.identities.Accounts.Sessions.RecheckDue(t.Context())
}

// The whole process and a real provider: who comes in, whose groups change, who is gone, who logs out, and a provider that is down.
func TestAWholeProcessAndItsProvider(t *testing.T) {
	b := startBehind(t)
	start := b.url + "/auth/oidc/main/start"
	ann, bob := newSurfer(t), newSurfer(t)
	if p, _ := ann.login(start, "ann"); p.status != http.StatusOK || b.role(ann) != "editor" {
		t.Fatalf("%d at %s, role %q\n%s", p.status, p.at, b.role(ann), b.log)
	}
	bob.login(start, "bob")
	b.provider.says(t, "ann", "guests")
	b.provider.says(t, "bob")
	if err := b.recheck(t); err != nil || b.role(ann) != "viewer" || b.role(bob) != "" {
		t.Errorf("ann, who is in another group: %q; bob, who is gone: %q; %v", b.role(ann), b.role(bob), err)
	}
	t.Run("logout", b.testLogout)
	t.Run("down", func(t *testing.T) { b.testDown(t, ann) })
}

// A logout ends the provider's session, too: the next login in this browser asks for a password. It is what the UI does: a request whose
// answer says where to go next.
func (b *behind) testLogout(t *testing.T) {
	start := b.url + "/auth/oidc/main/start"
	cleo := newSurfer(t)
	cleo.login(start, "cleo")
	leave := func() (next string) {
		p := cleo.do("POST", b.url+"/sb/v1/logout", nil)
		var out struct {
			EndSession string `json:"end_session"`
		}
		if err := json.Unmarshal([]byte(p.text), &out); err != nil || p.status != http.StatusOK || b.role(cleo) != "" || p.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s %v", p.status, p.text, p.header)
		}
		return out.EndSession
	}
	leave() // and goes nowhere
	if _, asked := cleo.login(start, "cleo"); asked || b.role(cleo) == "" {
		t.Errorf("with the provider's session: asked %v, role %q", asked, b.role(cleo))
	}
	next, err := url.Parse(leave())
	if err != nil || next.Query().Get("id_token_hint") == "" || !strings.HasPrefix(next.String(), b.provider.issuer) {
		t.Fatalf("%s, %v", next, err)
	}
	if p := cleo.submit(cleo.do("GET", next.String(), nil), url.Values{"logout": {"yes"}}); p.at.String() != b.url+"/" {
		t.Errorf("it comes back to %s: %s", p.at, p.text)
	}
	if _, asked := cleo.login(start, "cleo"); !asked {
		t.Error("the provider's session goes on")
	}
	if next := leave(); next == "" {
		t.Error("no address of the provider")
	}
	if next := leave(); next != "" {
		t.Errorf("who has no session is sent to %s", next)
	}
	local := b.ask(t, "POST", "/sb/v1/login", `{"name":"root","password":"correct horse battery"}`)
	if local.status != http.StatusOK {
		t.Fatalf("%d %s", local.status, local.text)
	}
	if out := b.ask(t, "POST", "/sb/v1/logout", "", "Cookie", local.cookies[0].Name+"="+local.cookies[0].Value); out.status != http.StatusOK || strings.Contains(out.text, "end_session") {
		t.Errorf("a local user: %d %s", out.status, out.text)
	}
	if strings.Contains(b.log.String(), next.Query().Get("id_token_hint")) {
		t.Error("the token of a login is in the log")
	}
}

// A provider that is down ends no session and keeps nobody out who comes in another way, and is found again without a restart.
func (b *behind) testDown(t *testing.T, ann surfer) {
	start := b.url + "/auth/oidc/main/start"
	b.provider.stop()
	if err := b.recheck(t); err == nil || !strings.Contains(err.Error(), "goes on") || b.role(ann) != "viewer" {
		t.Errorf("ann: %q, %v", b.role(ann), err)
	}
	if got := b.ask(t, "GET", "/-/ready", ""); got.status != http.StatusOK {
		t.Errorf("readiness: %d %s", got.status, got.text)
	}
	if got := b.ask(t, "POST", "/sb/v1/login", `{"name":"root","password":"correct horse battery"}`); got.status != http.StatusOK {
		t.Errorf("a local login: %d %s", got.status, got.text)
	}
	dora := newSurfer(t)
	dora.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Port() == b.provider.port {
			return http.ErrUseLastResponse // nobody is there
		}
		return nil
	}
	// The browser is sent to a provider that we think is there; that it comes back with a code then cannot be.
	p := dora.do("GET", start, nil)
	if p.status != http.StatusFound {
		t.Fatalf("%d %s", p.status, p.text)
	}
	to, _ := url.Parse(p.header.Get("Location"))
	p = dora.do("GET", b.url+"/auth/oidc/main/callback?code=x&state="+to.Query().Get("state")+"&iss="+url.QueryEscape(b.provider.issuer), nil)
	said := login.Says(&login.Unavailable{Provider: "main"})
	if p.status != http.StatusServiceUnavailable || !strings.Contains(p.text, "is not possible at the moment") || !strings.Contains(p.text, said.Cure) || p.header.Get("Retry-After") == "" {
		t.Errorf("a login: %d %v %s", p.status, p.header, p.text)
	}
	if got := ann.do("POST", b.url+"/sb/v1/logout", nil); got.status != http.StatusOK || b.role(ann) != "" {
		t.Errorf("a logout: %d %s", got.status, got.text)
	}
	b.provider.start(t)
	dora.CheckRedirect = nil
	if _, asked := dora.login(start, "dora"); !asked || b.role(dora) != "editor" {
		t.Errorf("up again: asked %v, role %q\n%s", asked, b.role(dora), b.log)
	}
}
