package audit

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
)

type kept struct{ noted, synced []model.AuditEntry }

func (k *kept) Note(e model.AuditEntry) { k.noted = append(k.noted, e) }

func (k *kept) Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	if err := ctx.Err(); err != nil {
		return e, err
	}
	k.synced = append(k.synced, e)
	return e, nil
}

// ended is a request of ann's.
func ended(p access.Permission, method, target string, status int, notes ...string) front.Ended {
	a := &access.Access{Identity: access.Identity{Subject: "user:ann", Kind: access.User}, Tenant: "pay", Remote: "192.0.2.1", Notes: &access.Notes{}}
	ctx := access.With(context.Background(), a)
	for i := 0; i+1 < len(notes); i += 2 {
		access.Note(ctx, notes[i], notes[i+1])
	}
	r := httptest.NewRequest(method, target, strings.NewReader("12345"))
	return front.Ended{Access: a, Permission: p, Mount: front.MountInfo{Port: "web", Pattern: "/x/"}, Request: r, Status: status, Began: time.Now()}
}

func TestWhatIsNoted(t *testing.T) {
	for _, c := range []struct {
		name   string
		ended  front.Ended
		noted  string // actions
		synced string
	}{
		{"PromQL", ended(access.MetricsRead, "POST", "/api/v1/query", 200, access.NoteQuery, "up"), "query.metrics", ""},
		{"a search", ended(access.LogsRead, "GET", "/sb/v1/logs?q=service%3Aedge", 200), "query.logs", ""},
		{"SQL", ended(access.SQLQuery, "POST", "/sb/v1/sql", 400), "query.sql.query", ""},
		{"who read the log", ended(access.AuditRead, "GET", "/sb/v1/audit", 200), "query.audit", ""},
		{"health", ended(access.Open, "GET", "/-/healthy", 200), "", ""},
		{"own metrics", ended(access.StatusRead, "GET", "/metrics", 200), "", ""},
		{"a silence", ended(access.SilencesWrite, "POST", "/api/v2/silences", 200), "", "silences.write"},
		{"a reload that failed", ended(access.AdminReload, "POST", "/-/reload", 500), "", "admin.reload"},
		{"a token, which its handler notes", ended(access.TokensOwn, "POST", "/sb/v1/tokens", 200), "", ""},
		{"a token that was refused", ended(access.TokensOwn, "POST", "/sb/v1/tokens", 400), "tokens.own.failed", ""},
		{"a user that is not there", ended(access.AuthManage, "DELETE", "/sb/v1/users/x", 404), "auth.manage.failed", ""},
		{"a list of tokens", ended(access.TokensOwn, "GET", "/sb/v1/tokens", 200), "", ""},
		{"an override, which the gate notes", ended(access.GateOverride, "POST", "/sb/v1/gate/decisions/x/override", 200), "", ""},
		{"an override that was refused", ended(access.GateOverride, "POST", "/sb/v1/gate/decisions/x/override", 400), "gate.override.failed", ""},
		{"an action of the handler's", ended(access.MetricsRead, "GET", "/federate", 200, access.NoteAction, "query.federate"), "query.federate", ""},
		{"ingest, which is summed", ended(access.TelemetryWrite, "POST", "/v1/logs", 200), "", ""},
	} {
		var k kept
		New(Deps{Log: &k}).Ended(c.ended)
		actions := func(list []model.AuditEntry) string {
			var out []string
			for _, e := range list {
				out = append(out, e.Action)
			}
			return strings.Join(out, " ")
		}
		if actions(k.noted) != c.noted || actions(k.synced) != c.synced {
			t.Errorf("%s: noted %q, synced %q", c.name, actions(k.noted), actions(k.synced))
		}
	}
	inner := ended(access.MetricsRead, "GET", "/metrics", 200)
	inner.Mount.Port = innerPort
	var k kept
	if New(Deps{Log: &k}).Ended(inner); len(k.noted) > 0 {
		t.Error("Signalbox' own requests are noted")
	}
}

func TestAnEntrySaysWhoAskedWhatAndWhatItCost(t *testing.T) {
	var k kept
	r := New(Deps{Log: &k})
	r.Ended(ended(access.MetricsRead, "POST", "/api/v1/query", 200, access.NoteQuery, "up", access.NoteRows, "3", access.NoteCost, "12 samples"))
	r.Ended(ended(access.LogsRead, "GET", "/sb/v1/logs?q=service%3Aedge+%22x%22&token=abc", 200))
	e := k.noted[0]
	if e.Actor != "user:ann" || e.Tenant != "pay" || e.Subject != "/api/v1/query" || e.Details["query"] != "up" || e.Details["rows"] != "3" ||
		e.Details["cost"] != "12 samples" || e.Details["status"] != "200" || e.Details["remote"] != "192.0.2.1" || e.Details["duration_ms"] == "" {
		t.Errorf("%+v", e)
	}
	if q := k.noted[1].Details["query"]; !strings.HasPrefix(q, `q=service:edge "x"`) || strings.Contains(q, "abc") {
		t.Errorf("%q", q)
	}
	nobody := ended(access.MetricsRead, "GET", "/api/v1/labels", 200)
	nobody.Access = &access.Access{Identity: access.Identity{Kind: access.Nobody}, Notes: &access.Notes{}}
	if r.Ended(nobody); k.noted[2].Actor != "nobody" {
		t.Errorf("%+v", k.noted[2])
	}
}

func TestIngestAndRefusalsAreSummedByMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kept
		r := New(Deps{Log: &k})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		for range 3 {
			r.Ended(ended(access.TelemetryWrite, http.MethodPost, "/v1/logs", 200))
		}
		r.Ended(ended(access.TelemetryWrite, http.MethodPost, "/v1/logs", 429))
		time.Sleep(sumEvery + time.Second)
		synctest.Wait()
		if len(k.noted) != 1 || k.noted[0].Action != "telemetry.write" || k.noted[0].Details["requests"] != "4" || k.noted[0].Details["failed"] != "1" || k.noted[0].Details["bytes"] != "20" {
			t.Errorf("%+v", k.noted)
		}
		for range maxSums + 5 {
			e := ended(access.MetricsRead, "GET", "/api/v1/query", 401)
			e.Access.Subject = time.Now().String() + e.Access.Subject
			e.Refusal = &front.Refusal{Status: 401, Reason: "no_identity"}
			r.Ended(e)
		}
		stop()
		if err := <-done; err != nil || len(k.noted) != 2 || k.noted[1].Action != "access.refused" || k.noted[1].Details["requests"] != "4101" {
			t.Errorf("%d %v", len(k.noted), err)
		}
	})
}

func TestAFloodFromEverywhereIsBounded(t *testing.T) {
	var k kept
	r := New(Deps{Log: &k})
	for i := range maxSums + 5 {
		e := ended(access.MetricsRead, "GET", "/api/v1/query", 401)
		e.Access.Subject = strings.Repeat("x", i)
		e.Refusal = &front.Refusal{Status: 401, Reason: "no_identity"}
		r.Ended(e)
	}
	if len(r.sums) != maxSums+1 {
		t.Errorf("%d sums", len(r.sums))
	}
}

func TestNobodyClaimsAnothersName(t *testing.T) {
	var k kept
	r := New(Deps{Log: &k})
	ann := &access.Access{Identity: access.Identity{Subject: "user:ann", Kind: access.User}, Tenant: "pay"}
	ctx := access.With(t.Context(), ann)
	given := map[string]string{"version": "7"}
	for _, claimed := range []string{"ceo", "user:ann", ""} {
		if _, err := r.Audit(ctx, model.AuditEntry{Actor: claimed, Action: "gate.override", Details: given}); err != nil {
			t.Fatal(err)
		}
	}
	ann.Kind = access.Nobody
	_, _ = r.Audit(ctx, model.AuditEntry{Actor: "ceo", Action: "gate.override"})
	_, _ = r.Audit(t.Context(), model.AuditEntry{Actor: "signalbox", Action: "remedy.planned"})
	for i, want := range []struct{ actor, behalf, tenant string }{
		{"user:ann", "ceo", "pay"}, {"user:ann", "", "pay"}, {"user:ann", "", "pay"}, {"ceo", "", "pay"}, {"signalbox", "", ""},
	} {
		if e := k.synced[i]; e.Actor != want.actor || e.Details[onBehalfOf] != want.behalf || e.Tenant != want.tenant {
			t.Errorf("%d: %+v", i, e)
		}
	}
	if len(given) != 1 {
		t.Error("the room's own details were changed")
	}
}

// Whoever is not known can flood what is open to all.
func TestFailedLoginsAtAProviderAreSummed(t *testing.T) {
	var k kept
	r := New(Deps{Log: &k})
	for range 1000 {
		e := ended(access.Open, "GET", "/auth/oidc/corp/callback", 400, access.NoteAction, "login.refused", access.NoteSubject, "provider:corp")
		e.Access.Identity = access.Identity{Kind: access.Nobody}
		r.Ended(e)
	}
	r.Ended(ended(access.Open, "GET", "/-/healthy", 200))
	r.flush()
	if len(k.noted)+len(k.synced) != 1 {
		t.Fatalf("%+v", k.noted)
	}
	if e := k.noted[0]; e.Action != "login.refused" || e.Actor != "nobody" || e.Subject != "provider:corp" || e.Details["requests"] != "1000" || e.Details["remote"] != "192.0.2.1" {
		t.Errorf("%+v", e)
	}
}

func TestWhatARoomNotesSaysFromWhere(t *testing.T) {
	var k kept
	r := New(Deps{Log: &k})
	ctx := access.With(t.Context(), &access.Access{Identity: access.Identity{Subject: "user:ann", Kind: access.User}, Remote: "192.0.2.7"})
	given := map[string]string{"x": "y"}
	_, _ = r.Audit(ctx, model.AuditEntry{Actor: "user:ann", Action: "token.revoke", Details: given})
	_, _ = r.Audit(ctx, model.AuditEntry{Action: "login", Details: map[string]string{"remote": "192.0.2.8"}})
	if a, b := k.synced[0].Details["remote"], k.synced[1].Details["remote"]; a != "192.0.2.7" || b != "192.0.2.8" || len(given) != 1 {
		t.Errorf("%q %q %v", a, b, given)
	}
}

// Whoever changes something and hangs up before the answer leaves no gap in the log.
func TestWhoGoesAwayIsNotedAllTheSame(t *testing.T) {
	k := &kept{}
	ctx, leave := context.WithCancel(ended(access.DeploysWrite, "POST", "/sb/v1/deploys", 200).Request.Context())
	leave()
	if _, err := New(Deps{Log: k}).Audit(ctx, model.AuditEntry{Action: "deploy.mark", Subject: "edge"}); err != nil || len(k.synced) != 1 {
		t.Errorf("%v %v", k.synced, err)
	}
}
