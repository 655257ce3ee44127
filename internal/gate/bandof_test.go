package gate

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
)

// The band that is shown and the one that a decision goes by are the same, whatever is known.
func TestTheBandShownIsTheOneDecidedBy(t *testing.T) {
	set := strict(func(r *Policy) { r.CautionAbove, r.HoldAbove, r.FreezeAt = 0.4, 0.9, 1.2 })
	set.Named = append(set.Named, NamedPolicy{Name: "teams", Match: Selector{Teams: []string{"edge"}}, Rules: DefaultPolicy()})
	states := []model.SLOState{model.SLOOK, model.SLOBurning, model.SLOExhausted, model.SLOInsufficient}
	doubts := []model.SLODoubt{"", model.DoubtStale, model.DoubtYoung, model.DoubtImpossible, model.DoubtFewEvents}
	known := 0
	for _, share := range []float64{0, 0.4, 0.400001, 0.5, 0.75, 0.77, 0.9, 0.91, 1, 1.2, 3} {
		for _, state := range states {
			for _, doubt := range doubts {
				for _, unknown := range []bool{false, true} {
					for _, total := range []float64{0, 10_000} {
						s := oneSLO(used(share))
						st := &s.Status
						st.State, st.Doubt, st.Budget.Unknown, st.Budget.Total = state, doubt, unknown, total
						if state != model.SLOInsufficient {
							st.Doubt = ""
						}
						d := Decide(set, Input{Request: model.GateRequest{Service: st.Service}, Time: now, SLOs: []model.SLOSnapshot{s}})
						shown := ""
						if band := set.BandOf(*st); band != nil {
							shown, known = band.Name, known+1
						}
						if shown != d.Band {
							t.Errorf("used %v, %s %s, unknown %v, total %v: shown %q, decided by %q", share, state, doubt, unknown, total, shown, d.Band)
						}
					}
				}
			}
		}
	}
	if known == 0 {
		t.Error("no band was known")
	}
}
