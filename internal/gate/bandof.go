package gate

import "github.com/signalbox-project/signalbox/internal/model"

// BandOf is the band that an SLO's budget lies in: that of the strictest of the policies that match. It is
// nil where nobody can say, and where it is not, a decision about the SLO goes by the same.
func (set Set) BandOf(s model.SLOStatus) *model.SLOBand { return set.BandAfter(s, "") }

// BandAfter is BandOf for a budget that was in a band: it keeps that for a slack.
func (set Set) BandAfter(s model.SLOStatus, was string) *model.SLOBand {
	if !knownBudget(s) {
		return nil
	}
	var out model.SLOBand
	snapshot := model.SLOSnapshot{Status: s, Environment: model.Environments(s.Labels)}
	for _, p := range set.forSLO(model.GateRequest{Service: s.Service}, snapshot) {
		is := p.Rules.band(s.Budget.UsedRatio)
		if before := p.Rules.band(s.Budget.UsedRatio + bandSlack); before == was {
			is = was
		}
		if StrictestBand(out.Name, is) != out.Name || out.Name == "" {
			out = model.SLOBand{Name: is, Text: bandText(is), Threshold: p.Rules.threshold(is), Policy: p.Name}
		}
	}
	return &out
}

// BandAlert is the name of the alert that a budget's band raises; gate/bands does.
const BandAlert = "SLOBudgetBand"

// bandSlack is how far below a band's limit a budget must fall before its
// alert ends: a rolling window moves both ways by a little all the time.
const bandSlack = 0.01

// knownBudget reports whether the figures say in which band a budget lies. The bad that was seen
// before data went stale is still spent, and a calendar window that begins has a whole budget.
func knownBudget(s model.SLOStatus) bool {
	judged := s.State != model.SLOInsufficient || s.Doubt == model.DoubtStale
	return judged && !s.Budget.Unknown && (s.Budget.Total > 0 || s.WindowStart != nil)
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

// BandLimit is a budget band and the share of the budget used at which it
// begins.
type BandLimit struct {
	Name string
	From float64
}

// BandLimits are the bands of one SLO, best first, and the function that
// says in which a share of the budget lies. Where several policies apply, the
// strictest decides: a band begins where the first of them has it begin.
func (set Set) BandLimits(s model.SLOSnapshot) (limits []BandLimit, of func(used float64) string) {
	policies := set.forSLO(model.GateRequest{Service: s.Status.Service}, s)
	first := policies[0].Rules
	limits = []BandLimit{{BandNormal, 0}, {BandCaution, first.CautionAbove}, {BandCritical, first.HoldAbove}, {BandFreeze, first.FreezeAt}}
	for _, p := range policies[1:] {
		limits[1].From = min(limits[1].From, p.Rules.CautionAbove)
		limits[2].From = min(limits[2].From, p.Rules.HoldAbove)
		limits[3].From = min(limits[3].From, p.Rules.FreezeAt)
	}
	return limits, func(used float64) string {
		strictest := first.band(used)
		for _, p := range policies[1:] {
			strictest = StrictestBand(strictest, p.Rules.band(used))
		}
		return strictest
	}
}
