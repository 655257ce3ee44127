package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/signalbox-project/signalbox/internal/api"
)

// as asks as a tenant.
func (r *running) as(t *testing.T, tenant, method, path, body string) (int, string) {
	t.Helper()
	if tenant == "" {
		return r.do(t, method, path, "application/json", body)
	}
	return r.do(t, method, path, "application/json", body, "X-Scope-OrgID", tenant)
}

// tenantFiles are a configuration of three tenants; what each has carries its name.
func tenantFiles() map[string]string {
	out := map[string]string{}
	section := func(tenant string) string {
		name := func(text string) string { return strings.ReplaceAll(text, "NAME", tenant) }
		out[name("NAME/r.yml")] = name("groups: [{name: zebraNAME, interval: 100ms, rules: [{alert: zebraNAME, expr: 'vector(1)', labels: {severity: critical, service: edge}, annotations: {summary: zebraNAME}}]}]\n")
		out[name("NAME/s.yml")] = strings.ReplaceAll(availability, "edge-availability", "zebra"+tenant)
		out[name("NAME/p.yml")] = name("policies: [{name: zebraNAME}]\n")
		out[name("NAME/b.yml")] = name("probes: [{name: zebraNAME, module: tcp_connect, target: '127.0.0.1:9'}]\n")
		out[name("NAME/d.yml")] = name("detectors: [{name: zebraNAME, expr: up}]\n")
		out[name("NAME/am.yml")] = name("route: {receiver: zebraNAME}\nreceivers: [{name: zebraNAME}]\n")
		return name("rule_files: [NAME/r.yml], slo_files: [NAME/s.yml], policy_files: [NAME/p.yml], probe_files: [NAME/b.yml], detector_files: [NAME/d.yml], alertmanager_file: NAME/am.yml, " +
			"scrape_configs: [{job_name: zebraNAME}], external_labels: {owner: zebraNAME}")
	}
	out["signalbox.yml"] = strings.ReplaceAll(section("default"), ", ", "\n")
	out["signalbox.yml"] += "\ntenants:\n- {name: acme, " + section("acme") + "}\n- {name: blue, " + section("blue") + "}\n"
	return out
}

const zebraTrace = "0123456789abcdef0123456789abcdef"

// fill sends one of everything as a tenant; "" names none.
func (r *running) fill(t *testing.T, header string) {
	t.Helper()
	name, now := "zebra"+header, time.Now()
	if header == "" {
		name += "default"
	}
	for _, send := range [][2]string{
		{"/v1/logs", logRequest(now, name)},
		{r.Addresses().OTLPHTTP + "/v1/logs", logRequest(now, name+" by the other port")},
		{"/v1/traces", strings.ReplaceAll(spanRequest(now, zebraTrace), "GET /", name)},
		{"/v1/metrics", strings.ReplaceAll(metricRequest(now), "depth", name)},
		{"/api/v1/otlp/v1/metrics", strings.ReplaceAll(metricRequest(now), "depth", name+"_other")},
		{"/sb/v1/deploys", fmt.Sprintf(`{"service":"edge","environment":"prod","version":%q}`, name)},
		{"/sb/v1/gate", fmt.Sprintf(`{"service":"edge","environment":"prod","version":%q}`, name)},
		{"/api/v2/silences", fmt.Sprintf(`{"matchers":[{"name":"alertname","value":"x","isRegex":false}],"startsAt":%q,"endsAt":%q,"createdBy":%q,"comment":"c"}`,
			now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339), name)},
	} {
		if status, text := r.as(t, header, "POST", send[0], send[1]); status/100 != 2 {
			t.Errorf("%s: %s: %d %s", header, send[0], status, text)
		}
	}
	ctx := t.Context()
	if header != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-scope-orgid", header)
	}
	if _, err := r.grpc(t).Export(ctx, oneLog(name+" by grpc")); err != nil {
		t.Error(err)
	}
}

func (r *running) grpc(t *testing.T) plogotlp.GRPCClient {
	t.Helper()
	conn, err := grpc.NewClient(r.Addresses().OTLPGRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return plogotlp.NewGRPCClient(conn)
}

func oneLog(text string) plogotlp.ExportRequest {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(text)
	return plogotlp.NewExportRequestFromLogs(logs)
}

// reads are requests that answer with what a tenant has.
func reads() []string {
	return []string{
		"/sb/v1/logs?start=now-1h", "/sb/v1/logs/values?field=message&start=now-1h", "/sb/v1/traces?start=now-1h", "/sb/v1/traces/" + zebraTrace,
		"/jaeger/api/traces/" + zebraTrace, "/jaeger/api/operations?service=edge",
		"/api/v1/query?query={__name__=~%22zebra.%2B%22}", "/api/v1/label/__name__/values", "/api/v1/rules", "/api/v1/alerts", "/api/v1/targets", "/api/v1/status/config",
		"/api/v1/metadata", "/federate?match[]={__name__=~%22zebra.%2B%22}",
		"/api/v2/alerts", "/api/v2/silences", "/api/v2/status", "/api/v2/receivers", "/sb/v1/slos", "/sb/v1/pages", "/sb/v1/deploys?start=now-1h", "/sb/v1/gate/decisions?start=now-1h",
		"/sb/v1/gate/policies", "/sb/v1/probes", "/sb/v1/audit?start=now-1h", "/sb/v1/backtest/documents", "/sb/v1/status", "/sb/v1/services", "/sb/v1/explain/zebra",
	}
}

func TestTenantsShareNothing(t *testing.T) {
	dir := t.TempDir()
	r := startIn(t, dir, tenantFiles())
	for _, header := range []string{"", "acme", "blue"} {
		r.fill(t, header)
	}
	names := []string{"zebradefault", "zebraacme", "zebrablue"}
	check := func(r *running) {
		t.Helper()
		for i, header := range []string{"default", "acme", "blue"} {
			until(t, "the alert of "+header, func() bool {
				_, text := r.as(t, header, "GET", "/sb/v1/pages", "")
				return strings.Contains(text, names[i])
			})
			has := 0
			for _, path := range reads() {
				_, text := r.as(t, header, "GET", path, "")
				if strings.Contains(text, names[i]) {
					has++
				}
				for j, other := range names {
					if i != j && strings.Contains(text, other) {
						t.Errorf("%s sees %s in %s: %.300s", header, other, path, text)
					}
				}
			}
			if has < 20 {
				t.Errorf("%s sees what it has in %d of %d answers", header, has, len(reads()))
			}
			status, text := r.as(t, header, "POST", "/sb/v1/sql", `{"query":"SELECT message, tenant FROM logs WHERE message LIKE '%zebra%' UNION ALL SELECT name, tenant FROM spans WHERE name LIKE '%zebra%' UNION ALL SELECT version, '' FROM deploys"}`)
			if status != http.StatusOK || strings.Count(text, names[i]) < 5 || !strings.Contains(text, header) {
				t.Errorf("%s: SQL: %d %s", header, status, text)
			}
			for j, other := range names {
				if i != j && strings.Contains(text, other) {
					t.Errorf("%s sees %s by SQL: %s", header, other, text)
				}
			}
		}
	}
	check(r)
	// Each has its own books and its own label among the program's metrics, and no label of its own in its stores.
	if _, text := r.as(t, "acme", "GET", "/sb/v1/ledger", ""); !strings.Contains(text, `"balanced":true`) || strings.Contains(text, `"balanced":false`) {
		t.Error(text)
	}
	if !r.contains(t, "/metrics", `signalbox_ledger_stored_total{signal="logs",tenant="acme"} 3`, `signalbox_ledger_stored_total{signal="logs",tenant="blue"} 3`) {
		t.Error("the ledger by tenant is not among the metrics")
	}
	if _, text := r.as(t, "acme", "GET", "/metrics", ""); strings.Contains(text, "blue") || !strings.Contains(text, `tenant="acme"`) {
		t.Error("acme sees metrics of others, or none of its own")
	}
	if _, text := r.as(t, "acme", "GET", "/api/v1/query?query=zebraacme", ""); strings.Contains(text, "tenant") {
		t.Errorf("a series of acme says whose it is: %s", text)
	}
	r.stop()
	for _, folder := range []string{"metrics", "events", "state", "alerting", "gate"} {
		for _, base := range []string{"", "tenants/acme", "tenants/blue"} {
			if _, err := os.Stat(filepath.Join(dir, "data", base, folder)); err != nil {
				t.Error(err)
			}
		}
	}
	check(startIn(t, dir, nil, func(o *Options) { o.ConfigFile = filepath.Join(dir, "signalbox.yml") }))
}

func TestATenantThatIsNotServedIsRefusedWithTheCure(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "tenants: [{name: acme}]\n"})
	for _, path := range []string{"/sb/v1/logs", "/api/v1/query?query=up", "/api/v2/alerts", "/jaeger/api/services", "/metrics", "/sb/v1/status"} {
		status, text := r.as(t, "nobody", "GET", path, "")
		if status != http.StatusNotFound || !strings.Contains(text, "add it under tenants:") {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	for _, path := range []string{"/v1/logs", r.Addresses().OTLPHTTP + "/v1/logs", "/api/v1/write", "/sb/v1/sql"} {
		if status, text := r.as(t, "nobody", "POST", path, logRequest(time.Now(), "x")); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	_, err := r.grpc(t).Export(metadata.AppendToOutgoingContext(t.Context(), "x-scope-orgid", "nobody"), oneLog("x"))
	if status.Code(err) != codes.NotFound {
		t.Errorf("gRPC: %v", err)
	}
	// What concerns the process is not a tenant's.
	for _, ask := range [][2]string{{"POST", "/-/reload"}, {"GET", "/debug/pprof/"}} {
		if status, _ := r.as(t, "acme", ask[0], ask[1], ""); status != http.StatusForbidden {
			t.Errorf("%s: %d", ask[1], status)
		}
		if status, _ := r.as(t, "", ask[0], ask[1], ""); status != http.StatusOK {
			t.Errorf("default: %s: %d", ask[1], status)
		}
	}
	code, text := r.as(t, "acme", "GET", "/sb/v1/status", "")
	if got := into[api.Status](t, code, text).Tenants; len(got) != 2 || got[0].Name != "default" || got[1].Name != "acme" || !got[1].Served || got[1].Bytes["state"] == 0 {
		t.Errorf("%+v", got)
	}
}

func TestATenantThatCannotBeOpenedStopsNoOther(t *testing.T) {
	dir := t.TempDir()
	files(t, dir, map[string]string{"data/tenants/acme/state": "a file where a folder belongs", "data/tenants/acme/metrics": "another"})
	r := startIn(t, dir, map[string]string{"signalbox.yml": "tenants: [{name: acme, policy_files: [p.yml]}, {name: blue}]\n", "p.yml": "policies: [{}]\n"})
	if status, text := r.as(t, "acme", "GET", "/sb/v1/logs", ""); status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", status, text)
	}
	for _, tenant := range []string{"", "blue"} {
		if status, text := r.as(t, tenant, "POST", "/v1/logs", logRequest(time.Now(), "x")); status != http.StatusOK {
			t.Errorf("%s: %d %s", tenant, status, text)
		}
	}
	if !r.contains(t, "/sb/v1/status", "The tenant acme is not served", `"critical"`) {
		t.Error("the status does not say so")
	}
}

func TestAReloadTakesFilesOfTenantsAndABadOneIsItsOwnersAlone(t *testing.T) {
	texts := tenantFiles()
	r := start(t, texts)
	files(t, r.dir, map[string]string{
		"acme/r.yml": "groups: [{name: x, rules: [{alert: Broken, expr: '1 +'}]}]\n",
		"blue/r.yml": strings.ReplaceAll(texts["blue/r.yml"], "zebrablue", "otherblue"),
	})
	status, text := r.do(t, "POST", "/-/reload", "", "")
	if status != http.StatusInternalServerError || !strings.Contains(text, "tenant acme: ") || strings.Contains(text, "tenant blue") {
		t.Errorf("%d %s", status, text)
	}
	sees := func(tenant, path string, want ...string) bool {
		_, text := r.as(t, tenant, "GET", path, "")
		for _, w := range want {
			if !strings.Contains(text, w) {
				return false
			}
		}
		return true
	}
	if !sees("blue", "/api/v1/rules", "otherblue") || !sees("acme", "/api/v1/rules", "zebraacme") {
		t.Error("the good file of blue is not in force, or the last good one of acme is gone")
	}
	if !sees("acme", "/sb/v1/status", "acme/r.yml") || sees("blue", "/sb/v1/status", "acme/r.yml") || !sees("default", "/sb/v1/status", "Files of the tenant acme have errors") || sees("default", "/sb/v1/status", "acme/r.yml") {
		t.Error("the error is not told to acme alone")
	}
	files(t, r.dir, map[string]string{"acme/r.yml": texts["acme/r.yml"], "signalbox.yml": texts["signalbox.yml"] + "- {name: new}\n"})
	if status, text := r.do(t, "POST", "/-/reload", "", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	if !sees("new", "/sb/v1/status", `"new"`) {
		t.Error("the new tenant is not served")
	}
}
