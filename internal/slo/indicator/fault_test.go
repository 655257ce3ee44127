package indicator

import (
	"math"
	"strings"
	"testing"
	"time"

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
