package app

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// raw asks with a request line that no client puts in order.
func (g *guarded) raw(t *testing.T, method, target, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	host := strings.TrimPrefix(g.Addresses().Web, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, target, host)
	if !slices.Contains(header, "Content-Length") {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	for i := 0; i+1 < len(header); i += 2 {
		head += header[i] + ": " + header[i+1] + "\r\n"
	}
	if _, err := io.WriteString(conn, head+"\r\n"+body); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// misspell writes a path so that a careless reader takes it for another one.
func misspell(rng *rand.Rand, path string) string {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	i := rng.IntN(len(parts))
	at := func(s string) string {
		out := append(append(append([]string{}, parts[:i]...), s), parts[i:]...)
		return "/" + strings.Join(out, "/")
	}
	change := func(f func(string) string) string {
		out := append([]string{}, parts...)
		out[i] = f(out[i])
		return "/" + strings.Join(out, "/")
	}
	open := []string{"/", "/-/healthy/", "/assets/", "/sb/v1/hooks/", "/api/v1/features/", "/api/v1/status/buildinfo/", "/api/v1/search/", "/jaeger/api/", "/box/", "/auth/"}
	up := []string{"..", "%2e%2e", ".%2e", "%2E.", "..;", "..%2f..", "..%5c..", "..\\"}
	switch rng.IntN(10) {
	case 0:
		return at("")
	case 1:
		return at([]string{".", "%2e"}[rng.IntN(2)])
	case 2:
		return at("x/" + up[rng.IntN(len(up))])
	case 3: // from below what is open, or asks less
		door := open[rng.IntN(len(open))]
		return door + strings.Repeat(up[rng.IntN(len(up))]+"/", strings.Count(door, "/")-1) + strings.TrimPrefix(path, "/")
	case 4:
		return path + []string{"/", "//", "/.", "/..", "%20", "%00", ";x=1", "?", "%3f", ".html", "%2f", "/%2e%2e/" + parts[len(parts)-1]}[rng.IntN(12)]
	case 5:
		return change(strings.ToUpper)
	case 6:
		return change(func(s string) string { return s + ";v=" + s })
	case 7:
		return change(func(s string) string {
			if s == "" {
				return s
			}
			j := rng.IntN(len(s))
			return fmt.Sprintf("%s%%%02x%s", s[:j], s[j], s[j+1:])
		})
	case 8:
		return "/" + strings.Join(parts, []string{"%2f", "\\", "%5c", "//"}[rng.IntN(4)])
	}
	return "/box" + []string{"", "/", "%2f", "/box", "/..", "/%2e%2e"}[rng.IntN(6)] + path
}

// However its path is written, an endpoint answers nobody who may not ask it: what is asked for permission is
// what answers.
func TestNoSpellingOfAPathGetsPastItsPermission(t *testing.T) {
	g := startGuarded(t, nil, func(o *Options) { o.ExternalURL = "http://localhost/box" })
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 8))
	t.Logf("seed %d", seed)
	ingest := "Bearer " + g.token(t, policy.Ingest)
	wild := regexp.MustCompile(`\{[^}]*\}`)
	answers := map[int]int{}
	for _, e := range g.endpoints() {
		switch e.Permission {
		case access.Open, access.Anybody, access.TelemetryWrite, access.AlertsSend:
			continue
		}
		method, path, _ := strings.Cut(wild.ReplaceAllString(e.Pattern, "x"), " ")
		for range 16 {
			target := misspell(rng, path)
			if rng.IntN(3) == 0 {
				target = misspell(rng, strings.SplitN(target, "?", 2)[0])
			}
			methods := []string{method, method, method, method, method, "HEAD", "OPTIONS", "CONNECT", "get", "PATCH"}
			asked := methods[rng.IntN(len(methods))]
			header := []string{"Content-Type", "application/json"}
			if rng.IntN(2) == 0 {
				header = append(header, "Authorization", ingest)
			}
			for _, name := range []string{"X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-For"} {
				if rng.IntN(4) == 0 {
					header = append(header, name, map[bool]string{true: method, false: path}[strings.HasPrefix(name, "X-HTTP")])
				}
			}
			status, head, text := g.raw(t, asked, target, "{}", header...)
			// A page of the UI has nothing of ours in it, whatever its address.
			page := strings.HasPrefix(head.Get("Content-Type"), "text/html") && (asked == "HEAD" || strings.Contains(text, `<div id="root">`))
			empty := text == "" && asked == "OPTIONS" || status == http.StatusNoContent
			if status < 300 && !page && !empty {
				t.Errorf("%s %s, a spelling of %s, answers %d %q to who may not (%v)", asked, target, e.Pattern, status, text[:min(len(text), 200)], header)
			}
			answers[status]++
		}
	}
	if answers[http.StatusUnauthorized]+answers[http.StatusForbidden] < 100 {
		t.Errorf("few spellings were refused for want of permission: the test asks past the endpoints: %v", answers)
	}
}

// A page of somebody else makes the browser of an administrator ask; the browser sends the cookie along.
func TestAPageOfAnotherOriginChangesNothingWithACookie(t *testing.T) {
	g := startGuarded(t, nil)
	wild := regexp.MustCompile(`\{[^}]*\}`)
	pages := map[string][]string{
		"a form of another site":            {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"},
		"a neighbour under the same domain": {"Origin", "http://evil.localhost", "Sec-Fetch-Site", "same-site", "Content-Type", "application/x-www-form-urlencoded"},
		"a sandboxed frame":                 {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
		"an old browser":                    {"Origin", "https://evil.example"},
		"an old browser's sandbox":          {"Origin", "null"},
		"another port of this machine":      {"Origin", "http://127.0.0.1:1"},
	}
	asked := 0
	for _, e := range g.endpoints() {
		method, path, _ := strings.Cut(wild.ReplaceAllString(e.Pattern, "x"), " ")
		if method == "GET" {
			continue
		}
		for name, headers := range pages {
			got := g.ask(t, method, path, "", append([]string{"Cookie", g.cookie}, headers...)...)
			if got.status != http.StatusForbidden {
				t.Errorf("%s: %s %s: %d %.200s", name, method, path, got.status, got.text)
			}
			asked++
		}
	}
	for _, path := range []string{"/auth/device", "/auth/device/code", "/auth/device/token"} {
		if got := g.ask(t, "POST", path, "", "Cookie", g.cookie, "Origin", "https://evil.example"); got.status != http.StatusForbidden {
			t.Errorf("POST %s: %d", path, got.status)
		}
	}
	if asked < 100 {
		t.Errorf("only %d requests", asked)
	}
	if got := g.ask(t, "GET", "/sb/v1/me", "", "Cookie", g.cookie); got.status != http.StatusOK {
		t.Errorf("the session afterwards: %d %s", got.status, got.text)
	}
	rebound := g.ask(t, "GET", "/sb/v1/me", "", "Cookie", g.cookie, "Host", "evil.example:80")
	if rebound.status != http.StatusForbidden {
		t.Errorf("a name of somebody else that leads here: %d", rebound.status)
	}
}

func TestALoginTakesNoSessionThatWasPlanted(t *testing.T) {
	g := startGuarded(t, nil)
	name, _, _ := strings.Cut(g.cookie, "=")
	for _, planted := range []string{name + "=planted", g.cookie, name + "=a; " + name + "=b"} {
		got := g.ask(t, "POST", "/sb/v1/login", `{"name":"root","password":"correct horse battery"}`, "Cookie", planted)
		if got.status/100 != 2 || len(got.cookies) != 1 {
			t.Fatalf("login: %d %s", got.status, got.text)
		}
		c := got.cookies[0]
		if strings.Contains(planted, c.Value) || !c.HttpOnly || c.SameSite == http.SameSiteNoneMode || c.SameSite == http.SameSiteDefaultMode {
			t.Errorf("after %s: %s", planted, c)
		}
		if s := g.ask(t, "GET", "/sb/v1/me", "", "Cookie", planted).status; s != http.StatusUnauthorized {
			t.Errorf("what was shown before the login is good after it: %s: %d", planted, s)
		}
		if s := g.ask(t, "GET", "/sb/v1/me", "", "Cookie", c.Name+"="+c.Value).status; s != http.StatusOK {
			t.Errorf("the new session: %d", s)
		}
		g.cookie = c.Name + "=" + c.Value
	}
}

func TestWhoGuessesPasswordsIsToldToWait(t *testing.T) {
	g := startGuarded(t, nil)
	var got reply
	for n := 0; got.status != http.StatusTooManyRequests; n++ {
		if n > 20 {
			t.Fatalf("%d guesses were answered, the last %d %s", n, got.status, got.text)
		}
		got = g.ask(t, "POST", "/sb/v1/login", fmt.Sprintf(`{"name":"root","password":"guess %d of many"}`, n))
		unknown := g.ask(t, "POST", "/sb/v1/login", fmt.Sprintf(`{"name":"nobody%d","password":"guess of many"}`, n))
		if got.status == http.StatusUnauthorized && unknown.text != got.text {
			t.Errorf("who there is can be learnt: %s / %s", got.text, unknown.text)
		}
	}
	if got.header.Get("Retry-After") == "" {
		t.Errorf("429 without Retry-After: %v %s", got.header, got.text)
	}
	if s := g.ask(t, "GET", "/sb/v1/me", "", "Cookie", g.cookie).status; s != http.StatusOK {
		t.Errorf("who was logged in before is shut out: %d", s)
	}
}

// Everything secret that a session makes, and where it must not be found.
func TestNoSecretOfASessionIsWrittenDown(t *testing.T) {
	g := startGuarded(t, nil, func(o *Options) { o.Log.Level = "debug" })
	const password, wrong = "a very long password 77", "a very wrong password 78"
	_, session, _ := strings.Cut(g.cookie, "=")
	token := g.token(t, policy.Viewer)
	bearer := []string{"Authorization", "Bearer " + token}
	added := g.ask(t, "POST", "/sb/v1/users", `{"name":"ann","groups":["signalbox:viewer"]}`, "Cookie", g.cookie)
	link := regexp.MustCompile(`#([^"]+)`).FindStringSubmatch(added.text)
	if link == nil {
		t.Fatalf("add a user: %d %s", added.status, added.text)
	}
	if got := g.ask(t, "POST", "/sb/v1/password", fmt.Sprintf(`{"link":%q,"password":%q}`, link[1], password)); got.status/100 != 2 {
		t.Fatalf("choose a password: %d %s", got.status, got.text)
	}
	for _, p := range []string{password, wrong} {
		g.ask(t, "POST", "/sb/v1/login", fmt.Sprintf(`{"name":"ann","password":%q}`, p))
		g.ask(t, "POST", "/sb/v1/login", fmt.Sprintf(`{"name":%q,"password":"x"}`, p+" as name")) // typed into the wrong field
	}
	g.ask(t, "GET", "/api/v1/query?query=up&access_token="+url.QueryEscape(token), "")
	calendar := g.token(t, policy.Calendar)
	g.ask(t, "GET", "/sb/v1/oncall/calendar.ics?schedule=none&token="+calendar, "")
	g.ask(t, "GET", "/api/v1/query?query=up%7B", "", bearer...)
	g.ask(t, "GET", "/sb/v1/audit", "", bearer...)
	g.ask(t, "GET", "/nothing", "", "Cookie", g.cookie)
	g.ask(t, "POST", "/sb/v1/sql", `{"query":"SELECT 1"}`, bearer...)
	g.ask(t, "GET", "/api/v1/query?query=1", "", "Authorization", "Bearer "+token+"x")
	until(t, "the refusals are in the audit log", func() bool {
		return strings.Contains(g.ask(t, "GET", "/sb/v1/audit?limit=1000", "", "Cookie", g.cookie).text, "ann")
	})
	secrets := map[string]string{"password": password, "wrong password": wrong, "cookie": session, "token": token, "token of a calendar": calendar, "first password": "correct horse battery", "link": link[1]}
	for _, path := range []string{"/sb/v1/audit?limit=1000", "/api/v1/status/config", "/api/v1/status/flags", "/sb/v1/status", "/metrics", "/sb/v1/users", "/sb/v1/admin/tokens", "/sb/v1/admin/sessions", "/sb/v1/me"} {
		got := g.ask(t, "GET", path, "", "Cookie", g.cookie)
		if got.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
		for name, s := range secrets {
			if strings.Contains(got.text, s) {
				t.Errorf("%s shows the %s", path, name)
			}
		}
	}
	g.stop()
	found := func(where, text string) {
		for name, s := range secrets {
			if i := strings.Index(text, s); i >= 0 {
				t.Errorf("%s has the %s: …%q…", where, name, text[max(0, i-120):min(len(text), i+10)])
			}
		}
	}
	found("the log", g.log.String())
	files := 0
	err := filepath.WalkDir(g.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		found(path, string(data))
		files++
		return err
	})
	if err != nil || files < 5 {
		t.Errorf("%d files: %v", files, err)
	}
}

// SQL shows no more than the endpoints of what its tables hold, and of the tables behind them nothing.
func TestSQLShowsNoMoreThanItsReaderMaySee(t *testing.T) {
	g := startGuarded(t, map[string]string{"signalbox.yml": `
auth:
  roles: [{name: analyst, description: asks SQL, permissions: [sql.query, logs.read]}]
`})
	who := map[string][]string{
		"admin":  {"Cookie", g.cookie},
		"viewer": {"Authorization", "Bearer " + g.token(t, policy.Viewer)},
	}
	who["analyst"] = []string{"Authorization", "Bearer " + g.token(t, "analyst")}
	sees := map[string]string{
		"logs": "admin viewer analyst", "spans": "admin viewer", "deploys": "admin viewer", "slo_budget": "admin viewer", "alerts": "admin viewer",
		"gate_decisions": "admin viewer", "pages": "admin viewer", "incidents": "admin viewer", "audit": "admin",
		// What only looks like a table, and what lies behind.
		"users": "", "sessions": "", "tokens": "", "grants": "", "links": "", "sqlite_master": "", "duckdb_settings()": "", "duckdb_secrets()": "", "information_schema.tables": "",
		"pragma_database_list()": "", "main.audit": "admin", "read_text('/etc/passwd')": "", "'/etc/passwd'": "", "glob('/*')": "",
		"read_csv('" + g.dir + "/data/state.db')": "", "sqlite_scan('" + g.dir + "/data/state.db', 'users')": "",
	}
	for table, readers := range sees {
		for name, proof := range who {
			for _, form := range []string{"SELECT count(*) FROM %s", "WITH w AS (SELECT * FROM %s) SELECT count(*) FROM w", "EXPLAIN SELECT 1 WHERE EXISTS (FROM %s)", "SUMMARIZE SELECT * FROM %s"} {
				got := g.ask(t, "POST", "/sb/v1/sql", fmt.Sprintf(`{"query":%q}`, fmt.Sprintf(form, table)), proof...)
				if may := strings.Contains(readers, name); (got.status == http.StatusOK) != may {
					t.Errorf("%s as %s: %d %.300s", fmt.Sprintf(form, table), name, got.status, got.text)
				}
			}
		}
	}
}

// A request that a proxy and we would cut apart at different places is refused whole, and nothing behind it is answered.
func TestARequestWithTwoEndsIsRefused(t *testing.T) {
	g := startGuarded(t, nil)
	host := strings.TrimPrefix(g.Addresses().Web, "http://")
	bearer := "Authorization: Bearer " + g.token(t, policy.Viewer) + "\r\n"
	hidden := "GET /sb/v1/me HTTP/1.1\r\nHost: " + host + "\r\n" + bearer + "\r\n"
	for name, head := range map[string]string{
		"two lengths":                "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"a length with a sign":       "Content-Length: +2\r\n\r\n{}",
		"an unknown coding":          "Transfer-Encoding: xchunked\r\n\r\n{}",
		"a coding of two":            "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"a name with a space":        "Content-Length : 2\r\n\r\n{}",
		"a name with a line end":     "X-A: b\r\n\tc\x00: d\r\n\r\n{}",
		"a chunk that is no number":  "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
		"two hosts":                  "Host: evil.example\r\nContent-Length: 2\r\n\r\n{}",
		"a body that hides a second": "Content-Length: 0\r\nTransfer-Encoding: identity\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(conn, "POST /sb/v1/sql HTTP/1.1\r\nHost: "+host+"\r\n"+bearer+"Content-Type: application/json\r\n"+head+hidden)
		text, _ := io.ReadAll(conn) // the server closes, or resets what it did not read
		_ = conn.Close()
		if !strings.HasPrefix(string(text), "HTTP/1.1 4") && !strings.HasPrefix(string(text), "HTTP/1.1 501") || strings.Contains(string(text), "token:") {
			t.Errorf("%s: %.300q", name, text)
		}
	}
}
