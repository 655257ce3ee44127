package slo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/model"
)

// histograms writes two hours of a native histogram that grows every minute.
func (w *world) histograms(name string) {
	w.t.Helper()
	start := w.now
	app := w.db.AppenderV2(w.t.Context())
	for i := range 121 {
		h := tsdbutil.GenerateTestHistogram(int64(i))
		at := start.Add(time.Duration(i) * time.Minute).UnixMilli()
		if _, err := app.Append(0, labels.FromStrings("__name__", name), 0, at, 0, h, nil, storage.AOptions{}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
	w.now = start.Add(2 * time.Hour)
	w.settle()
	w.now = w.now.Add(31 * time.Second)
	w.settle()
}

func TestANativeHistogramIsCountedOrNamed(t *testing.T) {
	for _, c := range []struct {
		name, good, total string
		reason            string
		sli               float64
	}{
		{"counted", `histogram_count(sum(rate(d[5m])))`, `histogram_count(sum(rate(d[5m])))`, "", 1},
		{"counted, a half", `histogram_count(sum(rate(d[5m]))) * 0.5`, `histogram_count(sum(rate(d[5m])))`, "", 0.5},
		{"counted below a limit that all are below", `histogram_fraction(-Inf, +Inf, sum(rate(d[5m]))) * histogram_count(sum(rate(d[5m])))`, `histogram_count(sum(rate(d[5m])))`, "", 1},
		{"asked for as numbers", `sum(rate(d[5m]))`, `sum(rate(d[5m]))`, "native histograms", 0},
		{"asked for as numbers for good only", `sum(rate(d[5m]))`, `histogram_count(sum(rate(d[5m])))`, "native histograms", 0},
		{"asked for by buckets", `sum(rate(d_bucket{le="0.3"}[5m]))`, `sum(rate(d_count[5m]))`, "d is stored as a native histogram", 0},
		{"never stored", `sum(rate(d_good[5m]))`, `sum(rate(e_total[5m]))`, "Nothing has ever been stored under the name e_total", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, ratioDoc(queryLine("good", c.good), queryLine("total", c.total)))
			w.histograms("d")
			s := w.only()
			switch {
			case c.reason != "":
				if s.State != model.SLOInsufficient || !strings.Contains(s.Reason+s.Action, c.reason) {
					t.Errorf("state %s: %s %s; want insufficient and %q", s.State, s.Reason, s.Action, c.reason)
				}
			case s.State == model.SLOInsufficient:
				t.Errorf("state %s: %s", s.State, s.Reason)
			case s.Budget.SLI < c.sli-1e-9 || s.Budget.SLI > c.sli+1e-9 || s.Budget.Total < 100:
				t.Errorf("%v of %v events are good, want %v", s.Budget.SLI, s.Budget.Total, c.sli)
			}
		})
	}
}
