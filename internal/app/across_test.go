package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// acrossReads are what reads several tenants, with the permission of each.
func acrossReads() map[string]access.Permission {
	q, now := url.QueryEscape(`{__name__=~"zebra.*"}`), time.Now().Unix()
	ranged := fmt.Sprintf("/api/v1/query_range?start=%d&end=%d&step=10&query=", now-60, now+60)
	return map[string]access.Permission{
		"/api/v1/query?query=" + q:                        access.MetricsRead,
		ranged + q:                                        access.MetricsRead,
		"/api/v1/series?match[]=" + q:                     access.MetricsRead,
		"/api/v1/labels":                                  access.MetricsRead,
		"/api/v1/label/__name__/values":                   access.MetricsRead,
		"/sb/v1/logs?start=now-1h":                        access.LogsRead,
		"/sb/v1/logs/histogram?start=now-1h&field=tenant": access.LogsRead,
		"/sb/v1/logs/fields?start=now-1h":                 access.LogsRead,
		"/sb/v1/logs/values?start=now-1h&field=message":   access.LogsRead,
		"/sb/v1/traces?start=now-1h":                      access.TracesRead,
		"/sb/v1/traces/histogram?start=now-1h":            access.TracesRead,
		"/sb/v1/traces/values?start=now-1h&field=name":    access.TracesRead,
		"/sb/v1/traces/fields?start=now-1h":               access.TracesRead,
		"/sb/v1/traces/" + zebraTrace:                     access.TracesRead,
		"/sb/v1/slos":                                     access.SLOsRead,
		"/sb/v1/services":                                 access.ServicesRead,
		"/federate?match[]=" + q:                          access.MetricsRead,
		"/api/v1/query_exemplars?query=" + q:              access.MetricsRead,
	}
}

func TestWhoMayReadsSeveralTenantsAtOnce(t *testing.T) {
	r := start(t, tenantFiles())
	for _, header := range []string{"", "acme", "blue"} {
		r.fill(t, header)
	}
	const both = "blue|acme|blue"
	for path := range acrossReads() {
		code, text := r.as(t, both, "GET", path, "")
		if code != http.StatusOK || strings.Contains(text, "zebradefault") {
			t.Errorf("%s: %d %s", path, code, text)
		}
		if strings.Contains(path, "services") && (!strings.Contains(text, `"tenant":"acme"`) || !strings.Contains(text, `"tenant":"blue"`)) {
			t.Errorf("%s: %s", path, text)
		}
		if strings.Contains(path, "exemplars") || strings.Contains(path, "services") || strings.Contains(path, "histogram") || strings.Contains(path, "fields") || strings.HasSuffix(path, "/labels") {
			continue
		}
		if !strings.Contains(text, "zebraacme") || !strings.Contains(text, "zebrablue") {
			t.Errorf("%s answers of one alone: %s", path, text)
		}
	}
	values := func(expr string) map[string]string {
		var got struct {
			Data struct {
				Result []struct {
					Metric map[string]string
					Value  [2]any
				}
			}
		}
		code, text := r.as(t, both, "GET", "/api/v1/query?query="+url.QueryEscape(expr), "")
		if err := json.Unmarshal([]byte(text), &got); err != nil || code != http.StatusOK {
			t.Fatalf("%s: %d %s", expr, code, text)
		}
		out := map[string]string{}
		for _, s := range got.Data.Result {
			out[s.Metric["__tenant_id__"]+" "+s.Metric["__name__"]] = fmt.Sprint(s.Value[1])
		}
		return out
	}
	if got := values(`{__name__=~"zebra(acme|blue|default)"}`); len(got) != 2 || got["acme zebraacme"] == "" || got["blue zebrablue"] == "" {
		t.Errorf("%v", got)
	}
	if got := values(`{__tenant_id__="acme",__name__=~"zebra(acme|blue)"}`); len(got) != 1 || got["acme zebraacme"] == "" {
		t.Errorf("%v", got)
	}
	if got := values(`count by (__tenant_id__) ({__name__=~".+",__tenant_id__!~"blue|x"})`); len(got) != 1 || got["acme "] == "" {
		t.Errorf("%v", got)
	}
	if got := values(`sum({__name__=~"zebra(acme|blue)"}) - sum({__name__="zebraacme"}) - sum({__name__="zebrablue"})`); got[" "] != "0" {
		t.Errorf("%v", got)
	}
	if _, text := r.as(t, both, "GET", "/api/v1/label/__tenant_id__/values", ""); !strings.Contains(text, `["acme","blue"]`) {
		t.Error(text)
	}
	if _, text := r.as(t, both, "GET", "/api/v1/labels", ""); !strings.Contains(text, `"__tenant_id__"`) {
		t.Error(text)
	}
	if _, text := r.as(t, both, "GET", "/sb/v1/logs/histogram?start=now-1h&field=tenant", ""); !strings.Contains(text, `"acme"`) || !strings.Contains(text, `"blue"`) {
		t.Error(text)
	}
	if _, text := r.as(t, both, "GET", "/sb/v1/logs?start=now-1h&limit=1", ""); strings.Count(text, `"timestamp"`) != 1 || !strings.Contains(text, `"truncated":true`) {
		t.Error(text)
	}
	if _, text := r.as(t, both, "GET", "/sb/v1/traces?start=now-1h", ""); strings.Count(text, `"tenant":"`) != 2 {
		t.Error(text)
	}
	r.refusesSeveral(t)
	until(t, "each tenant's log has the question", func() bool {
		for _, tenant := range []string{"acme", "blue"} {
			if _, text := r.as(t, tenant, "GET", "/sb/v1/audit?start=now-1h", ""); !strings.Contains(text, "count by (__tenant_id__)") {
				return false
			}
		}
		return true
	})
	if _, text := r.as(t, "", "GET", "/sb/v1/audit?start=now-1h", ""); strings.Contains(text, "count by (__tenant_id__)") {
		t.Error("default, which was not asked, has the question in its log")
	}
}

// refusesSeveral asks what is of one tenant with several names.
func (r *running) refusesSeveral(t *testing.T) {
	t.Helper()
	for _, header := range []string{"acme|", "|", "acme||blue"} {
		if code, text := r.as(t, header, "GET", "/sb/v1/logs", ""); code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", header, code, text)
		}
	}
	if code, text := r.as(t, "acme|nobody", "GET", "/sb/v1/logs", ""); code != http.StatusNotFound {
		t.Errorf("%d %s", code, text)
	}
	if code, text := r.as(t, "acme|acme", "POST", "/v1/logs", logRequest(time.Now(), "once")); code != http.StatusOK {
		t.Errorf("one tenant named twice: %d %s", code, text)
	}
	covered := map[string]bool{"/sb/v1/logs/tail": true}
	for path := range acrossReads() {
		name, _, _ := strings.Cut(path, "?")
		covered[name] = true
	}
	g := &guarded{running: r}
	for _, e := range g.endpoints() {
		method, path, _ := strings.Cut(strings.NewReplacer("{name}", "__name__", "{id}", zebraTrace).Replace(e.Pattern), " ")
		if e.Permission == access.Open || covered[path] || strings.Contains(path, "{") {
			continue
		}
		code, text := r.as(t, "acme|blue", method, path, "{}")
		if code != http.StatusBadRequest && code != http.StatusNotFound || strings.Contains(text, "zebra") {
			t.Errorf("%s with two tenants: %d %.200s", e.Pattern, code, text)
		}
	}
	_, err := r.grpc(t).Export(metadata.AppendToOutgoingContext(t.Context(), "x-scope-orgid", "acme|blue"), oneLog("x"))
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("gRPC: %v", err)
	}
}

// Whoever may not read one of the tenants gets nothing of the others either.
func TestReadingSeveralTenantsNeedsEachOfThem(t *testing.T) {
	g := startGuarded(t, tenantFiles())
	made := g.ask(t, "POST", "/sb/v1/tokens", `{"name":"x","service":true,"grants":[{"role":"viewer","tenants":["acme","blue"]}]}`, "Cookie", g.cookie)
	var token struct{ Text string }
	if err := json.Unmarshal([]byte(made.text), &token); err != nil || token.Text == "" {
		t.Fatal(made.text)
	}
	two, one, none := "Bearer "+token.Text, g.boundTo(t, policy.Viewer, "acme"), g.boundTo(t, policy.Ingest, "acme")
	for path := range acrossReads() {
		for _, c := range []struct {
			who, tenants string
			want         int
		}{
			{two, "acme|blue", http.StatusOK},
			{two, "acme|default", http.StatusForbidden},
			{two, "acme|nobody", http.StatusForbidden},
			{one, "acme|blue", http.StatusForbidden},
			{one, "acme|acme", http.StatusOK},
			{none, "acme|blue", http.StatusForbidden},
		} {
			got := g.ask(t, "GET", path, "", "Authorization", c.who, "X-Scope-OrgID", c.tenants)
			if got.status != c.want && (c.want != http.StatusOK || got.status != http.StatusNotFound) {
				t.Errorf("%s of %s: %d, want %d: %.200s", path, c.tenants, got.status, c.want, got.text)
			}
			if got.status == http.StatusForbidden && strings.Contains(got.text, "zebra") {
				t.Errorf("%s tells something: %s", path, got.text)
			}
		}
		if got := g.ask(t, "GET", path, "", "X-Scope-OrgID", "acme|blue"); got.status != http.StatusUnauthorized {
			t.Errorf("%s of nobody: %d", path, got.status)
		}
	}
}
