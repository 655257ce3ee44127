package gate

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/document"
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

type answers struct{ status model.SLOStatus }

func (a answers) SLOs(context.Context, string) ([]model.SLOStatus, string, error) {
	return []model.SLOStatus{a.status}, "", nil
}

func (a answers) SLO(context.Context, string) (model.SLOStatus, error) { return a.status, nil }

func (a answers) SLOHistory(context.Context, string, time.Time, time.Time, time.Duration) (model.SLOHistory, error) {
	return model.SLOHistory{}, nil
}

func TestEveryAnswerAboutAnSLOHasItsBand(t *testing.T) {
	catalog, err := NewCatalog(DefaultPolicy(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	catalog.Catalog = document.NewCatalog(strict(func(*Policy) {}), document.Options[Set]{})
	from := answers{oneSLO(used(0.77)).Status}
	from.status.Groups = &model.SLOGroups{List: []model.SLOGroup{
		{Name: "a", State: model.SLOOK, Budget: model.Budget{Total: 10, UsedRatio: 0.6}},
		{Name: "b", State: model.SLOInsufficient, Budget: model.Budget{Unknown: true}},
	}}
	b := WithBands(from, catalog)
	want := &model.SLOBand{Name: BandCritical, Text: "critical fixes only", Threshold: 0.75, Policy: "strict"}
	list, _, err := b.SLOs(t.Context(), "")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if diff := cmp.Diff(want, list[0].Band); diff != "" {
		t.Error("list: ", diff)
	}
	one, err := b.SLO(t.Context(), "edge-ok")
	if diff := cmp.Diff(want, one.Band); diff != "" || err != nil {
		t.Error("one: ", diff, err)
	}
	groups := one.Groups.List
	if groups[0].Band == nil || groups[0].Band.Name != BandCaution || groups[1].Band != nil {
		t.Errorf("groups: %+v, %+v", groups[0].Band, groups[1].Band)
	}
	if from.status.Groups.List[0].Band != nil {
		t.Error("what the other room holds was changed")
	}
}
