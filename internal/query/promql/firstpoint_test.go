package promql

import (
	"math"
	"testing"
	"time"
)

// The first delta of a series (3 errors within the half minute before) is stored as a zero at its start time and the 3. PromQL extends an
// increase to the end of the window, by at most 1.1 times the distance of two samples: (30 + 30) / 30 · 3 = 6 when it is asked for 30 s later, and 3 at
// the time of the point. What counts from sample to sample is 3.
func TestTheFirstPointOfASeriesCountsAsPrometheusCounts(t *testing.T) {
	s, now := openStore(t), time.Now().Truncate(time.Second)
	put(t, s, now.Add(-time.Minute), 0, nil, "__name__", "payment_errors_total")
	put(t, s, now.Add(-30*time.Second), 3, nil, "__name__", "payment_errors_total")
	cfg := DefaultConfig()
	cfg.EnableFeatures = []string{extendedRangeSelectors}
	e := engine(t, cfg, s)
	for _, c := range []struct {
		expr  string
		after time.Duration // the point
		want  float64
	}{
		{`increase(payment_errors_total[5m])`, 0, 3},
		{`increase(payment_errors_total[5m])`, 30 * time.Second, 6},
		{`increase(payment_errors_total[5m] anchored)`, 30 * time.Second, 3},
		{`increase(payment_errors_total[5m] anchored)`, 4 * time.Minute, 3},
	} {
		at := now.Add(c.after - 30*time.Second)
		m, err := e.Range(t.Context(), c.expr, at, at, time.Minute)
		if err != nil || len(m) != 1 || math.Abs(m[0].Points[0].Value-c.want) > 1e-9 {
			t.Errorf("%s, %s after the point: %v %v, want %g", c.expr, c.after, m, err, c.want)
		}
	}
}
