package indicator

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

var midnight = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// scripted answers every query by a function of time, for one series.
type scripted struct {
	at    func(t time.Time) (float64, bool)
	asked int
	err   error
}

func (s *scripted) Instant(_ context.Context, _ string, t time.Time) ([]model.Sample, error) {
	s.asked++
	if v, ok := s.at(t); ok && s.err == nil {
		return []model.Sample{{Value: v, Time: t}}, nil
	}
	return nil, s.err
}

func (s *scripted) Range(_ context.Context, _ string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	s.asked++
	var one model.Series
	for t := start; !t.After(end); t = t.Add(step) {
		if v, ok := s.at(t); ok {
			one.Points = append(one.Points, model.Point{Time: t, Value: v})
		}
	}
	return []model.Series{one}, s.err
}

func TestAValueIsJudgedByItsThresholdAtThatTime(t *testing.T) {
	for _, c := range []struct {
		op   string
		want [3]float64 // of 1, 2 and 3 against the limit 2
	}{
		{"lt", [3]float64{0, 1, 1}}, {"lte", [3]float64{0, 0, 1}}, {"gt", [3]float64{1, 1, 0}}, {"gte", [3]float64{1, 0, 0}},
	} {
		s := &Values{Op: c.op, Limit: 2}
		for i, want := range c.want {
			if got := s.bad(float64(i+1), midnight); got != want {
				t.Errorf("%d %s 2: bad %g, want %g", i+1, c.op, got, want)
			}
		}
	}
}

func TestARawRatioIsABadShareAndWhatIsNoneIsNoData(t *testing.T) {
	failures, successes := &Values{}, &Values{Success: true}
	for _, v := range []float64{0, 0.25, 1, 1 + 1e-12, -1e-12} {
		a, b := failures.fold(ledger.Cell{}, v, midnight, 1), successes.fold(ledger.Cell{}, v, midnight, 1)
		if a.Total != 1 || b.Total != 1 || math.Abs(a.Bad+b.Bad-1) > 1e-9 || a.Bad < 0 || a.Bad > 1 {
			t.Errorf("%g: %+v as failures and %+v as successes do not make one", v, a, b)
		}
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1.1, -0.1, 99} {
		if got := failures.fold(ledger.Cell{}, v, midnight, 1); got != (ledger.Cell{}) {
			t.Errorf("%g was taken for a ratio: %+v", v, got)
		}
	}
	if got := (&Values{Op: "lt", Limit: 1}).fold(ledger.Cell{}, math.Inf(1), midnight, 1); got.Bad != 1 {
		t.Errorf("a latency without end is bad: %+v", got)
	}
}

// However history is read, in slots of any width or up to a moment in a minute, a minute counts the same.
func TestWhatIsReadInOneWayIsWhatIsReadInAnother(t *testing.T) {
	query, err := promexpr.ParseVector("latency")
	if err != nil {
		t.Fatal(err)
	}
	s := &Values{Query: query, Op: "lt", Limit: 0.5}
	q := &scripted{at: func(t time.Time) (float64, bool) {
		m := t.Sub(midnight) / time.Minute
		return float64(m%10) / 10, m%7 != 3 // bad from 5 on; a gap every seven minutes
	}}
	sum := func(cells []ledger.Cell) (out ledger.Cell) {
		for _, c := range cells {
			out = out.Add(c)
		}
		return out
	}
	until := midnight.Add(30 * time.Hour)
	want, err := s.Cells(t.Context(), q, midnight, until, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	minutes, bad := 0.0, 0.0
	for m := 1; m <= 30*60; m++ {
		if m%7 != 3 {
			minutes++
			if m%10 >= 5 {
				bad++
			}
		}
	}
	if got := sum(want); got.Minutes != minutes || got.Total != minutes || got.Bad != bad {
		t.Errorf("%+v, want %g bad of %g minutes", got, bad, minutes)
	}
	for _, width := range []time.Duration{5 * time.Minute, time.Hour, 6 * time.Hour} {
		cells, err := s.Cells(t.Context(), q, midnight, until, width)
		if err != nil || sum(cells) != sum(want) || len(cells) != int(30*time.Hour/width) {
			t.Errorf("in slots of %s: %+v of %d, %v", width, sum(cells), len(cells), err)
		}
	}
	// Up to half of minute 1782, whose value so far (1782 % 10 = 2) is good and stands for half a minute.
	live, err := s.Live(t.Context(), q, midnight, midnight.Add(1782*time.Minute+30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	whole := sum(want[:1782])
	if live.Bad != whole.Bad || math.Abs(live.Total-whole.Total-0.5) > 1e-9 {
		t.Errorf("live %+v, want %+v and half a minute", live, whole)
	}
	broken := errors.New("the store is closed")
	q.err = broken
	if _, err := s.Cells(t.Context(), q, midnight, until, time.Hour); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := s.Live(t.Context(), q, midnight, until.Add(time.Second)); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// fixed counts the same bad and total in every minute that has data.
type fixed struct {
	Values
	bad, total float64
	has        func(minute int) bool
}

func (f *fixed) counted(_ context.Context, _ Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	for i := range out {
		for m := range int(width / time.Minute) {
			if f.has(int(from.Sub(midnight)/time.Minute) + i*int(width/time.Minute) + m) {
				out[i] = out[i].Add(ledger.Cell{Bad: f.bad, Total: f.total, Minutes: 1})
			}
		}
	}
	return out, nil
}

func (f *fixed) Live(ctx context.Context, q Querier, from, to time.Time) (c ledger.Cell, err error) {
	cells, err := f.counted(ctx, q, from, to, time.Minute)
	for _, one := range cells {
		c = c.Add(one)
	}
	return c, err
}

func TestSlicesGiveTheirWholeTimeOneVerdict(t *testing.T) {
	for _, c := range []struct {
		name               string
		bad, target        float64
		wantBad, wantTotal float64
	}{
		{"above the target", 1, 0.95, 0, 55},
		{"at the target", 5, 0.95, 0, 55},
		{"below the target", 6, 0.95, 55, 55},
		{"by ratio", 6, 0, 55 * 0.06, 55},
		{"more bad than events", 300, 0, 55, 55},
		{"fewer bad than none", -3, 0, 0, 55},
	} {
		// The sixth slice of five minutes has no data; any part of another gives it its verdict.
		counts := &fixed{bad: c.bad, total: 100, has: func(m int) bool { return m/5 != 5 && m%5 == 0 }}
		s := &Slices{Counts: counts, Slice: 5 * time.Minute, Target: c.target}
		for _, width := range []time.Duration{time.Minute, 2 * time.Minute, 15 * time.Minute, time.Hour} {
			cells, err := s.Cells(t.Context(), nil, midnight, midnight.Add(time.Hour), width)
			if err != nil {
				t.Fatal(err)
			}
			var sum ledger.Cell
			for _, one := range cells {
				sum = sum.Add(one)
			}
			if math.Abs(sum.Bad-c.wantBad) > 1e-9 || math.Abs(sum.Total-c.wantTotal) > 1e-9 || math.Abs(sum.Minutes-c.wantTotal) > 1e-9 {
				t.Errorf("%s in slots of %s: %+v, want %g bad of %g", c.name, width, sum, c.wantBad, c.wantTotal)
			}
		}
		live, err := s.Live(t.Context(), nil, midnight, midnight.Add(time.Hour))
		if err != nil || math.Abs(live.Bad-c.wantBad) > 1e-9 || math.Abs(live.Total-c.wantTotal) > 1e-9 {
			t.Errorf("%s live: %+v %v", c.name, live, err)
		}
	}
}

func TestErrorRatiosOfStandardPromQL(t *testing.T) {
	ratio := &Ratio{}
	for want, got := range map[string]string{
		"1 - g[5m] / t[5m]":                                          ErrorOver(ratio, "1 - g[$window] / t[$window]", "5m", nil),
		"avg(avg_over_time((x > bool 2)[1h:1m]))":                    ErrorOver(&Values{}, "x > bool 2", "1h", nil),
		"avg(avg_over_time(((e[5m]) > bool 0.050000000001)[1h:5m]))": ErrorOver(&Slices{Counts: ratio, Slice: 5 * time.Minute, Target: 0.95}, "e[$window]", "1h", nil),
		"avg(avg_over_time((e[10m])[6h:10m]))":                       ErrorOver(&Slices{Counts: ratio, Slice: 10 * time.Minute}, "e[$window]", "6h", nil),
		"1 - g[30m] / t[30m]":                                        ErrorOver(&AtPeak{Source: ratio}, "1 - g[$window] / t[$window]", "30m", nil),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
