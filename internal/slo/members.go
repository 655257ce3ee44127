package slo

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/history"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// members are the SLOs under evaluation. Its lock guards the list alone, and is held over nothing but memory: who asks
// how things stand never waits for a disk or a network.
type members struct {
	mu   sync.Mutex
	list []*objective // sorted by name; replaced, never changed

	shown sync.RWMutex // held for writing while an SLO and its groups are shown, for reading while it is asked who says how things stand

	families indicator.Families // who is asked for together; only Run's goroutine touches this and the following
	events   <-chan struct{}    // news of them, where SLOs count them
}

func (m *members) all() []*objective {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.list
}

func (m *members) replace(list []*objective) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = list
}

// waiting reports whether history waits to be read.
func (m *members) waiting() bool {
	return slices.ContainsFunc(m.all(), func(o *objective) bool { return o.history.Waiting() })
}

// sync makes the members follow the definitions. A definition that measures what it
// measured before keeps its ledger; a changed one reads its history again.
func (e *Engine) sync(ctx context.Context, defs []*Definition, now time.Time) []*objective {
	before := e.members.all()
	if len(defs) == len(before) && slices.EqualFunc(defs, before, func(d *Definition, o *objective) bool { return d == o.def }) {
		return before
	}
	old := map[string]*objective{}
	for _, o := range before {
		old[o.def.Name] = o
	}
	next := make([]*objective, 0, len(defs))
	for _, d := range defs {
		o := old[d.Name]
		if o != nil && o.def.MeasuresLike(d) {
			o.follow(d)
		} else {
			o = newObjective(d, o, e.last.records[d.Name])
			e.resume(o, now)
			o.aside = d.Group != nil // until it is judged, the others speak
		}
		next = append(next, o)
		delete(old, d.Name)
	}
	link(next)
	e.members.events = nil
	if e.deps.Changes.Events != nil && slices.ContainsFunc(next, func(o *objective) bool { return indicator.EventsOf(o.def.Measure) != nil }) {
		e.members.events = e.deps.Changes.Events.Arrived()
	}
	e.members.families = indicator.FamiliesOf(sources(next))
	e.last.ledgers, e.last.changes = nil, recalled{} // they were for the first members
	e.members.replace(next)
	var gone []*objective
	for _, o := range before {
		if old[o.def.Name] == o {
			gone = append(gone, o)
		}
	}
	e.courier.retire(ctx, gone, now)
	return next
}

func sources(list []*objective) []indicator.Source {
	out := make([]indicator.Source, len(list))
	for i, o := range list {
		out[i] = o.def.Measure
	}
	return out
}

// link connects composites with the SLOs they are made of.
func link(list []*objective) {
	by := map[string]*objective{}
	for _, o := range list {
		by[o.def.Name] = o
	}
	for _, o := range list {
		var parts []*history.History
		for _, part := range o.def.Parts {
			parts = append(parts, by[part.Definition.Name].history)
		}
		o.history.Link(parts)
	}
}
