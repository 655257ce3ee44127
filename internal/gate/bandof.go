package gate

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// BandOf is the band that an SLO's budget lies in: that of the strictest of the policies that match. It is
// nil where nobody can say, and where it is not, a decision about the SLO goes by the same.
func (set Set) BandOf(s model.SLOStatus) *model.SLOBand {
	if !knownBudget(s) {
		return nil
	}
	band := set.bandOf(s, "")
	return &band
}

// knownBudget reports whether the figures say in which band a budget lies. The bad that was seen
// before data went stale is still spent, and a calendar window that begins has a whole budget.
func knownBudget(s model.SLOStatus) bool {
	judged := s.State != model.SLOInsufficient || s.Doubt == model.DoubtStale
	return judged && !s.Budget.Unknown && (s.Budget.Total > 0 || s.WindowStart != nil)
}

// bandOf is BandOf without the question whether the figures are known. The band it was in keeps
// it for a slack.
func (set Set) bandOf(s model.SLOStatus, was string) (out model.SLOBand) {
	snapshot := model.SLOSnapshot{Status: s, Environment: model.Environments(s.Labels)}
	for _, p := range set.forSLO(model.GateRequest{Service: s.Service}, snapshot) {
		is := p.Rules.band(s.Budget.UsedRatio)
		if before := p.Rules.band(s.Budget.UsedRatio + bandSlack); before == was {
			is = was
		}
		if strictestBand(out.Name, is) != out.Name || out.Name == "" {
			out = model.SLOBand{Name: is, Text: bandText(is), Threshold: p.Rules.threshold(is), Policy: p.Name}
		}
	}
	return out
}

// threshold is the share of the budget used at which a band begins.
func (p Policy) threshold(band string) float64 {
	return map[string]float64{BandCaution: p.CautionAbove, BandCritical: p.HoldAbove, BandFreeze: p.FreezeAt}[band]
}

func bandText(band string) string {
	return map[string]string{
		BandNormal: "normal", BandCaution: "caution", BandCritical: "critical fixes only", BandFreeze: "frozen",
	}[band]
}

// Answers says how SLOs stand and stood; slo.Engine does.
type Answers interface {
	Statuses
	SLO(ctx context.Context, name string) (model.SLOStatus, error)
	SLOHistory(ctx context.Context, name string, start, end time.Time, step time.Duration) (model.SLOHistory, error)
}

// Banded is SLOs with the bands of the policies in force on them.
type Banded struct {
	Answers
	policies *Catalog
}

// WithBands puts bands on what another room says of SLOs.
func WithBands(slos Answers, policies *Catalog) *Banded {
	return &Banded{Answers: slos, policies: policies}
}

// SLOs are those of a service, each with its band.
func (b *Banded) SLOs(ctx context.Context, service string) ([]model.SLOStatus, string, error) {
	list, summary, err := b.Answers.SLOs(ctx, service)
	set := b.policies.Set()
	list = slices.Clone(list) // the other room's stays as it is
	for i := range list {
		list[i].Band = set.BandOf(list[i])
	}
	return list, summary, err
}

// SLO is one with its band and those of its groups.
func (b *Banded) SLO(ctx context.Context, name string) (model.SLOStatus, error) {
	s, err := b.Answers.SLO(ctx, name)
	if err != nil {
		return s, err
	}
	set := b.policies.Set()
	s.Band = set.BandOf(s)
	if s.Groups == nil {
		return s, nil
	}
	groups := *s.Groups
	groups.List = slices.Clone(groups.List)
	for i, g := range groups.List {
		one := s
		one.State, one.Doubt, one.Budget = g.State, g.Doubt, g.Budget
		groups.List[i].Band = set.BandOf(one)
	}
	s.Groups = &groups
	return s, nil
}
