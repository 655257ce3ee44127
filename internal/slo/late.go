package slo

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Samples tells which hours changed that lie further back than evaluation reads again by itself; store/metrics does.
type Samples interface {
	// Changed are those since the last call. Whoever has read them again knows all changes up to the number.
	Changed() (hours []store.ChangedHour, number uint64)
	// Known are the changes that are remembered of this run and those before it: all with numbers greater than since, up to last.
	Known() (changes []store.Change, since, last uint64)
}

const (
	// lateEvery is how often what came late is looked for: it comes in crowds.
	lateEvery = 2 * time.Second
	// lateShare is how much of Config.CPUShare reading again may take in the long run: a sender that is always late must not
	// hold up the reading of history that is not known yet.
	lateShare = 0.25
	// lateRest bounds the rest that pays for it: so much later than without such senders a verdict may be.
	lateRest = 2 * time.Minute
)

// hearing is how the engine hears of late samples: what it heard of is read before it listens again, so that whatever
// comes meanwhile is read once, however often it came.
type hearing struct {
	number uint64        // changes up to it were heard
	at     time.Time     // when it listened last
	cost   time.Duration // computing time of reading again what was heard then
}

// rest is how long to wait before listening again.
func (h hearing) rest(share float64) time.Duration {
	return min(max(lateEvery, time.Duration(float64(h.cost)/(share*lateShare))), lateRest)
}

// recalled is what the store remembers of the runs before.
type recalled struct {
	changes     []store.Change
	since, last uint64
}

// readLate has what depends on late events and samples read again.
func (e *Engine) readLate(list []*objective, now time.Time) {
	if e.deps.Changes.Events != nil && !now.Before(e.next.late) {
		e.next.late = now.Add(lateEvery)
		e.readLateEvents(list)
	}
	if e.deps.Changes.Samples != nil && now.Sub(e.hearing.at) >= e.hearing.rest(e.cfg.CPUShare) && !rereading(list) {
		e.readLateSamples(list, now)
	}
}

func (e *Engine) readLateEvents(list []*objective) {
	late := e.deps.Changes.Events.Late()
	if len(late) == 0 {
		return
	}
	for _, o := range list {
		if s := indicator.EventsOf(o.def.Measure); s != nil && !o.history.Composite() && o.history.Begun() {
			o.history.Requeue(late[s.Signal()])
		}
	}
}

func (e *Engine) readLateSamples(list []*objective, now time.Time) {
	hours, number := e.deps.Changes.Samples.Changed()
	e.hearing = hearing{number: max(number, e.hearing.number), at: now}
	if len(hours) == 0 {
		return
	}
	for _, o := range list {
		if o.history.Composite() {
			continue
		}
		concerned := o.history.Concerned(hours)
		if len(concerned) == 0 {
			continue
		}
		if g := e.groups[o.def.Name]; g != nil {
			g.Again(concerned)
		}
		if o.history.Begun() {
			o.history.Requeue(concerned)
		}
	}
}

// rereading reports whether something that changed waits to be read again.
func rereading(list []*objective) bool {
	for _, o := range list {
		if o.history.Changed() {
			return true
		}
	}
	return false
}

// recallChanges reads what the store remembers; the ledgers of the last run were stored without some of it.
func (e *Engine) recallChanges() {
	if s := e.deps.Changes.Samples; s != nil {
		e.last.changes.changes, e.last.changes.since, e.last.changes.last = s.Known()
		e.hearing.number = e.last.changes.last
	}
}

// resume takes up the ledger of the last run.
func (e *Engine) resume(o *objective, now time.Time) {
	l := e.last.ledgers[o.def.Name]
	o.history.Resume(l, now)
	if c := e.last.changes; e.deps.Changes.Samples != nil {
		o.history.Recall(l.Heard, c.changes, c.since, c.last)
	}
}
