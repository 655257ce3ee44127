package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// The access review has who is there with what they may, and is for who manages access.
func TestReviewOfAccessSaysWhoMayWhat(t *testing.T) {
	g := startGuarded(t, map[string]string{"signalbox.yml": "auth:\n  roles: [{name: spare, permissions: [logs.read]}]\n  bindings: [{role: viewer, groups: [nobody-is-in-it], namespaces: [pay]}]\n"})
	token := g.token(t, policy.Viewer)
	r := g.ask(t, "GET", "/sb/v1/audit/review", "", "Cookie", g.cookie)
	for _, want := range []string{`"name":"user:root"`, `"role":"admin","tenants":["*"]`, `"last":"`, `"kind":"token"`, `"namespaces":["pay"]`, `"reason":"group_unused"`, `"reason":"role_unbound"`, `"of":["signalbox:admin"]`} {
		if r.status != http.StatusOK || !strings.Contains(r.text, want) {
			t.Errorf("%s is not in %d %s", want, r.status, r.text)
		}
	}
	// What a login brought is noted, and says nothing where it is what is given now.
	if log := g.ask(t, "GET", "/sb/v1/audit?action=login", "", "Cookie", g.cookie); !strings.Contains(log.text, `"groups":"[\"signalbox:admin\"]"`) || !strings.Contains(log.text, `"grants":"[\"admin on * by the group signalbox:admin\"]"`) || strings.Contains(r.text, `"was"`) {
		t.Errorf("%s\n%s", log.text, r.text)
	}
	if strings.Contains(r.text, "no_login") || strings.Contains(r.text, token) {
		t.Error(r.text)
	}
	for path, want := range map[string]int{"?quarter=2020Q1": 200, "?quarter=2999Q1": 400, "?quarter=2020Q5": 400, "?since=now-30d": 200, "?since=now%2B1h": 400, "?since=now-1h&quarter=2020Q1": 400} {
		if r := g.ask(t, "GET", "/sb/v1/audit/review"+path, "", "Cookie", g.cookie); r.status != want {
			t.Errorf("%s: %d %s", path, r.status, r.text)
		}
	}
	if r := g.ask(t, "GET", "/sb/v1/audit/review", "", "Authorization", "Bearer "+token); r.status != http.StatusForbidden {
		t.Errorf("a viewer: %d %s", r.status, r.text)
	}
}
