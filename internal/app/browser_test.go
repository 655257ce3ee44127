package app

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
)

// Slow senders on every endpoint that takes a body: none of them is in
// anybody's way, and all of them are sent away in the end.
func TestSlowSendersHoldNobodyUp(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "web: {body_timeout: 3s}\n"})
	web, otlp := strings.TrimPrefix(r.Addresses().Web, "http://"), strings.TrimPrefix(r.Addresses().OTLPHTTP, "http://")
	var slow []net.Conn
	for _, target := range []struct{ address, path, contentType string }{
		{otlp, "/v1/logs", "application/x-protobuf"},
		{web, "/v1/traces", "application/json"},
		{web, "/sb/v1/gate", "application/json"},
		{web, "/sb/v1/sql", "application/json"},
		{web, "/api/v1/write", "application/x-protobuf"},
		{web, "/api/v1/read", "application/x-protobuf"},
		{web, "/api/v1/query", "application/x-www-form-urlencoded"},
		{web, "/api/v2/alerts", "application/json"},
		{web, "/-/reload", "text/plain"},
		{web, "/federate", "text/plain"},
		{web, "/jaeger/api/traces", "application/json"},
		{web, "/", "text/plain"},
	} {
		n := 70 // more than the places of the API (64)
		if target.address == otlp {
			n = 140 // more than those of the OTLP intake (128)
		}
		for range n {
			c, err := net.Dial("tcp", target.address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: 100000\r\n\r\n{", target.path, target.contentType)
			slow = append(slow, c)
		}
	}
	now := time.Now()
	for _, request := range []struct{ path, body string }{
		{r.Addresses().OTLPHTTP + "/v1/logs", logRequest(now, "x")},
		{"/v1/logs", logRequest(now, "y")},
		{"/sb/v1/gate", `{"service":"edge"}`},
		{"/sb/v1/sql", `{"query":"SELECT 1"}`},
		{"/api/v2/alerts", `[{"labels":{"alertname":"A"}}]`},
		{"/-/reload", ""},
	} {
		if status, text := r.do(t, "POST", request.path, "application/json", request.body); status != http.StatusOK {
			t.Errorf("%s beside slow senders: %d %s", request.path, status, text)
		}
	}
	for _, c := range slow {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("a slow sender has no answer: %v", err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestTimeout && resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("a slow sender is answered %s", resp.Status)
		}
	}
}

func TestPagesOfPermittedOriginsSendTelemetryOnBothPorts(t *testing.T) {
	const page = "https://app.example"
	r := start(t, map[string]string{"signalbox.yml": `
otlp: {cors_origins: ["` + page + `"]}
query: {cors_origin: "https://grafana\\.example"}
api: {cors_origins: ["https://portal.example"]}
`})
	ask := func(method, url, origin string) (int, string) {
		t.Helper()
		if strings.HasPrefix(url, "/") {
			url = r.Addresses().Web + url
		}
		req, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		if method == "OPTIONS" {
			req.Header.Set("Access-Control-Request-Method", "POST")
			req.Header.Set("Access-Control-Request-Headers", "content-type")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Access-Control-Allow-Origin")
	}
	for _, c := range []struct{ method, url, origin, allow string }{
		{"OPTIONS", r.Addresses().OTLPHTTP + "/v1/traces", page, page},
		{"OPTIONS", "/v1/traces", page, page},
		{"OPTIONS", "/api/v1/otlp/v1/metrics", page, page},
		{"OPTIONS", "/v1/traces", "https://portal.example", ""},
		{"POST", "/v1/traces", page, page},
		{"POST", "/v1/nothing", page, page},
		{"GET", "/sb/v1/status", page, ""},
		{"GET", "/sb/v1/status", "https://portal.example", "https://portal.example"},
		{"OPTIONS", "/sb/v1/gate", "https://portal.example", "https://portal.example"},
		{"POST", "/sb/v1/gate", "https://portal.example", "https://portal.example"},
		{"GET", "/api/v1/query?query=1", "https://grafana.example", "https://grafana.example"},
		{"POST", "/api/v1/query?query=1", "https://grafana.example", "https://grafana.example"},
		{"GET", "/api/v1/query?query=1", "https://portal.example", ""},
		{"GET", "/api/v2/status", page, ""},
	} {
		status, allow := ask(c.method, c.url, c.origin)
		if allow != c.allow {
			t.Errorf("%s %s from %s: %d allows %q, want %q", c.method, c.url, c.origin, status, allow, c.allow)
		}
		if c.allow != "" && status == http.StatusForbidden {
			t.Errorf("%s %s from %s is refused", c.method, c.url, c.origin)
		}
	}
}

// What a feature allows is allowed in queries and in rules alike, at the start and by check.
func TestFeaturesHoldForRulesAsForQueries(t *testing.T) {
	const rule = "groups: [{name: g, interval: 100ms, rules: [{record: sorted, expr: 'sort_by_label(vector(1), \"a\")'}, {record: window, expr: 'count_over_time(vector(1)[30s*2:30s])'}]}]\n"
	dir := t.TempDir()
	files(t, dir, map[string]string{"r.yml": rule})
	without := configOf(t, dir, "rule_files: [r.yml]\n")
	if err := document.Err(CheckFiles(without)); err == nil || !strings.Contains(err.Error(), "sort_by_label") {
		t.Errorf("by default: %v", err)
	}
	o := options(t, dir)
	o.ConfigFile = dir + "/signalbox.yml"
	switch p, err := Build(t.Context(), o); {
	case err != nil:
		t.Fatal(err)
	default:
		if found := fmt.Sprint(p.home.rules.Problems()); !strings.Contains(found, "sort_by_label") {
			t.Errorf("a rule that is not allowed is not named: %s", found)
		}
		_ = p.Close()
	}
	const with = "query: {enable_features: [promql-experimental-functions]}\nrule_files: [r.yml]\n"
	if err := document.Err(CheckFiles(configOf(t, dir, with))); err != nil {
		t.Error(err)
	}
	r := startIn(t, dir, map[string]string{"signalbox.yml": with})
	until(t, "both rules are evaluated", func() bool { return len(r.query(t, `{__name__=~"sorted|window"}`, "__name__")) == 2 })
	if got := r.query(t, "sorted", "__name__"); got["sorted"] != "1" {
		t.Errorf("%v", got)
	}
	if !r.contains(t, "/api/v1/features", `"sort_by_label":true`, `"duration_expr":true`, `"query_offset":true`, `"extra_scrape_metrics":true`) {
		_, text := r.get(t, "/api/v1/features")
		t.Error(text)
	}
}
