package slo

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// WithEvents is a Querier that answers SLOs over spans, logs and deployments too.
func WithEvents(q Querier, events indicator.Events) Querier { return indicator.WithEvents(q, events) }

// Changes tells what happened to the events that SLOs count; nil for none.
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
func (e *Engine) readLate(list []*objective, now time.Time) {
	if e.deps.Changes == nil || now.Before(e.next.late) {
		return
	}
	e.next.late = now.Add(lateEvery)
	late := e.deps.Changes.Late()
	if len(late) == 0 {
		return
	}
	for _, o := range list {
		if s := indicator.EventsOf(o.def.Measure); s != nil && !o.history.Composite() && o.history.Begun() {
			o.history.Requeue(late[s.Signal()])
		}
	}
}
