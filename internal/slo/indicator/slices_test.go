package indicator

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// byMinute counts what stands for each minute since midnight; of the one under way all that it has.
type byMinute struct {
	fixed
	minutes []ledger.Cell
	err     error
}

func (b *byMinute) counted(_ context.Context, _ Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	for i := range out {
		out[i] = b.sum(from.Add(time.Duration(i)*width), from.Add(time.Duration(i+1)*width))
	}
	return out, b.err
}

func (b *byMinute) Live(_ context.Context, _ Querier, from, to time.Time) (ledger.Cell, error) {
	return b.sum(from, to), b.err
}

func (b *byMinute) sum(from, to time.Time) (sum ledger.Cell) {
	for m, c := range b.minutes {
		if start := at(float64(m)); !start.Before(from) && start.Before(to) {
			sum = sum.Add(c)
		}
	}
	return sum
}

// The naive way: each second belongs to one slice, and is as good as all that was counted in it up to now.
func (b *byMinute) naive(s *Slices, from, to, now time.Time) (sum ledger.Cell) {
	for sec := from; sec.Before(to); sec = sec.Add(time.Second) {
		begin := sec.Truncate(s.Slice)
		end := begin.Add(s.Slice)
		if end.After(now) {
			end = now
		}
		c := b.sum(begin, end)
		if c.Minutes == 0 {
			continue
		}
		bad := 0.0
		switch share := c.Bad / max(c.Total, 1); {
		case s.Target == 0:
			bad = share
		case c.Total > 0 && 1-share < s.Target-1e-12:
			bad = 1
		}
		sum = sum.Add(ledger.Cell{Bad: bad / 60, Total: 1.0 / 60, Minutes: 1.0 / 60})
	}
	return sum
}

func TestSlicesAreJudgedAsBySomebodyWhoWatchesEverySecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := &byMinute{}
		for range 120 {
			c := ledger.Cell{}
			if rapid.IntRange(0, 3).Draw(t, "data") > 0 {
				c.Minutes, c.Total = 1, float64(rapid.IntRange(0, 4).Draw(t, "total"))
				c.Bad = float64(rapid.IntRange(0, int(c.Total)).Draw(t, "bad"))
			}
			counts.minutes = append(counts.minutes, c)
		}
		s := &Slices{
			Counts: counts, Slice: time.Duration(rapid.SampledFrom([]int{1, 5, 10, 30}).Draw(t, "slice")) * time.Minute,
			Target: rapid.SampledFrom([]float64{0, 0.5, 0.75, 0.99, 1}).Draw(t, "target"),
		}
		width := time.Duration(rapid.SampledFrom([]int{1, 5, 60}).Draw(t, "width")) * time.Minute
		slots := rapid.IntRange(1, int(60*time.Minute/width)).Draw(t, "slots")
		from := at(float64(rapid.IntRange(0, 59).Draw(t, "from"))).Truncate(width)
		to := from.Add(time.Duration(slots) * width)
		cells, err := s.Cells(t.Context(), nil, from, to, width)
		if err != nil || len(cells) != slots {
			t.Fatalf("%d slots, want %d, %v", len(cells), slots, err)
		}
		var sum ledger.Cell
		for i, c := range cells {
			begin := from.Add(time.Duration(i) * width)
			if want := counts.naive(s, begin, begin.Add(width), to); !near(c, want) {
				t.Fatalf("slices of %s, slot %d of %s from %s: %+v, want %+v", s.Slice, i, width, from, c, want)
			}
			sum = sum.Add(c)
		}
		if live, err := s.Live(t.Context(), nil, from, to); err != nil || !near(live, sum) {
			t.Fatalf("live %+v %v, in slots %+v", live, err, sum)
		}
	})
}

// A slice that is under way is judged by what is known of it, and stands for as long as it lasts.
func TestASliceUnderWay(t *testing.T) {
	counts := &byMinute{minutes: []ledger.Cell{{Bad: 0, Total: 10, Minutes: 1}, {Bad: 10, Total: 10, Minutes: 1}}}
	s := &Slices{Counts: counts, Slice: 5 * time.Minute, Target: 0.6}
	for minutes, want := range map[float64]ledger.Cell{
		1:   {Total: 1, Minutes: 1},         // all good so far
		2:   {Bad: 2, Total: 2, Minutes: 2}, // half of it: all of the slice is bad
		2.5: {Bad: 2.5, Total: 2.5, Minutes: 2.5},
	} {
		got, err := s.Live(t.Context(), nil, midnight, at(minutes))
		if err != nil || !near(got, want) {
			t.Errorf("after %g minutes: %+v %v, want %+v", minutes, got, err, want)
		}
	}
	// Of a slice that began before, what is asked for is the part from there on.
	got, err := s.Live(t.Context(), nil, at(1), at(2))
	if want := (ledger.Cell{Bad: 1, Total: 1, Minutes: 1}); err != nil || !near(got, want) {
		t.Errorf("its second minute: %+v %v, want %+v", got, err, want)
	}
	counts.err = errors.New("the store is closed")
	if _, err := s.Live(t.Context(), nil, midnight, at(2)); !errors.Is(err, counts.err) {
		t.Error(err)
	}
	for _, to := range []float64{2, 5} { // under way, and whole
		if _, err := s.Cells(t.Context(), nil, midnight, at(to), time.Minute); !errors.Is(err, counts.err) {
			t.Error(err)
		}
	}
}
