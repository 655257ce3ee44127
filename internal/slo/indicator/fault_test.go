package indicator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

func counter(t *testing.T, text string) *promexpr.Counter {
	t.Helper()
	c, err := promexpr.ParseCounter(text, true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// In an hour two minutes of skew explain 1 + 1000 × 2/60 = 34.3 events of a thousand, and no more.
func TestCountsThatSkewCannotExplainAreFaults(t *testing.T) {
	good, bad := &Ratio{Good: counter(t, "g_total"), Total: counter(t, "t_total")}, &Ratio{Bad: counter(t, "b_total"), Total: counter(t, "t_total")}
	for _, c := range []struct {
		name string
		src  Source
		cell ledger.Cell
		want FaultKind
	}{
		{"bad within skew", bad, ledger.Cell{Bad: 1034, Total: 1000, Minutes: 60}, ""},
		{"bad beyond it", bad, ledger.Cell{Bad: 1035, Total: 1000, Minutes: 60}, BadAboveTotal},
		{"good within skew", good, ledger.Cell{Bad: -34, Total: 1000, Minutes: 60}, ""},
		{"good beyond it", good, ledger.Cell{Bad: -35, Total: 1000, Minutes: 60}, GoodAboveTotal},
		{"fewer than none within skew", bad, ledger.Cell{Bad: -34, Total: 1000, Minutes: 60}, ""},
		{"fewer than none beyond it", bad, ledger.Cell{Bad: -35, Total: 1000, Minutes: 60}, PartBelowZero},
		{"a total of minus one", bad, ledger.Cell{Total: -1, Minutes: 60}, ""},
		{"a total of minus two", bad, ledger.Cell{Total: -2, Minutes: 60}, TotalBelowZero},
		{"a month forgives a thousandth", bad, ledger.Cell{Bad: 1_001_000, Total: 1_000_000, Minutes: 43200}, ""},
		{"and no two", bad, ledger.Cell{Bad: 1_002_000, Total: 1_000_000, Minutes: 43200}, BadAboveTotal},
		{"nothing at all", bad, ledger.Cell{}, ""},
		{"slices are judged by themselves", &Slices{Counts: bad, Slice: time.Minute}, ledger.Cell{Bad: 5, Total: 1, Minutes: 1}, ""},
	} {
		f := Exceeds(c.src, c.cell, time.Hour)
		if (f == nil) != (c.want == "") || f != nil && f.Kind != c.want {
			t.Errorf("%s: %+v, want %q", c.name, f, c.want)
		}
	}
}

func TestEveryFaultSaysWhatWasMeasuredAndWhatToDo(t *testing.T) {
	for want, f := range map[string]Fault{
		"The ratio is 42, which is not between 0 and 1. Divide by 100 if it is in percent":         {Kind: NotARatio, Value: 42},
		"The ratio is 420, which is not between 0 and 1. Make the query answer 0 to 1":             {Kind: NotARatio, Value: 420},
		"There were more good events (12) than events (10) in 1 h. Check that both queries select": {Kind: GoodAboveTotal, Value: 12, Total: 10, Window: time.Hour},
		"There were more bad events (12) than events (10) in 1 h. Check that both queries select":  {Kind: BadAboveTotal, Value: 12, Total: 10, Window: time.Hour},
		"The number of events is negative (-12 in 1 h). Check that both":                           {Kind: TotalBelowZero, Value: -12, Window: time.Hour},
		"The number of good or bad events is negative (-12 in 1 h). Check that both":               {Kind: PartBelowZero, Value: -12, Window: time.Hour},
		"is stored as a native histogram. Count with histogram_count":                              {Kind: NativeHistogram, Metric: "x"},
		"Nothing has ever been stored under the name x. Check the metric's name":                   {Kind: UnknownMetric, Metric: "x"},
		"The query counts +Inf events. Make the query answer finite numbers":                       {Kind: NotFinite, Value: math.Inf(1)},
	} {
		if got := f.Reason() + " " + f.Cure(); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", f.Kind, got, want)
		}
	}
}

func TestASumIsCutToWhatAVerdictMayUse(t *testing.T) {
	plain := &Ratio{}
	for _, c := range []struct {
		src       Source
		cell, out ledger.Cell
	}{
		{plain, ledger.Cell{Bad: 3, Total: 10, Minutes: 1}, ledger.Cell{Bad: 3, Total: 10, Minutes: 1}},
		{plain, ledger.Cell{Bad: -3, Total: 10, Minutes: 1}, ledger.Cell{Total: 10, Minutes: 1}},
		{plain, ledger.Cell{Bad: 13, Total: 10, Minutes: 1}, ledger.Cell{Bad: 10, Total: 10, Minutes: 1}},
		{plain, ledger.Cell{Bad: 3, Total: -10, Minutes: 1}, ledger.Cell{Minutes: 1}},
		{&AtPeak{Source: plain, Scale: 2}, ledger.Cell{Bad: 15, Total: 10, Minutes: 1}, ledger.Cell{Bad: 15, Total: 10, Minutes: 1}},
		{&AtPeak{Source: plain, Scale: 2}, ledger.Cell{Bad: 25, Total: 10, Minutes: 1}, ledger.Cell{Bad: 20, Total: 10, Minutes: 1}},
		{&AtPeak{Source: plain, Scale: 0.5}, ledger.Cell{Bad: 15, Total: 10, Minutes: 1}, ledger.Cell{Bad: 10, Total: 10, Minutes: 1}},
	} {
		if got := Within(c.src, c.cell); got != c.out {
			t.Errorf("%+v becomes %+v, want %+v", c.cell, got, c.out)
		}
	}
}

func TestWhatIsMeasuredNowAndCannotBe(t *testing.T) {
	query, err := promexpr.ParseVector("share")
	if err != nil {
		t.Fatal(err)
	}
	raw, limit := &Values{Query: query}, &Values{Query: query, Op: "lt", Limit: 1}
	closed := errors.New("the store is closed")
	for _, c := range []struct {
		name  string
		src   Source
		value float64
		has   bool
		want  FaultKind
	}{
		{"a share", raw, 0.3, true, ""},
		{"none at all", raw, 0, true, ""},
		{"all", raw, 1, true, ""},
		{"binary fractions above one", raw, 1 + 1e-12, true, ""},
		{"binary fractions below zero", raw, -1e-12, true, ""},
		{"percent", raw, 99.5, true, NotARatio},
		{"negative", raw, -0.01, true, NotARatio},
		{"without end", raw, math.Inf(1), true, NotARatio},
		{"no data", raw, 0, false, ""},
		{"in slices", &Slices{Counts: raw, Slice: time.Minute}, 2, true, NotARatio},
		{"at peak", &AtPeak{Source: raw}, 2, true, NotARatio},
		{"a threshold takes any number", limit, 99.5, true, ""},
		{"a threshold in slices", &Slices{Counts: limit, Slice: time.Minute}, -99.5, true, ""},
		{"events are whole", &EventRatio{}, 99, true, ""},
	} {
		q := &scripted{at: func(time.Time) (float64, bool) { return c.value, c.has }}
		f, err := FaultOf(t.Context(), c.src, q, midnight)
		if err != nil || (f == nil) != (c.want == "") || f != nil && (f.Kind != c.want || f.Value != c.value) {
			t.Errorf("%s: %+v %v, want %q", c.name, f, err, c.want)
		}
	}
	if _, err := FaultOf(t.Context(), raw, &scripted{at: func(time.Time) (float64, bool) { return 1, true }, err: closed}, midnight); !errors.Is(err, closed) {
		t.Error(err)
	}
}

// numbers answers each query by the metric that it names; NaN is left out, as the engine does.
type numbers map[string]float64

func (n numbers) Instant(_ context.Context, expr string, t time.Time) (out []model.Sample, err error) {
	for name, v := range n {
		switch {
		case !strings.Contains(expr, name):
		case strings.Contains(expr, "!= bool"): // a number is equal to itself
			out = append(out, model.Sample{Time: t, Value: map[bool]float64{true: 1}[math.IsNaN(v)]})
		case strings.Contains(expr, "timestamp("):
			out = append(out, model.Sample{Time: t, Value: float64(t.Unix())})
		case !math.IsNaN(v):
			out = append(out, model.Sample{Time: t, Value: v})
		}
	}
	return out, nil
}

func (n numbers) Range(ctx context.Context, expr string, _, end time.Time, _ time.Duration) (out []model.Series, err error) {
	samples, err := n.Instant(ctx, expr, end)
	for _, s := range samples {
		out = append(out, model.Series{Points: []model.Point{{Time: end, Value: s.Value}}})
	}
	return out, err
}

// Of every combination of a missing, empty, odd or impossible total and part: a fault is named, or the count is right, or
// nothing is said to have been counted. Never is any of them taken for good.
func TestEveryCombinationOfOddCounts(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	none := math.MaxFloat64 // stands for a series that is not there
	bad, good := &Ratio{Bad: counter(t, "b_total"), Total: counter(t, "t_total")}, &Ratio{Good: counter(t, "g_total"), Total: counter(t, "t_total")}
	for _, c := range []struct {
		src         *Ratio
		total, part float64
		want        ledger.Cell
		fault       FaultKind
		unseen      bool
	}{
		{src: bad, total: none, part: none},
		{src: bad, total: none, part: 5},
		{src: bad, total: 0, part: none, want: ledger.Cell{Minutes: 5}},
		{src: bad, total: 100, part: none, want: ledger.Cell{Total: 100, Minutes: 5}}, // a counter of failures that never failed
		{src: bad, total: 100, part: 0, want: ledger.Cell{Total: 100, Minutes: 5}},
		{src: bad, total: 100, part: 7, want: ledger.Cell{Bad: 7, Total: 100, Minutes: 5}},
		{src: bad, total: 100, part: nan, want: ledger.Cell{Total: 100, Minutes: 5}, fault: NotFinite},
		{src: bad, total: 100, part: inf, fault: NotFinite},
		{src: bad, total: nan, part: 7},
		{src: bad, total: inf, part: 7, fault: NotFinite},
		{src: bad, total: 100, part: 700, want: ledger.Cell{Bad: 700, Total: 100, Minutes: 5}, fault: BadAboveTotal},
		{src: bad, total: 100, part: -70, want: ledger.Cell{Bad: -70, Total: 100, Minutes: 5}, fault: PartBelowZero},
		{src: bad, total: -100, part: 0, want: ledger.Cell{Total: -100, Minutes: 5}, fault: TotalBelowZero},
		{src: good, total: none, part: 5, unseen: false},
		{src: good, total: 100, part: 93, want: ledger.Cell{Bad: 7, Total: 100, Minutes: 5}},
		{src: good, total: 100, part: none, want: ledger.Cell{Bad: 100, Total: 100, Minutes: 5}, unseen: true},
		{src: good, total: 100, part: nan, want: ledger.Cell{Bad: 100, Total: 100, Minutes: 5}, unseen: true},
		{src: good, total: 100, part: 0, want: ledger.Cell{Bad: 100, Total: 100, Minutes: 5}},
		{src: good, total: 100, part: 700, want: ledger.Cell{Bad: -600, Total: 100, Minutes: 5}, fault: GoodAboveTotal},
		{src: good, total: 100, part: -inf, fault: NotFinite},
	} {
		q := numbers{}
		for name, v := range map[string]float64{"t_total": c.total, "b_total": c.part, "g_total": c.part} {
			if v != none {
				q[name] = v
			}
		}
		name := fmt.Sprintf("good %t, total %g, part %g", c.src.Good != nil, c.total, c.part)
		if got, err := c.src.Live(t.Context(), q, midnight, at(5)); err != nil || got != c.want {
			t.Errorf("%s: counted %+v %v, want %+v", name, got, err, c.want)
		}
		f, err := FaultOf(t.Context(), c.src, q, at(5))
		if err != nil || (f == nil) != (c.fault == "") || f != nil && f.Kind != c.fault {
			t.Errorf("%s: %+v %v, want fault %q", name, f, err, c.fault)
		}
		if unseen, err := c.src.Unseen(t.Context(), q, at(5)); err != nil || unseen != c.unseen {
			t.Errorf("%s: never matched: %t %v, want %t", name, unseen, err, c.unseen)
		}
	}
}
