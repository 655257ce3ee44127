package slo_test

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
)

// given is two hours of samples a minute: a counter that grows by n a minute, or
// a gauge at n, from minute since until minute till.
type given struct {
	labels      labels.Labels
	n           float64
	gauge       bool
	since, till int
}

func (w *world) give(all []given) {
	w.t.Helper()
	start := w.now
	app := w.db.AppenderV2(w.t.Context())
	for _, g := range all {
		for i := range 121 {
			v := g.n * float64(i)
			if g.gauge {
				v = g.n
			}
			if g.till > 0 && (i < g.since || i > g.till) {
				continue
			}
			if _, err := app.Append(0, g.labels, 0, start.Add(time.Duration(i)*time.Minute).UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
	w.now = start.Add(2 * time.Hour)
	w.settle()
	w.now = w.now.Add(time.Second)
	w.settle()
}

// 300 requests a minute: 100 on p1 of team x, three of them bad; 200 on p2 of
// team y, five of them bad. The burn of an SLO of 99 % is its bad share in percent.
func TestWhatFiltersACountStaysWhatItIs(t *testing.T) {
	pods := []given{
		{labels: labels.FromStrings("__name__", "req_total", "pod", "p1", "code", "200"), n: 97},
		{labels: labels.FromStrings("__name__", "req_total", "pod", "p1", "code", "500"), n: 3},
		{labels: labels.FromStrings("__name__", "req_total", "pod", "p2", "code", "200"), n: 195},
		{labels: labels.FromStrings("__name__", "req_total", "pod", "p2", "code", "500"), n: 5},
		{labels: labels.FromStrings("__name__", "pod_info", "pod", "p1", "team", "x"), n: 1, gauge: true},
		{labels: labels.FromStrings("__name__", "pod_info", "pod", "p2", "team", "y"), n: 1, gauge: true},
		{labels: labels.FromStrings("__name__", "pod_up", "pod", "p1"), n: 1, gauge: true},
		{labels: labels.FromStrings("__name__", "pod_up", "pod", "p2"), n: 1, gauge: true},
		{labels: labels.FromStrings("__name__", "maintenance", "pod", "p2"), n: 1, gauge: true},
		// For 29 minutes of the last hour p1 was drained: 25 samples, the last of which is current for five minutes.
		{labels: labels.FromStrings("__name__", "drained", "pod", "p1"), n: 1, gauge: true, since: 91, till: 115},
	}
	for query, want := range map[string]float64{
		`sum(rate(req_total{code="500",pod="p1"}[5m]))`:                                                 3.0 / 3,
		`sum(rate(req_total{code="500"}[5m]) * on (pod) group_left (team) pod_info{team="x"})`:          3.0 / 3,
		`sum(req_total{code="500"} * on (pod) group_left (team) pod_info{team="x"})`:                    3.0 / 3,
		`sum(pod_info{team="x"} * on (pod) group_right () rate(req_total{code="500"}[5m]))`:             3.0 / 3,
		`sum(rate(req_total{code="500"}[5m]) and on (pod) (pod_up == 1))`:                               8.0 / 3,
		`sum(rate(req_total{code="500"}[5m]) and on (pod) (pod_up == 0))`:                               0,
		`sum(rate(req_total{code="500"}[5m]) unless on (pod) (maintenance == 1))`:                       3.0 / 3,
		`sum(rate(req_total{code="500"}[5m]) unless on (pod) maintenance)`:                              3.0 / 3,
		`sum(rate(req_total{code="500"}[5m]) and on (pod) (rate(req_total{code="200"}[5m]) > 2))`:       5.0 / 3,
		`sum(rate(req_total{code="500"}[5m]) unless on (pod) drained)`:                                  (8 - 3*29.0/60) / 3,
		`sum(rate(req_total{code="500",pod="p1"}[5m]) or rate(req_total{code="500",pod=~"p1|p2"}[5m]))`: 8.0 / 3,
	} {
		w := newWorld(t, ratioDoc(queryLine("bad", query), queryLine("total", "sum(rate(req_total[5m]))")))
		w.give(pods)
		s := w.only()
		if s.State == model.SLOInsufficient {
			t.Errorf("%s: %s", query, s.Reason)
		}
		for _, b := range s.Burn {
			if b.Window == "1h" && math.Abs(b.Rate-want) > 0.02*max(want, 0.1) {
				t.Errorf("%s burns %v over 1 h, want %v", query, b.Rate, want)
			}
		}
	}
}
