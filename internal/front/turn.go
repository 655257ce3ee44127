package front

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/turns"
)

// turnRetry is after how many seconds who got no turn may try again.
const turnRetry = 5

// payer is the tenant whose shares a request takes: of several that it reads, the first.
func payer(a *access.Access) string {
	if len(a.Across) > 0 {
		return a.Across[0].Tenant
	}
	return cmp.Or(a.Tenant, model.DefaultTenant)
}

// turn waits until it is the turn of the tenant of a request that has arrived. What is answered from memory has none to wait for.
func (f *Front) turn(r *http.Request, a *access.Access, needs Needs) (leave func(), refusal *Refusal) {
	if a.Needs == access.TelemetryWrite {
		return f.enterQueue(r.Context(), a, f.turns.Writes, "turns.writes")
	}
	if w, ok := needs.(worker); ok && w.Work(r) != Light {
		return f.enterQueue(r.Context(), a, f.turns.Questions, "turns.questions")
	}
	return func() {}, nil
}

// Turn waits until it is the turn of the tenant that sends telemetry otherwise than over HTTP, in the context that Enter answered.
func (f *Front) Turn(ctx context.Context) (leave func(), refusal *Refusal) {
	a := access.From(ctx)
	if a == nil {
		return func() {}, nil
	}
	return f.enterQueue(ctx, a, f.turns.Writes, "turns.writes")
}

func (f *Front) enterQueue(ctx context.Context, a *access.Access, q *turns.Queue, setting string) (leave func(), refusal *Refusal) {
	tenant := payer(a)
	leave, err := q.Enter(ctx, tenant)
	switch {
	case err == nil:
		return leave, nil
	case errors.Is(err, turns.ErrFull):
		return nil, &Refusal{
			Status: http.StatusTooManyRequests, Reason: "tenant_waiting", RetryAfter: turnRetry,
			Message: fmt.Sprintf("as many requests of the tenant %s wait for their turn as may (turns.waiting); send fewer at once, and this one again later", tenant),
		}
	}
	return nil, &Refusal{
		Status: http.StatusServiceUnavailable, Reason: "tenant_turn", RetryAfter: turnRetry,
		Message: fmt.Sprintf("the tenant %s has as many requests worked on at once as it may beside the other tenants (%s), and none of them ended in time (turns.wait): send fewer or lighter ones at once, and this one again later", tenant, setting),
	}
}
