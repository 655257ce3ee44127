package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/alerting/router"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/query/promql"
)

// guarded is a process that asks everybody who they are, and its first administrator.
type guarded struct {
	*running
	cookie string
}

func startGuarded(t *testing.T, texts map[string]string, change ...func(*Options)) *guarded {
	t.Helper()
	g := &guarded{running: start(t, texts, append(change, func(o *Options) { o.Auth = true })...)}
	link := regexp.MustCompile(`/setup#(\S+)`).FindStringSubmatch(g.log.String())
	if link == nil {
		t.Fatalf("the console shows no link for the first administrator:\n%s", g.log)
	}
	resp := g.ask(t, "POST", "/sb/v1/first-admin", fmt.Sprintf(`{"link":%q,"name":"root","password":"correct horse battery"}`, link[1]))
	if resp.status != http.StatusOK || len(resp.cookies) != 1 {
		t.Fatalf("first administrator: %d %s", resp.status, resp.text)
	}
	g.cookie = resp.cookies[0].Name + "=" + resp.cookies[0].Value
	return g
}

type reply struct {
	status  int
	text    string
	cookies []*http.Cookie
	header  http.Header
}

func (g *guarded) ask(t *testing.T, method, path, body string, header ...string) reply {
	t.Helper()
	if strings.HasPrefix(path, "/") {
		path = g.Addresses().Web + path
	}
	req, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, string(text), resp.Cookies(), resp.Header}
}

// token is a service's token with a role.
func (g *guarded) token(t *testing.T, role string) string {
	t.Helper()
	resp := g.ask(t, "POST", "/sb/v1/tokens", fmt.Sprintf(`{"name":%q,"service":true,"grants":[{"role":%q}]}`, role, role), "Cookie", g.cookie)
	var made struct{ Text string }
	if err := json.Unmarshal([]byte(resp.text), &made); err != nil || made.Text == "" {
		t.Fatalf("token: %d %s", resp.status, resp.text)
	}
	return made.Text
}

// endpoints are all that can be asked on the web port, with the permission of each.
func (g *guarded) endpoints() []front.Route {
	out := slices.Concat(promql.Routes().List(), router.Endpoints().List(), g.api.Needs().List())
	return append(out,
		front.Route{Pattern: "GET /federate", Permission: access.MetricsRead},
		front.Route{Pattern: "GET /metrics", Permission: access.SystemRead},
		front.Route{Pattern: "POST /-/reload", Permission: access.AdminReload},
		front.Route{Pattern: "PUT /-/reload", Permission: access.AdminReload},
		front.Route{Pattern: "GET /debug/pprof/", Permission: access.AdminProfile},
		front.Route{Pattern: "GET /debug/pprof/cmdline", Permission: access.AdminProfile},
		front.Route{Pattern: "POST /v1/logs", Permission: access.TelemetryWrite},
		front.Route{Pattern: "POST /v1/traces", Permission: access.TelemetryWrite},
		front.Route{Pattern: "POST /v1/metrics", Permission: access.TelemetryWrite},
		front.Route{Pattern: "POST /api/v1/otlp/v1/metrics", Permission: access.TelemetryWrite},
		front.Route{Pattern: "POST /pagerduty/v2/enqueue", Permission: access.Open}, // the routing key in the body is the proof
		front.Route{Pattern: "POST /pagerduty/v2/change/enqueue", Permission: access.Open},
		front.Route{Pattern: "POST /mcp", Permission: access.Anybody}, // each tool needs what its endpoint needs
		front.Route{Pattern: "GET /auth/page", Permission: access.Open},
		front.Route{Pattern: "POST /auth/page", Permission: access.Open},
		front.Route{Pattern: "GET /-/healthy", Permission: access.Open},
		front.Route{Pattern: "GET /-/ready", Permission: access.Open},
		front.Route{Pattern: "GET /", Permission: access.Open},
	)
}

// Every endpoint, for every role and for nobody, on one's own tenant and on another's: allowed or refused as the role's
// list of permissions says.
func TestEveryEndpointAsksEveryRoleForItsPermission(t *testing.T) {
	g := startGuarded(t, nil)
	wild := regexp.MustCompile(`\{[^}]*\}`)
	tokens := map[string]string{}
	roles := map[string][]access.Permission{}
	for _, r := range policy.BuiltIn() {
		tokens[r.Name], roles[r.Name] = g.token(t, r.Name), r.Permissions
	}
	asked := 0
	for _, e := range g.endpoints() {
		method, path, _ := strings.Cut(wild.ReplaceAllString(e.Pattern, "x"), " ")
		if strings.HasSuffix(path, "/tail") || strings.HasSuffix(path, "/live") {
			continue // answers that never end; what they need is asked below
		}
		open, anybody := e.Permission == access.Open, e.Permission == access.Anybody
		if got := g.ask(t, method, path, "").status; (got == http.StatusUnauthorized) == open {
			t.Errorf("%s %s without anybody: %d", method, path, got)
		}
		for role, permissions := range roles {
			if method != "GET" && role == policy.Admin {
				continue // would be done
			}
			may := open || anybody || slices.Contains(permissions, e.Permission)
			got := g.ask(t, method, path, "", "Authorization", "Bearer "+tokens[role])
			if refused := got.status == http.StatusForbidden; refused == may || got.status == http.StatusUnauthorized {
				t.Errorf("%s %s as %s, which needs %s: %d %.200s", method, path, role, e.Permission, got.status, got.text)
			}
			foreign := g.ask(t, method, path, "", "Authorization", "Bearer "+tokens[role], "X-Scope-OrgID", "elsewhere")
			system := access.ClassOf(e.Permission) == access.System && may
			if !open && !anybody && !system && foreign.status != http.StatusForbidden {
				t.Errorf("%s %s as %s on a tenant of others: %d %.200s", method, path, role, foreign.status, foreign.text)
			}
			asked++
		}
	}
	if asked < 300 {
		t.Errorf("only %d questions", asked)
	}
	for _, path := range []string{"/sb/v1/logs/tail", "/api/v1/notifications/live"} {
		if got := g.ask(t, "GET", path, "", "Authorization", "Bearer "+tokens[policy.Ingest]).status; got != http.StatusForbidden {
			t.Errorf("%s as ingest: %d", path, got)
		}
	}
}

func TestATokenIsGoodUntilItIsRevoked(t *testing.T) {
	g := startGuarded(t, nil)
	text := g.token(t, policy.Viewer)
	for name, header := range map[string]string{
		"bearer": "Bearer " + text, "bearer in small letters": "bearer " + text,
	} {
		if got := g.ask(t, "GET", "/api/v1/query?query=1", "", "Authorization", header).status; got != http.StatusOK {
			t.Errorf("%s: %d", name, got)
		}
	}
	for name, header := range map[string][]string{
		"cut off": {"Authorization", "Bearer " + text[:len(text)-1]}, "another scheme": {"Authorization", "Token " + text},
		"empty": {"Authorization", "Bearer "}, "beside a cookie": {"Authorization", "Bearer x", "Cookie", g.cookie},
	} {
		if got := g.ask(t, "GET", "/api/v1/query?query=1", "", header...).status; got != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, got)
		}
	}
	for _, path := range []string{"/api/v1/query?query=1&access_token=", "/api/v1/query?query=1&token="} {
		if got := g.ask(t, "GET", path+text, "", "Authorization", "Bearer "+text); got.status != http.StatusBadRequest || !strings.Contains(got.text, "URL") {
			t.Errorf("a token in the address: %d %s", got.status, got.text)
		}
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(text, "sbx_"), "_")
	if got := g.ask(t, "DELETE", "/sb/v1/admin/tokens/"+id, "", "Cookie", g.cookie); got.status/100 != 2 {
		t.Fatalf("revoke: %d %s", got.status, got.text)
	}
	if got := g.ask(t, "GET", "/api/v1/query?query=1", "", "Authorization", "Bearer "+text).status; got != http.StatusUnauthorized {
		t.Errorf("after it was revoked: %d", got)
	}
}
