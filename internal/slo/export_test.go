package slo

import (
	"context"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/pace"
)

// Settle does what Run does when it has all the time it wants: judge, read
// the history that is due, judge again.
func (e *Engine) Settle(ctx context.Context, now time.Time) error {
	if e.last.records == nil {
		if err := e.restore(ctx); err != nil {
			return err
		}
	}
	e.step(ctx, now)
	read := e.scanAll(ctx, now)
	if _, due := rereads.LoadAndDelete(e); due {
		for _, o := range e.members.all() {
			if !o.history.Composite() {
				read = o.history.Due(now.Add(24*time.Hour)) || read
			}
		}
		e.scanAll(ctx, now)
	}
	if read {
		e.step(ctx, now)
	}
	return nil
}

func (e *Engine) scanAll(ctx context.Context, now time.Time) (some bool) {
	for e.scanOne(ctx, now, new(bool)) {
		some = true
	}
	return some
}

// rereads are the engines that read all history again when they settle next.
var rereads sync.Map

// Recompute has all history read again as if the hours had passed after which it is anyway.
func (e *Engine) Recompute() { rereads.Store(e, true) }

// Alone makes the engine ask for each counter by itself.
func (e *Engine) Alone() { e.members.families = nil }

// Families is how many counters are asked for together.
func (e *Engine) Families() int { return len(e.members.families) }

// Judge is one evaluation, as Run does it after samples arrived.
func (e *Engine) Judge(ctx context.Context, now time.Time) { e.step(ctx, now) }

// Keep stores the ledgers, as the end of a run does.
func (e *Engine) Keep(ctx context.Context) { e.keepAll(ctx) }

// ScanInDebt reads history though evaluation has used up all its time, as with thousands
// of SLOs.
func (e *Engine) ScanInDebt(ctx context.Context, fair time.Duration) bool {
	budget := pace.New(0.1, time.Now)
	budget.Spend(11 * time.Second)
	return e.scan(ctx, fair, budget)
}
