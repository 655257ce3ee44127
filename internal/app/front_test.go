package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
)

// What can be reached over HTTP. Whoever adds a mount adds it here, and the
// test sends a request through it.
func mounts() map[front.MountInfo]string {
	out := map[front.MountInfo]string{{Port: "otlp", Pattern: "/"}: "POST /v1/logs"}
	for pattern, request := range map[string]string{
		"/": "GET /slos", "/-/healthy": "GET /-/healthy", "/-/ready": "GET /-/ready",
		"POST /-/reload": "POST /-/reload", "PUT /-/reload": "PUT /-/reload",
		"GET /metrics":  "GET /metrics",
		"/debug/pprof/": "GET /debug/pprof/", "/debug/pprof/cmdline": "GET /debug/pprof/cmdline", "/debug/pprof/profile": "GET /debug/pprof/profile?seconds=1",
		"/debug/pprof/symbol": "GET /debug/pprof/symbol", "/debug/pprof/trace": "GET /debug/pprof/trace?seconds=0.01",
		"/api/v1/": "GET /api/v1/query?query=1", "/api/v1/write": "POST /api/v1/write", "/api/v1/read": "POST /api/v1/read",
		"/api/v1/otlp/": "POST /api/v1/otlp/v1/metrics", "/api/v2/": "GET /api/v2/status", "/federate": "GET /federate?match[]=up",
		"/v1/": "POST /v1/traces", "/sb/v1/": "GET /sb/v1/status", "/jaeger/api/": "GET /jaeger/api/services",
		"GET /sb/v1/tenants/{tenant}/hooks/": "GET /sb/v1/tenants/default/hooks/github", "POST /sb/v1/tenants/{tenant}/hooks/": "POST /sb/v1/tenants/default/hooks/github",
		"POST /pagerduty/v2/enqueue": "POST /pagerduty/v2/enqueue", "POST /pagerduty/v2/change/enqueue": "POST /pagerduty/v2/change/enqueue",
		"/mcp": "POST /mcp", "/status/": "GET /status/broker/",
	} {
		out[front.MountInfo{Port: "web", Pattern: pattern}] = request
	}
	out[front.MountInfo{Port: "inner", Pattern: "GET /metrics"}] = "GET /metrics"
	return out
}

func TestEveryMountPassesTheFrontAndItsHooks(t *testing.T) {
	var mu sync.Mutex
	seen := map[front.MountInfo]string{}
	hooks := front.Hooks{
		Audit: func(e front.Ended) {
			mu.Lock()
			defer mu.Unlock()
			seen[e.Mount] = fmt.Sprintf("%s %s", e.Request.Method, e.Request.URL.Path)
			if e.Permission == access.Undeclared {
				t.Errorf("%s %s declares no permission", e.Request.Method, e.Request.URL.Path)
			}
		},
	}
	r := start(t, nil, func(o *Options) { o.Hooks = hooks })
	want := mounts()
	var there []string
	for _, m := range r.Process.front.Mounts() {
		there = append(there, m.Port+" "+m.Pattern)
	}
	var listed []string
	for m := range want {
		listed = append(listed, m.Port+" "+m.Pattern)
	}
	slices.Sort(there)
	slices.Sort(listed)
	if d := cmp.Diff(listed, there); d != "" {
		t.Fatalf("mounts that this test does not know, or that are gone:\n%s", d)
	}
	base := map[string]string{"web": r.Addresses().Web, "otlp": r.Addresses().OTLPHTTP}
	for m, request := range want {
		method, path, _ := strings.Cut(request, " ")
		if m.Port == "inner" {
			r.askInside(t, path)
		} else {
			_, _ = r.do(t, method, base[m.Port]+path, "application/json", "")
		}
		u, _ := url.Parse(path)
		mu.Lock()
		if got, want := seen[m], method+" "+u.Path; got != want {
			t.Errorf("%s %s: the hooks saw %q, want %q", m.Port, m.Pattern, got, want)
		}
		mu.Unlock()
	}
	// What no mount claims is answered by the UI's and passes all the same.
	r.get(t, "/nothing/here")
	mu.Lock()
	defer mu.Unlock()
	if got := seen[front.MountInfo{Port: "web", Pattern: "/"}]; got != "GET /nothing/here" {
		t.Errorf("the hooks saw %q", got)
	}
}

// askInside asks the listener that only the process itself reaches.
func (r *running) askInside(t *testing.T, path string) {
	t.Helper()
	inside := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return r.Process.inner.Dial(ctx) }}
	defer inside.CloseIdleConnections()
	resp, err := (&http.Client{Transport: inside}).Get("http://inside" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Error(err)
	}
}

func TestARefusalHasTheShapeOfTheAPIThatWasAsked(t *testing.T) {
	refuse := front.Refusal{Status: http.StatusTooManyRequests, Reason: "limit", Message: "too many of you", RetryAfter: 7}
	r := start(t, nil, func(o *Options) {
		o.Hooks.Admit = func(*access.Access, front.MountInfo) (func(), *front.Refusal) { return nil, &refuse }
	})
	otlp := r.Addresses().OTLPHTTP
	for path, want := range map[string]string{
		"/sb/v1/status":        `{"error":{"code":"overloaded","message":"too many of you"}}`,
		"/jaeger/api/services": `{"data":null,"errors":[{"code":429,"msg":"too many of you"}],"limit":0,"offset":0,"total":0}`,
		"/api/v1/query":        `{"error":"too many of you","errorType":"unavailable","status":"error"}`,
		"/api/v2/status":       "too many of you", "/federate": "too many of you", "/metrics": "too many of you",
		"/v1/logs": "", otlp + "/v1/logs": "",
	} {
		method, header := "GET", []string{}
		if strings.HasSuffix(path, "/v1/logs") {
			method, want = "POST", `"message":"too many of you"`
		}
		status, text := r.do(t, method, path, "application/json", "{}", header...)
		text = strings.ReplaceAll(text, ": ", ":")
		if status != http.StatusTooManyRequests || !strings.Contains(strings.ReplaceAll(text, `,  "`, `,"`), want) {
			t.Errorf("%s: %d %s, want %s", path, status, text, want)
		}
	}
}

func TestOtherOriginsNeitherReloadNorProfileNorChange(t *testing.T) {
	r := start(t, nil)
	evil := []string{"Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"}
	for _, request := range []string{
		"POST /-/reload", "GET /debug/pprof/profile?seconds=1", "GET /debug/pprof/cmdline", "POST /sb/v1/gate", "POST /sb/v1/deploys",
		"POST /api/v2/silences", "POST /api/v2/alerts", "POST /v1/logs", "POST /api/v1/write", "POST /api/v1/query", "DELETE /api/v2/silence/x",
	} {
		method, path, _ := strings.Cut(request, " ")
		if status, text := r.do(t, method, path, "text/plain", "{}", evil...); status != http.StatusForbidden {
			t.Errorf("%s from another origin: %d %s", request, status, text)
		}
	}
	for _, path := range []string{"/sb/v1/status", "/api/v2/alerts", "/api/v1/query?query=1", "/"} {
		req, err := http.NewRequest("GET", r.Addresses().Web+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "evil.example"
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s by the name of somebody else: %s", path, resp.Status)
		}
	}
}
