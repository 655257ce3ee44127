package slo_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// queues lets time pass with two gauges for each queue: its age and its share of failures.
func (w *world) queues(d time.Duration, at map[string][2]float64) {
	w.t.Helper()
	app := w.db.AppenderV2(w.t.Context())
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(time.Minute)
		for queue, v := range at {
			for i, metric := range []string{"queue_age_seconds", "queue_failure_ratio"} {
				for _, pod := range []string{"x", "y"} {
					ls := labels.FromStrings("__name__", metric, "queue", queue, "pod", pod)
					if _, err := app.Append(0, ls, 0, w.now.UnixMilli(), v[i], nil, nil, storage.AOptions{}); err != nil {
						w.t.Fatal(err)
					}
				}
			}
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

// valued is an SLO over values: a threshold, or a measured ratio; by minutes of series or by slices.
func valued(name, matcher, indicator, objective, method string) string {
	return fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: %s}
spec:
  service: edge
  budgetingMethod: %s
  timeWindow: [{duration: 28d, isRolling: true}]
  objectives: [{target: 0.99, %s}]
  indicator: {spec: %s}
`, name, method, objective, strings.ReplaceAll(indicator, "MATCH", matcher))
}

// Thresholds and measured ratios that are aggregated by a label are judged for each of its values, and each group
// stands as an SLO would that selects it alone.
func TestValuesAreJudgedForEachGroup(t *testing.T) {
	threshold := `{thresholdMetric: {metricSource: {spec: {query: 'max by (queue) (queue_age_seconds{MATCH})'}}}}`
	raw := `{ratioMetric: {rawType: failure, raw: {metricSource: {spec: {query: 'avg by (queue) (queue_failure_ratio{MATCH})'}}}}}`
	for name, c := range map[string][3]string{
		"threshold":        {threshold, "op: lte, value: 60", "Occurrences"},
		"threshold-slices": {threshold, "op: lte, value: 60, timeSliceTarget: 0.9, timeSliceWindow: 5m", "Timeslices"},
		"raw":              {raw, "", "Occurrences"},
		"raw-slices":       {raw, "timeSliceTarget: 0.9, timeSliceWindow: 5m", "Timeslices"},
		"raw-by-ratio":     {raw, "timeSliceWindow: 5m", "RatioTimeslices"},
	} {
		w := newWorld(t, strings.Join([]string{
			valued("each", "", c[0], c[1], c[2]), valued("alone-a", `queue="a"`, c[0], c[1], c[2]), valued("alone-b", `queue="b"`, c[0], c[1], c[2]),
		}, "---\n"))
		w.settle()
		w.queues(2*time.Hour, map[string][2]float64{"a": {10, 0.001}, "b": {10, 0}})
		w.queues(20*time.Minute, map[string][2]float64{"a": {10, 0.001}, "b": {90, 0.5}})
		w.settle()
		w.settle()
		s := w.slo("each")
		if s.Groups == nil || s.Groups.Count != 2 || s.Groups.Worst["queue"] != "b" || s.State == model.SLOOK {
			t.Fatalf("%s: %s: %s, groups %+v", name, s.State, s.Reason, s.Groups)
		}
		for _, q := range []string{"a", "b"} {
			one, alone := w.slo(`each{queue="`+q+`"}`), w.slo("alone-"+q)
			if one.State != alone.State || math.Abs(one.Budget.UsedRatio-alone.Budget.UsedRatio) > 1e-9 || one.Budget.Total != alone.Budget.Total || alone.Budget.Total == 0 || !slices.Equal(one.Alerts, alone.Alerts) {
				t.Errorf("%s: the group of %s is %s with %+v, alone it is %s with %+v", name, q, one.State, one.Budget, alone.State, alone.Budget)
			}
		}
	}
}

// Spans are counted for each value of the fields that total names, attributes with dots among them, and a group that was not
// there before is found; after a restart each has what it counted.
func TestSpansAreCountedForEachGroup(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", "duration:<300ms", "service:layout", ", by: [http.route]"))
	routes := func(d time.Duration, slow map[string]int) {
		var spans []model.Span
		for end := k.now.Add(d); k.now.Before(end); k.now = k.now.Add(time.Minute) {
			for route, n := range slow {
				for i := range 20 {
					took := 100 * time.Millisecond
					if i < n {
						took = time.Second
					}
					k.trace++
					start := k.now.UnixNano() + int64(i)
					spans = append(spans, model.Span{
						TraceID: model.TraceID{1, k.trace, byte(start >> 16), byte(start >> 8), byte(start)}, SpanID: model.SpanID{1, k.trace, byte(i)}, Name: "GET", Start: start, Duration: int64(took),
						Attrs:    model.Attrs{{Key: "http.route", Value: model.StringValue(route)}},
						Resource: &model.Resource{Service: "layout"},
					})
				}
			}
		}
		if err := k.events.AppendSpans(t.Context(), spans); err != nil {
			t.Fatal(err)
		}
		k.tally.TapSpans(spans)
	}
	settle := func() {
		t.Helper()
		for range 2 {
			if err := k.engine.Settle(t.Context(), k.now); err != nil {
				t.Fatal(err)
			}
		}
	}
	settle()
	routes(time.Hour, map[string]int{"/a": 0, `/b "x"\`: 0})
	settle()
	routes(30*time.Minute, map[string]int{"/a": 0, `/b "x"\`: 18, "/new": 1})
	settle()
	check := func(when string) {
		t.Helper()
		s, err := k.engine.SLO(t.Context(), "promise")
		if err != nil || s.Groups == nil || s.Groups.Count != 3 || s.Groups.Worst["http.route"] != `/b "x"\` || s.State != model.SLOExhausted && s.State != model.SLOBurning {
			t.Fatalf("%s: %s: %s, groups %+v (%v)", when, s.State, s.Reason, s.Groups, err)
		}
		// By hand: 18 of 20 spans a minute for 30 minutes; for an hour before that none was slow.
		for route, want := range map[string][2]float64{"/a": {0, 1800}, `/b "x"\`: {540, 1800}, "/new": {30, 600}} {
			one, err := k.engine.SLO(t.Context(), definition.GroupName("promise", map[string]string{"http.route": route}))
			if err != nil || one.Budget.Bad != want[0] || one.Budget.Total != want[1] {
				t.Errorf("%s: %s counted %v of %v, want %v (%v)", when, route, one.Budget.Bad, one.Budget.Total, want, err)
			}
		}
	}
	check("live")
	k.restart()
	settle()
	check("after a restart")
}

// What is exported keeps the groups, and the recorded ratios are those that the engine measures.
func TestTheExportHasARatioForEachGroup(t *testing.T) {
	good := strings.NewReplacer("bad:", "good:", `code="500"`, `code="200"`).Replace(byRoute("good", "by (route)", ""))
	slices := strings.NewReplacer("budgetingMethod: Occurrences", "budgetingMethod: Timeslices", "target: 0.995", "target: 0.995, timeSliceTarget: 0.9, timeSliceWindow: 5m").Replace(byRoute("sliced", "by (route)", ""))
	w := newWorld(t, strings.Join([]string{byRoute("bad", "by (route)", ""), good, slices}, "---\n"))
	w.settle()
	w.routes(3*time.Hour, map[string][2]float64{"/a": {160, 0}, "/b": {140, 7}, "/c": {10, 10}})
	w.settle()
	text, err := definition.PrometheusRules(w.cfg.BurnAlerts, w.catalog.Definitions())
	if err != nil {
		t.Fatal(err)
	}
	file, errs := rulefmt.Parse(text, false, prommodel.UTF8Validation, parser.NewParser(parser.Options{}), nil)
	if len(errs) > 0 {
		t.Fatalf("%v in\n%s", errs, text)
	}
	n := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Record != "slo:error_ratio:1h" {
				continue
			}
			got, err := promexpr.NewEvaluator(w.db, time.Minute, nil).Instant(t.Context(), r.Expr, w.now)
			if err != nil || len(got) != 3 {
				t.Errorf("%s is %v (%v)", r.Expr, got, err)
			}
			for _, s := range got {
				n++
				one := w.slo(strings.TrimPrefix(g.Name, "slo-") + `{route="` + s.Labels["route"] + `"}`)
				for _, b := range one.Burn {
					// What a rate makes of the first sample differs from what is counted.
					if b.Window == "1h" && math.Abs(b.Rate*0.005-s.Value) > 1e-6 {
						t.Errorf("%s of %s records %v, the engine measures %v", r.Expr, s.Labels["route"], s.Value, b.Rate*0.005)
					}
				}
			}
		}
	}
	if n != 9 {
		t.Errorf("%d ratios in\n%s", n, text)
	}
}

// A route that burns and is taken away with the next deployment: after an hour, in which the others go on, its alert ends.
func TestTheAlertOfAGroupThatIsGoneEnds(t *testing.T) {
	w := newWorld(t, byRoute("by-route", "by (route)", ""))
	w.settle()
	w.routes(2*time.Hour, map[string][2]float64{"/a": {160, 0}, "/b": {140, 140}})
	w.settle()
	if len(w.sent) == 0 {
		t.Fatal("nobody was paged")
	}
	end := func() (at time.Time) {
		for _, a := range w.sent {
			if a.Labels["route"] == "/b" && a.Labels["alertname"] == "SLOBurnRateFast" {
				at = a.EndsAt
			}
		}
		return at
	}
	for range 58 {
		w.routes(time.Minute, map[string][2]float64{"/a": {160, 0}})
		w.settle()
	}
	if !end().After(w.now) {
		t.Errorf("it ended at %s, within an hour of silence", end())
	}
	for range 10 { // a sample is current for five minutes
		w.routes(time.Minute, map[string][2]float64{"/a": {160, 0}})
		w.settle()
	}
	if end().After(w.now) {
		t.Errorf("at %s it goes on until %s", w.now, end())
	}
	if s := w.slo("by-route"); s.State != model.SLOOK || len(s.Alerts) > 0 {
		t.Errorf("the SLO is %s: %s, alerts %v", s.State, s.Reason, s.Alerts)
	}
}

// A composite of an SLO with groups counts them together, and says so.
func TestACompositeOfAnSLOWithGroupsSaysSo(t *testing.T) {
	whole := `apiVersion: openslo/v1
kind: SLO
metadata: {name: whole}
spec:
  service: edge
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{indicatorRef: by-route, compositeWeight: 1}]
`
	defs, problems := load(t, byRoute("by-route", "by (route)", "")+"---\n"+whole)
	if len(defs) != 2 || !strings.Contains(problems, "its part by-route has a budget for each route; here all of its groups are counted together") {
		t.Errorf("%d definitions: %s", len(defs), problems)
	}
	if _, err := definition.PrometheusRules(nil, defs); err == nil || !strings.Contains(err.Error(), "recorded for each route alone") {
		t.Errorf("exported: %v", err)
	}
}

// A group by a label that alerts have themselves: routes see the group's service, other rooms the SLO's, and no two groups
// become one alert.
func TestAGroupsLabelsStandBesideTheAlertsOwn(t *testing.T) {
	for by, want := range map[string]model.Labels{
		"service":  {"service": "x", model.OwnLabel + "service": "edge", "slo": "by-route", "severity": "critical"},
		"severity": {"service": "edge", "severity": "critical", "group_severity": "x"},
		"slo":      {"slo": "by-route", "group_slo": "x"},
		"route":    {"route": "x"},
	} {
		defs, _ := load(t, strings.ReplaceAll(byRoute("by-route", "by ("+by+")", ""), "metadata: {", "metadata: {labels: {route: all}, "))
		ls := defs[0].Narrow(map[string]string{by: "x"}).AlertLabels(slo.DefaultConfig().BurnAlerts[0])
		if by == "route" { // a label of the document
			want = model.Labels{"route": "all", "group_route": "x"}
		}
		for k, v := range want {
			if ls[k] != v {
				t.Errorf("by %s: label %s is %q, want %q: %v", by, k, ls[k], v, ls)
			}
		}
		text, err := definition.PrometheusRules(slo.DefaultConfig().BurnAlerts, defs)
		switch {
		case by == "severity" || by == "slo":
			if err == nil || !strings.Contains(err.Error(), "sum by a label of another name") {
				t.Errorf("by %s: exported: %v", by, err)
			}
		case err != nil:
			t.Errorf("by %s: %v", by, err)
		case by == "service" && strings.Contains(string(text), "service: edge"):
			t.Errorf("the groups by service become one in\n%s", text)
		}
	}
}

// A route that few visit, and one that came with the last deployment, do not make the SLO or the gate unable to judge the
// others; they are listed with what they lack, and when one of them burns it pages.
func TestAGroupWithTooLittleLeavesTheOthersToBeJudged(t *testing.T) {
	w := newWorld(t, byRoute("by-route", "by (route)", ""))
	w.settle()
	w.routes(2*time.Hour, map[string][2]float64{"/a": {160, 0}, "/rare": {0.0001, 0}})
	w.routes(10*time.Minute, map[string][2]float64{"/a": {160, 0}, "/rare": {0.0001, 0}, "/new": {160, 0}})
	w.settle()
	s := w.slo("by-route")
	if s.State != model.SLOOK || s.Groups.Worst["route"] != "/a" || s.Groups.Count != 3 {
		t.Errorf("it is %s: %s, groups %+v", s.State, s.Reason, s.Groups)
	}
	for route, doubt := range map[string]model.SLODoubt{"/rare": model.DoubtFewEvents, "/new": model.DoubtYoung, "/a": ""} {
		if one := w.slo(`by-route{route="` + route + `"}`); one.Doubt != doubt {
			t.Errorf("%s is in doubt for %q, want %q: %s", route, one.Doubt, doubt, one.Reason)
		}
	}
	if d := w.decide("edge"); d.Verdict != model.VerdictAllow {
		t.Errorf("the gate says %s: %s", d.Verdict, d.Summary)
	}
	w.routes(2*time.Minute, map[string][2]float64{"/a": {160, 0}, "/rare": {0.0001, 0}, "/new": {160, 160}})
	w.settle()
	if s := w.slo("by-route"); s.State != model.SLOBurning && s.State != model.SLOExhausted || s.Groups.Worst["route"] != "/new" {
		t.Errorf("the new route fails, and it is %s: %s", s.State, s.Reason)
	}
	if d := w.decide("edge"); d.Verdict != model.VerdictBlock {
		t.Errorf("the gate says %s: %s", d.Verdict, d.Summary)
	}
}

// Where no group has enough, nothing is known.
func TestGroupsThatAllHaveTooLittleAreNotJudged(t *testing.T) {
	w := newWorld(t, byRoute("by-route", "by (route)", ""))
	w.settle()
	w.routes(2*time.Hour, map[string][2]float64{"/a": {0.0001, 0}, "/b": {0.0001, 0}})
	w.settle()
	if s := w.slo("by-route"); s.State != model.SLOInsufficient || s.Doubt != model.DoubtFewEvents {
		t.Errorf("it is %s: %s", s.State, s.Reason)
	}
	if d := w.decide("edge"); d.Verdict != model.VerdictInsufficient {
		t.Errorf("the gate says %s: %s", d.Verdict, d.Summary)
	}
}
