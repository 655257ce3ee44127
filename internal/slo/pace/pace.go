// Package pace keeps the evaluation of SLOs within its share of a core.
//
// Budget is computing time: it grows by a share of the time that passes, and work spends it.
// Work is charged with what its thread computed, not with the time that passed meanwhile:
// on a busy machine a process waits for its turn, and to rest for that would delay
// pages exactly when they matter.
//
// In: computing time that was spent. Out: how long to rest. A Budget and a Clock
// belong to one goroutine. Start reading here.
package pace

import (
	"runtime"
	"time"
)

// Limits of a budget.
const (
	burst   = 10 * time.Second // unused time that may be caught up, for reading history
	maxRest = 10 * time.Second // for the sake of the share, which thousands of SLOs need: alerts must come in time all the same
)

// Budget is computing time: share seconds a second, up to burst.
type Budget struct {
	share  float64
	credit time.Duration
	last   time.Time
	now    func() time.Time
}

// New makes a full budget.
func New(share float64, now func() time.Time) *Budget {
	return &Budget{share: share, credit: burst, last: now(), now: now}
}

// Spend takes what work computed.
func (b *Budget) Spend(d time.Duration) {
	now := b.now()
	b.credit = min(burst, b.credit+time.Duration(b.share*float64(now.Sub(b.last)))) - d
	b.last = now
}

// Spare reports whether there is time for work that can wait.
func (b *Budget) Spare() bool { return b.credit > time.Second }

// Debt is how long to rest until the budget is positive again, at most
// maxRest: SLOs are judged, however slow the machine.
func (b *Budget) Debt() time.Duration {
	if b.credit >= 0 {
		return 0
	}
	return min(maxRest, time.Duration(float64(-b.credit)/b.share))
}

// Workers is how many SLOs and rules may be computed at once beside the live
// evaluation: one core stays free for it.
func Workers() int { return max(1, runtime.GOMAXPROCS(0)-1) }
