package bands

import (
	"context"
	"fmt"
	"slices"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
)

// PolicyView is the budget policy as it stands: the rules, and what they mean now.
type PolicyView struct {
	Summary string `json:"summary"`
	// Default is the gate section; it applies where no other policy matches.
	Default  gate.Policy        `json:"default"`
	Policies []gate.NamedPolicy `json:"policies"`
	Frozen   []gate.Frozen      `json:"frozen" doc:"freezes that hold now"`
	SLOs     []Standing         `json:"promises" doc:"every SLO with its band, worst first"`
}

// Standing is where an SLO's budget lies.
type Standing struct {
	SLO         string   `json:"slo"`
	Service     string   `json:"service"`
	Environment string   `json:"environment,omitempty"`
	Band        string   `json:"band" enum:",normal,caution,critical-fixes-only,freeze" doc:"empty while it is not known"`
	UsedRatio   *float64 `json:"used_ratio"`
	Policy      string   `json:"policy" doc:"the policy that puts it into this band"`
}

// View answers the policies in force and what they mean now. Who is bound to namespaces sees the policies that hold for their SLOs.
func (w *Watch) View(ctx context.Context) (PolicyView, error) {
	list, _, err := w.deps.SLOs.SLOs(ctx, "")
	if err != nil {
		return PolicyView{}, fmt.Errorf("gate policies: %w", err)
	}
	set, now := w.deps.Policies.Set(), w.deps.Now()
	v := PolicyView{Default: set.Default, Policies: set.Named, Frozen: []gate.Frozen{}, SLOs: []Standing{}}
	if !access.ScopeOf(ctx).All {
		v.Policies = slices.DeleteFunc(slices.Clone(set.Named), func(p gate.NamedPolicy) bool {
			return !slices.ContainsFunc(list, func(s model.SLOStatus) bool {
				band := set.BandOf(s)
				return band != nil && band.Policy == p.Name
			})
		})
	}
	for _, p := range v.Policies {
		v.Frozen = append(v.Frozen, p.Frozen(now)...)
	}
	worst, count := "", 0
	for _, s := range list {
		at := Standing{SLO: s.Name, Service: s.Service, Environment: model.Environments(s.Labels)}
		if band := set.BandOf(s); band != nil {
			used := s.Budget.UsedRatio
			at.Band, at.Policy, at.UsedRatio = band.Name, band.Policy, &used
		}
		if at.Band != gate.BandNormal && at.Band != "" {
			worst = gate.StrictestBand(worst, at.Band)
			count++
		}
		v.SLOs = append(v.SLOs, at)
	}
	v.Summary = fmt.Sprintf("All %d SLOs are in the band normal.", len(list))
	if count > 0 {
		v.Summary = fmt.Sprintf("%d of %d SLOs are above the band normal; the strictest is %s.", count, len(list), worst)
	}
	if len(v.Frozen) > 0 {
		v.Summary += fmt.Sprintf(" Frozen until %s: %s.", v.Frozen[0].Until.Format("2006-01-02 15:04 MST"), v.Frozen[0].Name)
	}
	return v, nil
}
