package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/platform/turns"
)

// occupy takes every place that a tenant may have of four common ones.
func occupy(t *testing.T, q *turns.Queue, tenant string) (empty func()) {
	t.Helper()
	var leaves []func()
	for range 3 {
		var leave func()
		var err error
		for leave == nil { // its own work may be before us, and be many
			if leave, err = q.Enter(t.Context(), tenant); err != nil && t.Context().Err() != nil {
				t.Fatal(err)
			}
		}
		leaves = append(leaves, leave)
	}
	return func() {
		for _, leave := range leaves {
			leave()
		}
	}
}

// acme has every place under way that it may have, of every kind, and none of them ever ends: nothing of blue waits for it, and acme is
// told which limit it is at.
func TestATenantWhoseTurnsNeverEndHoldsUpNobody(t *testing.T) {
	r := start(t, map[string]string{
		"signalbox.yml": `
turns: {questions: 4, writes: 4, evaluations: 4, waiting: 3, wait: 50ms}
tenants:
- {name: acme, rule_files: [acme.yml]}
- {name: blue, rule_files: [blue.yml]}
`,
		"acme.yml": "groups: [{name: g, interval: 100ms, rules: [{alert: AcmeBurns, expr: 'acme > 1'}]}]\n",
		"blue.yml": "groups: [{name: g, interval: 100ms, rules: [{alert: BlueBurns, expr: 'blue > 1', labels: {severity: critical, service: edge}}]}]\n",
	})
	evaluations := occupy(t, r.Process.turns.Evaluations, "acme")
	if status, text := r.as(t, "acme", "POST", "/v1/metrics", strings.ReplaceAll(metricRequest(time.Now()), "depth", "acme")); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	questions, writes := occupy(t, r.Process.turns.Questions, "acme"), occupy(t, r.Process.turns.Writes, "acme")
	ask := func(tenant string) map[string]string {
		t.Helper()
		out := map[string]string{}
		for path, body := range map[string]string{
			"/api/v1/query?query=blue": "", "/federate?match[]=blue": "", "/sb/v1/logs?start=now-1h": "", "/sb/v1/traces?start=now-1h": "",
			"/sb/v1/sql": `{"query":"SELECT 1"}`, "/sb/v1/report": "", "/sb/v1/services": "",
			"/v1/logs": logRequest(time.Now(), "x"), "/v1/traces": spanRequest(time.Now(), zebraTrace), "/v1/metrics": strings.ReplaceAll(metricRequest(time.Now()), "depth", "blue"),
		} {
			method := http.MethodGet
			if body != "" {
				method = http.MethodPost
			}
			code, text := r.as(t, tenant, method, path, body)
			out[path] = fmt.Sprint(code, " ", text)
		}
		return out
	}
	for path, got := range ask("blue") {
		if !strings.HasPrefix(got, "200") {
			t.Errorf("blue: %s: %s", path, got)
		}
	}
	for path, got := range ask("acme") {
		want := "turns.questions"
		if strings.HasPrefix(path, "/v1/") {
			want = "turns.writes"
		}
		if !strings.HasPrefix(got, "503 ") || !strings.Contains(got, want) || !strings.Contains(got, "the tenant acme") {
			t.Errorf("acme: %s: %s", path, got)
		}
	}
	for tenant, want := range map[string]codes.Code{"acme": codes.Unavailable, "blue": codes.OK} {
		_, err := r.grpc(t).Export(metadata.AppendToOutgoingContext(t.Context(), "x-scope-orgid", tenant), oneLog("y"))
		if status.Code(err) != want {
			t.Errorf("gRPC: %s: %v", tenant, err)
		}
	}
	if code, text := r.as(t, "blue", "POST", "/sb/v1/gate", `{"service":"edge","environment":"prod","version":"1"}`); code != http.StatusOK {
		t.Errorf("the gate of blue: %d %s", code, text)
	}
	until(t, "the alert of blue", func() bool {
		_, text := r.as(t, "blue", "GET", "/sb/v1/pages", "")
		return strings.Contains(text, "BlueBurns")
	})
	if _, text := r.as(t, "acme", "GET", "/api/v1/alerts", ""); strings.Contains(text, "AcmeBurns") {
		t.Error("a rule of acme ran without a turn: " + text)
	}
	code, text := r.as(t, "", "GET", "/sb/v1/tenants", "")
	for _, one := range into[api.TenantsResponse](t, code, text).Tenants {
		most, want := 0, 0
		for _, turns := range one.Turns {
			if most = turns.Most; turns.Now == turns.Most {
				want++
			}
		}
		if most != 3 || one.Name == "acme" && want != 3 || one.Name == "blue" && (want != 0 || one.LastData == nil) {
			t.Errorf("%+v", one)
		}
	}
	// What ends makes room for what waits.
	evaluations()
	questions()
	writes()
	until(t, "the alert of acme", func() bool {
		_, text := r.as(t, "acme", "GET", "/api/v1/alerts", "")
		return strings.Contains(text, "AcmeBurns")
	})
	for path, got := range ask("acme") {
		if !strings.HasPrefix(got, "200") {
			t.Errorf("acme, later: %s: %s", path, got)
		}
	}
}

// Without tenants there is nobody to divide anything with.
func TestWithoutTenantsNothingIsDivided(t *testing.T) {
	r := start(t, map[string]string{"signalbox.yml": "turns: {questions: 1}\n"})
	if r.Process.turns != (front.Turns{}) {
		t.Errorf("%+v", r.Process.turns)
	}
}
