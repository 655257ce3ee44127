package indicator

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Slices judges slices of time by their ratio: a slice is bad when its
// share of good events is below target; without a target each slice counts
// by its ratio. Cells are in minutes. A slice without events is good.
type Slices struct {
	Counts Counting
	Slice  time.Duration
	Target float64 // 0: by ratio
}

// Counting is what slices are judged by: events, or values by minute.
type Counting interface {
	// counted reads slots; one without data of its own is the zero Cell.
	counted(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error)
	Live(ctx context.Context, q Querier, from, to time.Time) (ledger.Cell, error)
	Newest(ctx context.Context, q Querier, now time.Time) (time.Time, bool, error)
	Identity() string
}

// Reread is Source's.
func (s *Slices) Reread() time.Duration { return max(usualReread, 2*s.Slice) }

// Identity is Source's.
func (s *Slices) Identity() string {
	return fmt.Sprint("slices ", s.Slice, s.Target, s.Counts.Identity())
}

// Newest is Source's.
func (s *Slices) Newest(ctx context.Context, q Querier, now time.Time) (time.Time, bool, error) {
	return s.Counts.Newest(ctx, q, now)
}

func (s *Slices) judge(c ledger.Cell) float64 {
	if c.Total <= 0 {
		return 0
	}
	bad := min(max(c.Bad/c.Total, 0), 1)
	switch {
	case s.Target == 0:
		return bad
	case 1-bad < s.Target-1e-12:
		return 1
	}
	return 0
}

// Cells is Source's.
func (s *Slices) Cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	begin := from.Truncate(s.Slice)
	whole := to.Truncate(s.Slice)
	var slices []ledger.Cell
	if whole.After(begin) {
		var err error
		if slices, err = s.Counts.counted(ctx, q, begin, whole, s.Slice); err != nil {
			return nil, err
		}
	}
	if to.After(whole) { // the slice that is under way, as it stands
		c, err := s.Counts.Live(ctx, q, whole, to)
		if err != nil {
			return nil, err
		}
		slices = append(slices, c)
	}
	for i, c := range slices {
		if c.Minutes > 0 {
			start := begin.Add(time.Duration(i) * s.Slice)
			s.spread(out, from, width, start, times.Earlier(start.Add(s.Slice), to), s.judge(c))
		}
	}
	return out, nil
}

// spread puts one slice's verdict into the slots that it overlaps.
func (s *Slices) spread(out []ledger.Cell, from time.Time, width time.Duration, start, end time.Time, bad float64) {
	if start.Before(from) {
		start = from
	}
	for at := start; at.Before(end); {
		k := int(at.Sub(from) / width)
		next := times.Earlier(from.Add(time.Duration(k+1)*width), end)
		m := next.Sub(at).Minutes()
		out[k] = out[k].Add(ledger.Cell{Bad: bad * m, Total: m, Minutes: m})
		at = next
	}
}

// Live is Source's.
func (s *Slices) Live(ctx context.Context, q Querier, from, to time.Time) (ledger.Cell, error) {
	var sum ledger.Cell
	for start := from.Truncate(s.Slice); start.Before(to); start = start.Add(s.Slice) {
		end := times.Earlier(start.Add(s.Slice), to)
		c, err := s.Counts.Live(ctx, q, start, end)
		if err != nil {
			return ledger.Cell{}, err
		}
		if c.Minutes > 0 {
			one := make([]ledger.Cell, 1)
			s.spread(one, from, to.Sub(from), start, end, s.judge(c))
			sum = sum.Add(one[0])
		}
	}
	return sum, nil
}
