package slo_test

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/groups"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

func byRoute(name, by, matcher string) string {
	return fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: %s}
spec:
  service: edge
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.995}]
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {spec: {query: 'sum %s (rate(req_total{code="500"%s}[5m]))'}}}
        total: {metricSource: {spec: {query: 'sum %s (rate(req_total{%s}[5m]))'}}}
`, name, by, matcher, by, strings.TrimPrefix(matcher, ","))
}

// routes lets time pass with counters a minute, by route: events and failures.
func (w *world) routes(d time.Duration, perMinute map[string][2]float64) {
	w.t.Helper()
	app := w.db.AppenderV2(context.Background())
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(time.Minute)
		for route, n := range perMinute {
			for i, code := range []string{"200", "500"} {
				key := route + code
				w.counts[key] += []float64{n[0] - n[1], n[1]}[i]
				ls := labels.FromStrings("__name__", "req_total", "code", code, "route", route)
				if _, err := app.Append(0, ls, 0, w.now.UnixMilli(), w.counts[key], nil, nil, storage.AOptions{}); err != nil {
					w.t.Fatal(err)
				}
			}
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) slo(name string) model.SLOStatus {
	w.t.Helper()
	s, err := w.engine.SLO(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// decide is what the gate says of a deployment of a service.
func (w *world) decide(service string) model.GateDecision {
	w.t.Helper()
	list, err := w.engine.Snapshots(w.t.Context(), service, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return gate.Decide(gate.Set{Default: gate.DefaultPolicy()}, gate.Input{Request: model.GateRequest{Service: service}, Time: w.now, SLOs: list})
}

// Each group stands as an SLO would that somebody wrote for it alone, whatever
// happens: failures, silence, a restart, a correction, a route that comes later.
func TestAGroupStandsAsAnSLOOfItsOwnWould(t *testing.T) {
	docs := []string{byRoute("grouped", "by (route)", "")}
	for _, r := range []string{"a", "b", "c"} {
		docs = append(docs, byRoute("alone-"+r, "", fmt.Sprintf(`,route="/%s"`, r)))
	}
	w := newWorld(t, strings.Join(docs, "---\n"))
	w.settle()
	same := func(when string, routes ...string) {
		t.Helper()
		w.settle()
		for _, r := range routes {
			one, alone := w.slo(`grouped{route="/`+r+`"}`), w.slo("alone-"+r)
			if one.State != alone.State || math.Abs(one.Budget.UsedRatio-alone.Budget.UsedRatio) > 1e-9 || math.Abs(one.Budget.Total-alone.Budget.Total) > 1e-6 ||
				!slices.Equal(one.Alerts, alone.Alerts) || !slices.EqualFunc(one.Burn, alone.Burn, func(a, b model.Burn) bool { return math.Abs(a.Rate-b.Rate) < 1e-9 }) {
				t.Errorf("%s: the group of /%s is %+v, alone it is %+v", when, r, one, alone)
			}
		}
	}
	w.routes(3*time.Hour, map[string][2]float64{"/a": {160, 1}, "/b": {140, 7}})
	same("at first", "a", "b")
	w.routes(time.Hour, map[string][2]float64{"/a": {160, 0}, "/b": {140, 140}, "/c": {10, 0}})
	same("with a new route", "a", "b", "c")
	w.start()
	w.settle()
	same("after a restart", "a", "b", "c")
	for _, name := range []string{"grouped", "alone-a", "alone-b", "alone-c"} {
		if _, err := w.engine.Correct(t.Context(), model.SLOCorrection{SLO: name, Author: "ann", Reason: "planned", Start: w.now.Add(-30 * time.Minute), End: w.now}); err != nil {
			t.Fatal(err)
		}
	}
	w.routes(10*time.Minute, map[string][2]float64{"/a": {160, 0}, "/b": {140, 2}, "/c": {10, 5}})
	same("after a correction", "a", "b", "c")
	if _, err := w.engine.Correct(t.Context(), model.SLOCorrection{SLO: `grouped{route="/a"}`, Author: "ann", Reason: "x", Start: w.now.Add(-time.Minute), End: w.now}); err == nil || !strings.Contains(err.Error(), "correct grouped") {
		t.Errorf("a group was corrected: %v", err)
	}
}

// A route that is new has not been judged, and while groups are judged some have been and some have not. Whoever asks the gate
// then, as a pipeline may at any moment, hears what the groups said before or what they say afterwards.
func TestTheGateNeverHearsOfGroupsThatAreHalfJudged(t *testing.T) {
	w := newWorld(t, byRoute("by-route", "by (route)", ""))
	w.settle()
	w.routes(8*time.Hour, map[string][2]float64{"/a": {160, 0}, "/b": {140, 0}})
	w.settle()
	asked, allowed := 0, true
	w.during = func() {
		asked++
		list, err := w.engine.Snapshots(t.Context(), "edge", "")
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		for _, s := range list {
			if s.Status.Name == "by-route" {
				t.Error("the SLO speaks beside its groups")
			}
		}
		// A group that was found is judged by its whole history: until that is read nobody vouches for it.
		if d := w.decide("edge"); allowed && d.Verdict != model.VerdictAllow && !regexp.MustCompile(`route="/c"}: [Ii]ts history is (still )?being read`).MatchString(d.Summary) {
			t.Errorf("%s: %s", d.Verdict, d.Summary)
		}
	}
	w.during()
	w.routes(4*time.Minute, map[string][2]float64{"/a": {160, 0}, "/b": {140, 0}, "/c": {10, 0}})
	w.settle()
	w.settle()
	if asked < 10 {
		t.Fatalf("asked %d times only", asked)
	}
	allowed, asked = false, 0 // once a group burns
	w.routes(time.Hour, map[string][2]float64{"/a": {160, 0}, "/b": {140, 140}, "/c": {10, 0}})
	w.settle()
	if d := w.decide("edge"); d.Verdict != model.VerdictBlock || asked == 0 {
		t.Errorf("%s after %d questions: %s", d.Verdict, asked, d.Summary)
	}
}

// /b fails 7 of 140, 10 times its budget; /a burns 1.25×. Together that would be 5.33×.
func TestTheGroupThatBurnsPagesAndBlocks(t *testing.T) {
	w := newWorld(t, byRoute("by-route", "by (route)", ""))
	w.settle()
	w.routes(7*time.Hour, map[string][2]float64{"/a": {160, 1}, "/b": {140, 7}})
	w.settle()
	s := w.slo("by-route")
	if s.State != model.SLOBurning || s.Groups == nil || s.Groups.Count != 2 || s.Groups.Worst["route"] != "/b" || len(s.Groups.List) != 2 || s.Groups.List[0].Labels["route"] != "/b" {
		t.Fatalf("the SLO is %s (%s) with the groups %+v", s.State, s.Reason, s.Groups)
	}
	for _, b := range s.Burn {
		if b.Window == "6h" && math.Abs(b.Rate-10) > 1e-6 {
			t.Errorf("it burns %v× over 6 h, want 10×", b.Rate)
		}
	}
	for _, a := range w.sent {
		// /a spends 1.25 times its budget, which is a ticket.
		if a.Labels["slo"] != "by-route" || a.Labels["route"] != "/b" && a.Labels["severity"] != "info" || a.Annotations["link"] != "http://box:4300/slos/by-route" {
			t.Errorf("sent %v with %v", a.Labels, a.Annotations)
		}
	}
	if len(w.sent) == 0 || !slices.Contains(s.Alerts, "SLOBurnRateSlow") {
		t.Errorf("%d alerts were sent; active are %v", len(w.sent), s.Alerts)
	}
	list, _, err := w.engine.SLOs(t.Context(), "edge")
	if err != nil || len(list) != 1 || list[0].Groups.List != nil || list[0].Groups.Worst["route"] != "/b" || list[0].Budget.LeftRatio != s.Budget.LeftRatio {
		t.Errorf("the list has %+v (%v)", list, err)
	}
	d := w.decide("edge")
	if d.Verdict != model.VerdictBlock || !strings.Contains(d.Summary, `by-route{route="/b"}`) {
		t.Errorf("the gate says %s: %s", d.Verdict, d.Summary)
	}
	h, err := w.engine.SLOHistory(t.Context(), "by-route", w.now.Add(-time.Hour), w.now, time.Hour)
	if last := h.Points[len(h.Points)-1]; err != nil || last.Left == nil || *last.Left != s.Budget.LeftRatio {
		t.Errorf("the curve ends at %v, the page says %v (%v)", *last.Left, s.Budget.LeftRatio, err)
	}
}

// A Pyrra file with a grouping. /b fails 7 of 140 = 5 % = 10 times the budget of 99.5 %, from the first minute on: that
// is Pyrra's row of 7× over 6 h and 30 m, which waits for 15 m (of a window of 4 w). /a burns 1 / 160 / 0.005 = 1.25×, less
// than any row but the ticket's, which waits for 3 h; together they burn 8 / 300 / 0.005 = 5.33×, which would page nobody.
func TestAGroupOfPyrrasPagesWhenItsRowIsDue(t *testing.T) {
	w := newWorld(t, `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: by-handler}
spec:
  target: '99.5'
  window: 4w
  indicator: {ratio: {errors: {metric: 'req_total{code="500"}'}, total: {metric: req_total}, grouping: [route]}}
`)
	w.external = map[string]string{"region": "eu-1", "route": "is the alert's own"}
	w.start()
	w.settle()
	var seen, paged time.Time
	for range 30 {
		w.routes(time.Minute, map[string][2]float64{"/a": {160, 1}, "/b": {140, 7}})
		w.settle()
		s := w.slo("by-handler")
		if seen.IsZero() && slices.ContainsFunc(s.Burn, func(b model.Burn) bool { return b.Window == "6h" && b.Rate > 9.99 }) {
			seen = w.now
		}
		if !seen.IsZero() && (s.State != model.SLOBurning || s.Groups.Worst["route"] != "/b") {
			t.Fatalf("%s after it began to burn it is %s: %s", w.now.Sub(seen), s.State, s.Reason)
		}
		if paged.IsZero() && !seen.IsZero() && len(w.sent) == 0 && !strings.Contains(s.Reason, "ErrorBudgetBurn follows at "+seen.Add(15*time.Minute).Format("15:04:05")+" UTC") {
			t.Errorf("%s: %s", w.now.Sub(seen), s.Reason)
		}
		if len(w.sent) > 0 && paged.IsZero() {
			paged = w.now
		}
	}
	// The sample of the first minute is where counting begins.
	if began := time.Date(2026, 3, 2, 9, 2, 0, 0, time.UTC); !seen.Equal(began) || paged.Sub(seen) != 15*time.Minute {
		t.Errorf("it burns from %s on and pages at %s", seen, paged)
	}
	for _, a := range w.sent {
		ls := a.Labels
		if ls["alertname"] != "ErrorBudgetBurn" || ls["route"] != "/b" || ls["severity"] != "critical" || ls["long"] != "6h" || ls["short"] != "30m" || ls["slo"] != "by-handler" || ls["region"] != "eu-1" {
			t.Errorf("sent %v", ls)
		}
	}
	d := w.decide("by-handler")
	if d.Verdict != model.VerdictBlock || !strings.Contains(d.Summary, `by-handler{route="/b"} burns 10× over 6 h`) {
		t.Errorf("the gate says %s: %s", d.Verdict, d.Summary)
	}
}

func TestARouteThatIsGoneDoesNotHoldUpTheOthers(t *testing.T) {
	w := newWorld(t, byRoute("by-route", "by (route)", ""))
	w.settle()
	w.routes(2*time.Hour, map[string][2]float64{"/a": {160, 0}, "/b": {140, 0}})
	w.settle()
	w.routes(30*time.Minute, map[string][2]float64{"/a": {160, 0}})
	w.settle()
	if s := w.slo("by-route"); s.State != model.SLOInsufficient || s.Doubt != model.DoubtStale {
		t.Errorf("half an hour after a route fell silent: %s: %s", s.State, s.Reason)
	}
	w.routes(time.Hour, map[string][2]float64{"/a": {160, 0}})
	w.settle()
	s := w.slo("by-route")
	if s.State != model.SLOOK || !s.Groups.List[1].Ended || s.Groups.Worst["route"] != "/a" {
		t.Errorf("later it is %s: %s, with the groups %+v", s.State, s.Reason, s.Groups)
	}
	if slos, err := w.engine.Snapshots(t.Context(), "edge", ""); err != nil || len(slos) != 1 {
		t.Errorf("%d groups gate (%v)", len(slos), err)
	}
}

func TestAGroupOfThePastIsFoundInHistory(t *testing.T) {
	w := newWorld(t, byRoute("by-route", "by (route)", ""))
	w.routes(time.Hour, map[string][2]float64{"/old": {100, 50}})
	w.routes(3*time.Hour, map[string][2]float64{"/a": {100, 0}})
	for range 3 {
		w.settle()
	}
	s := w.slo("by-route")
	if s.Groups.Count != 2 || s.Groups.List[1].Labels["route"] != "/old" || s.Groups.List[1].Budget.Bad < 2900 || !s.Groups.List[1].Ended {
		t.Errorf("the groups are %+v", s.Groups)
	}
}

func TestGroupsAboveTheLimitAreNamed(t *testing.T) {
	w := newWorld(t, byRoute("by-route", "by (route)", ""))
	many := map[string][2]float64{}
	for i := range groups.Max + 3 {
		many[fmt.Sprintf("/%03d", i)] = [2]float64{100, 0}
	}
	w.routes(20*time.Minute, many)
	w.settle()
	s := w.slo("by-route")
	if s.Groups.Count != groups.Max || len(s.Groups.LeftOut) != 3 || !strings.Contains(s.Action, "3 groups above the limit of 100 are not judged: by-route{route=") {
		t.Errorf("%d groups, left out %v: %s", s.Groups.Count, s.Groups.LeftOut, s.Action)
	}
}

// A replay counts the groups together, and its alerts are those of all.
func TestAReplayOfAnSLOWithGroupsAlerts(t *testing.T) {
	w := newWorld(t, byRoute("by-route", "by (route)", ""))
	start := w.now
	w.routes(2*time.Hour, map[string][2]float64{"/a": {100, 50}, "/b": {100, 0}})
	r := slo.NewReplay(w.cfg, w.catalog.Definitions()[0], promexpr.NewEvaluator(w.db, 10*time.Second, nil), nil)
	if err := r.Load(t.Context(), start.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if s, alerts := r.Judge(t.Context()); len(alerts) == 0 {
		t.Errorf("no alerts: %s: %s", s.State, s.Reason)
	}
}
