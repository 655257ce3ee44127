package history

import (
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// stretch is a piece of the past that changed.
type stretch struct{ from, to time.Time }

// Requeue has all that depends on the hours, in ascending order, read again.
func (h *History) Requeue(hours []time.Time) {
	before, after := indicator.Reach(h.def.Measure)
	var spans []stretch
	for _, hour := range hours {
		s := stretch{hour.Add(-before), hour.Add(time.Hour + after)}
		if n := len(spans); n > 0 && !s.from.After(spans[n-1].to) {
			spans[n-1].to = s.to
			continue
		}
		spans = append(spans, s)
	}
	h.requeue(spans, h.sealed)
}

func (h *History) requeue(spans []stretch, sealTo time.Time) {
	for _, c := range h.plan(sealTo) {
		for _, s := range spans {
			again := h.cut(c, s)
			if again.from.Before(again.to) && !slices.Contains(h.queue, again) {
				h.queue = append(h.queue, again)
			}
		}
	}
	if indicator.EventsOf(h.def.Measure) != nil {
		h.kept = time.Unix(1, 0) // nobody knows at the next start which hours changed: store the ledger once they are read
	}
	start := h.firstHour.start
	if touched(spans, start.Truncate(time.Hour), start) {
		h.queueFirstHour(sealTo, true)
	}
	h.mu.Lock()
	if !h.birth.hour.IsZero() && touched(spans, time.Time{}, h.birth.hour.Add(time.Hour)) {
		h.birth = birth{} // samples may have come that are older
	}
	h.mu.Unlock()
	if slices.ContainsFunc(h.exclusions, func(x *exclusion) bool { return touched(spans, x.from.Truncate(time.Hour), x.to.Add(time.Hour)) }) {
		h.queueExclusions(sealTo)
	}
}

// cut is the part of a piece that changed, in whole slots, and whole slices, which divide an hour.
func (h *History) cut(c chunk, s stretch) chunk {
	unit := c.tier.Width()
	if _, slices := indicator.Inner(h.def.Measure).(*indicator.Slices); slices {
		unit = time.Hour
	}
	c.from, c.to, c.again = times.Later(c.from, s.from.Truncate(unit)), times.Earlier(c.to, s.to.Add(unit-1).Truncate(unit)), true
	return c
}

func touched(spans []stretch, from, to time.Time) bool {
	return slices.ContainsFunc(spans, func(s stretch) bool { return s.from.Before(to) && from.Before(s.to) })
}

// Concerned are the hours of those in which metrics changed that the SLO reads.
func (h *History) Concerned(changed []store.ChangedHour) (hours []time.Time) {
	for _, c := range changed {
		if indicator.Concerns(h.def.Measure, c.Names.May) {
			hours = append(hours, c.Start)
		}
	}
	return hours
}

// Recall has what changed read again since the ledger was stored that Resume took up: changes with greater numbers than it
// heard of. Of those up to since nothing is known.
func (h *History) Recall(heard uint64, changes []store.Change, since, last uint64) {
	if !h.Begun() || !indicator.Concerns(h.def.Measure, func(string) bool { return true }) {
		return
	}
	if heard < since || heard > last { // later than the last: the samples are another copy than the ledger
		h.owed, h.nextScan = true, h.sealed
		return
	}
	var hours []time.Time
	for _, c := range changes {
		if c.Number > heard {
			hours = append(hours, h.Concerned(c.Hours)...)
		}
	}
	slices.SortFunc(hours, time.Time.Compare)
	h.Requeue(slices.Compact(hours))
}

// Rereads reports whether the next piece of history is read again because it changed; Changed whether any waits.
func (h *History) Rereads() bool { return len(h.queue) > 0 && h.queue[0].again }

// Changed reports whether any piece waits to be read again because it changed.
func (h *History) Changed() bool {
	return slices.ContainsFunc(h.queue, func(c chunk) bool { return c.again })
}

// replan plans the pieces anew that changed, after time went on: which slots are kept has changed.
func (h *History) replan(pieces []chunk, sealTo time.Time) {
	var spans []stretch
	for _, c := range pieces {
		spans = append(spans, stretch{c.from, c.to})
	}
	h.requeue(spans, sealTo)
}

// outdated reports whether a piece has waited so long that its slots are kept no more.
func (h *History) outdated(c chunk) bool {
	return c.again && c.from.Before(h.ledger.Start(c.tier, h.sealed)) && c.tier < ledger.Hour
}

// forgets reports whether the store drops what was counted: old spans and logs. Metrics are kept for as long as the store is
// told to keep them, deployments for ever, and those change.
func (h *History) forgets() bool {
	s := indicator.EventsOf(h.def.Measure)
	return s != nil && s.Signal() != indicator.Deploys
}

// keepCounted puts back what the ledger has where less is read now: the store
// drops old spans and logs, and what was counted stays counted.
func (h *History) keepCounted(tier ledger.Tier, from time.Time, cells []ledger.Cell) {
	if !h.forgets() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range cells {
		if had := h.ledger.Get(tier, from.Add(time.Duration(i)*tier.Width())); had.Total > cells[i].Total {
			cells[i] = had
		}
	}
}
