package slo_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

const composite = `apiVersion: openslo/v1
kind: SLO
metadata: {name: edge-all, displayName: Edge is well}
spec:
  service: edge
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - {indicatorRef: edge-ok, compositeWeight: 3}
    - displayName: fresh
      targetPercent: 99
      op: lte
      value: 60
      indicator: {spec: {thresholdMetric: {metricSource: {spec: {query: 'max(queue_age_seconds)'}}}}}
`

func TestACompositeBurnsByTheWeightedMeanOfItsParts(t *testing.T) {
	w := newWorld(t, availability("99.5")+"---\n"+composite)
	for half := range 4 {
		start := w.now
		w.traffic(30*time.Minute, 15*time.Second, 98, 2) // 4 × at 99.5 %
		w.now = start
		w.gauge(30*time.Minute, 15*time.Second, []float64{10, 10, 10, 90}[half]) // half of the last hour: 50 × at 99 %
	}
	w.settle()
	s, err := w.engine.SLO(t.Context(), "edge-all")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range s.Burn {
		if b.Window == "1h" && math.Abs(b.Rate-(0.75*4+0.25*50)) > 1e-6 {
			t.Errorf("burns %v× over 1 h, want 15.5×", b.Rate)
		}
	}
	if want := 0.75*0.995 + 0.25*0.99; math.Abs(s.Objective-want) > 1e-12 || len(s.Parts) != 2 || s.Parts[1].Name != "edge-all-fresh" {
		t.Errorf("objective %v, want %v; parts %+v", s.Objective, want, s.Parts)
	}
	part, err := w.engine.SLO(t.Context(), "edge-all-fresh")
	if err != nil || part.PartOf != "edge-all" || len(part.Alerts) > 0 {
		t.Errorf("the part is %+v (%v): it must not alert by itself", part, err)
	}
	snapshots, err := w.engine.Snapshots(t.Context(), "edge", "")
	if err != nil || len(snapshots) != 2 {
		t.Errorf("%d SLOs gate (%v), want the composite and edge-ok", len(snapshots), err)
	}
	// What is taken out of a part is taken out of the composite, which alone gates: whoever judges it sees whose correction it is.
	made, err := w.engine.Correct(t.Context(), model.SLOCorrection{SLO: "edge-ok", Author: "kim", Reason: "drill", Start: w.now.Add(-time.Hour), End: w.now.Add(-30 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	if s, err = w.engine.SLO(t.Context(), "edge-all"); err != nil || len(s.Corrections) != 1 || s.Corrections[0].ID != made.ID || s.Corrections[0].SLO != "edge-ok" {
		t.Errorf("%+v, %v", s.Corrections, err)
	}
	w.now = w.now.Add(10 * time.Minute)
	w.traffic(time.Minute, 15*time.Second, 100, 0) // but the gauge is silent
	w.settle()
	if s, _ = w.engine.SLO(t.Context(), "edge-all"); s.State != "insufficient" {
		t.Errorf("with a silent part it is %s: %s", s.State, s.Reason)
	}
}

func load(t *testing.T, doc string) ([]*slo.Definition, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	defs, problems := definition.Load([]string{file})
	var lines []string
	for _, p := range problems {
		if !p.Warning && (p.Line == 0 || p.Cure == "") {
			t.Errorf("no line or cure: %v", p)
		}
		lines = append(lines, p.Error())
	}
	return defs, strings.Join(lines, "\n")
}

func TestACompositeThatRefersToItselfIsRefusedAndTheCircleNamed(t *testing.T) {
	ring := func(name, part string) string {
		return strings.NewReplacer("name: edge-all", "name: "+name, "indicatorRef: edge-ok", "indicatorRef: "+part).Replace(composite)
	}
	for _, c := range []struct{ name, doc, want string }{
		{"directly", ring("a", "a"), "the composite refers to itself: a → a; take"},
		{"through others", ring("a", "b") + "---\n" + ring("b", "c") + "---\n" + ring("c", "a"), "the composite refers to itself: a → b → c → a; take"},
		{"a part that is not there", ring("a", "edge-okay") + "---\n" + availability("99.5"), `there is no SLI or SLO edge-okay; did you mean "edge-ok"?`},
		{"a name of another SLO", ring("edge-ok", "x") + "---\n" + availability("99.5"), "SLO edge-ok was defined before"},
	} {
		defs, problems := load(t, c.doc)
		if !strings.Contains(problems, c.want) {
			t.Errorf("%s: %q, want %q", c.name, problems, c.want)
		}
		for _, d := range defs {
			if d.Name == "a" {
				t.Errorf("%s: it is in force", c.name)
			}
		}
	}
	// A circle leaves SLOs that are not in it alone, and a chain is none.
	if defs, problems := load(t, ring("a", "b")+"---\n"+ring("b", "edge-ok")+"---\n"+availability("99.5")); problems != "" || len(defs) != 5 {
		t.Errorf("%d SLOs, %s", len(defs), problems)
	}
}

const policy = `---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: mine}
spec:
  alertWhenNoData: true
  conditions:
    - kind: AlertCondition
      metadata: {name: my-burn, annotations: {signalbox.io/short-window: 10m}}
      spec: {severity: page, condition: {kind: burnrate, op: gte, threshold: 2, lookbackWindow: 1h, alertAfter: 5m}}
  notificationTargets: [{kind: AlertNotificationTarget, metadata: {name: x}, spec: {target: pager}}]
`

func withPolicy() string {
	return strings.Replace(availability("99.5"), "  objectives:", "  alertPolicies: [mine]\n  objectives:", 1) + policy
}

func TestAlertPoliciesReplaceTheTableOfTheirSLO(t *testing.T) {
	w := newWorld(t, withPolicy())
	w.traffic(2*time.Hour, 15*time.Second, 100, 0)
	w.settle()
	w.traffic(5*time.Minute, 15*time.Second, 0, 100) // far above 14×, too
	w.settle()
	firing := func() string {
		s, err := w.engine.SLO(t.Context(), "edge-ok")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(s.Alerts, " ")
	}
	if got := firing(); got != "" {
		t.Errorf("%s fires before it burned for 5 min", got)
	}
	w.start() // the wait goes on after a restart
	w.traffic(5*time.Minute, 15*time.Second, 0, 100)
	w.settle()
	if got := firing(); got != "my_burn" {
		t.Errorf("%q fires, want my_burn alone", got)
	}
	if a := w.sent[len(w.sent)-1]; a.Labels["notify"] != "pager" || a.Labels["short_window"] != "10m" || a.Labels["severity"] != "critical" {
		t.Errorf("labels %v", a.Labels)
	}
	w.traffic(3*time.Hour, 15*time.Second, 100, 0)
	w.settle()
	for range 2 {
		w.now = w.now.Add(10 * time.Minute)
		w.settle()
	}
	if got := firing(); got != "my_burnNoData" {
		t.Errorf("%q fires without data, want my_burnNoData", got)
	}
}

func TestAlertPoliciesThatDoNotFitAreNamed(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"no such policy", "[mine]", "[min]", `SLO edge-ok: there is no AlertPolicy min; did you mean "mine"?`},
		{"a short window that is longer", "10m}", "2h}", "short: must be at least 1m and below long"},
		{"a threshold of nothing", "threshold: 2", "threshold: 0", "the threshold is 0"},
		{"an op that makes no sense", "op: gte", "op: lt", `op "lt" would alert on a budget that lasts`},
		{"another kind of condition", "kind: burnrate", "kind: budget", `condition kind "budget" is unknown`},
	} {
		if _, problems := load(t, strings.Replace(withPolicy(), c.old, c.new, 1)); !strings.Contains(problems, c.want) {
			t.Errorf("%s: %q", c.name, problems)
		}
	}
	defs, problems := load(t, strings.Replace(withPolicy(), "displayName: Edge answers", "displayName: Edge answers, annotations: {signalbox.io/burn-alerts: extend}", 1))
	if problems != "" || len(defs) != 1 || len(defs[0].BurnAlerts) != 2 {
		t.Errorf("%s %+v", problems, defs)
	}
}
