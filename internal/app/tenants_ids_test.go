package app

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// Whoever is bound to another tenant and knows the ids of ours is answered as for ids that nobody gave, by every operation, with every
// method and a whole body, whether or not they name our tenant; and nothing of ours changes.
func TestIDsOfAnotherTenantAreNone(t *testing.T) {
	g := startGuarded(t, map[string]string{
		"signalbox.yml": "oncall_files: [o.yml]\ntenants: [{name: acme}]\n", "o.yml": strings.ReplaceAll(teamPeople, "services: [zebra-api]", "default: true"),
	})
	root, acme := []string{"Cookie", g.cookie}, g.boundTo(t, policy.Editor, "acme")
	var d takes
	if err := json.Unmarshal([]byte(g.ask(t, "GET", "/sb/v1/openapi.json", "", root...).text), &d); err != nil || len(d.Paths) < 100 {
		t.Fatal(err, len(d.Paths))
	}
	ids := map[string]string{"zebra-beat": "zebrx-beat", "zebra-turns": "zebrx-turns"}
	seen := []string{"/sb/v1/heartbeats", "/sb/v1/incidents", "/sb/v1/oncall/swaps", "/sb/v1/oncall/overrides?schedule=zebra-turns&start=2100-01-01T00:00:00Z"}
	for path, body := range map[string]string{
		"/sb/v1/incidents":        `{"title":"zebra fails"}`,
		"/sb/v1/oncall/drills":    `{"policy":"zebra-policy"}`,
		"/sb/v1/oncall/overrides": `{"overrides":[{"schedule":"zebra-turns","person":"ada","start":"2100-01-01T00:00:00Z","end":"2100-01-02T00:00:00Z","by":"root"}]}`,
	} {
		got := g.ask(t, "POST", path, body, root...)
		var made struct {
			ID        string
			Overrides []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(got.text), &made); err != nil || got.status != 201 {
			t.Fatal(path, got.status, got.text)
		}
		if len(made.Overrides) > 0 {
			made.ID = made.Overrides[0].ID
		}
		ids[made.ID] = made.ID[:len(made.ID)-4] + "0000"
		if strings.HasSuffix(path, "drills") {
			seen = append(seen, path+"/"+made.ID)
		}
	}
	stands := func() (out string) {
		for _, path := range seen {
			out += g.ask(t, "GET", path, "", root...).text + "\n"
		}
		return out
	}
	until(t, "the drill is out", func() bool { return strings.Contains(stands(), "delivered") })
	before, asked := stands(), 0
	for _, e := range g.endpoints() {
		method, pattern, _ := strings.Cut(e.Pattern, " ")
		if d.Paths[pattern] == nil || !strings.Contains(pattern, "{") {
			continue
		}
		for id, none := range ids {
			ways, other := d.asks(method, pattern, id), d.asks(method, pattern, none)
			for _, header := range [][]string{{"Authorization", acme}, {"Authorization", acme, "X-Scope-OrgID", "default"}} {
				asked++
				theirs, nobodys := g.ask(t, method, ways[0][0], ways[0][1], header...), g.ask(t, method, other[0][0], other[0][1], header...)
				is, isNot := timeless.ReplaceAllString(unnamed(theirs.text, id), ""), timeless.ReplaceAllString(unnamed(nobodys.text, none), "")
				if theirs.status != nobodys.status || is != isNot || strings.Contains(is, "zebra") || theirs.status/100 == 5 || len(header) > 2 && theirs.status/100 == 2 {
					t.Errorf("%s %s %.300s:\ntheirs   %d %.400s\nnobody's %d %.400s", method, ways[0][0], ways[0][1], theirs.status, is, nobodys.status, isNot)
				}
			}
		}
	}
	if asked < 300 {
		t.Errorf("only %d questions", asked)
	}
	if after := stands(); after != before {
		t.Errorf("it was changed:\n%s\nwas\n%s", after, before)
	}
}
