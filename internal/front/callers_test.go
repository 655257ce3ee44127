package front

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
)

func TestEachCallerIsHeldToItsOwnLimits(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	c := newCallers(CallersConfig{HeavyAtOnce: 2, HeavyPerMinute: 6, QuestionsAtOnce: 3, TenantHeavyAtOnce: 3}, func() time.Time { return now })
	routes := NewRoutes(
		Route{Pattern: "GET /report", Permission: access.SLOsRead, Work: Heavy}, Route{Pattern: "GET /query", Permission: access.MetricsRead, Work: Question},
		Route{Pattern: "GET /status", Permission: access.StatusRead},
	)
	ask := func(a *access.Access, path string) (func(), string) {
		done, refusal := c.enter(a, routes, httptest.NewRequest(http.MethodGet, path, nil))
		if refusal == nil {
			return done, ""
		}
		if refusal.Status != http.StatusTooManyRequests || refusal.RetryAfter < 1 {
			t.Errorf("%+v", refusal)
		}
		return done, fmt.Sprint(refusal.Reason, " ", refusal.RetryAfter)
	}
	want := func(a *access.Access, path, refusal string) func() {
		t.Helper()
		done, got := ask(a, path)
		if got != refusal {
			t.Errorf("%s of %s: %q, want %q", path, a.Subject, got, refusal)
		}
		return done
	}
	of := func(tenant, subject string) *access.Access {
		return &access.Access{Tenant: tenant, Identity: access.Identity{Subject: subject}}
	}
	ann, bob, cid := of("a", "user:ann"), of("a", "user:bob"), of("b", "user:cid")
	token := of("a", "token:1")
	token.Owner = &access.Identity{Subject: "user:ann"}

	first, second := want(ann, "/report", ""), want(token, "/report", "")
	want(ann, "/report", "caller_at_once 2")() // what was refused ends nothing
	want(token, "/report", "caller_at_once 2")
	want(ann, "/query", "")() // another kind of work
	want(ann, "/status", "")
	third := want(bob, "/report", "")
	want(bob, "/report", "tenant_at_once 5")
	other := want(cid, "/report", "") // another tenant
	first()
	want(ann, "/report", "")()
	second()
	third()
	other()
	for range 3 {
		want(ann, "/report", "")()
	}
	want(ann, "/report", "caller_rate 10")() // six in a minute; the next in ten seconds
	want(bob, "/report", "")()
	now = now.Add(10 * time.Second)
	want(ann, "/report", "")()
	want(ann, "/report", "caller_rate 10")
	if len(c.running) != 0 {
		t.Errorf("after all ended: %v", c.running)
	}
	for range 100 { // without authentication nobody is told apart
		want(of("a", ""), "/report", "")
	}
}

func TestOneCallersLongAnswersHoldUpNobodyElse(t *testing.T) {
	hold, entered := make(chan struct{}), make(chan struct{}, 2)
	address, _ := serve(t, func(c *Config) { c.Callers.HeavyAtOnce = 1 }, Deps{Hooks: Hooks{
		Identify: func(r *http.Request) (access.Identity, *Refusal) {
			return access.Identity{Subject: r.Header.Get("X-Who")}, nil
		},
	}}, Mount{Needs: NewRoutes(Route{Pattern: "GET /", Permission: access.SLOsRead, Work: Heavy}), Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Who") == "user:ann" {
			entered <- struct{}{}
			<-hold
		}
	})})
	ask := func(who string) (int, string) {
		req, _ := http.NewRequest(http.MethodGet, "http://"+address+"/", nil)
		req.Header.Set("X-Who", who)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		res.Body.Close()
		return res.StatusCode, res.Header.Get("Retry-After")
	}
	done := make(chan int)
	go func() {
		status, _ := ask("user:ann")
		done <- status
	}()
	<-entered
	if status, after := ask("user:ann"); status != http.StatusTooManyRequests || after != "2" {
		t.Errorf("her second: %d, after %s", status, after)
	}
	if status, _ := ask("user:bob"); status != http.StatusOK {
		t.Errorf("another's: %d", status)
	}
	close(hold)
	if status := <-done; status != http.StatusOK {
		t.Errorf("her first: %d", status)
	}
	if status, _ := ask("user:ann"); status != http.StatusOK {
		t.Errorf("after the first ended: %d", status)
	}
}
