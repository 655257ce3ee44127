package slo_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
)

// An SLO of two environments and two teams concerns each of them: its alerts are routed by
// each, and a deployment to either is blocked.
func TestAnSLOConcernsEachEnvironmentThatItsLabelsList(t *testing.T) {
	for labels, envs := range map[string][]string{
		"{env: [prod, staging], team: [a, b]}":            {"prod", "staging"},
		"{env: prod, environment: staging, team: [a, b]}": {"prod", "staging"},
		"{environment: [staging, prod], team: [b, a]}":    {"prod", "staging"},
	} {
		w := newWorld(t, strings.Replace(availability("99.5"), "metadata: {name: edge-ok", "metadata: {name: edge-ok, labels: "+labels, 1))
		w.settle()
		w.traffic(2*time.Hour, time.Minute, 10, 90)
		w.settle()
		for _, env := range append(envs, "") {
			slos, err := w.engine.Snapshots(t.Context(), "edge", env)
			if err != nil {
				t.Fatal(err)
			}
			d := gate.Decide(gate.Set{Default: gate.DefaultPolicy()}, gate.Input{Request: model.GateRequest{Service: "edge", Environment: env}, Time: w.now, SLOs: slos})
			if d.Verdict != model.VerdictBlock {
				t.Errorf("%s: a deployment to %q: %s", labels, env, d.Summary)
			}
		}
		if other, err := w.engine.Snapshots(t.Context(), "edge", "dev"); err != nil || len(other) > 0 {
			t.Errorf("%s: it concerns a deployment to dev: %v", labels, err)
		}
		var sent []string
		for _, a := range w.sent {
			if a.Labels["alertname"] == "SLOBurnRateFast" {
				sent = append(sent, a.Labels["env"]+" "+a.Labels["team"])
			}
		}
		slices.Sort(sent)
		if got, want := strings.Join(slices.Compact(sent), ", "), "prod a, prod b, staging a, staging b"; got != want {
			t.Errorf("%s: alerts for %s, want %s", labels, got, want)
		}
	}
}
