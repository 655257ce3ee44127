package history

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// corrected is what people took out of the SLO.
type corrected struct {
	corrections []model.SLOCorrection
	exclusions  []*exclusion
}

// exclusion is a span of minutes that does not count: corrections that touch
// are one.
type exclusion struct {
	from, to time.Time
	cells    []ledger.Cell // by minute, from from; those that were read
	known    []bool
	live     live // its share of the live part
}

// live is what happened in a piece of the live part.
type live struct {
	from, to time.Time
	cell     ledger.Cell
}

// within is the share of a piece, in proportion where it is cut.
func (l live) within(from, to time.Time) ledger.Cell {
	a, b := times.Later(from, l.from), times.Earlier(to, l.to)
	if !b.After(a) {
		return ledger.Cell{}
	}
	return l.cell.Scale(float64(b.Sub(a)) / float64(l.to.Sub(l.from)))
}

// readExcluded measures what does not count of the live part, whose sum is known. In proportion of its time, some of what
// failed in a maintenance that has just ended would count, and page.
func (h *History) readExcluded(ctx context.Context, q indicator.Querier, sum ledger.Cell, now time.Time) ([]live, error) {
	out := make([]live, len(h.exclusions))
	for i, x := range h.exclusions {
		l := live{from: times.Later(x.from, h.sealed), to: times.Earlier(x.to, now), cell: sum}
		if l.to.After(l.from) && (l.from.After(h.sealed) || l.to.Before(now)) {
			var err error
			if l.cell, err = h.def.Measure.Live(ctx, q, l.from, l.to); err != nil {
				return nil, err
			}
		}
		out[i] = l
	}
	return out, nil
}

// Correct makes the history follow its corrections. What it knows of spans
// that stay is kept; others are read.
func (h *History) Correct(list []model.SLOCorrection) {
	if slices.EqualFunc(list, h.corrections, func(a, b model.SLOCorrection) bool { return a.ID == b.ID && a.End.Equal(b.End) }) {
		return
	}
	var next []*exclusion
	for _, c := range list {
		if n := len(next); n > 0 && !c.Start.After(next[n-1].to) {
			next[n-1].to = times.Later(next[n-1].to, c.End)
			continue
		}
		next = append(next, &exclusion{from: c.Start, to: c.End})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range next {
		n := int(x.to.Sub(x.from) / time.Minute)
		x.cells, x.known = make([]ledger.Cell, n), make([]bool, n)
	}
	before := h.exclusions
	h.corrections, h.exclusions = slices.Clone(list), next
	for _, x := range before {
		for k := range x.cells {
			if x.known[k] {
				h.exclude(x.from.Add(time.Duration(k)*time.Minute), x.cells[k:k+1])
			}
		}
	}
	h.queueExclusions(h.sealed)
}

// queueExclusions has the excluded minutes that ended before sealTo read first of all, in full hours: see keepExcluded.
func (h *History) queueExclusions(sealTo time.Time) {
	h.queue = slices.DeleteFunc(h.queue, func(c chunk) bool { return c.excluded })
	for _, x := range h.exclusions {
		end := times.Earlier(x.to.Add(time.Hour-1).Truncate(time.Hour), sealTo)
		for from := x.from.Truncate(time.Hour); from.Before(end); from = from.Add(8 * time.Hour) {
			to := times.Earlier(from.Add(8*time.Hour), end)
			h.queue = append([]chunk{{tier: ledger.Minute, from: from, to: to, excluded: true}}, h.queue...)
		}
	}
}

// exclude keeps the minutes of (from, …] that do not count. mu is held.
func (h *History) exclude(from time.Time, cells []ledger.Cell) {
	for _, x := range h.exclusions {
		for i := range cells {
			if k := int(from.Add(time.Duration(i)*time.Minute).Sub(x.from) / time.Minute); k >= 0 && k < len(x.cells) && !from.Add(time.Duration(i)*time.Minute).Before(x.from) {
				x.cells[k], x.known[k] = cells[i], true
			}
		}
	}
}

// keepExcluded keeps what was read of minutes that do not count, but for hours of which the store has dropped
// something since they were counted: there it would take out less than what counts, or nothing. Of those that is kept which
// was read before, or the ledger tells.
func (h *History) keepExcluded(from time.Time, cells []ledger.Cell) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(cells) > 0 {
		n := min(len(cells), int(from.Truncate(time.Hour).Add(time.Hour).Sub(from)/time.Minute))
		var sum ledger.Cell
		for _, c := range cells[:n] {
			sum = sum.Add(c)
		}
		to := from.Add(time.Duration(n) * time.Minute)
		if !h.forgets() || h.ledger.Sum(from, to).Total <= sum.Total+1e-6 {
			h.exclude(from, cells[:n])
		}
		from, cells = to, cells[n:]
	}
}

// excludedFor is how long (from, to] does not count. mu is held.
func (h *History) excludedFor(from, to time.Time) (d time.Duration) {
	for _, x := range h.exclusions {
		d += max(0, times.Earlier(to, x.to).Sub(times.Later(from, x.from)))
	}
	return d
}

// takeOut fills in how much corrections take out of the window, and of what there is data of. mu is held.
func (h *History) takeOut(m *judgement.Measured) {
	m.Excluded = h.excludedFor(m.Now.Add(-m.Age), m.Now)
	// What is announced for the rest of a calendar window is no part of it either.
	m.Outside = h.excludedFor(m.Start, m.Start.Add(m.Length))
}

// excludedIn is what happened in (from, to] and does not count. mu is held.
func (h *History) excludedIn(from, to time.Time) (sum ledger.Cell) {
	begin, end := h.cutAt(from)
	for _, x := range h.exclusions {
		// Of the slot that the window cuts counts as much as of what it is taken from.
		if end.After(begin) {
			share := float64(end.Sub(from)) / float64(end.Sub(begin))
			sum = sum.Add(h.excludedOf(x, begin, times.Earlier(end, to)).Scale(share))
		}
		sum = sum.Add(h.excludedOf(x, end, to))
	}
	return sum
}

// cutAt is the ledger's slot that a window which begins at from cuts; begin and
// end are from where none is. mu is held.
func (h *History) cutAt(from time.Time) (begin, end time.Time) {
	if h.firstHour.start.Equal(from) || !from.Before(h.sealed) {
		return from, from
	}
	return h.ledger.Cut(from)
}

// excludedOf is what happened in (from, to] and in one exclusion. mu is held.
func (h *History) excludedOf(x *exclusion, from, to time.Time) (sum ledger.Cell) {
	a, b := times.Later(from, x.from), times.Earlier(to, x.to)
	for at := a; at.Before(times.Earlier(b, h.sealed)); {
		k := int(at.Sub(x.from) / time.Minute)
		next := times.Earlier(times.Earlier(x.from.Add(time.Duration(k+1)*time.Minute), b), h.sealed)
		if x.known[k] {
			sum = sum.Add(x.cells[k].Scale(next.Sub(at).Minutes()))
		} else {
			sum = sum.Add(h.ledger.Sum(at, next))
		}
		at = next
	}
	part := x.live
	if part.to.IsZero() { // a correction of this moment
		part = live{h.sealed, h.liveTo, h.live}
	}
	return sum.Add(part.within(times.Later(a, h.sealed), times.Earlier(b, h.liveTo)))
}

// without is sum less what does not count.
func without(sum, excluded ledger.Cell) ledger.Cell {
	c := sum.Sub(excluded)
	c.Minutes = max(c.Minutes, 0)
	return c
}
