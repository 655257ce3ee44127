package history

import (
	"cmp"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Measure gathers what a judgement needs.
func (h *History) Measure(limits judgement.Limits, now time.Time) judgement.Measured {
	m := judgement.Measured{Now: now}
	m.Windows = map[time.Duration]ledger.Cell{}
	m.Start, m.Length = h.def.Span(now)
	for _, w := range limits.Windows(h.def) {
		m.Windows[w], _ = h.sum(now.Add(-w), now)
	}
	if six, _ := h.sum(now.Add(-6*time.Hour), now); judgement.FewEvents(limits, h.def, six) {
		m.Trickle = map[time.Duration]ledger.Cell{}
		longs, recents := judgement.TrickleWindows()
		for _, w := range append(longs, recents...) {
			if w <= h.def.Window {
				m.Trickle[w], _ = h.sum(now.Add(-w), now)
			}
		}
	}
	m.Budget, m.Felt = h.sum(m.Start, now)
	h.since(&m)
	// A query that fails once is tried again; for half a minute the last
	// answer stands.
	for _, q := range h.within() {
		if !q.failing.IsZero() && now.Sub(q.failing) >= 30*time.Second {
			m.Err = q.err
		}
		m.NoGood = m.NoGood || q.noGood
		m.Fault = cmp.Or(m.Fault, q.exceeds(now), q.fault)
		if sum, _ := q.sum(m.Start, now); q != h && sum.Total <= 0 {
			m.Idle = q.def.Name
		}
	}
	return m
}

// within is the SLO and all that it is made of.
func (h *History) within() []*History {
	all := []*History{h}
	for _, q := range h.parts {
		all = append(all, q.within()...)
	}
	return all
}

// exceeds is the fault of what was counted in the last hour or the window.
func (h *History) exceeds(now time.Time) *indicator.Fault {
	if _, counts := h.def.Measure.(*indicator.Ratio); !counts {
		return nil
	}
	start, _ := h.def.Span(now)
	hour, _ := h.raw(now.Add(-time.Hour), now)
	all, _ := h.raw(start, now)
	return cmp.Or(indicator.Exceeds(h.def.Measure, hour, time.Hour), indicator.Exceeds(h.def.Measure, all, now.Sub(start)))
}

// since fills in how old data is, and what corrections take out of the window.
func (h *History) since(m *judgement.Measured) {
	if len(h.parts) > 0 {
		h.sinceParts(m)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m.LastData, m.Loaded = h.lastData, h.loaded
	if first, ok := h.firstData(m.Now); ok {
		m.History = m.Now.Sub(first)
	} else if m.Budget.Minutes > 0 {
		m.History = m.Now.Sub(h.sealed)
	}
	m.Age = min(m.History, m.Now.Sub(m.Start))
	if len(h.exclusions) == 0 {
		return
	}
	h.takeOut(m)
	end := m.Start.Add(m.Length)
	for _, c := range h.corrections {
		if c.End.After(m.Start) && c.Start.Before(end) {
			m.Fixed = append(m.Fixed, c)
		}
	}
}

// sinceParts is as good as a composite's worst part.
func (h *History) sinceParts(m *judgement.Measured) {
	for i, q := range h.parts {
		one := judgement.Measured{Now: m.Now}
		one.Start, one.Length = m.Start, m.Length
		one.Budget, one.Felt = q.sum(m.Start, m.Now)
		q.since(&one)
		if i == 0 {
			m.LastData, m.Loaded, m.History, m.Age = one.LastData, one.Loaded, one.History, one.Age
		}
		m.LastData, m.Loaded = times.Earlier(m.LastData, one.LastData), min(m.Loaded, one.Loaded)
		m.History, m.Age = min(m.History, one.History), min(m.Age, one.Age)
		m.Fixed = append(m.Fixed, one.Fixed...)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastData, h.loaded = m.LastData, m.Loaded
	h.sealed, h.liveTo = h.parts[0].sealed, h.parts[0].liveTo
}

// sum is what happened in (from, to] and counts, and what users felt. The live
// part counts whole where to lies within it: it is a few minutes at most.
// So it does where from does, but for the windows that are judged.
func (h *History) sum(from, to time.Time) (counts, felt ledger.Cell) {
	def, parts := h.definition()
	if len(parts) > 0 {
		return sumParts(def, parts, from, to)
	}
	counts, felt = h.raw(from, to)
	return indicator.Within(def.Measure, counts), indicator.Within(def.Measure, felt)
}

// raw is sum as it was measured.
func (h *History) raw(from, to time.Time) (counts, felt ledger.Cell) {
	h.mu.Lock()
	defer h.mu.Unlock()
	felt = h.ledgerSum(from, times.Earlier(to, h.sealed))
	if to.After(h.sealed) {
		felt = felt.Add(h.liveSince(from))
	}
	if len(h.exclusions) == 0 {
		return felt, felt
	}
	return without(felt, h.excludedIn(from, to)), felt
}

func sumParts(def *definition.Definition, parts []*History, from, to time.Time) (counts, felt ledger.Cell) {
	both := [2][]ledger.Cell{}
	for _, q := range parts {
		a, b := q.sum(from, to)
		both[0], both[1] = append(both[0], a), append(both[1], b)
	}
	return def.Compose(both[0]), def.Compose(both[1])
}
