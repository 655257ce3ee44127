package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// filled has something in the lists that tests look at.
func filled() *rooms {
	res := &model.Resource{Tenant: "default", Service: "edge"}
	return &rooms{
		logs: []model.LogRecord{
			{Time: now.UnixNano(), Level: model.LevelError, Message: "one", Resource: res},
			{Time: now.UnixNano() + 1, Message: "two", Resource: res},
		},
		spans: []model.Span{
			{TraceID: model.TraceID{1}, SpanID: model.SpanID{1}, Name: "GET /", Start: 1_000_000_000, Duration: 5000, Resource: res},
			{TraceID: model.TraceID{1}, SpanID: model.SpanID{2}, ParentID: model.SpanID{1}, Name: "read", Start: 1_000_001_000, Duration: 9000, Status: model.StatusError, Resource: &model.Resource{Service: "file-server"}},
			{TraceID: model.TraceID{1}, SpanID: model.SpanID{3}, ParentID: model.SpanID{1}, Name: "read", Start: 1_000_002_000, Duration: 1000, Resource: &model.Resource{Service: "file-server"}},
		},
		traces: []store.TraceSummary{
			{TraceID: model.TraceID{1}, RootService: "edge", RootName: "GET /", Start: 1_000_000_000, Duration: 10_000, Spans: 3, Errors: 1, Services: []store.ServiceCount{{Service: "edge", Spans: 1}}},
			{TraceID: model.TraceID{2}},
		},
	}
}

// took is what changes from run to run.
var took = regexp.MustCompile(`"took_ms":[0-9.e-]+`)

func TestEndpoints(t *testing.T) {
	const id1 = "01000000000000000000000000000000"
	cases := []struct {
		name, method, target, body string
		status                     int
		want                       string // the whole body, or a part between …
	}{
		{"status", "GET", "/sb/v1/status", "", 200, `{"version":"1.0","revision":"","started":"2026-11-21T12:00:00Z","uptime_seconds":0,"roles":[],"demo":false,"external_labels":{},"config":{"file":"a.yml","sha256":"5e","generation":2,"loaded_at":"2026-11-21T12:00:00Z","last_reload_at":"2026-11-21T12:00:00Z","in_force":{"slos":1},"last_reload_successful":true},"tenants":[],"channels":[],"problems":[]}`},
		{"SLOs, none", "GET", "/sb/v1/slos?service=edge", "", 200, `{"slos":[],"summary":"1 of 2 SLOs of edge is in danger.","time":"2026-11-21T12:00:00Z"}`},
		{"an SLO with a blank in its name", "GET", "/sb/v1/slos/edge%20availability", "", 200, `…"name":"edge availability"…`},
		{"an SLO's nested lists are never null", "GET", "/sb/v1/slos/edge%20availability", "", 200, `…"burn":[]…`},
		{"an unknown SLO", "GET", "/sb/v1/slos/nope", "", 404, `{"error":{"code":"not_found","message":"slo nope: not found"}}`},
		{"a budget's history", "GET", "/sb/v1/slos/x/history?start=now-24h&step=1h", "", 200, `{"name":"x","points":[]}`},
		{"too fine a history", "GET", "/sb/v1/slos/x/history?start=now-24h&step=1s", "", 400, `…gives 86400 points, more than 5000…`},
		{"a backtest of what is in force", "POST", "/sb/v1/backtest", `{}`, 202, `…"id":"b1","state":"running","progress":0…`},
		{"the files that a backtest may begin with", "GET", "/sb/v1/backtest/documents", "", 200, `…"name":"slos/edge.yaml"…`},
		{"its result", "GET", "/sb/v1/backtest/b1", "", 200, `{"id":"b1","state":"done","progress":1…`},
		{"a backtest that is ended", "DELETE", "/sb/v1/backtest/b1", "", 200, `…"state":"cancelled"…`},
		{"a backtest that nobody knows", "GET", "/sb/v1/backtest/b2", "", 404, `…not_found…`},
		{"a backtest by a step that is none", "POST", "/sb/v1/backtest", `{"step":"often"}`, 400, `…is not a duration such as 1m…`},
		{"a backtest the wrong way round", "POST", "/sb/v1/backtest", `{"start":"now","end":"now-1d"}`, 400, `…must be before end…`},
		{"log records", "GET", "/sb/v1/logs?limit=1", "", 200, `…"message":"one"}],"truncated":true,"took_ms":0}`},
		{"all log records", "GET", "/sb/v1/logs?limit=2", "", 200, `…"truncated":false…`},
		{"too many log records", "GET", "/sb/v1/logs?limit=10001", "", 400, `{"error":{"code":"bad_request","message":"query.limit: expected number <= 10000","details":[{"message":"expected number <= 10000","location":"query.limit","value":10001}]}}`},
		{"a limit that is no number", "GET", "/sb/v1/logs?limit=many", "", 400, `…query.limit: invalid integer…`},
		{"an unknown order", "GET", "/sb/v1/logs?order=random", "", 400, `…query.order…`},
		{"a filter with an error", "GET", "/sb/v1/logs?q=ab+)", "", 400, `{"error":{"code":"bad_filter","message":"filter, position 3: unexpected )","details":{"position":3,"hint":"quote it"}}}`},
		{"a time that is none", "GET", "/sb/v1/logs?start=yesterday", "", 400, `{"error":{"code":"bad_request","message":"start: \"yesterday\" is not a time: use RFC 3339, Unix s, ms or ns, now, or now-1h"}}`},
		{"times the wrong way round", "GET", "/sb/v1/logs?start=now&end=now-1h", "", 400, `…start (2026-11-21T12:00:00Z) must be before end (2026-11-21T11:00:00Z)…`},
		{"a histogram of logs", "GET", "/sb/v1/logs/histogram", "", 200, `{"start":"2026-11-21T12:00:00Z","step_seconds":60,"series":[{"value":"error","counts":[1,2]}],"took_ms":0}`},
		{"fields of logs, none", "GET", "/sb/v1/logs/fields", "", 200, `{"fields":[]}`},
		{"values of a field", "GET", "/sb/v1/logs/values?field=service", "", 200, `{"values":[{"value":"edge","count":3}]}`},
		{"values of no field", "GET", "/sb/v1/logs/values", "", 400, `…query.field: required query parameter is missing…`},
		{"traces", "GET", "/sb/v1/traces?limit=1", "", 200, `{"traces":[{"trace_id":"` + id1 + `","root_service":"edge","root_name":"GET /","start":"1970-01-01T00:00:01Z","start_unix_nano":"1000000000","duration_ns":10000,"spans":3,"errors":1,"services":[{"service":"edge","spans":1,"errors":0}]}],"truncated":true,"took_ms":0}`},
		{"too many traces", "GET", "/sb/v1/traces?limit=1001", "", 400, `…expected number <= 1000…`},
		{"a trace", "GET", "/sb/v1/traces/" + id1, "", 200, `{"trace_id":"` + id1 + `","start":"1970-01-01T00:00:01Z","duration_ns":10000,"summary":"3 spans.","services":[{"service":"file-server","spans":2,"errors":1},{"service":"edge","spans":1,"errors":0}],"spans":[…`},
		{"a trace by a short id", "GET", "/sb/v1/traces/1", "", 200, `{"trace_id":"00000000000000000000000000000001"…`},
		{"a trace by no id", "GET", "/sb/v1/traces/xyz", "", 400, `…is not a hex digit…`},
		{"a trace by an id of zeros", "GET", "/sb/v1/traces/0", "", 400, `…all zeros…`},
		{"a histogram of spans, empty", "GET", "/sb/v1/traces/histogram?step=5m", "", 200, `…"step_seconds":300,"series":[]…`},
		{"fields of spans", "GET", "/sb/v1/traces/fields", "", 200, `{"fields":["service"]}`},
		{"values of spans, none", "GET", "/sb/v1/traces/values?field=x", "", 200, `{"values":[]}`},
		{"services", "GET", "/sb/v1/services", "", 200, `{"services":[{"service":"edge","rate":null,"error_ratio":null,"p95_seconds":null,"slo_state":"ok","versions":[],"last_deploy":null}]}`},
		{"a service without data", "GET", "/sb/v1/services/edge", "", 200, `{"service":"edge","summary":"","rate":null,"error_ratio":null,"p50_seconds":null,"p95_seconds":null,"p99_seconds":null,"versions":[],"routes":[],"regions":[],"depends_on":[],"used_by":[],"slos":[],"deploys":[],"queries":{"rate":"","errors":"","p50":"","p95":"","p99":"","saturation":""}}`},
		{"topology, empty", "GET", "/sb/v1/topology", "", 200, `{"edges":[]}`},
		{"sql", "POST", "/sb/v1/sql", `{"query":"SELECT 1"}`, 200, `{"columns":[{"name":"a","type":"BIGINT"}],"rows":[[9007199254740993],[null]],"truncated":false,"took_ms":0}`},
		{"sql with an error", "POST", "/sb/v1/sql", `{"query":"ab )"}`, 400, `{"error":{"code":"bad_sql","message":"filter, position 3: unexpected )","details":{"position":3,"hint":"quote it"}}}`},
		{"sql without a query", "POST", "/sb/v1/sql", `{}`, 400, `…expected required property query to be present…`},
		{"sql with too large a limit", "POST", "/sb/v1/sql", `{"query":"SELECT 1","limit":100001}`, 400, `…body.limit: expected number <= 100000…`},
		{"sql with an unknown property", "POST", "/sb/v1/sql", `{"query":"SELECT 1","lmit":1}`, 400, `…unexpected property…`},
		{"sql that is no JSON", "POST", "/sb/v1/sql", `SELECT 1`, 400, `{"error":{"code":"bad_request"…`},
		{"the tables of sql", "GET", "/sb/v1/sql/schema", "", 200, `{"tables":[{"name":"logs","columns":[]}]}`},
		{"deployments, none", "GET", "/sb/v1/deploys", "", 200, `{"deploys":[]}`},
		{"a deployment marker", "POST", "/sb/v1/deploys", `{"service":"edge","version":"2.4.1"}`, 201, `{"id":"d1","time":"2026-11-21T12:00:00Z","service":"edge","version":"2.4.1","kind":"deploy","status":"succeeded"}`},
		{"a deployment whose link is a script", "POST", "/sb/v1/deploys", `{"service":"edge","version":"2","link":"java\tscript:alert(1)"}`, 400, `…body.link: must be a whole address…`},
		{"a deployment without a version", "POST", "/sb/v1/deploys", `{"service":"edge"}`, 400, `…expected required property version to be present…`},
		{"a deployment of an unknown kind", "POST", "/sb/v1/deploys", `{"service":"edge","version":"1","kind":"magic"}`, 400, `…body.kind…`},
		{"a verdict", "POST", "/sb/v1/gate", `{"service":"edge","version":"2.4.2"}`, 200, `{"id":"g1","time":"2026-11-21T12:00:00Z","request":{"service":"edge","version":"2.4.2"},"verdict":"block","summary":"Blocked.","reasons":[],"evidence":[]}`},
		{"a verdict on no service", "POST", "/sb/v1/gate", `{"service":""}`, 400, `…expected length >= 1…`},
		{"verdicts", "GET", "/sb/v1/gate/decisions?verdict=block", "", 200, `…"next":"g2"}`},
		{"verdicts of an unknown kind", "GET", "/sb/v1/gate/decisions?verdict=maybe", "", 400, `…query.verdict…`},
		{"one verdict", "GET", "/sb/v1/gate/decisions/g1", "", 200, `{"id":"g1"…`},
		{"an override", "POST", "/sb/v1/gate/decisions/g1/override", `{"actor":"alice","reason":"the release mends the outage"}`, 200, `…"actor":"alice","reason":"the release mends the outage"…`},
		{"an override without a reason", "POST", "/sb/v1/gate/decisions/g1/override", `{"actor":"alice"}`, 400, `…reason…`},
		{"a replay", "POST", "/sb/v1/gate/decisions/g1/replay", "", 200, `{"decision_id":"g1"…`},
		{"the gate's key", "GET", "/sb/v1/gate/key", "", 200, `{"algorithm":"ed25519","key_id":"k1"…`},
		{"budget policies", "GET", "/sb/v1/gate/policies", "", 200, `…"burn_fast":{"long":"1h","short":"5m","factor":14}…`},
		{"a comparison of versions", "POST", "/sb/v1/gate/canary", `{"service":"edge","baseline":"1","canary":"2"}`, 200, `…"verdict":"insufficient"…`},
		{"an unknown verdict", "GET", "/sb/v1/gate/decisions/g9", "", 404, `…gate decision g9: not found…`},
		{"pages, none", "GET", "/sb/v1/pages?status=firing", "", 200, `{"pages":[],"summary":"0 pages."}`},
		{"an acknowledgement", "POST", "/sb/v1/pages/p1/ack", `{"by":" ann "}`, 200, `…"acked_by":"ann"…`},
		{"an acknowledgement by nobody", "POST", "/sb/v1/pages/p1/ack", `{"by":"  "}`, 400, `…body.by: must name who acknowledges…`},
		{"an acknowledgement of nothing", "POST", "/sb/v1/pages/p9/ack", `{"by":"ann"}`, 404, `…page p9: not found…`},
		{"an explanation", "GET", "/sb/v1/explain/SLOBurnRateFast", "", 200, `{"alert":"SLOBurnRateFast","state":"","summary":"","labels":{},"severity":"","query":"","value":null,"threshold":null,"active_since":null,"timeline":[],"pages":[],"silenced_by":[],"inhibited_by":[]}`},
		{"causes while nothing fails", "GET", "/sb/v1/causes", "", 200, `{"causes":[],"summary":""}`},
		{"an explanation of nothing", "GET", "/sb/v1/explain/nobody", "", 404, `…not_found…`},
		{"audit, shipped", "GET", "/sb/v1/audit/targets", "", 200, `{"targets":[{"name":"siem","kind":"syslog","address":"tls://siem:6514","shipped":6,"waiting":1,"lag_seconds":0.5,"sent":0,"failures":0,"refused":0,"missed":0}]}`},
		{"audit, verified", "GET", "/sb/v1/audit/verify", "", 200, `{"intact":false,"entries":6,"first_bad":7,"fault":"audit entry 7 is missing"}`},
		{"audit, none", "GET", "/sb/v1/audit", "", 200, `{"entries":[]}`},
		{"the ledger", "GET", "/sb/v1/ledger", "", 200, `{"signals":[{"signal":"logs","received":3,"stored":2,"refused":[{"reason":"too_old","count":1}],"balanced":true},{"signal":"spans","received":0,"stored":0,"refused":[],"balanced":false}]}`},
		{"nothing", "GET", "/sb/v1/nothing", "", 404, `{"error":{"code":"not_found","message":"no such endpoint; see /sb/v1/openapi.json"}}`},
		{"the wrong method", "DELETE", "/sb/v1/slos", "", 405, `{"error":{"code":"method_not_allowed","message":"DELETE is not allowed here; use GET, HEAD"}}`},
		{"GET where POST is meant", "GET", "/sb/v1/gate", "", 405, `…GET is not allowed here; use POST…`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			rec := do(newAPI(t, filled()), tc.method, tc.target, tc.body)
			body := took.ReplaceAllString(strings.TrimSpace(rec.Body.String()), `"took_ms":0`)
			if rec.Code != tc.status {
				t.Errorf("status %d, want %d", rec.Code, tc.status)
			}
			if ct := rec.Header().Get("Content-Type"); ct != "application/json" {
				t.Errorf("Content-Type %q", ct)
			}
			if !matches(body, tc.want) {
				t.Errorf("body\n%s\nwant\n%s", body, tc.want)
			}
		})
	}
}

// matches compares a body with a text in which … at an end stands for anything.
func matches(body, want string) bool {
	open, end := strings.HasPrefix(want, "…"), strings.HasSuffix(want, "…")
	part := strings.TrimSuffix(strings.TrimPrefix(want, "…"), "…")
	switch {
	case open && end:
		return strings.Contains(body, part)
	case open:
		return strings.HasSuffix(body, part)
	case end:
		return strings.HasPrefix(body, part)
	}
	return body == want
}

func TestEveryOperationIsAnsweredWithoutItsRoom(t *testing.T) {
	a, err := New(DefaultConfig(), Deps{})
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{
		"/sb/v1/slos/{name}/corrections": `{"author":"a","reason":"b","start":"2026-11-21T10:00:00Z","end":"2026-11-21T11:00:00Z"}`,
		"/sb/v1/sql":                     `{"query":"x"}`, "/sb/v1/deploys": `{"service":"a","version":"b"}`, "/sb/v1/gate": `{"service":"a"}`, "/sb/v1/gate/canary": `{"service":"a","baseline":"1","canary":"2"}`,
		"/sb/v1/gate/decisions/{id}/override": `{"actor":"a","reason":"b"}`, "/sb/v1/pages/{id}/ack": `{"by":"a"}`, "/sb/v1/backtest": `{}`, "/sb/v1/identifiers": `{"value":"a"}`,
		"/sb/v1/login": `{"name":"a","password":"b"}`, "/sb/v1/first-admin": `{"link":"a","name":"b","password":"c"}`, "/sb/v1/password": `{"link":"a","password":"b"}`,
		"/sb/v1/me/password": `{"old":"a","password":"b"}`, "/sb/v1/recover": `{"proof":"a","name":"b"}`, "/sb/v1/users": `{"name":"a"}`,
		"/sb/v1/oncall/drills": `{}`, "/sb/v1/oncall/drills/{id}/ack": `{"by":"a"}`, "/sb/v1/oncall/contacts/verify": `{"person":"a","contact":"b"}`,
		"/sb/v1/oncall/overrides": `{"overrides":[{"schedule":"a","person":"b","start":"2026-11-21T10:00:00Z","end":"2026-11-21T11:00:00Z"}]}`,
		"/sb/v1/incidents":        `{"title":"a"}`, "/sb/v1/incidents/{id}/notes": `{"text":"a"}`, "/sb/v1/incidents/{id}/actions": `{"text":"a"}`, "/sb/v1/incidents/{id}/status": `{"status":"open"}`,
		"/sb/v1/incidents/{id}/look": `{}`, "/sb/v1/incidents/{id}/merge": `{"into":"a"}`, "/sb/v1/incidents/{id}/postmortem": `{"written":{}}`, "/sb/v1/incidents/{id}/split": `{"pages":["a"],"title":"b"}`,
		"/sb/v1/tokens": `{"name":"a","grants":[{"role":"viewer"}]}`, "/sb/v1/tokens/{id}/rotate": `{}`, "/sb/v1/admin/tokens/{id}/rotate": `{}`,
		"/sb/v1/oncall/swaps": `{"schedule":"a","from":"b","start":"2026-11-21T10:00:00Z"}`, "/sb/v1/oncall/swaps/{id}/answer": `{"answer":"accept"}`,
		"/sb/v1/channels/{kind}/test": `{"address":"a"}`, "/sb/v1/status-pages/posts": `{"pages":["a"],"title":"b","text":"c"}`, "/sb/v1/status-pages/preview": `{"pages":["a"],"title":"b","text":"c"}`,
		"/sb/v1/status-pages/posts/{id}/updates": `{"text":"a"}`,
		"/sb/v1/remediation/start":               `{}`, "/sb/v1/remediation/stop": `{"reason":"a"}`, "/sb/v1/remediation/alerts": `{"version":"4","alerts":[]}`, "/sb/v1/remediation/remedies/{name}/run": `{}`,
		"/sb/v1/remediation/runs/{id}/approve": `{}`, "/sb/v1/remediation/runs/{id}/refuse": `{"reason":"a"}`,
	}
	always := []string{"/sb/v1/me", "/sb/v1/login-methods", "/sb/v1/audit/review"} // also where authentication is off
	n := 0
	for path, item := range a.huma.OpenAPI().Paths {
		if slices.Contains(always, path) {
			continue
		}
		method, body := http.MethodGet, ""
		if item.Post != nil {
			method, body = http.MethodPost, bodies[path]
		} else if item.Delete != nil {
			method = http.MethodDelete
		}
		target := strings.NewReplacer("{id}", "1", "{name}", "x", "{alert}", "x").Replace(path) + "?field=x"
		rec := do(a, method, target, body)
		var e operation.ErrorBody
		if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil || rec.Code != http.StatusNotFound || !strings.Contains(e.Error.Message, "not served by this process") {
			t.Errorf("%s %s: %d %s", method, target, rec.Code, rec.Body)
		}
		n++
	}
	if n < 25 {
		t.Errorf("only %d paths are described", n)
	}
}

func TestWhatRoomsAreAsked(t *testing.T) {
	f := filled()
	a := newAPI(t, f)
	hourAgo := now.Add(-time.Hour)

	get(a, "/sb/v1/logs?q=boom&order=oldest&limit=5", model.TenantHeader, "acme")
	q := f.logQuery
	if q.Tenant != "acme" || q.Range != store.RangeOf(hourAgo, now) || !q.Oldest || q.Limit != 6 || q.Expr == nil {
		t.Errorf("logs: %+v", q)
	}
	if !f.deadline {
		t.Error("a query has no time limit")
	}
	get(a, "/sb/v1/logs/histogram?start=now-2d&field=service&q=boom")
	if f.step != time.Hour || f.field != "service" || f.logQuery.Expr == nil || f.logQuery.Tenant != model.DefaultTenant {
		t.Errorf("histogram: step %s, field %q, %+v", f.step, f.field, f.logQuery)
	}
	get(a, "/sb/v1/traces?order=slowest&start=1763718000&end=1763721600000")
	if !f.traceQuery.Slowest || f.traceQuery.Limit != 21 || f.traceQuery.Range != store.RangeOf(time.Unix(1763718000, 0), time.Unix(1763721600, 0)) {
		t.Errorf("traces: %+v", f.traceQuery)
	}
	get(a, "/sb/v1/traces/01?start=now-5m")
	if f.traceQuery.Range != store.RangeOf(now.Add(-5*time.Minute), now) {
		t.Errorf("trace: %+v", f.traceQuery)
	}
	get(a, "/sb/v1/traces/01")
	if f.traceQuery.Range != (store.Range{}) {
		t.Errorf("trace without a range: %+v", f.traceQuery)
	}
	get(a, "/sb/v1/topology?start=now-5m")
	if !f.start.Equal(now.Add(-5*time.Minute)) || !f.end.Equal(now) {
		t.Errorf("topology: %s to %s", f.start, f.end)
	}
	do(a, "POST", "/sb/v1/sql", `{"query":"SELECT 1"}`, model.TenantHeader, "acme")
	if f.sqlTenant != "acme" || f.sqlLimit != 1000 {
		t.Errorf("sql: tenant %q, limit %d", f.sqlTenant, f.sqlLimit)
	}
	get(a, "/sb/v1/deploys?service=edge&environment=prod&limit=7")
	if d := f.deployQuery; d.Service != "edge" || d.Environment != "prod" || d.Limit != 7 || !d.Start.Equal(now.Add(-7*24*time.Hour)) || !d.End.Equal(now) {
		t.Errorf("deploys: %+v", d)
	}
	get(a, "/sb/v1/gate/decisions?service=edge&verdict=hold&limit=3&before=g9")
	if d := f.decisionQuery; d != (store.DecisionQuery{Service: "edge", Verdict: model.VerdictHold, Limit: 3, Before: "g9"}) {
		t.Errorf("decisions: %+v", d)
	}
	get(a, "/sb/v1/pages?status=resolved&limit=3")
	if f.pageQuery != (store.PageQuery{Status: "resolved", Limit: 3}) {
		t.Errorf("pages: %+v", f.pageQuery)
	}
	get(a, "/sb/v1/audit?actor=ann&action=page.ack")
	if q := f.auditQuery; q.Actor != "ann" || q.Action != "page.ack" || !q.Start.Equal(now.Add(-7*24*time.Hour)) || q.Limit != 100 {
		t.Errorf("audit: %+v", q)
	}
}

func TestChangesAreAudited(t *testing.T) {
	f := filled()
	a := newAPI(t, f)
	do(a, "POST", "/sb/v1/deploys", `{"service":"edge","version":"2.4.1","actor":"ci"}`)
	do(a, "POST", "/sb/v1/pages/p1/ack", `{"by":"ann"}`)
	do(a, "POST", "/sb/v1/pages/p9/ack", `{"by":"ann"}`)
	if len(f.audited) != 2 || f.audited[0].Action != "deploy.mark" || f.audited[0].Actor != "ci" || f.audited[0].Subject != "edge" ||
		f.audited[1].Action != "page.ack" || f.audited[1].Actor != "ann" || f.audited[1].Subject != "p1" {
		t.Errorf("audited %+v", f.audited)
	}
}

// The structs that describe records and spans in the API's description must
// have the fields that are really written.
func TestDescribedRecordsAreTheWrittenOnes(t *testing.T) {
	attrs := model.Attrs{{Key: "a", Value: model.IntValue(1)}}
	res := &model.Resource{Tenant: "t", Service: "s", Namespace: "n", Env: "e", Region: "r", Version: "v", Instance: "i", Attrs: attrs}
	record := model.LogRecord{Time: 1, Level: model.LevelError, TraceID: model.TraceID{1}, SpanID: model.SpanID{1}, RequestID: "r", Message: "m", Attrs: attrs, Resource: res}
	span := model.Span{
		TraceID: model.TraceID{1}, SpanID: model.SpanID{1}, ParentID: model.SpanID{2}, Name: "n", Kind: model.SpanKindServer, Start: 1, Duration: 2, Status: model.StatusError, StatusMessage: "m", TraceState: "t",
		Scope: "s", Attrs: attrs, Events: []model.SpanEvent{{Time: 1, Name: "e", Attrs: attrs}}, Links: []model.SpanLink{{TraceID: model.TraceID{3}, SpanID: model.SpanID{4}, Attrs: attrs}}, Resource: res,
	}
	for _, tc := range []struct {
		written   any
		described any
	}{{record, &LogRecord{}}, {span, &Span{}}} {
		text, err := json.Marshal(tc.written)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(strings.NewReader(string(text)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(tc.described); err != nil {
			t.Errorf("%T: %v", tc.described, err)
			continue
		}
		again, err := json.Marshal(tc.described)
		if err != nil {
			t.Fatal(err)
		}
		if string(again) != string(text) {
			t.Errorf("%T: written %s, described %s", tc.described, text, again)
		}
	}
}

func TestABacktestIsOf28DaysByTheMinuteUnlessToldOtherwise(t *testing.T) {
	r := filled()
	do(newAPI(t, r), "POST", "/sb/v1/backtest", `{}`)
	if !r.start.Equal(now.Add(-28*24*time.Hour)) || !r.end.Equal(now) || r.step != time.Minute {
		t.Errorf("%s to %s by %s", r.start, r.end, r.step)
	}
	do(newAPI(t, r), "POST", "/sb/v1/backtest", `{"start":"now-2d","end":"now-1d","step":"5m"}`)
	if !r.start.Equal(now.Add(-48*time.Hour)) || !r.end.Equal(now.Add(-24*time.Hour)) || r.step != 5*time.Minute {
		t.Errorf("%s to %s by %s", r.start, r.end, r.step)
	}
}
