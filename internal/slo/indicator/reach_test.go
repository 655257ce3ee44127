package indicator

import (
	"slices"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

func TestHowFarASampleReaches(t *testing.T) {
	vector := func(text string) *Values {
		v, err := promexpr.ParseVector(text)
		if err != nil {
			t.Fatal(text, err)
		}
		return &Values{Query: v, Op: "lt", Limit: 1}
	}
	ratio := func(bad string) *Ratio { return &Ratio{Bad: counter(t, bad), Total: counter(t, "requests_total")} }
	const usual = 5 * time.Minute
	for _, c := range []struct {
		src           Source
		before, after time.Duration
	}{
		{ratio("errors_total"), usual, usual},
		{ratio("rate(errors_total[$window])"), usual, usual},
		{ratio("increase(errors_total[$window] offset 10m)"), usual, usual + 10*time.Minute},
		{&Slices{Counts: ratio("errors_total"), Slice: 20 * time.Minute}, usual + 20*time.Minute, usual + 20*time.Minute},
		{&AtPeak{Source: vector("depth")}, 0, usual},
		{vector("avg_over_time(depth[2h]) / max(depth)"), 0, usual + 2*time.Hour},
		{vector("max_over_time(rate(depth_total[10m])[1d:5m])"), 0, usual + 24*time.Hour + 10*time.Minute},
		{vector("depth offset -1h"), time.Hour, 0},
		{vector("depth - depth offset 1d"), 0, usual + 24*time.Hour},
		{vector("depth @ 0"), 1000 * 24 * time.Hour, 1000 * 24 * time.Hour},
		{&EventRatio{Total: compare("service", "a"), Quiet: 2 * time.Hour}, 0, 2 * time.Hour},
		{&Slices{Counts: &EventRatio{Total: compare("service", "a"), Quiet: time.Hour}, Slice: time.Minute}, time.Minute, time.Hour + time.Minute},
	} {
		if before, after := Reach(c.src); before != c.before || after != c.after {
			t.Errorf("%s: %s and %s, want %s and %s", c.src.Identity(), before, after, c.before, c.after)
		}
	}
}

func TestWhichMetricsConcernASource(t *testing.T) {
	counts := &Ratio{Bad: counter(t, `errors_total{code="5"}`), Total: counter(t, "requests_total")}
	any := &Ratio{Bad: counter(t, `errors_total`), Total: counter(t, `{__name__=~"requests_.*"}`)}
	values, err := promexpr.ParseVector("depth / on () size")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		src    Source
		metric string
		want   bool
	}{
		{counts, "errors_total", true},
		{counts, "requests_total", true},
		{counts, "requests", false},
		{&Slices{Counts: counts, Slice: time.Minute}, "errors_total", true},
		{any, "whatever", true},
		{&Values{Query: values}, "size", true},
		{&AtPeak{Source: &Values{Query: values}}, "depth", true},
		{&Values{Query: values}, "requests_total", false},
		{&EventRatio{Total: compare("service", "a")}, "requests_total", false},
	} {
		if got := Concerns(c.src, func(m string) bool { return slices.Contains([]string{c.metric}, m) }); got != c.want {
			t.Errorf("%s of %s: %t", c.metric, c.src.Identity(), got)
		}
	}
}
