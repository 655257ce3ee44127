package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/app"
	"github.com/signalbox-project/signalbox/internal/cli"
)

// console is what a server or a command prints, read while it is written.
type console struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// guarded starts a server that asks everybody who they are.
func guarded(t *testing.T) (address string, out *console) {
	t.Helper()
	out = &console{}
	o := app.DefaultOptions()
	o.StoragePath, o.Version, o.Output, o.Auth = t.TempDir(), "1.2.3-test", out, true
	o.ListenAddress, o.OTLPGRPCAddress, o.OTLPHTTPAddress = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	ready := make(chan app.Addresses, 1)
	o.Ready = func(a app.Addresses) { ready <- a }
	p, err := app.Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case a := <-ready:
		return a.Web, out
	case err := <-done:
		done <- err
		t.Fatalf("%v\n%s", err, out)
	case <-time.After(time.Minute):
		t.Fatalf("not ready\n%s", out)
	}
	return "", nil
}

// browser is that of a person.
type browser struct {
	http.Client
	at string
}

func (b *browser) post(t *testing.T, path, contentType, body string) string {
	t.Helper()
	resp, err := b.Post(b.at+path, contentType, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		t.Fatalf("%s: %d %v %s", path, resp.StatusCode, err, text)
	}
	return string(text)
}

// ran is a command line that has ended.
type ran struct {
	status      int
	out, errOut string
}

func runs(t *testing.T, args ...string) ran {
	t.Helper()
	var out, errOut bytes.Buffer
	status := cli.Main(t.Context(), "dev", args, &out, &errOut)
	return ran{status, out.String(), errOut.String()}
}

// firstAdmin chooses the password that the console's link lets its holder choose.
func firstAdmin(t *testing.T, address, text string) *browser {
	t.Helper()
	link := regexp.MustCompile(`/setup#(\S+)`).FindStringSubmatch(text)
	if link == nil {
		t.Fatalf("the console shows no link:\n%s", text)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{Client: http.Client{Jar: jar}, at: address}
	b.post(t, "/sb/v1/first-admin", "application/json", fmt.Sprintf(`{"link":%q,"name":"root","password":"correct horse battery"}`, link[1]))
	return b
}

// logsIn runs signalbox login while the person agrees in their browser.
func logsIn(t *testing.T, b *browser) {
	t.Helper()
	said := &console{}
	done := make(chan int, 1)
	go func() { done <- cli.Main(t.Context(), "dev", []string{"login"}, io.Discard, said) }()
	code := regexp.MustCompile(`shows the code ([A-Z-]+):`)
	late := time.After(time.Minute)
	for agreed := false; ; {
		select {
		case status := <-done:
			if status != 0 || !strings.Contains(said.String(), "as user:root") {
				t.Fatalf("login: %d %s", status, said)
			}
			return
		case <-late:
			t.Fatalf("login does not end: %s", said)
		case <-time.After(10 * time.Millisecond):
		}
		if found := code.FindStringSubmatch(said.String()); found != nil && !agreed {
			b.post(t, "/auth/device", "application/x-www-form-urlencoded", url.Values{"user_code": {found[1]}, "answer": {"allow"}}.Encode())
			agreed = true
		}
	}
}

// From the first start to a token that is revoked, all by the command line but the password and the agreement.
func TestAPersonLogsInAndAProgramGetsAToken(t *testing.T) {
	address, out := guarded(t)
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	t.Setenv("SIGNALBOX_SERVER", address)
	b := firstAdmin(t, address, out.String())
	if r := runs(t, "query", "promql", "1"); r.status != 3 || !strings.Contains(r.errOut, "401") || !strings.Contains(r.errOut, "`signalbox login --server "+address+"`") {
		t.Fatalf("before the login: %+v", r)
	}
	logsIn(t, b)
	kept, err := filepath.Glob(filepath.Join(config, "signalbox", "logins", "*"))
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	if info, err := os.Stat(kept[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	var me struct{ Subject, Kind string }
	if r := runs(t, "whoami", "-o", "json"); r.status != 0 || json.Unmarshal([]byte(r.out), &me) != nil || me.Subject != "user:root" || me.Kind != "user" {
		t.Errorf("%+v", r)
	}
	if r := runs(t, "whoami"); r.status != 0 || !regexp.MustCompile(`auth\.manage +yes +all +the group signalbox:admin`).MatchString(r.out) {
		t.Errorf("%+v", r)
	}
	token := runs(t, "token", "create", "dashboards", "--role", "viewer", "--service", "--lifetime", "7d")
	text := strings.TrimSpace(token.out)
	id := regexp.MustCompile(`Token ([a-z2-7]+) \(dashboards\)`).FindStringSubmatch(token.errOut)
	if token.status != 0 || !strings.HasPrefix(text, "sbx_") || strings.Contains(text, "\n") || id == nil || strings.Contains(token.errOut, text) {
		t.Fatalf("%+v", token)
	}
	if r := runs(t, "token", "list", "--all"); r.status != 0 || !strings.Contains(r.out, id[1]) || strings.Contains(r.out, text) {
		t.Errorf("%+v", r)
	}
	t.Setenv("SIGNALBOX_TOKEN", text)
	if r := runs(t, "query", "promql", "1"); r.status != 0 {
		t.Errorf("with the token: %+v", r)
	}
	if r := runs(t, "whoami"); r.status != 0 || !strings.Contains(r.out, "token:"+id[1]) {
		t.Errorf("%+v", r)
	}
	if r := runs(t, "user", "list"); r.status != 3 || !strings.Contains(r.errOut, "403") || !strings.Contains(r.errOut, "signalbox whoami") || !strings.Contains(r.errOut, "signalbox login") {
		t.Errorf("beyond its role: %+v", r)
	}
	os.Unsetenv("SIGNALBOX_TOKEN")
	if r := runs(t, "token", "revoke", "--all", id[1]); r.status != 0 {
		t.Errorf("%+v", r)
	}
	t.Setenv("SIGNALBOX_TOKEN", text)
	if r := runs(t, "query", "promql", "1"); r.status != 3 || !strings.Contains(r.errOut, "401") || !strings.Contains(r.errOut, "signalbox login") || strings.Contains(r.errOut, text) {
		t.Errorf("after it was revoked: %+v", r)
	}
	os.Unsetenv("SIGNALBOX_TOKEN")
	usersAndSessions(t, address)
	was, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	if r := runs(t, "logout"); r.status != 0 {
		t.Errorf("%+v", r)
	}
	if err := os.WriteFile(kept[0], was, 0o600); err != nil { // somebody has a copy
		t.Fatal(err)
	}
	if r := runs(t, "whoami"); r.status != 3 || !strings.Contains(r.errOut, "the login is over") {
		t.Errorf("after the logout: %+v", r)
	}
}

func usersAndSessions(t *testing.T, address string) {
	t.Helper()
	for _, step := range []struct{ args, says string }{
		{"user add ann --shown Ann --group signalbox:viewer", address + "/setup#"},
		{"user list", "signalbox:viewer"},
		{"user groups ann signalbox:editor payments", "payments, signalbox:editor"},
		{"user disable ann", "disabled"},
		{"user enable ann", "enabled"},
		{"user password-link ann", address + "/setup#"},
		{"user delete ann", "deleted"},
		{"session list", "signalbox login (this one)"},
		{"session list --all -o yaml", "agent: signalbox login"},
		{"session revoke --others", "1 other sessions are ended"},
		{"roles", "viewer responder editor admin"},
		{"token create mine --role viewer", "sbx_"},
		{"token list", "mine"},
	} {
		if r := runs(t, strings.Fields(step.args)...); r.status != 0 || !strings.Contains(r.out, step.says) {
			t.Errorf("%s: %+v", step.args, r)
		}
	}
	list := runs(t, "token", "list", "-o", "json")
	var tokens struct{ Tokens []struct{ ID string } }
	if err := json.Unmarshal([]byte(list.out), &tokens); err != nil || len(tokens.Tokens) != 1 {
		t.Fatalf("%+v", list)
	}
	id := tokens.Tokens[0].ID
	if r := runs(t, "token", "rotate", id, "--overlap", "0s"); r.status != 0 || !strings.HasPrefix(r.out, "sbx_"+id) {
		t.Errorf("%+v", r)
	}
	if r := runs(t, "token", "revoke", id); r.status != 0 {
		t.Errorf("%+v", r)
	}
}
