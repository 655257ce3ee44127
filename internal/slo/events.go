package slo

import (
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// WithEvents is a Querier that answers promises over spans, logs and deployments too.
func WithEvents(q Querier, events indicator.Events) Querier { return indicator.WithEvents(q, events) }

// Changes tells what happened to the events that promises count; nil for none.
// slo/tally does.
type Changes interface {
	// Arrived tells that events were stored; news fold into one.
	Arrived() <-chan struct{}
	// Late are the hours further back than evaluation reads again by itself, into which
	// events fell since the last call.
	Late() map[indicator.Signal][]time.Time
}

// lateEvery is how often late events are looked for: they come in crowds.
const lateEvery = 2 * time.Second

// readLate has the hours read again into which late events fell.
func (e *Engine) readLate(promises []*promise, now time.Time) {
	if e.deps.Changes == nil || now.Before(e.nextLate) {
		return
	}
	e.nextLate = now.Add(lateEvery)
	late := e.deps.Changes.Late()
	if len(late) == 0 {
		return
	}
	for _, p := range promises {
		if s := indicator.EventsOf(p.def.Measure); s != nil && len(p.parts) == 0 && !p.sealed.IsZero() {
			p.requeue(late[s.Signal()])
		}
	}
}

// requeue has the pieces of history read again that hold the hours.
func (p *promise) requeue(hours []time.Time) {
	for _, c := range p.plan(p.sealed) {
		from, to := time.Time{}, time.Time{}
		for _, hour := range hours {
			if !hour.Add(time.Hour).After(c.from) || !hour.Before(c.to) {
				continue
			}
			if from.IsZero() {
				from = times.Later(c.from, hour)
			}
			to = times.Earlier(c.to, hour.Add(time.Hour))
		}
		c.from, c.to, c.again = from, to, true
		if !from.IsZero() && !slices.Contains(p.queue, c) {
			p.queue = append(p.queue, c)
			p.kept = time.Unix(1, 0) // what is stored of it is wrong: store it again once it is read
		}
	}
	p.queueExclusions(p.sealed)
}

// keepCounted puts back what the ledger has where less is read now: the store
// drops old spans and logs, and what was counted stays counted.
func (p *promise) keepCounted(tier ledger.Tier, from time.Time, cells []ledger.Cell) {
	s := indicator.EventsOf(p.def.Measure)
	if s == nil || s.Signal() == indicator.Deploys {
		return // deployments are kept for ever, and change
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range cells {
		if had := p.ledger.Get(tier, from.Add(time.Duration(i)*tier.Width())); had.Total > cells[i].Total {
			cells[i] = had
		}
	}
}
