package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// boundTo is the token of a service with a role on one tenant alone.
func (g *guarded) boundTo(t *testing.T, role, tenant string) string {
	t.Helper()
	resp := g.ask(t, "POST", "/sb/v1/tokens", fmt.Sprintf(`{"name":"x","service":true,"grants":[{"role":%q,"tenants":[%q]}]}`, role, tenant), "Cookie", g.cookie)
	var made struct{ Text string }
	if err := json.Unmarshal([]byte(resp.text), &made); err != nil || made.Text == "" {
		t.Fatalf("token: %d %s", resp.status, resp.text)
	}
	return "Bearer " + made.Text
}

// Whoever is bound to one tenant reads and writes that one alone, whatever tenant is named, on every way in.
func TestWhoIsBoundToATenantReachesNoOther(t *testing.T) {
	g := startGuarded(t, tenantFiles())
	tenants := []string{"default", "acme"}
	other := map[string]string{"default": "acme", "acme": "default"}
	for _, tenant := range tenants {
		senders := g.boundTo(t, policy.Ingest, tenant)
		name := "zebra" + tenant
		send := func(named string) (int, string) {
			var header []string
			if named != "" {
				header = []string{"X-Scope-OrgID", named}
			}
			got := g.ask(t, "POST", "/v1/logs", logRequest(time.Now(), name), append(header, "Authorization", senders)...)
			return got.status, got.text
		}
		for _, named := range []string{"", tenant} {
			if code, text := send(named); code != http.StatusOK {
				t.Errorf("%s writes to %q: %d %s", tenant, named, code, text)
			}
		}
		for _, named := range []string{other[tenant], "blue", "nobody"} {
			if code, text := send(named); code != http.StatusForbidden {
				t.Errorf("%s writes to %q: %d %s", tenant, named, code, text)
			}
			got := g.ask(t, "POST", "/api/v1/write", "x", "Authorization", senders, "X-Scope-OrgID", named)
			if got.status != http.StatusForbidden {
				t.Errorf("%s writes to %q by remote write: %d %s", tenant, named, got.status, got.text)
			}
			ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", senders, "x-scope-orgid", named)
			if _, err := g.grpc(t).Export(ctx, oneLog(name)); status.Code(err) != codes.PermissionDenied {
				t.Errorf("%s writes to %q by gRPC: %v", tenant, named, err)
			}
		}
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", senders)
		if _, err := g.grpc(t).Export(ctx, oneLog(name+" by grpc")); err != nil {
			t.Errorf("%s by gRPC: %v", tenant, err)
		}
	}
	for _, tenant := range tenants {
		admin := g.boundTo(t, policy.Admin, tenant)
		viewer := g.boundTo(t, policy.Viewer, tenant)
		until(t, "the alert of "+tenant, func() bool {
			return strings.Contains(g.ask(t, "GET", "/sb/v1/pages", "", "Authorization", viewer).text, "zebra"+tenant)
		})
		own := 0
		for _, path := range reads() {
			for _, proof := range []string{admin, viewer} {
				got := g.ask(t, "GET", path, "", "Authorization", proof)
				if strings.Contains(got.text, "zebra"+tenant) {
					own++
				}
				if strings.Contains(got.text, "zebra"+other[tenant]) || strings.Contains(got.text, "zebrablue") {
					t.Errorf("who is bound to %s sees others in %s: %.300s", tenant, path, got.text)
				}
				if tenant == "default" && proof == admin && path == "/api/v1/status/config" {
					continue // of the process, whose file names all tenants
				}
				for _, named := range []string{other[tenant], "blue"} {
					if got := g.ask(t, "GET", path, "", "Authorization", proof, "X-Scope-OrgID", named); got.status != http.StatusForbidden {
						t.Errorf("who is bound to %s asks %s as %s: %d %.200s", tenant, path, named, got.status, got.text)
					}
				}
			}
		}
		if own < 20 {
			t.Errorf("%s sees what it has in %d answers", tenant, own)
		}
		sql := g.ask(t, "POST", "/sb/v1/sql", `{"query":"SELECT message, tenant FROM logs WHERE message LIKE '%zebra%'"}`, "Authorization", admin)
		if sql.status != http.StatusOK || strings.Count(sql.text, "zebra"+tenant) < 3 || strings.Contains(sql.text, "zebra"+other[tenant]) {
			t.Errorf("%s: SQL: %d %s", tenant, sql.status, sql.text)
		}
		if tenant == "default" {
			continue // the operator's, who may
		}
		for _, named := range []string{"", tenant, "default"} {
			for _, ask := range [][2]string{{"POST", "/-/reload"}, {"GET", "/debug/pprof/"}, {"GET", "/debug/pprof/heap"}} {
				header := []string{"Authorization", admin}
				if named != "" {
					header = append(header, "X-Scope-OrgID", named)
				}
				if got := g.ask(t, ask[0], ask[1], "", header...); got.status != http.StatusForbidden {
					t.Errorf("an administrator of %s, as %q: %s: %d %.200s", tenant, named, ask[1], got.status, got.text)
				}
			}
		}
	}
}
