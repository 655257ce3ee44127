package app

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/signalbox-project/signalbox/internal/api"
)

// One tenant fills the bodies in flight, has too many series and a rule that never ends in time; the other one's data is
// taken and its alert arrives.
func TestATenantThatFloodsLeavesOthersTheirs(t *testing.T) {
	r := start(t, map[string]string{
		"signalbox.yml": `
web: {max_body_bytes_in_flight: 1048576, body_timeout: 5m}
tenants:
- {name: acme, rule_files: [acme.yml], limits: {max_series: 1, max_samples: 1000}}
- {name: blue, rule_files: [blue.yml]}
`,
		"acme.yml": "groups: [{name: slow, interval: 100ms, rules: [{alert: Slow, expr: 'sum(sum_over_time(vector(1)[1d:1s]))'}]}]\n",
		"blue.yml": "groups: [{name: g, interval: 100ms, rules: [{alert: BlueBurns, expr: 'blue > 1', labels: {severity: critical, service: edge}}]}]\n",
	})
	full := 0
	for range 12 { // bodies that never end, until acme gets no more
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.Addresses().Web, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nX-Scope-OrgID: acme\r\nContent-Type: application/json\r\nContent-Length: 400000\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, strings.Repeat(" ", 130_000)) // a refusal closes
	}
	until(t, "acme gets no more bodies", func() bool {
		status, _ := r.as(t, "acme", "POST", "/v1/logs", strings.Repeat(" ", 250_000))
		return status == http.StatusTooManyRequests
	})
	for i := range 30 {
		if status, _ := r.as(t, "acme", "POST", "/v1/metrics", strings.ReplaceAll(metricRequest(time.Now()), "depth", fmt.Sprint("m", i))); status != http.StatusOK {
			full++
		}
		for _, send := range [][2]string{
			{"/v1/logs", logRequest(time.Now(), "x")},
			{"/v1/traces", spanRequest(time.Now(), zebraTrace)},
			{"/v1/metrics", strings.ReplaceAll(metricRequest(time.Now()), "depth", "blue")},
		} {
			if status, text := r.as(t, "blue", "POST", send[0], send[1]); status/100 != 2 || strings.Contains(text, "rejected") {
				t.Errorf("blue: %s: %d %s", send[0], status, text)
			}
		}
		if status, _ := r.as(t, "acme", "GET", "/api/v1/query?query=sum(sum_over_time(vector(1)[1d:1s]))", ""); status == http.StatusOK {
			t.Error("a query of acme beyond its limit is answered")
		}
	}
	until(t, "the alert of blue", func() bool {
		_, text := r.as(t, "blue", "GET", "/sb/v1/pages", "")
		return strings.Contains(text, "BlueBurns")
	})
	if !r.contains(t, "/metrics", `signalbox_metrics_store_series_refused_total{tenant="blue"} 0`) || r.contains(t, "/metrics", `signalbox_metrics_store_series_refused_total{tenant="acme"} 0`) {
		t.Errorf("series of acme were not refused, or those of blue were (%d writes of acme not taken)", full)
	}
}

// A tenant that has filled its part of the disk is told before, gets 429 for what it sends then and is still read; nobody else notices.
func TestATenantThatFillsItsDiskIsRefusedAlone(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "tenants: [{name: acme, limits: {max_disk_bytes: 167772160}}, {name: blue}]\n"})
	acme := r.roster.Load().byName["acme"]
	fill := func(bytes int64) {
		t.Helper()
		path := filepath.Join(acme.dir, "events", "ballast")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, bytes); err != nil { // takes no room on the disk
			t.Fatal(err)
		}
		acme.measureDisk()
	}
	r.write(t, "acme", "before")
	fill(75 << 20)
	for _, tenant := range []string{"acme", "default"} {
		if _, text := r.as(t, tenant, "GET", "/sb/v1/status", ""); !strings.Contains(text, "at 100 % what it sends is refused") {
			t.Errorf("%s is not told: %s", tenant, text)
		}
	}
	r.write(t, "acme", "told")
	fill(120 << 20)
	refused := 0
	for range 10 {
		for _, path := range []string{"/v1/logs", r.Addresses().OTLPHTTP + "/v1/logs"} {
			if status, text := r.as(t, "acme", "POST", path, logRequest(time.Now(), "beyond")); status == http.StatusTooManyRequests && strings.Contains(text, "max_disk_bytes") {
				refused++
			}
		}
		r.write(t, "blue", "x")
		r.write(t, "", "x")
	}
	_, err := r.grpc(t).Export(metadata.AppendToOutgoingContext(t.Context(), "x-scope-orgid", "acme"), oneLog("beyond"))
	if refused != 20 || err == nil {
		t.Errorf("%d of 20 requests were refused, by gRPC: %v", refused, err)
	}
	if text := r.logsOf(t, "acme"); !strings.Contains(text, "told") || strings.Contains(text, "beyond") {
		t.Errorf("acme reads %s", text)
	}
	if text := r.logsOf(t, "blue"); strings.Count(text, `"message":"x"`) != 10 {
		t.Errorf("blue reads %s", text)
	}
	fill(0)
	r.write(t, "acme", "again")
}

// A folder of before tenants is that of default afterwards; what named acme in it is not acme's, nor shown as default's.
func TestAFolderWithoutTenantsOpensAsDefault(t *testing.T) {
	dir := t.TempDir()
	r := startIn(t, dir, map[string]string{"signalbox.yml": "global: {}\n"})
	for _, tenant := range []string{"", "acme"} {
		if status, text := r.as(t, tenant, "POST", "/v1/logs", logRequest(time.Now(), "before as "+tenant+".")); status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
	}
	r.stop()
	r = startIn(t, dir, map[string]string{"signalbox.yml": "tenants: [{name: acme}]\n"})
	if _, text := r.as(t, "", "GET", "/sb/v1/logs?start=now-1h", ""); !strings.Contains(text, "before as .") || strings.Contains(text, "before as acme") {
		t.Errorf("default: %s", text)
	}
	if _, text := r.as(t, "acme", "GET", "/sb/v1/logs?start=now-1h", ""); strings.Contains(text, "before as") {
		t.Errorf("acme: %s", text)
	}
	// It is said what lies there, and what to do about it: to default, on the status page and in the log.
	until(t, "the rows of before are named", func() bool {
		code, text := r.as(t, "", "GET", "/sb/v1/tenants", "")
		left := into[api.TenantsResponse](t, code, text).Unowned
		return len(left) == 1 && left[0].Tenant == "acme" && left[0].Logs == 1 && left[0].Spans == 0 && strings.Contains(left[0].Cure, "X-Scope-OrgID: acme")
	})
	if !r.contains(t, "/sb/v1/status", "Rows were stored under the name acme before tenants were named: log records 1, spans 0") || !strings.Contains(r.log.String(), "rows of before tenants") {
		t.Error("the status or the log does not say so")
	}
	if code, text := r.as(t, "acme", "GET", "/sb/v1/tenants", ""); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
	// The way that is named works: without tenants the header reads them.
	r.stop()
	r = startIn(t, dir, map[string]string{"signalbox.yml": "global: {}\n"})
	if _, text := r.as(t, "acme", "GET", "/sb/v1/logs?start=now-1h", ""); !strings.Contains(text, "before as acme") {
		t.Errorf("acme without tenants: %s", text)
	}
}
