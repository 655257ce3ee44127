package gate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

// PolicyView is the budget policy as it stands: the rules, and what they mean now.
type PolicyView struct {
	Summary string `json:"summary"`
	// Default is the gate section; it applies where no other policy matches.
	Default  Policy        `json:"default"`
	Policies []NamedPolicy `json:"policies"`
	Frozen   []Frozen      `json:"frozen" doc:"freezes that hold now"`
	SLOs     []Standing    `json:"promises" doc:"every SLO with its band, worst first"`
}

// Frozen is a freeze that holds.
type Frozen struct {
	Policy string    `json:"policy"`
	Name   string    `json:"name"`
	Reason string    `json:"reason"`
	Effect Effect    `json:"effect" enum:"hold,block"`
	Until  time.Time `json:"until"`
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
func (b *Bands) View(ctx context.Context) (PolicyView, error) {
	list, _, err := b.deps.SLOs.SLOs(ctx, "")
	if err != nil {
		return PolicyView{}, fmt.Errorf("gate policies: %w", err)
	}
	set, now := b.deps.Policies.Set(), b.deps.Now()
	v := PolicyView{Default: set.Default, Policies: set.Named, Frozen: []Frozen{}, SLOs: []Standing{}}
	if !access.ScopeOf(ctx).All {
		v.Policies = slices.DeleteFunc(slices.Clone(set.Named), func(p NamedPolicy) bool {
			return !slices.ContainsFunc(list, func(s model.SLOStatus) bool {
				band := set.BandOf(s)
				return band != nil && band.Policy == p.Name
			})
		})
	}
	for _, p := range v.Policies {
		for _, f := range p.Freezes {
			if until, frozen := f.active(now); frozen {
				v.Frozen = append(v.Frozen, Frozen{Policy: p.Name, Name: f.Name, Reason: f.Reason, Effect: f.effect(), Until: until})
			}
		}
	}
	worst, count := "", 0
	for _, s := range list {
		at := Standing{SLO: s.Name, Service: s.Service, Environment: model.Environments(s.Labels)}
		if band := set.BandOf(s); band != nil {
			used := s.Budget.UsedRatio
			at.Band, at.Policy, at.UsedRatio = band.Name, band.Policy, &used
		}
		if at.Band != BandNormal && at.Band != "" {
			worst = strictestBand(worst, at.Band)
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
