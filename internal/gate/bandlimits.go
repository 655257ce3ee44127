package gate

import "github.com/signalbox-project/signalbox/internal/model"

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
			strictest = strictestBand(strictest, p.Rules.band(used))
		}
		return strictest
	}
}
