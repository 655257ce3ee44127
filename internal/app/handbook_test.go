package app

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const catalogFile = `
teams: [{name: web, schedule: web-primary, chat: "#web"}]
services: [{name: edge, team: web, tier: 1, depends_on: [db]}, {name: db, kind: resource, team: web}]
`

// Whose a service is comes by files; its alerts have the team as a label, for routes, for whoever asks and after a change of the files.
func TestAlertsHaveTheTeamOfTheirService(t *testing.T) {
	r := start(t, map[string]string{
		"signalbox.yml":    "catalog_files: [catalog/*.yaml]\noncall_files: [o.yml]\nrule_files: [rules.yml]\nglobal: {evaluation_interval: 1s}\n",
		"catalog/a.yaml":   catalogFile,
		"o.yml":            "people: [{name: ada}]\nschedules: [{name: web-primary, layers: [{start: 2020-01-06, people: [ada]}]}]\n",
		"rules.yml":        "groups: [{name: g, rules: [{alert: Edgy, expr: vector(1), labels: {service: edge, severity: critical}}, {alert: Stray, expr: vector(1), labels: {service: stray}}]}]\n",
		"alertmanager.yml": "",
	})
	until(t, "both fire", func() bool { return r.contains(t, "/api/v2/alerts", "Edgy", "Stray") })
	if !r.contains(t, "/api/v2/alerts?filter=team%3Dweb", `"alertname":"Edgy"`) || r.contains(t, "/api/v2/alerts?filter=team%3Dweb", "Stray") {
		_, text := r.get(t, "/api/v2/alerts")
		t.Error(text)
	}
	if _, text := r.get(t, "/sb/v1/explain/Edgy"); !strings.Contains(text, `"state":"firing"`) || !strings.Contains(text, `"team":"web"`) {
		t.Error(text)
	}
	// What others send keeps its labels, which are its identity.
	resp, err := http.Post(r.Addresses().Web+"/api/v2/alerts", "application/json", strings.NewReader(`[{"labels":{"alertname":"Theirs","service":"edge"}}]`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	until(t, "the one of others is there", func() bool { return r.contains(t, "/api/v2/alerts", "Theirs") })
	if r.contains(t, "/api/v2/alerts?filter=team%3Dweb", "Theirs") {
		t.Error("an alert of others has got a label")
	}
	// It goes on under the labels that it has, whatever the files say now.
	if err := os.WriteFile(filepath.Join(r.dir, "catalog", "a.yaml"), []byte(strings.ReplaceAll(catalogFile, "web", "net")), 0o600); err != nil {
		t.Fatal(err)
	}
	if resp, err = http.Post(r.Addresses().Web+"/-/reload", "", nil); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, text := r.get(t, "/sb/v1/catalog/edge"); !strings.Contains(text, `"team":"net"`) || !strings.Contains(text, `"schedule":"net-primary"`) {
		t.Error(text)
	}
	if o, ok := r.services.Owner("edge", ""); !ok || o.Team != "net" || o.Chat != "#net" {
		t.Errorf("%+v", o)
	}
	if _, text := r.get(t, "/sb/v1/explain/Edgy"); !strings.Contains(text, `"team":"web"`) {
		t.Error(text)
	}
}

func TestTheCatalogueIsServed(t *testing.T) {
	r := start(t, map[string]string{
		"signalbox.yml": "catalog_files: [a.yaml]\noncall_files: [o.yml]\n", "a.yaml": catalogFile,
		"o.yml": "people: [{name: ada}]\nschedules: [{name: web-primary, layers: [{start: 2020-01-06, people: [ada]}]}]\n",
	})
	if _, text := r.get(t, "/sb/v1/catalog"); !strings.Contains(text, `"summary":"2 services, each with an owner; gaps in 1."`) || !strings.Contains(text, `"teams":[{"name":"web"`) {
		t.Error(text)
	}
	if _, text := r.get(t, "/sb/v1/catalog/gaps"); strings.Contains(text, "no_on_call") || !strings.Contains(text, `"gap":"no_slo"`) || !strings.Contains(text, `"gap":"not_seen"`) {
		t.Error(text)
	}
	if status, text := r.get(t, "/sb/v1/catalog/edgy"); status != http.StatusNotFound || !strings.Contains(text, `did you mean \"edge\"`) {
		t.Errorf("%d %s", status, text)
	}
}

func TestRunbooksAreServedAndLinkedFromServices(t *testing.T) {
	const book = "---\ntitle: Edge fails\nseverity: P1\nalerts: [Edgy]\nservices: [edge]\nreviewed: 2026-11-30\n---\n## Symptoms\n```promql\nup\n```\n## Cause\nx\n## Steps\nx\n## Verification\nx\n## Prevention\nx\n## Escalation\nx\n"
	r := start(t, map[string]string{
		"signalbox.yml": "catalog_files: [a.yaml]\nrunbook_files: [runbooks/*.md]\n", "a.yaml": catalogFile, "runbooks/edge-fails.md": book, "runbooks/bad.md": "# no\n",
	})
	if _, text := r.get(t, "/sb/v1/runbooks?alert=Edgy"); !strings.Contains(text, `"name":"edge-fails"`) || strings.Contains(text, "blocks") {
		t.Error(text)
	}
	if _, text := r.get(t, "/sb/v1/runbooks/edge-fails"); !strings.Contains(text, `{"kind":"query","language":"promql","text":"up"}`) {
		t.Error(text)
	}
	if status, text := r.get(t, "/sb/v1/runbooks/edge-fail"); status != http.StatusNotFound || !strings.Contains(text, `did you mean \"edge-fails\"`) {
		t.Errorf("%d %s", status, text)
	}
	if _, text := r.get(t, "/sb/v1/catalog/edge"); !strings.Contains(text, `{"name":"edge-fails","title":"Edge fails","url":"/runbooks/edge-fails"}`) || strings.Contains(text, "no_runbook") {
		t.Error(text)
	}
	if _, text := r.get(t, "/sb/v1/status"); !strings.Contains(text, "bad.md:1: it has no front matter") {
		t.Error(text)
	}
}
