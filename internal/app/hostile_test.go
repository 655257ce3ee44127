package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
)

// description is the published one.
type description struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas map[string]struct {
			Properties map[string]json.RawMessage
		}
	}
}

func published(t *testing.T) (doc description) {
	t.Helper()
	text, err := os.ReadFile("../api/openapi.json")
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

var reference = regexp.MustCompile(`"#/components/schemas/([^"]+)"`)

// reached adds the schemas that a text of the description refers to.
func (d description) reached(text string, to map[string]bool) {
	for _, m := range reference.FindAllStringSubmatch(text, -1) {
		if to[m[1]] {
			continue
		}
		to[m[1]] = true
		for _, p := range d.Components.Schemas[m[1]].Properties {
			d.reached(string(p), to)
		}
	}
}

// described are the parameters of each endpoint that the published description knows, by "METHOD /path".
func described(t *testing.T) map[string][]string {
	t.Helper()
	doc := published(t)
	out := map[string][]string{}
	for path, methods := range doc.Paths {
		for method, raw := range methods {
			var op struct{ Parameters []struct{ Name, In string } }
			_ = json.Unmarshal(raw, &op) // what is none has no parameters
			for _, p := range op.Parameters {
				if p.In == "query" {
					out[strings.ToUpper(method)+" "+path] = append(out[strings.ToUpper(method)+" "+path], p.Name)
				}
			}
		}
	}
	return out
}

// everyEndpoint are the endpoints whose answers end.
func (g *guarded) everyEndpoint(t *testing.T, each func(method, pattern string)) {
	t.Helper()
	asked := 0
	for _, e := range g.endpoints() {
		method, pattern, _ := strings.Cut(e.Pattern, " ")
		if strings.HasSuffix(pattern, "/tail") || strings.HasSuffix(pattern, "/live") {
			continue
		}
		each(method, pattern)
		asked++
	}
	if asked < 100 {
		t.Errorf("only %d endpoints", asked)
	}
}

var wildcard = regexp.MustCompile(`\{[^}]*\}`)

// What a caller writes into a path, a parameter or a header ends no header of the answer and begins none, climbs to no file, and leads no
// browser to another host; no answer to who may ask may be kept, and none says a Host that the caller made up.
func TestHostileNamesInEveryParameter(t *testing.T) {
	const outside = "https://signalbox.example.org/box"
	g := startGuarded(t, nil, func(o *Options) { o.ExternalURL = outside })
	params := described(t)
	values := []string{
		"a\r\nX-Injected: yes\r\n\r\n<script>", `x"; filename="evil.exe`, "../../../../etc/passwd", "//evil.example/x", `\\evil.example\x`, "/etc/passwd\x00.json", "evil.example",
	}
	g.everyEndpoint(t, func(method, pattern string) {
		if method != "GET" {
			return // would be done; their bodies are JSON, which begins no header
		}
		for i, value := range values {
			path := wildcard.ReplaceAllString(pattern, url.PathEscape(value))
			q := url.Values{}
			for _, name := range params[method+" "+pattern] {
				q.Set(name, value)
			}
			for _, name := range []string{"query", "match[]", "return_to", "redirect", "next"} {
				q.Set(name, value)
			}
			proof := []string{"Cookie", g.cookie, "Accept-Encoding", "identity", "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example;proto=http", "X-Forwarded-Proto", "gopher"}
			if i%2 == 1 {
				proof = append(proof, "X-Forwarded-Prefix", "//evil.example", "Referer", "https://evil.example/")
			}
			status, header, text := g.raw(t, method, path+"?"+q.Encode(), "", proof...)
			where := fmt.Sprintf("%s %s with %q (%d)", method, pattern, value, status)
			checkHeaders(t, where, header)
			if strings.Contains(text, "root:x:0:0") || strings.Contains(text, "gopher:") {
				t.Errorf("%s answers %.300s", where, text)
			}
		}
	})
}

func checkHeaders(t *testing.T, where string, header http.Header) {
	t.Helper()
	cache, page := header.Get("Cache-Control"), strings.HasPrefix(header.Get("Content-Type"), "text/html")
	if !strings.Contains(cache, "no-store") && (!page || cache != "no-cache") {
		t.Errorf("%s may be kept: %q", where, cache)
	}
	if header.Get("X-Injected") != "" {
		t.Errorf("%s has a header of the caller's", where)
	}
	for name, values := range header {
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") || strings.Contains(v, "evil.exe") || name == "Location" && !regexp.MustCompile(`^/([^/\\]|$)`).MatchString(v) {
				t.Errorf("%s: %s: %q", where, name, v)
			}
		}
	}
}

// Links that we make lead to the configured address, whatever Host a request names, also where that Host is one that is answered.
func TestLinksAreOfTheConfiguredAddress(t *testing.T) {
	const outside = "https://signalbox.example.org/box"
	g := startGuarded(t, map[string]string{"signalbox.yml": `
auth:
  oidc: [{name: main, issuer: "http://127.0.0.1:1", client_id: signalbox}]
`}, func(o *Options) { o.ExternalURL = outside })
	if !strings.Contains(g.log.String(), outside+"/setup#") {
		t.Errorf("the first link:\n%s", g.log)
	}
	as := []string{"Cookie", g.cookie, "Host", "evil.localhost", "Origin", "http://evil.localhost", "X-Forwarded-Host", "evil.localhost", "X-Forwarded-Proto", "gopher", "Forwarded", "host=evil.localhost"}
	for _, e := range g.endpoints() {
		method, path, _ := strings.Cut(wildcard.ReplaceAllString(e.Pattern, "x"), " ")
		if method != "GET" || strings.HasSuffix(path, "/tail") || strings.HasSuffix(path, "/live") {
			continue
		}
		if got := g.ask(t, method, path, "", as...); strings.Contains(got.text, "evil.localhost") || strings.Contains(fmt.Sprint(got.header), "evil.localhost") {
			t.Errorf("%s %s: %v %.300s", method, path, got.header, got.text)
		}
	}
	for _, asked := range [][2]string{{"/sb/v1/users", `{"name":"ann"}`}, {"/sb/v1/users/ann/link", ""}, {"/auth/device/code", ""}} {
		path, body := asked[0], asked[1]
		got := g.ask(t, "POST", path, body, as...)
		if got.status/100 != 2 || strings.Contains(got.text, "evil.localhost") {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
		if path == "/auth/device/code" && !strings.Contains(got.text, outside) {
			t.Errorf("%s: %s", path, got.text)
		}
	}
	if got := g.ask(t, "GET", "/auth/oidc/main/start?return_to=//evil.example", "", as...); got.status != http.StatusServiceUnavailable || strings.Contains(got.text, "evil") {
		t.Errorf("a login whose provider is down: %d %s", got.status, got.text)
	}
}

// Everything that takes a body refuses one that is announced too large, before it is read, whoever asks.
func TestEveryBodyIsBounded(t *testing.T) {
	g := startGuarded(t, nil)
	asked := 0
	try := func(method, path string) {
		status, _, text := g.raw(t, method, path, "", "Cookie", g.cookie, "Content-Length", "4294967296", "Content-Type", "application/json")
		if status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s %s: %d %.200s", method, path, status, text)
		}
		asked++
	}
	for _, e := range g.endpoints() {
		method, path, _ := strings.Cut(wildcard.ReplaceAllString(e.Pattern, "x"), " ")
		if method == "GET" || e.Permission == access.Undeclared {
			continue
		}
		try(method, path)
	}
	for _, path := range []string{"/auth/device", "/auth/device/code", "/auth/device/token", "/auth/oidc/x/backchannel-logout", "/auth/ack"} {
		try("POST", path)
	}
	if asked < 60 {
		t.Errorf("only %d", asked)
	}
}

// A link that a browser would run is refused where it is sent. What is sent is looked through for links, so that a new one is not forgotten.
func TestEveryLinkThatIsSentIsJudged(t *testing.T) {
	doc, sent := published(t), map[string]bool{}
	for _, methods := range doc.Paths {
		for _, raw := range methods {
			var op struct{ RequestBody json.RawMessage }
			_ = json.Unmarshal(raw, &op) // what is none has no body
			doc.reached(string(op.RequestBody), sent)
		}
	}
	var links []string
	named := regexp.MustCompile(`(?i)link|url|href|uri|runbook|dashboard`)
	for schema := range sent {
		for property := range doc.Components.Schemas[schema].Properties {
			if named.MatchString(property) {
				links = append(links, schema+"."+property)
			}
		}
	}
	slices.Sort(links)
	// The secrets of one's own links are shown to nobody.
	if want := []string{"Deploy.link", "FirstAdminRequest.link", "IncidentEdit.links", "IncidentLink.href", "IncidentTaskRequest.link", "PasswordRequest.link"}; !slices.Equal(links, want) {
		t.Errorf("links that are sent: %v; those that are judged here: %v", links, want)
	}
	g := startGuarded(t, nil)
	var incident struct{ ID string }
	made := g.ask(t, "POST", "/sb/v1/incidents", `{"title":"slow","services":["edge"]}`, "Cookie", g.cookie)
	if err := json.Unmarshal([]byte(made.text), &incident); err != nil || incident.ID == "" {
		t.Fatalf("%d %s", made.status, made.text)
	}
	for _, link := range []string{"javascript:alert(1)", " JaVa\tScript:alert(1)", "data:text/html,<script>", "vbscript:x", "//evil.example", "https://a:b@x.example", "\u0001javascript:x"} {
		body, _ := json.Marshal(map[string]string{"service": "pay", "version": "1", "link": link})
		if got := g.ask(t, "POST", "/sb/v1/deploys", string(body), "Cookie", g.cookie); got.status != http.StatusBadRequest || !strings.Contains(got.text, "body.link") {
			t.Errorf("%q: %d %s", link, got.status, got.text)
		}
		edit, _ := json.Marshal(map[string]any{"links": []map[string]string{{"href": link, "text": "evil"}}})
		if got := g.ask(t, "PATCH", "/sb/v1/incidents/"+incident.ID, string(edit), "Cookie", g.cookie); got.status != http.StatusBadRequest || !strings.Contains(got.text, "https://") {
			t.Errorf("%q of an incident: %d %s", link, got.status, got.text)
		}
		task, _ := json.Marshal(map[string]string{"text": "evil", "link": link})
		if got := g.ask(t, "POST", "/sb/v1/incidents/"+incident.ID+"/actions", string(task), "Cookie", g.cookie); got.status != http.StatusBadRequest || !strings.Contains(got.text, "https://") {
			t.Errorf("%q of an action: %d %s", link, got.status, got.text)
		}
	}
	if got := g.ask(t, "GET", "/sb/v1/incidents/"+incident.ID, "", "Cookie", g.cookie); got.status != http.StatusOK || strings.Contains(got.text, "evil") {
		t.Errorf("kept: %d %s", got.status, got.text)
	}
	if got := g.ask(t, "GET", "/sb/v1/deploys", "", "Cookie", g.cookie); got.status != http.StatusOK || strings.Contains(got.text, "pay") {
		t.Errorf("kept: %d %s", got.status, got.text)
	}
}
