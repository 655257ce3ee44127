package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

// twoTeams is a process with two namespaces, pay and trade, that hold the same kinds of things. All that is of trade, but for its
// name, has the word zebra in it.
type twoTeams struct {
	*guarded
	pay                      string // a token that is editor of pay
	zebraDecision, zebraPage string
	payDecision, payPage     string
}

const (
	teamRoutes  = "route: {receiver: inbox, routes: [{receiver: zebra-pager, matchers: [namespace=trade]}]}\nreceivers: [{name: inbox}, {name: zebra-pager}]\n"
	teamCatalog = "teams: [{name: pays}, {name: zebras}]\nservices: [{name: pay-api, namespace: pay, team: pays}, {name: zebra-api, namespace: trade, team: zebras, depends_on: [zebra-db]}]\n"
	teamPeople  = `
people: [{name: ada, contacts: [{channel: inbox, address: ada}]}]
schedules: [{name: zebra-turns, layers: [{start: 2020-01-06, people: [ada]}]}]
escalation_policies:
- {name: zebra-policy, services: [zebra-api], steps: [{notify: [{schedule: zebra-turns}]}]}
- {name: zebra-mistake, steps: [{notify: [{schedule: zebra-turns}]}]}
heartbeats: [{name: zebra-beat, every: 1h, service: zebra-api}]
`
)

const teamTrace = "5b8efff798038103d269b633813fc60c"

func startTwoTeams(t *testing.T) *twoTeams {
	t.Helper()
	slo := func(name, service, namespace string) string {
		return strings.ReplaceAll(strings.ReplaceAll(availability, "edge-availability}\nspec", name+", labels: {namespace: "+namespace+"}}\nspec"), "edge", service)
	}
	w := &twoTeams{guarded: startGuarded(t, map[string]string{
		"signalbox.yml":    "slo_files: [s/*.yml]\ncatalog_files: [c.yml]\noncall_files: [o.yml]\nalertmanager_file: alertmanager.yml\n",
		"alertmanager.yml": teamRoutes, "c.yml": teamCatalog, "o.yml": teamPeople,
		"s/pay.yml": slo("pay-slo", "pay-api", "pay"), "s/trade.yml": slo("zebra-slo", "zebra-api", "trade"),
	})}
	made := w.ask(t, "POST", "/sb/v1/tokens", `{"name":"pay","service":true,"grants":[{"role":"editor","namespaces":["pay"]}]}`, "Cookie", w.cookie)
	var token struct{ Text string }
	if err := json.Unmarshal([]byte(made.text), &token); err != nil || token.Text == "" {
		t.Fatalf("token: %d %s", made.status, made.text)
	}
	w.pay = token.Text
	w.telemetry(t)
	until(t, "both services are known", func() bool {
		return strings.Contains(w.ask(t, "GET", "/sb/v1/topology", "", "Cookie", w.cookie).text, "zebra-api")
	})
	until(t, "both SLOs are judged", func() bool {
		return strings.Count(w.ask(t, "GET", "/sb/v1/slos", "", "Cookie", w.cookie).text, `"state":"insufficient"`) == 2
	})
	for _, c := range []struct {
		service, space string
		decision, page *string
	}{{"pay-api", "pay", &w.payDecision, &w.payPage}, {"zebra-api", "trade", &w.zebraDecision, &w.zebraPage}} {
		w.must(t, w.ask(t, "POST", "/sb/v1/deploys", fmt.Sprintf(`{"service":%q,"version":"%s-1","message":"%s"}`, c.service, c.service, c.service), "Cookie", w.cookie))
		got := w.ask(t, "POST", "/sb/v1/gate", fmt.Sprintf(`{"service":%q,"version":"2"}`, c.service), "Cookie", w.cookie)
		w.must(t, got)
		var d struct{ ID string }
		_ = json.Unmarshal([]byte(got.text), &d)
		*c.decision, *c.page = d.ID, "page-"+c.service
		now := time.Now()
		if err := w.state.SavePage(t.Context(), model.Page{
			ID: *c.page, DedupKey: c.service, Time: now, Updated: now, Status: "firing", Severity: "critical", Title: "alert of " + c.service, Service: c.service, Receiver: "inbox",
			GroupLabels: model.Labels{"service": c.service},
			Alerts: []model.PageAlert{{
				Fingerprint: "fp-" + c.service, Status: "firing", StartsAt: now,
				Labels: model.Labels{"alertname": "alert-" + c.service, "namespace": c.space, "service": c.service},
			}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *twoTeams) must(t *testing.T, got reply) {
	t.Helper()
	if got.status/100 != 2 {
		t.Fatalf("%d %s", got.status, got.text)
	}
}

// telemetry is a call of zebra-api by pay-api in one trace, and a log record and a metric of each.
func (w *twoTeams) telemetry(t *testing.T) {
	t.Helper()
	now := time.Now().UnixNano()
	for i, c := range [][2]string{{"pay-api", "pay"}, {"zebra-api", "trade"}} {
		res := fmt.Sprintf(`"resource":{"attributes":[{"key":"service.name","value":{"stringValue":%q}},{"key":"service.namespace","value":{"stringValue":%q}}]}`, c[0], c[1])
		parent, kind := "", 2
		if i == 1 {
			parent = `"parentSpanId":"eee19b7ec3c1b170",`
		}
		for path, body := range map[string]string{
			"/v1/logs": fmt.Sprintf(`{"resourceLogs":[{%s,"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"words of %s"},"attributes":[{"key":"%s.key","value":{"stringValue":"v"}}]}]}]}]}`, res, now, c[0], c[0]),
			"/v1/metrics": fmt.Sprintf(`{"resourceMetrics":[{%s,"scopeMetrics":[{"metrics":[{"name":"%s_depth","description":"depth of %s","gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":7}]}}]}]}]}`,
				res, strings.ReplaceAll(c[0], "-", "_"), c[0], now),
			"/v1/traces": fmt.Sprintf(`{"resourceSpans":[{%s,"scopeSpans":[{"spans":[{"traceId":%q,"spanId":"eee19b7ec3c1b17%d",%s"kind":%d,"name":"work of %s","startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`,
				res, teamTrace, i, parent, kind, c[0], now, now+1000),
		} {
			w.must(t, w.ask(t, "POST", path, body, "Cookie", w.cookie))
		}
	}
}

func (w *twoTeams) asPay(t *testing.T, method, path, body string) reply {
	t.Helper()
	return w.ask(t, method, path, body, "Authorization", "Bearer "+w.pay)
}

// What is one's own is shown, what is another's is not, and is answered in the very words of what there is not.
func TestATeamSeesItsOwnAndNoSignOfOthers(t *testing.T) {
	w := startTwoTeams(t)
	for path, shows := range map[string]string{
		"/sb/v1/services": "pay-api", "/sb/v1/services/pay-api": `"hidden: team trade"`, "/sb/v1/topology": "hidden: team trade", "/jaeger/api/dependencies": "pay-api",
		"/sb/v1/causes": "", "/api/v1/metadata": "pay_api_depth", "/sb/v1/deploys": "pay-api-1", "/sb/v1/gate/decisions": w.payDecision, "/sb/v1/gate/decisions/" + w.payDecision: "pay-api",
		"/sb/v1/gate/policies": "pay-slo", "/sb/v1/pages": "page-pay-api", "/sb/v1/explain/alert-pay-api": "pay-api", "/sb/v1/remedies": "[]", "/sb/v1/slos": "pay-slo",
		"/api/v1/query?query=signalbox_span_duration_seconds_count": "pay-api", "/sb/v1/traces/" + teamTrace: "hidden: team trade",
	} {
		if got := w.asPay(t, "GET", path, ""); got.status != http.StatusOK || !strings.Contains(got.text, shows) || strings.Contains(got.text, "zebra") {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
	for _, service := range []string{"pay-api", "zebra-api"} {
		w.must(t, w.ask(t, "POST", "/sb/v1/incidents", fmt.Sprintf(`{"title":"%s is slow","services":[%q]}`, service, service), "Cookie", w.cookie))
	}
	for _, table := range []string{"logs", "spans", "deploys", "gate_decisions", "pages", "slo_budget", "incidents"} {
		if got := w.asPay(t, "POST", "/sb/v1/sql", fmt.Sprintf(`{"query":"SELECT * FROM %s"}`, table)); got.status != http.StatusOK || !strings.Contains(got.text, "pay-api") || strings.Contains(got.text, "zebra") {
			t.Errorf("%s: %d %s", table, got.status, got.text)
		}
	}
	for _, c := range []struct{ method, path, body, foreign, none string }{
		{"GET", "/sb/v1/services/%s", "", "zebra-api", "nobody-api"},
		{"GET", "/sb/v1/slos/%s", "", "zebra-slo", "nobody-slo"},
		{"GET", "/sb/v1/slos/%s/history", "", "zebra-slo", "nobody-slo"},
		{"GET", "/sb/v1/slos/%s/corrections", "", "zebra-slo", "nobody-slo"},
		{"POST", "/sb/v1/slos/%s/corrections", `{"author":"a","reason":"r","start":"2026-01-01T00:00:00Z","end":"2026-01-01T01:00:00Z"}`, "zebra-slo", "nobody-slo"},
		{"DELETE", "/sb/v1/slos/%s/corrections/x", "", "zebra-slo", "nobody-slo"},
		{"GET", "/sb/v1/gate/decisions/%s", "", w.zebraDecision, "nobody"},
		{"POST", "/sb/v1/gate/decisions/%s/replay", "", w.zebraDecision, "nobody"},
		{"POST", "/sb/v1/gate/decisions/%s/override", `{"actor":"a","reason":"a reason that is long enough"}`, w.zebraDecision, "nobody"},
		{"POST", "/sb/v1/gate", `{"service":"%s","version":"3"}`, "zebra-api", "nobody-api"},
		{"POST", "/sb/v1/gate/canary", `{"service":"%s","baseline":"1","canary":"2"}`, "zebra-api", "nobody-api"},
		{"POST", "/sb/v1/deploys", `{"service":"%s","version":"3"}`, "zebra-api", "nobody-api"},
		{"POST", "/sb/v1/deploys", `{"service":"%s","version":"3","labels":{"namespace":"pay"}}`, "zebra-api", "nobody-api"},
		{"POST", "/sb/v1/pages/%s/ack", `{"by":"a"}`, "page-zebra-api", "nobody"},
		{"GET", "/sb/v1/explain/%s", "", "alert-zebra-api", "alert-nobody-api"},
		{"GET", "/sb/v1/explain/%s", "", "fp-zebra-api", "fp-nobody"},
		{"GET", "/sb/v1/deploys?service=%s", "", "zebra-api", "nobody-api"},
		{"GET", "/sb/v1/gate/decisions?service=%s", "", "zebra-api", "nobody-api"},
		{"GET", "/sb/v1/report?service=%s&as_of=2026-01-01", "", "zebra-api", "nobody-api"},
		{"GET", "/jaeger/api/services/%s/operations", "", "zebra-api", "nobody-api"},
	} {
		says := func(name string) (int, string) {
			path, body := c.path, c.body
			if strings.Contains(path, "%s") {
				path = fmt.Sprintf(path, name)
			} else {
				body = fmt.Sprintf(body, name)
			}
			got := w.asPay(t, c.method, path, body)
			return got.status, tookOf.ReplaceAllString(strings.ReplaceAll(got.text, name, "NAME"), "")
		}
		status, foreign := says(c.foreign)
		other, none := says(c.none)
		if status != other || foreign != none || status/100 == 5 {
			t.Errorf("%s %s:\nforeign %d %s\nnone    %d %s", c.method, c.path, status, foreign, other, none)
		}
	}
	if all := w.ask(t, "GET", "/sb/v1/deploys", "", "Cookie", w.cookie).text; strings.Contains(all, `"version":"3"`) {
		t.Errorf("a deployment of another's service was taken: %s", all)
	}
}

var tookOf = regexp.MustCompile(`"(took_ms|time|as_of|generated|id)":("[^"]*"|[0-9.e-]+),?`)

// One's own is changed as by anybody, and says whose it is.
func TestATeamChangesItsOwn(t *testing.T) {
	w := startTwoTeams(t)
	got := w.asPay(t, "POST", "/sb/v1/deploys", `{"id":"mine","service":"pay-api","version":"7"}`)
	if got.status != http.StatusCreated || !strings.Contains(got.text, `"namespace":"pay"`) {
		t.Errorf("deployment: %d %s", got.status, got.text)
	}
	if got := w.asPay(t, "POST", "/sb/v1/deploys", `{"service":"pay-api","version":"7","labels":{"namespace":"trade"}}`); got.status != http.StatusNotFound {
		t.Errorf("in the name of another: %d %s", got.status, got.text)
	}
	got = w.asPay(t, "POST", "/sb/v1/gate", `{"service":"pay-api","version":"7"}`)
	var d model.GateDecision
	if err := json.Unmarshal([]byte(got.text), &d); err != nil || got.status != http.StatusOK || d.Envelope != nil {
		t.Fatalf("gate: %d %s", got.status, got.text)
	}
	for _, step := range []string{"replay", "override"} {
		if got := w.asPay(t, "POST", "/sb/v1/gate/decisions/"+d.ID+"/"+step, `{"actor":"a","reason":"a reason that is long enough"}`); got.status != http.StatusOK || strings.Contains(got.text, "zebra") {
			t.Errorf("%s: %d %s", step, got.status, got.text)
		}
	}
	if got := w.asPay(t, "POST", "/sb/v1/pages/"+w.payPage+"/ack", `{"by":"somebody else"}`); got.status != http.StatusOK || !strings.Contains(got.text, `"acked_by":"token:`) {
		t.Errorf("acknowledgement: %d %s", got.status, got.text)
	}
}

// Every endpoint, asked by who is bound to a namespace for what is another's: refused where its permission does not keep namespaces
// apart, and otherwise without a word of the other's.
func TestNoEndpointTellsOfAnotherTeam(t *testing.T) {
	w := startTwoTeams(t)
	wild := regexp.MustCompile(`\{([^}]*)\}`)
	refused := []string{"GET /api/v1/alertmanagers", "GET /api/v2/status", "GET /api/v2/receivers"}
	for _, e := range w.endpoints() {
		method, pattern, _ := strings.Cut(e.Pattern, " ")
		if strings.HasSuffix(pattern, "/tail") || strings.HasSuffix(pattern, "/live") {
			continue
		}
		for _, name := range []string{"zebra-api", "zebra-slo", w.zebraDecision, w.zebraPage, teamTrace, "service", "x"} {
			path := wild.ReplaceAllString(pattern, name)
			if path == pattern && name != "x" {
				continue
			}
			got := w.asPay(t, method, path+"?query="+`{__name__!=""}`+"&match[]="+`{__name__!=""}`+"&field=service&start=now-1h", "")
			told := strings.ReplaceAll(got.text, name, "")
			if strings.Contains(told, "zebra") || got.status/100 == 5 && got.status != http.StatusNotImplemented {
				t.Errorf("%s %s: %d %.300s", method, path, got.status, got.text)
			}
			apart := e.Permission == access.Open || e.Permission == access.Anybody || access.KeepsApart(e.Permission) && !slices.Contains(refused, e.Pattern)
			if got.status == http.StatusForbidden && apart && !strings.Contains(got.text, "needs the permission") && !strings.Contains(got.text, "all namespaces") {
				t.Errorf("%s %s is refused: %s", method, path, got.text)
			}
			if got.status != http.StatusForbidden && !apart {
				t.Errorf("%s %s is answered: %d %.200s", method, path, got.status, got.text)
			}
		}
	}
}
