package indicator

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// Ratio counts events: total with either good or bad.
type Ratio struct{ Good, Bad, Total *promexpr.Counter }

// Reread is Source's.
func (s *Ratio) Reread() time.Duration { return usualReread }

// Identity is Source's.
func (s *Ratio) Identity() string { return fmt.Sprint("ratio ", s.Good != nil) }

func (s *Ratio) part() *promexpr.Counter {
	if s.Good != nil {
		return s.Good
	}
	return s.Bad
}

// cell makes a cell of counts. A total that is absent is no data, nor is a count without
// end. A part that is absent beside a total is zero: a counter that never counted has
// no series. Bad may be below zero or above total, by what skew between scrapes puts into
// different slots: it evens out in sums. Within cuts off what does not.
func (s *Ratio) cell(total, part float64, hasTotal bool, minutes float64) ledger.Cell {
	if !hasTotal || !finite(total) || !finite(part) {
		return ledger.Cell{}
	}
	bad := part
	if s.Good != nil {
		bad = total - part
	}
	return ledger.Cell{Bad: bad, Total: total, Minutes: minutes}
}

// maxScrape is the longest distance between samples that still counts as data
// without a gap, as in PromQL.
const maxScrape = promexpr.Lookback

// Cells is Source's.
func (s *Ratio) Cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	before := maxScrape.Truncate(width)
	cells, err := s.counted(ctx, q, from.Add(-before), to, width)
	if err != nil {
		return nil, err
	}
	// Slots between two samples are covered: nothing happened in them that the
	// next sample did not tell.
	last := -1
	for i, c := range cells {
		if c.Minutes == 0 {
			continue
		}
		if last >= 0 && time.Duration(i-last)*width <= maxScrape {
			for k := last + 1; k < i; k++ {
				cells[k].Minutes = width.Minutes()
			}
		}
		last = i
	}
	return cells[int(before/width):], nil
}

// Newest is Source's.
func (s *Ratio) Newest(ctx context.Context, q Querier, now time.Time) (time.Time, bool, error) {
	v, ok, err := countAt(ctx, q, s.Total, 0, now)
	return unixSeconds(v), ok, err
}

// Unseen reports whether the query of good events answers nothing at all: it selects nothing, lets
// nothing through, or what it selects is no number.
func (s *Ratio) Unseen(ctx context.Context, q Querier, now time.Time) (bool, error) {
	if s.Good == nil {
		return false, nil
	}
	_, has, err := countAt(ctx, q, s.Good, maxScrape, now)
	return err == nil && !has, err
}

// counted reads slots; one without a sample in it is the zero Cell.
func (s *Ratio) counted(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	n := int(to.Sub(from) / width)
	total, err := countOver(ctx, q, s.Total, width, from.Add(width), to)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Cell, n)
	if len(total) == 0 {
		return out, nil
	}
	part, err := countOver(ctx, q, s.part(), width, from.Add(width), to)
	if err != nil {
		return nil, err
	}
	for i := range out {
		at := from.Add(time.Duration(i+1) * width).UnixMilli()
		v, ok := total[at]
		out[i] = s.cell(v, part[at], ok, width.Minutes())
	}
	return out, nil
}

// Live is Source's.
func (s *Ratio) Live(ctx context.Context, q Querier, from, to time.Time) (ledger.Cell, error) {
	total, hasTotal, err := countAt(ctx, q, s.Total, to.Sub(from), to)
	if err != nil || !hasTotal {
		return ledger.Cell{}, err
	}
	part, _, err := countAt(ctx, q, s.part(), to.Sub(from), to)
	return s.cell(total, part, true, to.Sub(from).Minutes()), err
}
