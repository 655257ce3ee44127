package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// change is a request that changes something, and what its one entry says of it.
type change struct {
	pattern string
	body    string
	with    string // in place of the names in the pattern
	query   string
	also    string // the action of a second entry, of another fact
	action  string
	subject string            // is in that of the entry
	cookie  bool              // of the administrator, instead of the token
	keep    func(text string) // what later requests need of the answer
}

// changesNothing says why an endpoint that is not asked by GET has no place in the walk below.
func changesNothing(e front.Route) string {
	switch e.Pattern {
	case "POST /sb/v1/gate/canary", "POST /sb/v1/status-pages/preview":
		return "it says what would be, and keeps nothing"
	case "POST /mcp":
		return "each tool asks an endpoint, which notes it"
	}
	switch e.Permission {
	case access.MetricsRead, access.SQLQuery, access.SLOsRead, access.GateRead, access.AlertsRead, access.UnmaskedRead, access.Open:
		return "it asks, or is of nobody; TestEveryRequestLeavesOneEntry has what is noted of that"
	case access.TelemetryWrite, access.AlertsSend:
		return "what senders send is summed by minute"
	}
	return ""
}

func idIn(field string, to *string) func(string) {
	return func(text string) {
		if m := regexp.MustCompile(`"` + field + `":"([^"]+)"`).FindStringSubmatch(text); m != nil {
			*to = m[1]
		}
	}
}

// Whatever changes something and succeeds leaves one entry that says who, in which tenant, and what.
func TestEveryChangeLeavesOneEntry(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(hook.Close)
	g := startGuarded(t, map[string]string{
		"signalbox.yml": "query: {enable_admin_api: true}\nslo_files: [s.yml]\nstatus_page_files: [p.yml]\noncall_files: [o.yml]\nremedy_files: [r.yml]\nchannels: {webhook: {receivers: [{name: ops, url: \"" + hook.URL + "\", secret: {file: key}}]}}\n", "s.yml": availability, "key": "a secret of ops", "p.yml": "status_pages: [{name: broker, title: Broker, components: [{id: edge, title: Edge}]}]\n",
		"r.yml": "remedies: [{name: order, owner: ada, runbook: r, mode: approve, trigger: {alert: Broken}, precondition: [vector(1)], expected_effect: {query: vector(1)}, blast_radius: {max_targets: 9}, action: {webhook: {url: \"" + hook.URL + "\", secret_file: key}}}]\n",
		"o.yml": "people: [{name: ada, contacts: [{channel: webhook, address: ops}]}, {name: kim}, {name: root}]\nschedules: [{name: edge, layers: [{start: 2020-01-06, people: [ada]}]}]\nescalation_policies: [{name: p, default: true, steps: [{notify: [{schedule: edge}]}]}]\n",
	})
	token := g.token(t, policy.Admin)
	self, _, _ := strings.Cut(strings.TrimPrefix(token, "sbx_"), "_")
	for _, id := range []string{"page-1", "page-2"} {
		labels := model.Labels{"alertname": id, "service": "edge", "severity": "critical"}
		if err := g.home.state.SavePage(t.Context(), model.Page{
			ID: id, DedupKey: id, Time: time.Now(), Status: "firing", Severity: "critical", Service: "edge", Title: id, Receiver: "inbox", GroupLabels: labels,
			Alerts: []model.PageAlert{{Fingerprint: id, Labels: labels, Status: "firing", StartsAt: time.Now()}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	var opened string
	until(t, "the pages are an incident", func() bool {
		text := g.ask(t, "GET", "/sb/v1/incidents", "", "Cookie", g.cookie).text
		idIn("id", &opened)(text)
		return strings.Contains(text, `"count":2`)
	})
	const password = "correct horse battery"
	sessions := func() (out []string) {
		var got struct{ Sessions []struct{ ID string } }
		_ = json.Unmarshal([]byte(g.ask(t, "GET", "/sb/v1/sessions", "", "Cookie", g.cookie).text), &got)
		for _, s := range got.Sessions {
			out = append(out, s.ID)
		}
		return out
	}
	ours := sessions()[0]
	login := func() {
		if r := g.ask(t, "POST", "/sb/v1/login", fmt.Sprintf(`{"name":"root","password":%q}`, password)); r.status != http.StatusOK {
			t.Fatal(r.status, r.text)
		}
	}
	now := time.Now().UTC()
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	var decision, correction, silence, override, own, made, incident, drill, swap, post, yes, no string
	done := map[string]bool{}
	last := g.home.audit.Kept()
	entries := func() (out []model.AuditEntry) {
		list, err := g.home.audit.AuditEntries(t.Context(), store.AuditQuery{After: last, Limit: 10_000, Start: now.Add(-time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if (e.Actor == "user:root" || e.Actor == "token:"+self) && !strings.HasPrefix(e.Action, "query.") {
				out = append(out, e)
			}
		}
		return out
	}
	walk := func(list []change) {
		t.Helper()
		for _, c := range list {
			method, path, _ := strings.Cut(c.pattern, " ")
			if strings.Contains(c.pattern, "sessions") {
				login()
				login()
			}
			if c.with == "SESSION" { // one that is not ours
				now := sessions()
				c.with = now[slices.IndexFunc(now, func(id string) bool { return id != ours })]
			}
			with := strings.Fields(strings.Replace(c.with, "CORRECTION", correction, 1))
			path = wildcard.ReplaceAllStringFunc(path, func(string) string {
				next := with[0]
				with = with[1:]
				return next
			})
			last = g.home.audit.Kept()
			who, proof := "token:"+self, []string{"Authorization", "Bearer " + token}
			if c.cookie {
				who, proof = "user:root", []string{"Cookie", g.cookie}
			}
			got := g.ask(t, method, path+c.query, c.body, proof...)
			if got.status/100 != 2 {
				t.Errorf("%s: %d %s", c.pattern, got.status, got.text)
				continue
			}
			if done[c.pattern] = true; c.keep != nil {
				c.keep(got.text)
			}
			// The entry of a request that comes later is behind all of this one.
			g.ask(t, "GET", "/api/v1/query?query=vector(1)", "", "Authorization", "Bearer "+token)
			until(t, "what comes behind is noted", func() bool {
				after, err := g.home.audit.AuditEntries(t.Context(), store.AuditQuery{After: last, Limit: 10_000, Text: "vector(1)"})
				return err == nil && len(after) > 0
			})
			if len(got.cookies) > 0 && got.cookies[0].Value != "" { // a password ends all sessions, and begins one
				g.cookie = got.cookies[0].Name + "=" + got.cookies[0].Value
			}
			found := slices.DeleteFunc(entries(), func(e model.AuditEntry) bool { return c.also != "" && e.Action == c.also })
			if len(found) != 1 {
				t.Errorf("%s: %d entries: %+v", c.pattern, len(found), found)
				continue
			}
			if e := found[0]; e.Actor != who || e.Tenant != model.DefaultTenant && e.Tenant != "" || e.Action != c.action || !strings.Contains(e.Subject, c.subject) {
				t.Errorf("%s: %+v, want %s by %s of %s", c.pattern, e, c.action, who, c.subject)
			}
		}
	}
	walk([]change{
		{pattern: "POST /sb/v1/deploys", body: `{"service":"edge","version":"2"}`, action: "deploy.mark", subject: "edge"},
		{pattern: "POST /sb/v1/gate", body: `{"service":"edge","environment":"prod","version":"2"}`, action: "gate.decide", keep: idIn("id", &decision)},
		{pattern: "POST /sb/v1/slos/{name}/corrections", with: "edge-availability", body: fmt.Sprintf(`{"author":"kim","reason":"a planned outage","start":%q,"end":%q}`, at(-2*time.Hour), at(-time.Hour)), action: "slo.correct", subject: "edge-availability", keep: idIn("id", &correction)},
		{pattern: "POST /api/v2/silences", body: fmt.Sprintf(`{"matchers":[{"name":"alertname","value":"x","isRegex":false,"isEqual":true}],"startsAt":%q,"endsAt":%q,"createdBy":"kim","comment":"c"}`, at(0), at(time.Hour)), action: "silences.write", subject: "/api/v2/silences", keep: idIn("silenceID", &silence)},
		{pattern: "POST /sb/v1/pages/{id}/ack", with: "page-1", body: `{"by":"ann"}`, action: "page.ack", subject: "page-1"},
		{pattern: "POST /sb/v1/oncall/overrides", body: `{"overrides":[{"schedule":"edge","person":"kim","start":"2100-01-01T00:00:00Z","end":"2100-01-02T00:00:00Z","by":"ada"}]}`, action: "oncall.override", subject: "edge", keep: idIn("id", &override)},
		{pattern: "POST /sb/v1/oncall/swaps", body: `{"schedule":"edge","from":"ada","to":"root","start":"2100-02-01T12:00:00Z","end":"2100-02-02T12:00:00Z"}`, action: "oncall.swap.propose", subject: "edge", keep: idIn("id", &swap)},
		{pattern: "POST /sb/v1/tokens", body: `{"name":"mine","grants":[{"role":"viewer"}]}`, action: "token.make", subject: "token:", cookie: true, keep: idIn("id", &own)},
		{pattern: "POST /sb/v1/tokens", body: `{"name":"of a service","service":true,"grants":[{"role":"viewer"}]}`, action: "token.make", subject: "token:", cookie: true, keep: idIn("id", &made)},
		{pattern: "POST /sb/v1/users", body: `{"name":"ann"}`, action: "user.add", subject: "user:ann", cookie: true},
		{pattern: "POST /sb/v1/incidents", body: `{"title":"slow","services":["mail"]}`, action: "incident.open", subject: "-", keep: idIn("id", &incident)},
		{pattern: "POST /sb/v1/incidents/{id}/split", with: opened, body: `{"pages":["page-2"],"title":"another"}`, action: "incident.split", subject: "-"},
		{pattern: "POST /sb/v1/status-pages/posts", body: `{"pages":["broker"],"title":"slow","text":"we look"}`, action: "statuspage.publish", subject: "", keep: idIn("id", &post)},
		{pattern: "POST /sb/v1/oncall/drills", body: `{"person":"ada"}`, action: "oncall.drill", subject: "drill", keep: idIn("id", &drill)},
		{pattern: "POST /sb/v1/oncall/contacts/verify", body: `{"person":"ada","contact":"webhook"}`, action: "oncall.verify.send", subject: "ada"},
		{pattern: "POST /sb/v1/channels/{kind}/test", with: "webhook", body: `{"address":"ops"}`, action: "channel.test", subject: "webhook"},
		{pattern: "POST /sb/v1/remediation/remedies/{name}/run", with: "order", body: `{"labels":{"service":"a"}}`, action: "remediation.run", subject: "-", keep: idIn("id", &yes)},
		{pattern: "POST /sb/v1/remediation/remedies/{name}/run", with: "order", body: `{"labels":{"service":"b"}}`, action: "remediation.run", subject: "-", keep: idIn("id", &no)},
		{pattern: "POST /sb/v1/remediation/alerts", body: `{"version":"4","receiver":"x","alerts":[{"status":"firing","labels":{"alertname":"Broken","service":"c"},"startsAt":"2026-03-02T10:00:00Z","generatorURL":""}]}`, action: "remediation.alerts", subject: "alerts"},
		{pattern: "POST /-/reload", action: "admin.reload", subject: "/-/reload"},
		{pattern: "PUT /-/reload", action: "admin.reload", subject: "/-/reload"},
	})
	walk([]change{
		{pattern: "PATCH /sb/v1/incidents/{id}", with: incident, body: `{"title":"slower"}`, action: "incident.edit", subject: incident},
		{pattern: "POST /sb/v1/incidents/{id}/notes", with: incident, body: `{"text":"the pool is full"}`, action: "incident.note", subject: incident},
		{pattern: "POST /sb/v1/incidents/{id}/look", with: incident, body: `{}`, action: "incident.look", subject: incident},
		{pattern: "POST /sb/v1/incidents/{id}/actions", with: incident, body: `{"text":"a larger pool"}`, action: "incident.action", subject: incident},
		{pattern: "POST /sb/v1/incidents/{id}/status", with: incident, body: `{"status":"resolved"}`, action: "incident.status", subject: incident},
		{pattern: "POST /sb/v1/incidents/{id}/postmortem", with: incident, body: `{"written":{"summary":"the pool was full"}}`, action: "incident.postmortem", subject: incident},
		{pattern: "POST /sb/v1/incidents/{id}/merge", with: incident, body: fmt.Sprintf(`{"into":%q}`, opened), action: "incident.merge", subject: opened},
		{pattern: "POST /sb/v1/oncall/swaps/{id}/answer", with: swap, body: `{"answer":"accept"}`, action: "oncall.swap.accept", subject: "edge", cookie: true},
		{pattern: "POST /sb/v1/status-pages/posts/{id}/updates", with: post, body: `{"status":"resolved","text":"over"}`, action: "statuspage.update", subject: post},
		{pattern: "PATCH /sb/v1/status-pages/posts/{id}", with: post, body: `{"title":"slower"}`, action: "statuspage.correct", subject: post},
		{pattern: "DELETE /sb/v1/status-pages/posts/{id}", with: post, action: "statuspage.withdraw", subject: post},
		{pattern: "POST /sb/v1/oncall/drills/{id}/ack", with: drill, body: `{"by":"ada"}`, action: "page.ack", subject: drill},
		{pattern: "POST /sb/v1/gate/decisions/{id}/override", with: decision, body: `{"actor":"ann","reason":"the release mends the outage of 14:02"}`, action: "gate.override", subject: decision},
		{pattern: "DELETE /sb/v1/slos/{name}/corrections/{id}", with: "edge-availability CORRECTION", action: "slo.uncorrect", subject: "edge-availability"},
		{pattern: "POST /sb/v1/remediation/runs/{id}/approve", with: yes, body: `{}`, action: "remediation.approve", subject: yes},
		{pattern: "POST /sb/v1/remediation/runs/{id}/refuse", with: no, body: `{"reason":"not now"}`, action: "remediation.refuse", subject: no},
		{pattern: "POST /sb/v1/remediation/stop", body: `{"reason":"a migration"}`, action: "remediation.stop", subject: "all remedies"},
		{pattern: "POST /sb/v1/remediation/start", body: `{}`, action: "remediation.start", subject: "all remedies"},
		{pattern: "DELETE /api/v2/silence/{id}", with: silence, action: "silences.write", subject: silence},
		{pattern: "DELETE /sb/v1/oncall/overrides/{id}", with: override, action: "oncall.unoverride", subject: "edge"},
		{pattern: "POST /sb/v1/tokens/{id}/rotate", with: own, body: `{}`, action: "token.rotate", subject: own, cookie: true, keep: idIn("id", &own)},
		{pattern: "DELETE /sb/v1/tokens/{id}", with: own, action: "token.revoke", subject: own, cookie: true},
		{pattern: "POST /sb/v1/admin/tokens/{id}/rotate", with: made, body: `{}`, action: "token.rotate", subject: made, cookie: true, keep: idIn("id", &made)},
		{pattern: "DELETE /sb/v1/admin/tokens/{id}", with: made, action: "token.revoke", subject: made, cookie: true},
		{pattern: "PATCH /sb/v1/users/{name}", with: "ann", body: `{"shown":"Ann"}`, action: "user.change", subject: "user:ann", cookie: true},
		{pattern: "POST /sb/v1/users/{name}/link", with: "ann", action: "user.link", subject: "user:ann", cookie: true},
		{pattern: "DELETE /sb/v1/users/{name}", with: "ann", action: "user.delete", subject: "user:ann", cookie: true},
		{pattern: "DELETE /sb/v1/sessions/{id}", with: "SESSION", action: "session.end", subject: "-", cookie: true},
		{pattern: "DELETE /sb/v1/admin/sessions/{id}", with: "SESSION", action: "session.end", subject: "-", cookie: true},
		{pattern: "DELETE /sb/v1/sessions", action: "session.end", subject: "user:root", cookie: true},
		{pattern: "POST /api/v1/admin/tsdb/delete_series", query: "?match[]=nothing", action: "admin.storage", subject: "/api/v1/admin/tsdb/delete_series"},
		{pattern: "POST /api/v1/admin/tsdb/clean_tombstones", query: "?match[]=nothing", action: "admin.storage", subject: "/api/v1/admin/tsdb/clean_tombstones"},
		{pattern: "POST /api/v1/admin/tsdb/snapshot", query: "?match[]=nothing", action: "admin.storage", subject: "/api/v1/admin/tsdb/snapshot"},
		{pattern: "PUT /api/v1/admin/tsdb/delete_series", query: "?match[]=nothing", action: "admin.storage", subject: "/api/v1/admin/tsdb/delete_series"},
		{pattern: "PUT /api/v1/admin/tsdb/clean_tombstones", query: "?match[]=nothing", action: "admin.storage", subject: "/api/v1/admin/tsdb/clean_tombstones"},
		{pattern: "PUT /api/v1/admin/tsdb/snapshot", query: "?match[]=nothing", action: "admin.storage", subject: "/api/v1/admin/tsdb/snapshot"},
		{pattern: "POST /sb/v1/me/password", body: fmt.Sprintf(`{"old":%q,"password":"battery horse correct"}`, password), action: "user.password", subject: "user:root", also: "login", cookie: true},
		{pattern: "POST /sb/v1/logout", action: "logout", subject: "user:root", cookie: true},
	})
	for _, e := range g.endpoints() {
		if !strings.HasPrefix(e.Pattern, "GET ") && changesNothing(e) == "" && !done[e.Pattern] {
			t.Errorf("%s (%s) changes something, and nobody looks whether it is noted", e.Pattern, e.Permission)
		}
	}
}
