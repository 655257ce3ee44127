// Package ledger keeps what one SLO spent: good and bad by minute.
//
// It holds three tiers of slots: minutes for the last hours, five-minute slots for the last
// days, hours for the whole budget window, packed into 5 to 20 KB in all. Any window that ends
// now is a sum over at most a few hundred slots, so judging an SLO never reads raw samples
// of more than a few minutes. It evaluates nothing and stores nothing on disk: after a
// restart the slots are filled again from the metrics store.
//
// In: Cells for slots. Out: Cells for windows. Invariant: within the span that a
// finer tier keeps, a coarser slot is the sum of its finer ones, because every
// Put passes its difference up. A Ledger is not safe for concurrent use.
//
// Start reading at ledger.go.
package ledger

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
)

// Cell is what happened in a span of time. With occurrences, Bad and Total
// count events; with timeslices, minutes. Minutes is how much of the span has data.
type Cell struct {
	Bad, Total, Minutes float64
}

// Add is the sum of two spans.
func (c Cell) Add(o Cell) Cell {
	return Cell{Bad: c.Bad + o.Bad, Total: c.Total + o.Total, Minutes: c.Minutes + o.Minutes}
}

// Sub is c without o.
func (c Cell) Sub(o Cell) Cell {
	return Cell{Bad: c.Bad - o.Bad, Total: c.Total - o.Total, Minutes: c.Minutes - o.Minutes}
}

// Scale is a share of a span.
func (c Cell) Scale(f float64) Cell {
	return Cell{Bad: c.Bad * f, Total: c.Total * f, Minutes: c.Minutes * f}
}

// Tier is a slot width.
type Tier int

// The tiers.
const (
	Minute Tier = iota
	FiveMinutes
	Hour
	tiers
)

// Width is the width of the tier's slots.
func (t Tier) Width() time.Duration {
	return [tiers]time.Duration{time.Minute, 5 * time.Minute, time.Hour}[t]
}

// How much the finer tiers keep at least.
const (
	MinuteSpan     = 6 * time.Hour
	FiveMinuteSpan = 3 * 24 * time.Hour
)

// Ledger holds the slots of one SLO.
type Ledger struct {
	window time.Duration
	tier   [tiers]ring
	sealed int64 // end of the newest slot that was put, Unix minutes
}

// New makes an empty ledger for a budget window.
func New(window time.Duration) *Ledger {
	l := &Ledger{window: window}
	// Two hours more than asked: slots begin on full hours.
	for t, span := range [tiers]time.Duration{MinuteSpan, FiveMinuteSpan, window} {
		n := int((span+2*time.Hour)/Tier(t).Width()) + 1
		l.tier[t] = ring{n: n, newest: -1}
	}
	return l
}

// Window is the budget window.
func (l *Ledger) Window() time.Duration { return l.window }

// Sealed is the end of the newest slot, the zero time while there is none.
func (l *Ledger) Sealed() time.Time {
	if l.sealed == 0 {
		return time.Time{}
	}
	return time.Unix(l.sealed*60, 0)
}

// Start is where a tier's slots begin when now is the newest time, on a full
// hour: before it, only coarser tiers count.
func (l *Ledger) Start(t Tier, now time.Time) time.Time {
	span := [tiers]time.Duration{MinuteSpan, FiveMinuteSpan, l.window}[t]
	return now.Truncate(time.Hour).Add(-span)
}

// Put sets the slot of tier t that begins at start (a multiple of the width).
func (l *Ledger) Put(t Tier, start time.Time, c Cell) {
	width := int64(t.Width() / time.Second)
	k := start.Unix() / width
	if !l.tier[t].keeps(k) {
		return
	}
	diff := c.Sub(l.tier[t].get(k))
	if diff == (Cell{}) && k <= l.tier[t].newest {
		return // nothing changed, as in most slots that are read again
	}
	for u := t; u < tiers; u++ {
		l.add(u, start.Unix()/int64(u.Width()/time.Second), diff)
	}
	l.sealed = max(l.sealed, (k+1)*width/60)
}

func (l *Ledger) add(t Tier, k int64, c Cell) {
	if l.tier[t].keeps(k) {
		l.tier[t].set(k, l.tier[t].get(k).Add(c))
	}
}

// Get is the slot that begins at start.
func (l *Ledger) Get(t Tier, start time.Time) Cell {
	return l.tier[t].get(start.Unix() / int64(t.Width()/time.Second))
}

// Sum is what happened in (from, to]. Where the finest slots kept do not begin
// or end on the bounds, the cut slots count in proportion.
func (l *Ledger) Sum(from, to time.Time) Cell {
	minuteFrom := l.Start(Minute, l.Sealed()).UnixNano()
	fiveFrom := l.Start(FiveMinutes, l.Sealed()).UnixNano()
	var sum Cell
	for at, end := from.UnixNano(), to.UnixNano(); at < end; {
		if n := (end - at) / int64(time.Hour); n > 1 && at%int64(time.Hour) == 0 {
			sum = sum.Add(l.hours(at/int64(time.Hour), n))
			at += n * int64(time.Hour)
			continue
		}
		t := l.widest(at, end, minuteFrom, fiveFrom)
		width := int64(t.Width())
		k := at / width
		next := min((k+1)*width, end)
		if c := l.tier[t].get(k); next-at == width {
			sum = sum.Add(c)
		} else {
			sum = sum.Add(c.Scale(float64(next-at) / float64(width)))
		}
		at = next
	}
	return sum
}

// Cut is the slot that counts in proportion in a Sum from a time on; both bounds
// are from where a slot begins there.
func (l *Ledger) Cut(from time.Time) (begin, end time.Time) {
	width := time.Hour
	switch {
	case !from.Before(l.Start(Minute, l.Sealed())):
		width = time.Minute
	case !from.Before(l.Start(FiveMinutes, l.Sealed())):
		width = 5 * time.Minute
	}
	if begin = from.Truncate(width); begin.Equal(from) {
		return from, from
	}
	return begin, begin.Add(width)
}

// hours is the sum of n hours from the k-th on: most of a budget window, and
// most of the time that judging takes.
func (l *Ledger) hours(k, n int64) (sum Cell) {
	r := &l.tier[Hour]
	from, to := max(k, r.newest-int64(r.n)+1, 0), min(k+n, r.newest+1)
	for from < to {
		i := int(from % int64(r.n))
		count := min(to-from, int64(r.n-i))
		sum = sum.Add(r.sum(i, i+int(count)))
		from += count
	}
	return sum
}

// widest is the widest tier whose slot fits between at and end or, where a
// slot must be cut, the finest that is kept there.
func (l *Ledger) widest(at, end, minuteFrom, fiveFrom int64) Tier {
	for t := Hour; t > Minute; t-- {
		if w := int64(t.Width()); at%w == 0 && at+w <= end && (t == Hour || at >= fiveFrom) {
			return t
		}
	}
	switch {
	case at >= minuteFrom:
		return Minute
	case at >= fiveFrom:
		return FiveMinutes
	}
	return Hour
}

// First is the begin of the oldest slot with data in (now - window, now], as
// fine as slots of that time are kept; false when there is none.
func (l *Ledger) First(now time.Time) (time.Time, bool) {
	start := now.Add(-l.window)
	for at := start.Truncate(time.Hour); at.Before(now); at = at.Add(time.Hour) {
		if l.Get(Hour, at).Minutes <= 0 {
			continue
		}
		// An hour whose minutes are being overwritten has lost its first ones.
		for t := Minute; t < Hour; t++ {
			if at.Before(l.Start(t, l.Sealed())) {
				continue
			}
			for m := at; m.Before(at.Add(time.Hour)); m = m.Add(t.Width()) {
				if l.Get(t, m).Minutes > 0 {
					return times.Later(m, start), true
				}
			}
		}
		return times.Later(at, start), true
	}
	return time.Time{}, false
}

// Last is the end of the newest minute with data, false when none is kept.
func (l *Ledger) Last() (time.Time, bool) {
	for m := l.sealed - 1; m >= l.sealed-int64(l.tier[Minute].n) && m >= 0; m-- {
		if l.tier[Minute].get(m).Minutes > 0 {
			return time.Unix((m+1)*60, 0), true
		}
	}
	for h := l.sealed / 60; h >= 0 && h > l.sealed/60-int64(l.tier[Hour].n); h-- {
		if l.tier[Hour].get(h).Minutes > 0 {
			return time.Unix((h+1)*3600, 0), true
		}
	}
	return time.Time{}, false
}
