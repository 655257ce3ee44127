package archive

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Timeline is what one SLO counted on the UTC days from first on; a day
// without data is nil.
type Timeline struct {
	first time.Time
	days  []*day
	exact map[int64][]ledger.Cell // the minutes of slots that bounds cut, by Unix time
	upTo  []ledger.Cell           // what was counted before each slot; exact for whole numbers
}

// Slot is the slot that begins at start.
func (t *Timeline) Slot(start time.Time) ledger.Cell {
	since := start.Sub(t.first)
	i := int(since / DayWidth)
	if since < 0 || i >= len(t.days) || t.days[i] == nil {
		return ledger.Cell{}
	}
	return t.days[i].slots[int(since%DayWidth/SlotWidth)]
}

// add makes upTo.
func (t *Timeline) add() {
	t.upTo = make([]ledger.Cell, len(t.days)*slotsADay+1)
	for i := range len(t.upTo) - 1 {
		t.upTo[i+1] = t.upTo[i]
		if d := t.days[i/slotsADay]; d != nil {
			t.upTo[i+1] = t.upTo[i].Add(d.slots[i%slotsADay])
		}
	}
}

// Minutes are those of the slot that begins at start, where they were refined.
func (t *Timeline) Minutes(start time.Time) []ledger.Cell { return t.exact[start.Unix()] }

// before is what was counted before a slot's begin.
func (t *Timeline) before(slot time.Time) ledger.Cell {
	return t.upTo[min(max(int(slot.Sub(t.first)/SlotWidth), 0), len(t.upTo)-1)]
}

// Sum is what was counted in [from, to).
func (t *Timeline) Sum(from, to time.Time) ledger.Cell {
	if !to.After(from) {
		return ledger.Cell{}
	}
	first, last := from.Truncate(SlotWidth), to.Truncate(SlotWidth)
	if first.Equal(last) {
		return t.part(first, from, to)
	}
	var sum ledger.Cell
	if first.Before(from) {
		next := first.Add(SlotWidth)
		sum, first = t.part(first, from, next), next
	}
	sum = sum.Add(t.before(last).Sub(t.before(first)))
	if last.Before(to) {
		sum = sum.Add(t.part(last, last, to))
	}
	return sum
}

// part is a piece of a slot. Without its minutes the hot ones count where they
// were and the others in proportion.
func (t *Timeline) part(start, from, to time.Time) (sum ledger.Cell) {
	if cells := t.exact[start.Unix()]; cells != nil {
		for i, c := range cells {
			if at := start.Add(time.Duration(i) * time.Minute); !at.Before(from) && at.Before(to) {
				sum = sum.Add(c)
			}
		}
		return sum
	}
	rest, others, wanted := t.Slot(start), float64(slotMinutes), to.Sub(from).Minutes()
	t.Hot(start, start.Add(SlotWidth), func(at time.Time, c ledger.Cell) {
		rest, others = rest.Sub(c), others-1
		if !at.Before(from) && at.Before(to) {
			sum, wanted = sum.Add(c), wanted-1
		}
	})
	if others > 0 && wanted > 0 {
		sum = sum.Add(rest.Scale(wanted / others))
	}
	return sum
}

// Hot calls fn for every hot minute that begins in [from, to), in order.
func (t *Timeline) Hot(from, to time.Time, fn func(at time.Time, c ledger.Cell)) {
	for i := max(0, int(from.Sub(t.first)/DayWidth)); i < len(t.days); i++ {
		d, begin := t.days[i], t.first.Add(time.Duration(i)*DayWidth)
		if !begin.Before(to) {
			break
		}
		if d == nil {
			continue
		}
		for _, h := range d.hot {
			if at := begin.Add(time.Duration(h.minute) * time.Minute); !at.Before(from) && at.Before(to) {
				fn(at, h.cell)
			}
		}
	}
}

// Since is the first time with data in [from, to).
func (t *Timeline) Since(from, to time.Time) (time.Time, bool) {
	for at := from; at.Before(to); at = at.Truncate(SlotWidth).Add(SlotWidth) {
		if t.Slot(at.Truncate(SlotWidth)).Minutes > 0 {
			return at, true
		}
	}
	return time.Time{}, false
}
