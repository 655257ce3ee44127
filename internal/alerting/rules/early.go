package rules

import (
	"context"
	"sync"
	"time"

	promrules "github.com/prometheus/prometheus/rules"
)

const (
	// earliest is the least time between two evaluations of a group.
	earliest = 500 * time.Millisecond
	// share bounds what early evaluations may cost, all groups together: one
	// part in share of one core.
	share = 20
	// margin before the next regular evaluation in which no early one begins.
	margin = 50 * time.Millisecond
)

// evaluate is one iteration of a group, in the group's own goroutine: the
// regular evaluation and then, until the next one is due, further ones when samples arrived. A condition
// that turned true is thus seen a second later instead of an interval later. Groups
// with recording rules keep to their interval, so that recorded series have even
// steps.
func (r *Rules) evaluate(ctx context.Context, g *promrules.Group, at time.Time) {
	if !r.cfg.EarlyEvaluation || !onlyAlerts(g) {
		promrules.DefaultEvalIterationFunc(ctx, g, at)
		return
	}
	// Listening begins before the regular evaluation: a sample that comes while it runs is not in it.
	arrivals, stop := r.deps.Store.Arrivals()
	defer stop()
	promrules.DefaultEvalIterationFunc(ctx, g, at)
	until := at.Add(g.Interval()).Add(-margin)
	if time.Until(until) < earliest {
		return
	}
	interrupted := r.interrupt.wait()
	end := time.NewTimer(time.Until(until))
	defer end.Stop()
	over := func(c <-chan time.Time, news <-chan struct{}) bool {
		select {
		case <-c:
		case <-news:
		case <-end.C:
			return true
		case <-interrupted:
			return true
		case <-ctx.Done():
			return true
		}
		return false
	}
	for waiting := false; ; {
		gap := time.NewTimer(max(earliest, r.budget.rest(r.now())))
		if over(gap.C, nil) {
			gap.Stop()
			return
		}
		// News that the budget did not allow to look at are not forgotten: no others may come.
		if !waiting && over(nil, arrivals) {
			return
		}
		waiting = true
		// A select whose channels are all ready takes any of them, and a starved
		// goroutine wakes late. An evaluation past the end would be newer than the regular one
		// that follows, whose samples would then be refused as out of order.
		began := r.now()
		if !began.Before(until) {
			return
		}
		if r.budget.rest(began) == 0 {
			waiting = false
			g.Eval(ctx, began)
			r.budget.spend(time.Since(began))
		}
	}
}

// budget spreads early evaluations so that they take 1/share of the time. What
// it does not allow waits until it does, or for the group's interval.
type budget struct {
	mu   sync.Mutex
	next time.Time
}

// rest is how long to wait.
func (b *budget) rest(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, b.next.Sub(now))
}

func (b *budget) spend(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.next.Before(now) {
		b.next = now
	}
	b.next = b.next.Add(d * (share - 1))
}

// onlyAlerts is true for groups that record nothing and ask about samples.
func onlyAlerts(g *promrules.Group) bool {
	for _, rule := range g.Rules() {
		if _, ok := rule.(*promrules.AlertingRule); !ok {
			return false
		}
	}
	return g.File() != builtIn
}

// interrupt keeps groups from waiting while the set is being replaced: a
// changed group is waited for.
type interrupt struct {
	mu sync.Mutex
	c  chan struct{} // closed while nobody may wait
}

func newInterrupt() *interrupt { return &interrupt{c: make(chan struct{})} }

func (i *interrupt) wait() <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.c
}

// begin ends every wait; the returned function allows waiting again.
func (i *interrupt) begin() (end func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	close(i.c)
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.c = make(chan struct{})
	}
}
