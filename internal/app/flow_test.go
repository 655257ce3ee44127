package app

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func logRequest(now time.Time, text string) string {
	return fmt.Sprintf(`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"edge"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","severityText":"ERROR","body":{"stringValue":%q}}]}]}]}`, now.UnixNano(), text)
}

func spanRequest(now time.Time, traceID string) string {
	return fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"edge"}}]},"scopeSpans":[{"spans":[{"traceId":%q,"spanId":"0102030405060708","name":"GET /","kind":2,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`,
		traceID, now.Add(-time.Second).UnixNano(), now.UnixNano())
}

func metricRequest(now time.Time) string {
	return fmt.Sprintf(`{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"edge"}}]},"scopeMetrics":[{"metrics":[{"name":"depth","gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":7}]}}]}]}]}`, now.UnixNano())
}

func TestWhatIsSentOnEitherPortCanBeAskedForAndOutlivesARestart(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	const trace = "0123456789abcdef0123456789abcdef"
	r := startIn(t, dir, nil)
	otlp := r.Addresses().OTLPHTTP
	for path, body := range map[string]string{
		otlp + "/v1/logs": logRequest(now, "connection reset by peer"), "/v1/traces": spanRequest(now, trace), "/api/v1/otlp/v1/metrics": metricRequest(now),
		"/v1/logs": logRequest(now, "another line"),
	} {
		if status, text := r.do(t, "POST", path, "application/json", body); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	check := func(r *running) {
		t.Helper()
		if !r.contains(t, "/sb/v1/logs?q=service:edge&start=now-1h", "connection reset by peer", "another line") {
			t.Error("a log line is missing")
		}
		if !r.contains(t, "/sb/v1/traces/"+trace, `"GET /"`) || !r.contains(t, "/jaeger/api/traces/"+trace, `"GET /"`) {
			t.Error("the trace is missing")
		}
		if got := r.query(t, `last_over_time(depth{job="edge"}[1h])`, "job"); got["edge"] != "7" {
			t.Errorf("the metric is %v", got)
		}
		status, text := r.post(t, "/sb/v1/sql", `{"query":"SELECT count(*) AS n FROM logs WHERE service = 'edge'"}`)
		if status != http.StatusOK || !strings.Contains(text, "2") {
			t.Errorf("SQL: %d %s", status, text)
		}
	}
	check(r)
	if !r.contains(t, "/sb/v1/ledger", `"logs"`) {
		t.Error("the ledger says nothing of logs")
	}
	r.stop()
	again := startIn(t, dir, map[string]string{"signalbox.yml": "query: {enable_admin_api: true}\n"})
	check(again)
	if status, text := again.do(t, "POST", "/api/v1/admin/tsdb/snapshot", "", ""); status != http.StatusOK {
		t.Errorf("snapshot: %d %s", status, text)
	}
	again.stop()
	checkFolders(t, filepath.Join(dir, "data"))
}

func TestAnAlertOfARuleIsDeliveredListedAndExplained(t *testing.T) {
	r := start(t, map[string]string{
		"signalbox.yml": "external_labels: {region: eu}\nrule_files: [r.yml]\n",
		"r.yml":         "groups: [{name: g, interval: 100ms, rules: [{alert: Always, expr: 'vector(3) > 2', labels: {severity: critical, service: edge}, annotations: {summary: It is always so.}}]}]\n",
	})
	until(t, "the page is in the inbox", func() bool { return r.contains(t, "/sb/v1/pages", "Always", "It is always so.") })
	for _, path := range []string{"/api/v1/alerts", "/api/v2/alerts", "/sb/v1/explain/Always"} {
		if !r.contains(t, path, "Always", "edge") {
			_, text := r.get(t, path)
			t.Errorf("%s: %s", path, text)
		}
	}
	if !r.contains(t, "/api/v2/alerts", `"region":"eu"`) {
		t.Error("the external label is missing")
	}
	type rows struct{ Rows [][]any }
	status, text := r.post(t, "/sb/v1/sql", `{"query":"SELECT state, value FROM alerts"}`)
	if got := into[rows](t, status, text).Rows; len(got) == 0 || !strings.Contains(text, "firing") {
		t.Errorf("SQL: %s", text)
	}
}

func TestADeploymentIsJudgedAndTheDecisionKept(t *testing.T) {
	dir := t.TempDir()
	r := startIn(t, dir, nil)
	if status, text := r.post(t, "/sb/v1/deploys", `{"service":"edge","environment":"prod","version":"2.0"}`); status/100 != 2 {
		t.Fatalf("%d %s", status, text)
	}
	type decision struct {
		ID, Verdict string
		Reasons     []any
	}
	status, text := r.post(t, "/sb/v1/gate", `{"service":"edge","environment":"prod","version":"2.1"}`)
	d := into[decision](t, status, text)
	// No SLO and no telemetry: no data is not good data.
	if d.ID == "" || d.Verdict == "allow" || d.Verdict == "" || len(d.Reasons) == 0 {
		t.Errorf("%+v", d)
	}
	r.stop()
	r = startIn(t, dir, nil)
	if !r.contains(t, "/sb/v1/gate/decisions/"+d.ID, d.Verdict) || !r.contains(t, "/sb/v1/deploys?start=now-1h", `"2.0"`) || !r.contains(t, "/sb/v1/audit?start=now-1h", "gate") {
		t.Error("the decision, the marker or the audit entry is gone after a restart")
	}
}

const availability = `
apiVersion: openslo/v1
kind: SLO
metadata: {name: edge-availability}
spec:
  service: edge
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  indicator:
    metadata: {name: edge-availability}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'requests_total{service="edge",code!="500"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'requests_total{service="edge"}'}}}
  objectives: [{target: 0.99}]
`

func TestAnSLOWithoutDataIsSaidToHaveNone(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "slo_files: [s.yml]\n", "s.yml": availability})
	until(t, "the SLO is judged", func() bool { return r.contains(t, "/sb/v1/slos/edge-availability", `"state":"insufficient"`) })
	if !r.contains(t, "/sb/v1/status", `"roles":["all"]`, `"version":"1.2.3-test"`) {
		_, text := r.get(t, "/sb/v1/status")
		t.Error(text)
	}
	files, docs := r.filesInForce(), "s.yml"
	if len(files.SLOs) != 1 || !strings.HasSuffix(files.SLOs[0].Path, docs) {
		t.Errorf("%+v", files)
	}
	for _, path := range []string{"/sb/v1/services", "/sb/v1/report?period=last-month", "/sb/v1/backtest/documents"} {
		if status, text := r.get(t, path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

func TestWeWatchOurselves(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "self_query: {interval: 1s, timeout: 1s}\nglobal: {scrape_interval: 1s}\n"})
	until(t, "our own metrics are scraped", func() bool { return r.query(t, `up{job="signalbox"}`, "service")["signalbox"] == "1" })
	until(t, "our own log lines are stored", func() bool { return r.contains(t, "/sb/v1/logs?q=service:signalbox&start=now-1h", "web is listening") })
	for _, signal := range []string{"metrics", "logs", "traces", "slos", "pages"} {
		until(t, "a synthetic query of "+signal, func() bool {
			return r.contains(t, "/metrics", `signal="`+signal+`"`)
		})
	}
	r.get(t, "/sb/v1/status")
	until(t, "our own spans are stored", func() bool { return r.contains(t, "/sb/v1/traces?q=service:signalbox&start=now-1h", `"GET /sb/v1/`) })
	if status, text := r.get(t, "/api/v1/status/flags"); status != 200 || !strings.Contains(text, r.Process.opts.StoragePath) {
		t.Errorf("%d %s", status, text)
	}
}

// The Alertmanager outside is another process of ours, by its API.
func TestAlertsAlsoReachAnAlertmanagerOutside(t *testing.T) {
	outside := start(t, nil)
	r := start(t, map[string]string{
		"signalbox.yml": "external_labels: {region: eu}\nrule_files: ['r/*.yml']\nalerting: {alertmanagers: [{static_configs: [{targets: ['" +
			strings.TrimPrefix(outside.Addresses().Web, "http://") + "']}]}]}\n",
	})
	until(t, "it is listed", func() bool { return r.contains(t, "/api/v1/alertmanagers", outside.Addresses().Web, r.Addresses().Web) })
	// What is raised before an Alertmanager is known reaches it when it is raised again, a minute later.
	files(t, r.dir, map[string]string{"r/a.yml": "groups: [{name: g, interval: 100ms, rules: [{alert: Always, expr: vector(1), labels: {severity: critical}}]}]\n"})
	if status, text := r.do(t, "POST", "/-/reload", "", ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	until(t, "the alert is there", func() bool { return outside.contains(t, "/api/v2/alerts", "Always", `"region":"eu"`) })
	if !r.contains(t, "/api/v2/alerts", "Always") {
		t.Error("our own pipeline does not know it")
	}
}

// Another Prometheus pulls our series: its own scraping reads what we answer.
func TestAnotherProcessFederatesOurSeries(t *testing.T) {
	a := start(t, map[string]string{"signalbox.yml": "external_labels: {region: eu}\n"})
	if status, text := a.do(t, "POST", "/v1/metrics", "application/json", metricRequest(time.Now())); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	b := start(t, map[string]string{"signalbox.yml": `
scrape_configs:
- job_name: federation
  honor_labels: true
  scrape_interval: 1s
  metrics_path: /federate
  params: {"match[]": ['{job="edge"}']}
  static_configs: [{targets: ["` + strings.TrimPrefix(a.Addresses().Web, "http://") + `"]}]
`})
	until(t, "the series is there", func() bool { return b.query(t, `depth{job="edge",region="eu",instance=""}`, "job")["edge"] == "7" })
	if got := b.query(t, `up{job="federation"}`, "job"); got["federation"] != "1" {
		t.Errorf("the scrape: %v", got)
	}
}

func TestAProcessWithoutOTLPListenersTakesItOnTheWebPort(t *testing.T) {
	r := start(t, nil, func(o *Options) { o.OTLPGRPCAddress, o.OTLPHTTPAddress = "", "" })
	if a := r.Addresses(); a.OTLPGRPC != "" || a.OTLPHTTP != "" {
		t.Errorf("%+v", a)
	}
	if status, text := r.do(t, "POST", "/v1/logs", "application/json", logRequest(time.Now(), "x")); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
}

func TestRoutesOfSpansHaveNoIDs(t *testing.T) {
	for path, want := range map[string]string{
		"/sb/v1/traces/0123": "/sb/v1/traces", "/api/v1/query": "/api/v1/query", "/": "/", "/federate": "/federate", "/a/b/c/d/e": "/a/b/c",
	} {
		if got := route(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
