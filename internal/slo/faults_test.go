package slo_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
)

// ratioDoc is an SLO of 99 % over a day; parts are lines of ratioMetric.
func ratioDoc(parts ...string) string {
	return `apiVersion: openslo/v1
kind: SLO
metadata: {name: promise}
spec:
  service: edge
  timeWindow: [{duration: 1d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
  indicator:
    metadata: {name: promise}
    spec:
      ratioMetric:
        ` + strings.Join(parts, "\n        ") + "\n"
}

func queryLine(key, query string) string {
	return fmt.Sprintf("%s: {metricSource: {spec: {query: '%s'}}}", key, query)
}

// feed writes two hours of a series, a sample a minute, and settles.
func (w *world) feed(series map[string]func(minute int) float64) {
	w.t.Helper()
	start := w.now
	for i := range 121 {
		app := w.db.AppenderV2(w.t.Context())
		for name, v := range series {
			at := start.Add(time.Duration(i) * time.Minute)
			if _, err := app.Append(0, labels.FromStrings("__name__", name), 0, at.UnixMilli(), v(i), nil, nil, storage.AOptions{}); err != nil {
				w.t.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			w.t.Fatal(err)
		}
	}
	w.now = start.Add(2 * time.Hour)
	w.settle()
	w.now = w.now.Add(10 * time.Second)
	w.settle()
}

func (w *world) only() model.SLOStatus {
	w.t.Helper()
	s, err := w.engine.SLO(w.t.Context(), "promise")
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func constant(v float64) func(int) float64 { return func(int) float64 { return v } }
func each(n float64) func(int) float64     { return func(i int) float64 { return n * float64(i) } }

func TestWhatCannotBeIsNamedAndNotJudged(t *testing.T) {
	raw := func(kind string) string { return ratioDoc("rawType: "+kind, queryLine("raw", "share")) }
	for _, c := range []struct {
		name, doc string
		series    map[string]func(int) float64
		want      string // in the reason; "": it is judged
		cure      string
	}{
		{"a ratio in percent", raw("success"), map[string]func(int) float64{"share": constant(50)}, "50, which is not between 0 and 1", "Divide by 100"},
		{"a ratio below zero", raw("failure"), map[string]func(int) float64{"share": constant(-0.5)}, "-0.5, which is not between 0 and 1", "answer 0 to 1"},
		{"a ratio without end", raw("failure"), map[string]func(int) float64{"share": constant(math.Inf(1))}, "not between 0 and 1", "answer 0 to 1"},
		{"a ratio that rounding lifts above one", raw("success"), map[string]func(int) float64{"share": constant(1 + 1e-12)}, "", ""},
		{
			"good events counted twice", ratioDoc(queryLine("good", "good_total"), queryLine("total", "all_total")),
			map[string]func(int) float64{"good_total": each(200), "all_total": each(100)},
			"more good events (11,967) than events (5,983) in 1 h", "same events",
		},
		{
			"bad events of more than are in total", ratioDoc(queryLine("bad", "bad_total"), queryLine("total", "all_total")),
			map[string]func(int) float64{"bad_total": each(110), "all_total": each(100)},
			"more bad events (6,582) than events (5,983) in 1 h", "same events",
		},
		{
			"a difference below zero", ratioDoc(queryLine("bad", "sum(all_total) - sum(good_total)"), queryLine("total", "all_total")),
			map[string]func(int) float64{"good_total": each(110), "all_total": each(100)},
			"good or bad events is negative (-598 in 1 h)", "same events",
		},
		{
			"events without end", ratioDoc("counter: false", queryLine("bad", "errors"), queryLine("total", "all")),
			map[string]func(int) float64{"errors": constant(1), "all": constant(math.Inf(1))},
			"+Inf events", "finite",
		},
		{
			"slices judged by more good events than there are", strings.Replace(strings.Replace(ratioDoc(queryLine("good", "good_total"), queryLine("total", "all_total")), "Occurrences", "Timeslices", 1), "{target: 0.99}", "{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m}", 1),
			map[string]func(int) float64{"good_total": each(200), "all_total": each(100)},
			"more good events", "same events",
		},
		{
			"one event between two scrapes", ratioDoc(queryLine("good", "good_total"), queryLine("total", "all_total")),
			map[string]func(int) float64{"good_total": func(i int) float64 { return 100*float64(i) + 1 }, "all_total": each(100)},
			"", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.doc)
			w.feed(c.series)
			s := w.only()
			if c.want == "" {
				if s.State != model.SLOOK {
					t.Fatalf("state %s: %s", s.State, s.Reason)
				}
				return
			}
			if s.State != model.SLOInsufficient || !strings.Contains(s.Reason, c.want) || !strings.Contains(s.Action, c.cure) {
				t.Errorf("state %s, reason %q, action %q; want insufficient, %q and %q", s.State, s.Reason, s.Action, c.want, c.cure)
			}
		})
	}
}

// Good events are scraped a minute after total: in a burst a minute has good
// events only, another none. Over any longer window nothing was bad.
func TestABurstBetweenTwoScrapesIsNotBad(t *testing.T) {
	for _, lag := range []int{1, -1} {
		w := newWorld(t, ratioDoc(queryLine("good", "good_total"), queryLine("total", "all_total")))
		burst := func(i int) float64 { return 1000 * float64(max(i, 0)/10) }
		w.feed(map[string]func(int) float64{"all_total": burst, "good_total": func(i int) float64 { return burst(i - lag) }})
		s := w.only()
		// The burst of the last minute is in one of them only: that one cannot be known.
		if s.Budget.Bad > 1000 || s.Budget.Total < 11000 || lag < 0 && s.Budget.Bad != 0 {
			t.Errorf("lag %d min: %v of %v events are bad", lag, s.Budget.Bad, s.Budget.Total)
		}
	}
}

// One impossible value is no data, and the next possible one counts again.
func TestAValueThatCannotBeCostsItsOwnMinuteOnly(t *testing.T) {
	w := newWorld(t, ratioDoc("rawType: failure", queryLine("raw", "share")))
	w.feed(map[string]func(int) float64{"share": func(i int) float64 {
		if i == 60 {
			return 100
		}
		return 0.001
	}})
	s := w.only()
	if s.State != model.SLOOK || math.Abs(s.Budget.SLI-0.999) > 1e-9 {
		t.Errorf("state %s, %v of the time good: %s", s.State, s.Budget.SLI, s.Reason)
	}
}
