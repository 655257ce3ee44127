package indicator

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// zurich has its peak every day from 01:30 to 03:30 of the wall clock but on the 28th, which has none.
func zurich(t *testing.T) *openslo.PeakCalendar {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Fatal(err)
	}
	var week []time.Weekday
	for d := time.Sunday; d <= time.Saturday; d++ {
		week = append(week, d)
	}
	return &openslo.PeakCalendar{
		Zone: zone, Weekly: []openslo.PeakPeriod{{Days: week, From: 90, To: 210}}, Dates: map[string][]openslo.PeakPeriod{"2026-03-28": nil},
	}
}

// tenth is bad in one of ten events of each minute.
var tenth = &fixed{bad: 1, total: 10, has: func(int) bool { return true }}

// counting makes a source of what is counted by minute.
type counting struct{ *fixed }

func (c counting) Cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	return c.counted(ctx, q, from, to, width)
}

// The clock of Zurich is one hour ahead of UTC, and two from 2026-03-29 01:00 UTC on, when 02:00 becomes 03:00: that night the
// peak lasts for one hour only.
func TestPeakFollowsTheWallClock(t *testing.T) {
	s := &AtPeak{Source: counting{tenth}, Calendar: zurich(t), Scale: 2}
	for _, c := range []struct {
		day, hour   int
		first, last int // minutes of peak in the hour of UTC, [first, last)
	}{
		{2, 0, 30, 60}, {2, 1, 0, 60}, {2, 2, 0, 30}, {2, 3, 0, 0}, // 01:30 to 03:30 is 00:30 to 02:30 UTC
		{28, 0, 0, 0}, {28, 1, 0, 0}, // an exception without peak
		{29, 0, 30, 60}, {29, 1, 0, 30}, {29, 2, 0, 0}, // 01:30 to 03:30 is 00:30 to 01:30 UTC
		{29, 23, 30, 60}, {30, 0, 0, 60}, {30, 1, 0, 30}, // and 23:30 to 01:30 UTC in summer
	} {
		from := time.Date(2026, 3, c.day, c.hour, 0, 0, 0, time.UTC)
		want := ledger.Cell{Bad: 60 + float64(c.last-c.first), Total: 600, Minutes: 60}
		cells, err := s.Cells(t.Context(), nil, from, from.Add(time.Hour), time.Hour)
		if err != nil || len(cells) != 1 || !near(cells[0], want) {
			t.Errorf("%s: %+v %v, want %+v", from, cells, err, want)
		}
		live, err := s.Live(t.Context(), nil, from, from.Add(time.Hour))
		if err != nil || !near(live, want) {
			t.Errorf("%s live: %+v %v, want %+v", from, live, err, want)
		}
		for m, one := range minutesOf(t, s, from) {
			bad := 1.0
			if m >= c.first && m < c.last {
				bad = 2
			}
			if one.Bad != bad || one.Total != 10 {
				t.Errorf("%s, minute %d: %+v, want %g bad", from, m, one, bad)
			}
		}
	}
}

func minutesOf(t *testing.T, s Source, from time.Time) []ledger.Cell {
	t.Helper()
	cells, err := s.Cells(t.Context(), nil, from, from.Add(time.Hour), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

// Whatever the bounds, what is read at once is what its minutes are.
func TestReadInOneOrInMinutesAPeakCountsTheSame(t *testing.T) {
	s := &AtPeak{Source: counting{tenth}, Calendar: zurich(t), Scale: 0.5}
	rapid.Check(t, func(t *rapid.T) {
		from := midnight.Add(time.Duration(rapid.IntRange(0, 40*24*60).Draw(t, "from")) * time.Minute)
		n := rapid.IntRange(0, 300).Draw(t, "minutes")
		var want ledger.Cell
		for m := range n {
			c := ledger.Cell{Bad: 1, Total: 10, Minutes: 1}
			if s.Calendar.Active(from.Add(time.Duration(m) * time.Minute)) {
				c.Bad = 0.5
			}
			want = want.Add(c)
		}
		got, err := s.Live(t.Context(), nil, from, from.Add(time.Duration(n)*time.Minute))
		if err != nil || !near(got, want) {
			t.Fatalf("%d minutes from %s: %+v %v, want %+v", n, from, got, err, want)
		}
	})
}

func TestAThresholdMayBeAnotherAtPeak(t *testing.T) {
	query, err := promexpr.ParseVector("latency")
	if err != nil {
		t.Fatal(err)
	}
	s := &Values{Query: query, Op: "lte", Limit: 1, Peak: zurich(t), PeakLimit: 2}
	q := &scripted{at: func(time.Time) (float64, bool) { return 1.5, true }} // good at peak only
	cells, err := s.Cells(t.Context(), q, midnight, midnight.Add(3*time.Hour), time.Hour)
	if err != nil || cells[0].Bad != 30 || cells[1].Bad != 0 || cells[2].Bad != 30 {
		t.Errorf("%+v %v, want 30, 0 and 30 bad minutes", cells, err)
	}
	// The value at 00:30 stands for the minute before it, in which the limit was 1.
	if c := s.fold(ledger.Cell{}, 1.5, at(29), 1); c.Bad != 1 {
		t.Errorf("%+v", c)
	}
	if s.LimitAt(at(29)) != 1 || s.LimitAt(at(30)) != 2 || s.LimitAt(at(150)) != 1 {
		t.Errorf("limits %g %g %g", s.LimitAt(at(29)), s.LimitAt(at(30)), s.LimitAt(at(150)))
	}
}

func TestAPeakIsNoHidingPlaceForErrors(t *testing.T) {
	closed := errors.New("the store is closed")
	query, err := promexpr.ParseVector("latency")
	if err != nil {
		t.Fatal(err)
	}
	values := &Values{Query: query, Op: "lt", Limit: 1}
	s := &AtPeak{Source: values, Calendar: zurich(t), Scale: 2}
	q := &scripted{at: func(time.Time) (float64, bool) { return 1, true }, err: closed}
	_, cells := s.Cells(t.Context(), q, midnight, at(5), time.Minute)
	_, live := s.Live(t.Context(), q, midnight, at(5))
	_, _, newest := s.Newest(t.Context(), q, at(5))
	for _, err := range []error{cells, live, newest} {
		if !errors.Is(err, closed) {
			t.Error(err)
		}
	}
	if Inner(s) != Source(values) || ValuesOf(s) != values || RatioOf(s) != nil {
		t.Error("what lies within is not found")
	}
}
