package slo_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
)

// expectVerdict asks the gate, as a deployment pipeline would.
func (s *scenario) expectVerdict(f []string) {
	s.t.Helper()
	slos, err := s.w.engine.Snapshots(s.t.Context(), "edge", "prod")
	if err != nil {
		s.fatal("%v", err)
	}
	req := model.GateRequest{Service: "edge", Environment: "prod", Critical: len(f) > 1 && f[1] == "critical"}
	d := gate.Decide(gate.Set{Default: gate.DefaultPolicy()}, gate.Input{Request: req, Time: s.w.now, SLOs: slos})
	if string(d.Verdict) != f[0] {
		s.fatal("verdict is %s: %s, want %s", d.Verdict, d.Summary, f[0])
	}
	if d.Summary == "" || strings.Contains(d.Summary, "%!") {
		s.fatal("summary is %q", d.Summary)
	}
}

// A Pyrra SLO over 14 days alerts by 3m/30m, 15m/3h, 30m/12h and 3h/2d: none of the pairs that the gate judges deployments by. The
// gate's windows are counted for it all the same, since they are about the deployment.
func TestTheGateJudgesAnSLOWhoseAlertsHaveOtherWindows(t *testing.T) {
	w := newWorld(t, `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: edge-errors
  labels: {pyrra.dev/service: edge}
spec:
  target: "99"
  window: 2w
  indicator:
    ratio:
      errors: {metric: 'requests_total{service="edge",status="error"}'}
      total: {metric: 'requests_total{service="edge"}'}
`)
	policies := gate.Set{Default: gate.DefaultPolicy()}
	w.asked = policies.Windows
	ask := func() model.GateDecision {
		t.Helper()
		w.settle()
		slos, err := w.engine.Snapshots(t.Context(), "edge", "")
		if err != nil || len(slos) != 1 {
			t.Fatal(slos, err)
		}
		return gate.Decide(policies, gate.Input{Request: model.GateRequest{Service: "edge"}, Time: w.now, SLOs: slos})
	}
	expect := func(verdict model.Verdict, burn map[string]float64) {
		t.Helper()
		d := ask()
		if d.Verdict != verdict {
			t.Errorf("%s: %s, want %s", d.Verdict, d.Summary, verdict)
		}
		for _, e := range d.Evidence {
			want, ok := burn[e.Name]
			delete(burn, e.Name)
			if ok && (e.Value == nil || math.Abs(*e.Value-want) > 0.02*want) {
				t.Errorf("%s is %v, want %g", e.Name, orNaN(e.Value), want)
			}
		}
		if len(burn) > 0 {
			t.Errorf("no evidence of %v", burn)
		}
	}
	w.traffic(10*24*time.Hour, 5*time.Minute, 99.9, 0.1)
	w.traffic(8*time.Hour, time.Minute, 99.9, 0.1)
	// 0.1 of 100 fail, and 1 % may: burn 0.1 over every window; 10⅓ of 14 days at that rate use 0.1 · 10⅓ / 14 of the budget.
	expect(model.VerdictAllow, map[string]float64{"burn_rate_5m": 0.1, "burn_rate_30m": 0.1, "burn_rate_1h": 0.1, "burn_rate_6h": 0.1, "budget_used": 0.0738})
	// Half an hour in which 20 of 100 fail. 1 h: (30·20 + 30·0.1) / 6,000 = 10.05 %; 6 h: (30·20 + 330·0.1) / 36,000 = 1.758 %.
	w.traffic(30*time.Minute, time.Minute, 80, 20)
	expect(model.VerdictAllow, map[string]float64{"burn_rate_5m": 20, "burn_rate_30m": 20, "burn_rate_1h": 10.05, "burn_rate_6h": 1.758})
	// A quarter of an hour later 1 h: (45·20 + 15·0.1) / 6,000 = 15.025 %, above 14 times the budget.
	w.traffic(15*time.Minute, time.Minute, 80, 20)
	expect(model.VerdictBlock, map[string]float64{"burn_rate_5m": 20, "burn_rate_30m": 20, "burn_rate_1h": 15.025, "burn_rate_6h": 2.571})
}

// An hour of which a quarter has data, just what the gate asks for, is added up from whole minutes and from pieces of those that
// its ends cut. Wherever they are cut, a quarter is a quarter: a pipeline that was allowed is not told a moment later that it
// has too little.
func TestAQuarterOfAnHourIsEnoughWhereverMinutesAreCut(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	policies := gate.Set{Default: gate.DefaultPolicy()}
	w.asked = policies.Windows
	w.now = w.now.Add(546 * time.Second)
	w.traffic(8*time.Hour, 10*time.Minute, 600, 0)
	w.now = w.now.Add(45 * time.Second)
	w.traffic(9*time.Minute+15*time.Second, 15*time.Second, 600, 0) // 11 minutes with data, and one of 10 before
	end, asked := w.now, 0
	for cut := 130123457 * time.Nanosecond; cut < 50*time.Second; cut += 2153456789 * time.Nanosecond {
		w.now = end.Add(cut)
		w.settle()
		slos, err := w.engine.Snapshots(t.Context(), "edge", "")
		if err != nil {
			t.Fatal(err)
		}
		d := gate.Decide(policies, gate.Input{Request: model.GateRequest{Service: "edge"}, Time: w.now, SLOs: slos})
		if d.Verdict != model.VerdictAllow {
			t.Errorf("%s later: %s", cut, d.Summary)
		}
		for _, e := range d.Evidence {
			if e.Name == "burn_rate_1h" && math.Abs(e.Coverage-0.25) < 1e-9 {
				asked++
			}
		}
	}
	if asked < 10 {
		t.Errorf("a quarter of the hour had data %d times only", asked)
	}
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
