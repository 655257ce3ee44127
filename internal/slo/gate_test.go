package slo_test

import (
	"strings"

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
