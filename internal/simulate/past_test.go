package simulate

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// A history made of requests of the past looks like live data: per request it has as many spans and logs, of the same services and kinds.
func TestARequestOfThePastLeavesWhatALiveOneDoes(t *testing.T) {
	cfg := config(3 * time.Minute)
	live, stats := simulated(t, cfg, nil)
	again := &recorder{gauges: map[string]float64{}, most: map[string]float64{}, counts: map[string]uint64{}}
	synctest.Test(t, func(t *testing.T) {
		var moments []Moment
		for i := range stats.Requests {
			moments = append(moments, Moment{Time: time.Now().Add(time.Duration(i) * 50 * time.Millisecond)})
		}
		if _, err := Replay(context.Background(), cfg, Deps{exporters: again.exporters()}, 0, moments); err != nil {
			t.Fatal(err)
		}
	})
	count := func(r *recorder) map[string]float64 {
		out := map[string]float64{}
		for _, s := range r.spans {
			service, _ := s.Resource().Set().Value("service.name")
			out["spans of "+service.AsString()]++
			out["spans of kind "+s.SpanKind().String()]++
			out["spans"]++
		}
		for _, l := range r.logs {
			service, _ := l.Resource().Set().Value("service.name")
			out["logs of "+service.AsString()]++
			out["logs of level "+l.SeverityText()]++
			out["logs"]++
		}
		return out
	}
	a, b := count(live), count(again)
	if a["spans"] < 10_000 || a["logs"] < 3000 {
		t.Fatalf("only %.0f spans and %.0f logs", a["spans"], a["logs"])
	}
	for what, n := range a {
		if m := b[what]; math.Abs(n-m) > 0.05*n+6*math.Sqrt(n) {
			t.Errorf("%s: %.0f live, %.0f of the past", what, n, m)
		}
	}
	if math.Abs(a["spans"]-b["spans"]) > 0.03*a["spans"] || math.Abs(a["logs"]-b["logs"]) > 0.03*a["logs"] {
		t.Errorf("%.0f spans and %.0f logs live, %.0f and %.0f of the past", a["spans"], a["logs"], b["spans"], b["logs"])
	}
}
