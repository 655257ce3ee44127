package app

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
)

// What Signalbox makes of spans and logs by itself: labels of metrics, and with them alerts, pages, groups of SLOs and what explains them.
const maskedSLOs = `
apiVersion: openslo/v1
kind: SLO
metadata: {name: NAME}
spec:
  service: edge
  indicator: {metadata: {name: NAME}, spec: {ratioMetric: {counter: true, good: {metricSource: {type: signalbox-spans, spec: {query: 'service:edge -status:error'}}}, total: {metricSource: {type: signalbox-spans, spec: {query: 'service:edge', by: [FIELD]}}}}}}
  timeWindow: [{duration: 1d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
`

const maskedRules = `
groups:
- name: made-of-spans
  interval: 100ms
  rules:
  - {record: of_spans, expr: 'signalbox_span_duration_seconds_count{service="edge"}'}
  - alert: Spans
    expr: signalbox_span_duration_seconds_count{service="edge"} > 0
    labels: {severity: critical, what: '{{ $labels.route }}'}
    annotations: {summary: 'route {{ $labels.route }} of {{ $labels.service }}', description: '{{ range query "count by (route) (signalbox_span_duration_seconds_count)" }}{{ .Labels.route }} {{ end }}'}
`

// maskedFiles are the example of docs/masking.md, with what makes more of spans, for two tenants. The role blind may everything but see
// what is masked.
func maskedFiles(t *testing.T) map[string]string {
	t.Helper()
	t.Setenv("IDENTIFIERS_KEY", base64.StdEncoding.EncodeToString(make([]byte, 32)))
	doc, err := os.ReadFile("../../docs/masking.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(doc), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	var may []string
	for _, d := range access.Permissions() {
		if d.Permission != access.UnmaskedRead {
			may = append(may, string(d.Permission))
		}
	}
	all := strings.Join(may, ", ")
	block = strings.Replace(block, "  roles:\n", fmt.Sprintf("  roles:\n    - {name: blind, permissions: [%s]}\n    - {name: seer, permissions: [%s, unmasked.read, unmasked.cards]}\n", all, all), 1)
	block = strings.Replace(block, "  bindings:\n", "  bindings:\n    - {role: seer, users: [root], tenants: ['*']}\n", 1)
	out := map[string]string{"signalbox.yml": block + "\nrule_files: [r.yml]\nslo_files: [s/*.yml]\ncatalog_files: [c.yml]\ntenants:\n- {name: acme, rule_files: [acme/r.yml], slo_files: [acme/s/*.yml]}\n", "c.yml": "services: [{name: edge, team: pay}]\n"}
	for _, dir := range []string{"", "acme/"} {
		out[dir+"r.yml"] = maskedRules
	}
	return out
}

// groupedSLOs are SLOs by fields of which something is masked. They come when spans are there already, since groups are looked for at once then.
func groupedSLOs() map[string]string {
	out := map[string]string{}
	for _, dir := range []string{"", "acme/"} {
		for name, field := range map[string]string{"by-note": "note", "by-mail": "user.email", "by-name": "name"} {
			out[dir+"s/"+name+".yml"] = strings.ReplaceAll(strings.ReplaceAll(maskedSLOs, "FIELD", field), "NAME", name)
		}
	}
	return out
}

// sendEverywhere is sendMasked for a tenant, with what else becomes labels: routes, and exemplars.
func sendEverywhere(t *testing.T, g *guarded, tenant string, now time.Time) {
	t.Helper()
	attr := func(k, v string) string { return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, k, v) }
	span := func(i int, name string, attrs ...string) string {
		return fmt.Sprintf(`{"traceId":%q,"spanId":"010203040506070%d","name":%q,"kind":2,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","status":{"code":2},"attributes":[%s]}`,
			zebraTrace, i, name, now.Add(-time.Second).UnixNano(), now.UnixNano(), strings.Join(attrs, ","))
	}
	spans := []string{
		span(1, "a", attr("http.route", "/card/4111111111111111")), span(2, "b", attr("rpc.method", "pay"), attr("rpc.service", "of ann@example.com")),
		span(3, "c", attr("messaging.destination.name", "queue 10.1.2.3")), span(4, strings.Repeat("x", 190)+" 4111111111111111"), span(5, "plain", attr("note", "plain")),
	}
	for path, body := range map[string]string{
		"/v1/traces":  fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[%s,%s]},"scopeSpans":[{"spans":[%s]}]}]}`, attr("service.name", "edge"), attr("service.namespace", "pay"), strings.Join(spans, ",")),
		"/v1/metrics": strings.ReplaceAll(withExemplar("zebra", now), `"traceId"`, fmt.Sprintf(`"filteredAttributes":[%s,%s],"traceId"`, attr("user.email", "ann@example.com"), attr("note", "by 10.1.2.3"))),
	} {
		if got := g.ask(t, "POST", path, body, "Cookie", g.cookie, "X-Scope-OrgID", tenant); got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, got.status, got.text)
		}
	}
}

// questions are how an endpoint is asked for all that it can tell of: each of these fills every parameter that it has.
func questions(now time.Time) []map[string]string {
	base := map[string]string{
		"start": fmt.Sprint(now.Add(-time.Hour).Unix()), "end": fmt.Sprint(now.Add(time.Hour).Unix()), "step": "60", "limit": "100", "query": `{__name__=~".+"}`, "match[]": `{__name__=~".+"}`,
		"service": "edge", "operation": "a", "lookback": "1h", "period": "", "field": "message", "q": "", "schedule": "x", "alert": "Spans", "labels": "alertname=Spans,service=edge,severity=critical",
		"query.service_name": "edge", "query.start_time_min": now.Add(-time.Hour).Format(time.RFC3339), "query.start_time_max": now.Add(time.Hour).Format(time.RFC3339),
	}
	var out []map[string]string
	for _, more := range []map[string]string{
		{},
		{"field": "name"},
		{"field": "note"},
		{"field": "status_message"},
		{"field": "http.route", "service": ""},
		{"q": "pay OR paid", "order": "oldest"},
		{"q": "note:*", "query": "zebra"},
		{"query": "sum by (route, what) ({__name__=~\".+\"})", "start": "", "end": ""},
		{"query": "label_replace(ALERTS, \"x\", \"$1\", \"route\", \"(.*)\")", "field": "note", "start": "now-1h", "end": "now"},
		{"start": "", "end": "", "period": "last-28d", "audience": "internal", "limit": ""},                       // of reports
		{"start": fmt.Sprint(now.Add(-time.Hour).UnixMicro()), "end": fmt.Sprint(now.Add(time.Hour).UnixMicro())}, // Jaeger's
	} {
		one := maps.Clone(base)
		maps.Copy(one, more)
		maps.DeleteFunc(one, func(_, v string) bool { return v == "" })
		out = append(out, one)
	}
	return out
}

// askedMore begin the paths that are asked in more ways than one beside those of the published description.
func askedMore() []string {
	return []string{"/api/v1/query", "/api/v1/series", "/api/v1/label", "/federate", "/jaeger/"}
}

// inPath are what may stand in a path for each of its names.
func inPath() map[string][]string {
	return map[string][]string{
		"{id}": {teamTrace, "DECISION", "INCIDENT", "PAGE"}, "{name}": {"edge", "route", "what", "by-note", "by-name", "__name__"}, "{alert}": {"Spans"}, "{traceID}": {teamTrace}, "{trace_id}": {teamTrace},
		"{service}": {"edge"}, "{label}": {"route", "what", "user_email", "note"},
	}
}

// pathsBelow are the paths of endpoints that are one for many.
func pathsBelow(pattern string) []string {
	switch pattern {
	case "/jaeger/api/":
		return []string{
			pattern + "services", pattern + "services/edge/operations", pattern + "operations", pattern + "dependencies", pattern + "traces", pattern + "traces/" + teamTrace, pattern + "traces/" + zebraTrace,
			pattern + "v3/traces", pattern + "v3/traces/" + teamTrace, pattern + "v3/services", pattern + "v3/operations",
		}
	case "/api/v1/search/":
		return []string{pattern + "metric_names", pattern + "label_names", pattern + "label_values"}
	}
	return []string{pattern}
}

// unanswered says why an endpoint has nothing to answer here.
func unanswered(pattern string) string {
	switch pattern {
	case "/api/v2/silence/{id}", "/sb/v1/backtest/{id}", "/api/v1/targets/relabel_steps", "/api/v1/scrape_pools/config":
		return "there is none"
	case "/sb/v1/oncall/overrides", "/sb/v1/oncall/schedules/{name}/shifts", "/sb/v1/oncall/coverage", "/sb/v1/oncall/fairness", "/sb/v1/oncall/calendar.ics", "/sb/v1/oncall/drills/{id}", "/sb/v1/oncall/swaps", "/sb/v1/heartbeats":
		return "there is no schedule and no drill, and none holds telemetry"
	case "/sb/v1/runbooks/{name}", "/sb/v1/remediation/runs/{id}", "/sb/v1/status-pages/pages/{name}":
		return "there is none, and none holds telemetry"
	case "/sb/v1/hooks/", "/auth/page":
		return "it takes, and answers nothing"
	case "/api/v1/search/":
		return "it needs a feature that is off; it tells labels of series, as /api/v1/series does"
	}
	return ""
}

// paths are those of a pattern with something that is there in place of each name.
func paths(pattern string, made *strings.Replacer) []string {
	out := pathsBelow(pattern)
	for wildcard.MatchString(out[0]) {
		name := wildcard.FindString(out[0])
		values := inPath()[name]
		if values == nil {
			values = []string{"edge", teamTrace}
		}
		var next []string
		for _, p := range out {
			for _, v := range values {
				next = append(next, strings.Replace(p, name, made.Replace(v), 1))
			}
		}
		out = next
	}
	return out
}

// leaks are the masked texts in one, and parts of a number that was cut.
func leaks(text string) (out []string) {
	for _, secret := range append(maskedTexts(), "411111111") {
		if strings.Contains(text, secret) {
			out = append(out, secret)
		}
	}
	return out
}

// sqlShowsNothing asks for masked values by what is selected, filtered, sorted and counted, by errors that quote values, and by what plans and
// statistics tell.
func sqlShowsNothing(t *testing.T, g *guarded, blind []string) {
	t.Helper()
	ask := func(q string) reply {
		return g.ask(t, "POST", "/sb/v1/sql", fmt.Sprintf(`{"query":%q}`, q), append(slices.Clone(blind), "default")...)
	}
	errors := 0
	for _, q := range []string{
		"SELECT * FROM logs", "SELECT message::INTEGER FROM logs", `SELECT "attr.note"::DATE FROM logs`, `SELECT ("attr.user.id")::DOUBLE FROM logs`, "SELECT error(message) FROM logs", "SELECT (attributes->>'note')::TIMESTAMP FROM logs",
		"SELECT json_extract(message, '$.a') FROM logs", "SELECT (resource->>'owner.user.email')::UUID FROM logs", "SELECT strptime(message, '%Y') FROM logs", "SELECT message::STRUCT(a INTEGER) FROM logs", "SELECT max(message), min(message), mode(message) FROM logs",
		"SUMMARIZE SELECT * FROM logs", "EXPLAIN ANALYZE SELECT * FROM logs WHERE message > 'a'", "SELECT histogram(message) FROM logs", "SELECT approx_top_k(message, 5) FROM logs", "SELECT string_agg(message, ' ' ORDER BY message) FROM logs", "SELECT list(logs) FROM logs",
		`SELECT regexp_extract(message, '(\d+)') FROM logs`, "SELECT regexp_replace(message, '(.)', '\\1-') FROM logs WHERE message ~ '41+'", "SELECT to_base64(message::BLOB) FROM logs WHERE message LIKE '%4111%'",
	} {
		got := ask(q)
		if found := leaks(got.text); found != nil {
			t.Errorf("%s shows %v: %s", q, found, got.text)
		}
		if got.status != http.StatusOK {
			errors++
		}
	}
	for _, where := range []string{
		"name LIKE '%4111%'", "name ~ '.*41{8}.*'", "contains(name, 'ann@')", `"attr.user.id" LIKE 'user-4%'`, "attributes->>'note' LIKE '%10.1.%'", "attributes::VARCHAR LIKE '%4111111%'", "resource::VARCHAR LIKE '%ann@%'",
		`"attr.user.email" BETWEEN 'ann' AND 'anz'`, "md5(name) = md5('paid by ann@example.com with 4111111111111111, account 77008877')", "name = 'pay 4111111111111111'",
	} {
		if got := ask("SELECT count(*) AS n FROM spans WHERE " + where); got.status == http.StatusOK && !strings.Contains(got.text, "[[0]]") {
			t.Errorf("%s counts what is masked: %s", where, got.text)
		}
	}
	if got := ask("SELECT count(*) AS n FROM spans WHERE name LIKE '%[masked: cards%'"); !strings.Contains(got.text, "[[2]]") {
		t.Errorf("what is shown is not counted: %s", got.text)
	}
	if errors < 5 {
		t.Errorf("only %d errors that could quote a value", errors)
	}
}

// Every endpoint that is read, of one tenant and of several together, is asked for all that it can tell by who may everything but see what is
// masked. None tells it; and those that show it to others are known, so that the test cannot ask past them.
func TestNoEndpointShowsWhatIsMasked(t *testing.T) {
	g := startGuarded(t, maskedFiles(t))
	now := time.Now()
	for _, tenant := range []string{"default", "acme"} {
		sendMasked(t, g, now, "X-Scope-OrgID", tenant)
		sendEverywhere(t, g, tenant, now)
	}
	token := func(role string) []string {
		return []string{"Authorization", g.boundTo(t, role, "*"), "X-Scope-OrgID"}
	}
	blind, seeing := token("blind"), token("seer")
	ask := func(who []string, tenant, path string) reply {
		return g.ask(t, "GET", path, "", append(slices.Clone(who), tenant)...)
	}
	files(t, g.dir, groupedSLOs())
	until(t, "spans can be counted", func() bool {
		return strings.Contains(ask(blind, "acme", "/sb/v1/traces/values?field=note&q=service:edge").text, "plain") && strings.Contains(ask(blind, "default", "/sb/v1/traces/values?field=note&q=service:edge").text, "plain")
	})
	if got := g.ask(t, "POST", "/-/reload", "", "Cookie", g.cookie); got.status != http.StatusOK {
		t.Fatal(got.text)
	}
	if got := ask(seeing, "default", "/sb/v1/status").text; !strings.Contains(got, `the SLO by-mail has groups by user.email, which the rule addresses masks`) {
		t.Errorf("nothing says why there are no groups: %s", got)
	}
	for _, tenant := range []string{"default", "acme"} {
		until(t, "alerts and groups are made of the spans", func() bool {
			return strings.Contains(ask(blind, tenant, "/sb/v1/pages").text, "route") && strings.Contains(ask(blind, tenant, "/sb/v1/slos/by-note").text, `"note":"plain"`)
		})
	}
	asked := g.ask(t, "POST", "/sb/v1/gate", `{"service":"edge","environment":"prod","version":"1"}`, append(slices.Clone(blind), "default")...)
	var decision, incident, page string
	idIn("id", &decision)(asked.text)
	idIn("id", &page)(ask(blind, "default", "/sb/v1/pages").text)
	until(t, "a page is an incident", func() bool {
		idIn("id", &incident)(ask(blind, "default", "/sb/v1/incidents").text)
		return incident != ""
	})
	made := strings.NewReplacer("DECISION", decision, "INCIDENT", incident, "PAGE", page)

	params, shown, once, answered := described(t), map[string]bool{}, map[string]bool{}, map[string]bool{}
	g.everyEndpoint(t, func(method, pattern string) {
		if method != http.MethodGet || strings.HasPrefix(pattern, "/debug/") {
			return
		}
		asked := questions(now)
		if _, isOurs := params["GET "+pattern]; !isOurs && !slices.ContainsFunc(askedMore(), func(begin string) bool { return strings.HasPrefix(pattern, begin) }) {
			asked = asked[:1]
		}
		for _, q := range asked {
			given := url.Values{}
			known, isOurs := params["GET "+pattern]
			for name, value := range q {
				if !isOurs || slices.Contains(known, name) {
					given.Set(name, value)
				}
			}
			for _, path := range paths(pattern, made) {
				for _, tenant := range []string{"default", "default|acme"} {
					where := path + "?" + given.Encode()
					if once[tenant+where] {
						continue
					}
					once[tenant+where] = true
					got := ask(blind, tenant, where)
					answered[pattern] = answered[pattern] || got.status == http.StatusOK
					if found := leaks(got.text); found != nil {
						t.Errorf("%s of %s shows %v: %.2000s", where, tenant, found, got.text)
						return
					}
					key := pattern
					if strings.Contains(tenant, "|") {
						key = "across " + pattern
					}
					shown[key] = shown[key] || got.status == http.StatusOK && leaks(ask(seeing, tenant, where).text) != nil
				}
			}
		}
	})
	if len(once) < 1000 {
		t.Errorf("only %d questions", len(once))
	}
	for pattern, ok := range answered {
		if !ok && unanswered(pattern) == "" {
			t.Errorf("%s answers nothing that is asked here: say how it is asked, or why not", pattern)
		}
	}
	maps.DeleteFunc(shown, func(_ string, some bool) bool { return !some })
	for _, pattern := range []string{
		"/sb/v1/logs", "/sb/v1/logs/values", "/sb/v1/logs/histogram", "/sb/v1/traces", "/sb/v1/traces/{id}", "/sb/v1/traces/values", "/sb/v1/traces/histogram", "/api/v1/query_exemplars",
		"across /sb/v1/logs", "across /sb/v1/traces/{id}", "across /api/v1/query_exemplars",
	} {
		if !shown[pattern] {
			t.Errorf("%s shows nothing to those who may see it: it is not asked rightly", pattern)
		}
	}
	t.Logf("%d questions; those who may see values see some in %v", len(once), slices.Sorted(maps.Keys(shown)))
	// Last, since queries stand in the audit log as they were typed.
	t.Run("SQL", func(t *testing.T) { sqlShowsNothing(t, g, blind) })
}
