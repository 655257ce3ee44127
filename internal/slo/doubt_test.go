package slo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
)

// feed is what one query finds in the store.
type feed struct {
	name   string
	series []func(minute int) float64
	query  string // another one than the usual
}

// Counters that grow by 100 a minute where all is well, and what else may stand in their place.
func counters(metric string, perMinute float64) []feed {
	grows := func(by float64) func(int) float64 { return func(m int) float64 { return by * float64(m) } }
	return []feed{
		{name: "missing"},
		{name: "never matched", series: []func(int) float64{grows(perMinute)}, query: fmt.Sprintf(`sum(%s{code="none"})`, metric)},
		{name: "empty", series: []func(int) float64{grows(perMinute)}, query: fmt.Sprintf(`sum(increase(%[1]s[5m]) and (%[1]s > 1e18))`, metric)},
		{name: "no number", series: []func(int) float64{func(int) float64 { return math.NaN() }}},
		{name: "zero", series: []func(int) float64{grows(0)}},
		{name: "some", series: []func(int) float64{grows(perMinute / 2)}},
		{name: "usual", series: []func(int) float64{grows(perMinute)}},
		{name: "double", series: []func(int) float64{grows(2 * perMinute)}},
	}
}

// outcome is what must be said: a state, and why where there is none.
type outcome struct {
	state model.SLOState
	doubt model.SLODoubt
}

var (
	isKept    = outcome{state: model.SLOOK}
	isBroken  = outcome{state: model.SLOExhausted}
	unmatched = outcome{model.SLOInsufficient, model.DoubtUnmatched}
	noData    = outcome{model.SLOInsufficient, model.DoubtNoData}
	cannotBe  = outcome{model.SLOInsufficient, model.DoubtImpossible}
	noEvents  = outcome{model.SLOInsufficient, model.DoubtFewEvents}
)

func has(f feed, names ...string) bool { return slices.Contains(names, f.name) }

// absent is a feed that the query finds nothing of.
func absent(f feed) bool { return has(f, "missing", "never matched", "empty", "no number") }

func TestWhatCannotBeJudgedIsSaidAlikeEverywhere(t *testing.T) {
	for _, part := range []string{"good", "bad"} {
		for _, total := range counters("all_total", 100) {
			for _, one := range counters("part_total", 100) {
				t.Run(fmt.Sprintf("%s %s of total %s", part, one.name, total.name), func(t *testing.T) {
					saysAlike(t, ratioOf(part, one, total), map[string]feed{"all_total": total, "part_total": one}, expected(part, one, total))
				})
			}
		}
	}
}

// expected is worked out from what the feeds are.
func expected(part string, one, total feed) outcome {
	size := map[string]int{"zero": 0, "some": 50, "usual": 100, "double": 200}
	bad := size[one.name]
	if part == "good" {
		bad = size[total.name] - bad
	}
	switch {
	case absent(total):
		return noData
	case size[one.name] > size[total.name], part == "bad" && has(one, "no number"):
		return cannotBe
	case has(total, "zero"):
		return noEvents
	case part == "good" && absent(one):
		return unmatched
	case bad > 0:
		return isBroken
	}
	return isKept
}

func TestAMeasuredShareThatCannotBeJudgedIsSaidAlikeEverywhere(t *testing.T) {
	flat := func(v float64) []func(int) float64 { return []func(int) float64{func(int) float64 { return v }} }
	for _, raw := range []struct {
		feed
		success, failure outcome
	}{
		{feed{name: "missing"}, noData, noData},
		{feed{name: "never matched", series: flat(1), query: `share{code="none"}`}, noData, noData},
		{feed{name: "empty", series: flat(1), query: `share > 2`}, noData, noData},
		{feed{name: "no number", series: flat(math.NaN())}, noData, noData},
		{feed{name: "zero", series: flat(0)}, isBroken, isKept},
		{feed{name: "half", series: flat(0.5)}, isBroken, isBroken},
		{feed{name: "one", series: flat(1)}, isKept, isBroken},
		{feed{name: "percent", series: flat(50)}, cannotBe, cannotBe},
		{feed{name: "negative", series: flat(-0.5)}, cannotBe, cannotBe},
		{feed{name: "without end", series: flat(math.Inf(1))}, cannotBe, cannotBe},
	} {
		for kind, want := range map[string]outcome{"success": raw.success, "failure": raw.failure} {
			for _, method := range []string{"Occurrences", "Timeslices"} {
				t.Run(fmt.Sprintf("%s %s %s", method, kind, raw.name), func(t *testing.T) {
					saysAlike(t, shareOf(method, kind, raw.query), map[string]feed{"share": raw.feed}, want)
				})
			}
		}
	}
}

func saysAlike(t *testing.T, doc string, feeds map[string]feed, want outcome) {
	t.Helper()
	w := newWorld(t, doc)
	w.settle()
	for range 2 { // alerts and verdicts while it comes in, and after
		w.feeds(time.Hour, feeds)
		w.settle()
		w.sayAlike(want)
	}
}

// feeds lets time pass with a sample a minute, at least one.
func (w *world) feeds(d time.Duration, feeds map[string]feed) {
	w.t.Helper()
	app := w.db.AppenderV2(context.Background())
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(min(d, time.Minute))
		w.minutes++
		for metric, f := range feeds {
			for i, value := range f.series {
				ls := labels.FromStrings("__name__", metric, "i", fmt.Sprint(i))
				if _, err := app.Append(0, ls, 0, w.now.UnixMilli(), value(w.minutes), nil, nil, storage.AOptions{}); err != nil {
					w.t.Fatal(err)
				}
			}
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

// sayAlike compares what every reader is told.
func (w *world) sayAlike(want outcome) {
	t := w.t
	t.Helper()
	s, err := w.engine.SLO(t.Context(), "edge-ok")
	if err != nil {
		t.Fatal(err)
	}
	if got := (outcome{s.State, s.Doubt}); got != want {
		t.Fatalf("it is %v (%s), want %v", got, s.Reason, want)
	}
	known, burns := want.state != model.SLOInsufficient, want.state == model.SLOExhausted || want.state == model.SLOBurning
	if (len(s.Alerts) > 0) != burns || (len(w.sent) > 0) != burns {
		t.Errorf("alerts %v are active, %d were sent", s.Alerts, len(w.sent))
	}
	var shown struct {
		Budget struct {
			Left *float64 `json:"left_ratio"`
			Used *float64 `json:"used_ratio"`
			SLI  *float64 `json:"sli"`
		} `json:"budget"`
		Burn []model.Burn `json:"burn"`
	}
	text, err := json.Marshal(s)
	if err != nil || json.Unmarshal(text, &shown) != nil {
		t.Fatal(err)
	}
	if b := shown.Budget; (b.Left != nil) != known || (b.Used != nil) != known || (b.SLI != nil) != known || s.Budget.Unknown == known {
		t.Errorf("a budget of an SLO that is %s: %s", want.state, text)
	}
	for _, b := range shown.Burn {
		if b.Rate > 0 && b.Coverage > 0 && !burns {
			t.Errorf("it burns %v× over %s and is %s", b.Rate, b.Window, want.state)
		}
	}
	w.gateSaysAlike(s, known, burns)
}

func (w *world) gateSaysAlike(s model.SLOStatus, known, burns bool) {
	t := w.t
	t.Helper()
	slos, err := w.engine.Snapshots(t.Context(), "edge", "prod")
	if err != nil {
		t.Fatal(err)
	}
	d := gate.Decide(gate.Set{Default: gate.DefaultPolicy()}, gate.Input{Request: model.GateRequest{Service: "edge", Environment: "prod"}, Time: w.now, SLOs: slos})
	want := model.VerdictAllow
	switch {
	case !known:
		want = model.VerdictInsufficient
	case burns:
		want = model.VerdictBlock
	}
	if d.Verdict != want {
		t.Errorf("the gate says %s: %s; the SLO is %s: %s", d.Verdict, d.Summary, s.State, s.Reason)
	}
	if (d.Band == "") == known {
		t.Errorf("the gate's band is %q", d.Band)
	}
	for _, e := range d.Evidence {
		if !known && e.Name == "budget_used" && e.Value != nil {
			t.Errorf("the gate's evidence is that %v of the budget are used", *e.Value)
		}
	}
}

func ratioOf(part string, one, total feed) string {
	query := func(f feed, metric string) string {
		if f.query != "" {
			return f.query
		}
		return "sum(" + metric + ")"
	}
	return doubtful("Occurrences", fmt.Sprintf(`ratioMetric:
        %s: {metricSource: {spec: {query: '%s'}}}
        total: {metricSource: {spec: {query: '%s'}}}`, part, query(one, "part_total"), query(total, "all_total")))
}

func shareOf(method, kind, query string) string {
	if query == "" {
		query = "share"
	}
	return doubtful(method, fmt.Sprintf(`ratioMetric:
        rawType: %s
        raw: {metricSource: {spec: {query: '%s'}}}`, kind, query))
}

func doubtful(method, sli string) string {
	slice := ""
	if method == "Timeslices" {
		slice = ", timeSliceTarget: 0.9, timeSliceWindow: 1m"
	}
	return fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: edge-ok}
spec:
  service: edge
  budgetingMethod: %s
  timeWindow: [{duration: 1d, isRolling: true}]
  objectives: [{target: 0.99%s}]
  indicator:
    spec:
      %s
`, method, slice, sli)
}

func TestNobodyIsPagedBeforeTheGoodEventsWereLookedFor(t *testing.T) {
	total := feed{name: "bursts", series: []func(int) float64{func(m int) float64 {
		if m > 60 {
			return 5000
		}
		return 0
	}}}
	w := newWorld(t, ratioOf("good", feed{name: "missing"}, total))
	feeds := map[string]feed{"all_total": total}
	w.feeds(time.Hour, feeds)
	w.settle()
	w.feeds(5*time.Second, feeds) // sooner than it is looked for as a rule
	w.engine.Judge(t.Context(), w.now)
	if s, err := w.engine.SLO(t.Context(), "edge-ok"); err != nil || s.Doubt != model.DoubtUnmatched || len(w.sent) > 0 {
		t.Errorf("it is %s (%s), %d alerts were sent: %v", s.State, s.Doubt, len(w.sent), err)
	}
}
