package gate

import (
	"fmt"
	"slices"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/platform/stat"
)

// The rules, as decisions name them.
const (
	RuleOverride   = "override"
	RuleBurnFast   = "burn_fast"
	RuleBurnSlow   = "burn_slow"
	RuleBudget     = "budget_used"
	RuleCalendar   = "calendar"
	RulePage       = "open_page"
	RuleDependency = "dependency"
	RuleData       = "data"
)

// The budget bands, best first.
const (
	BandNormal   = "normal"
	BandCaution  = "caution"
	BandCritical = "critical-fixes-only"
	BandFreeze   = "freeze"
)

// Effect is what a rule that holds does to a deployment.
type Effect string

// The effects, mildest first. A critical fix passes a hold, never a block.
const (
	EffectOff   Effect = "off"
	EffectHold  Effect = "hold"
	EffectBlock Effect = "block"
)

func (e Effect) verdict() model.Verdict {
	if e == EffectBlock {
		return model.VerdictBlock
	}
	return model.VerdictHold
}

type duration = prom.Duration

// BurnRule blocks while the burn rate over both windows is at or above Factor.
// Both are measured for every SLO whose own window is at least as long; to one with a shorter window the rule does not apply.
type BurnRule struct {
	// Long is the window that decides, Short the one that must agree, so that a
	// burn that is over no longer blocks.
	Long  prom.Duration `json:"long" yaml:"long"`
	Short prom.Duration `json:"short" yaml:"short"`
	// Factor is the burn rate from which the rule holds; 1 lasts exactly the SLO's window.
	Factor float64 `json:"factor" yaml:"factor"`
}

// Policy is the rules of one budget policy: the gate section's, or those of a
// policy file.
type Policy struct {
	// BurnFast and BurnSlow block every deployment, critical ones too.
	BurnFast BurnRule `json:"burn_fast" yaml:"burn_fast"`
	BurnSlow BurnRule `json:"burn_slow" yaml:"burn_slow"`
	// CautionAbove is the share of the budget above which releases are made with caution and an alert goes out.
	CautionAbove float64 `json:"caution_above" yaml:"caution_above"`
	// HoldAbove is the share of the budget above which only critical fixes pass.
	HoldAbove float64 `json:"hold_above" yaml:"hold_above"`
	// FreezeAt is the share of the budget from which nothing passes.
	FreezeAt float64 `json:"freeze_at" yaml:"freeze_at"`
	// StaleAfter is how old the newest sample may be.
	StaleAfter prom.Duration `json:"stale_after" yaml:"stale_after"`
	// MinCoverage is the share of the fast rule's long window that must have data.
	MinCoverage float64 `json:"min_coverage" yaml:"min_coverage"`
	// MinBadEvents is how many bad events a burn must rest on (occurrences only).
	MinBadEvents float64 `json:"min_bad_events" yaml:"min_bad_events"`
	// Confidence is that of the Wilson bound which must also reach the factor before a burn
	// blocks (occurrences only), for example 0.95; 0 asks for min_bad_events alone.
	Confidence float64 `json:"confidence" yaml:"confidence"`
	// OpenPages is what an open page about the service does: off, hold or block.
	OpenPages Effect `json:"open_pages" yaml:"open_pages"`
	// PageSeverities are the severities that count for open_pages.
	PageSeverities []string `json:"page_severities" yaml:"page_severities"`
	// Dependencies is what an SLO of a service called that burns or is exhausted does: off, hold or block.
	Dependencies Effect `json:"dependencies" yaml:"dependencies"`
	// DependsOn names services that count as called even where no calls were seen.
	DependsOn []string `json:"depends_on" yaml:"depends_on"`
}

// band is where a share of the budget lies.
func (p Policy) band(used float64) string {
	switch {
	case budget.Reaches(used, p.FreezeAt):
		return BandFreeze
	case budget.Exceeds(used, p.HoldAbove):
		return BandCritical
	case budget.Exceeds(used, p.CautionAbove):
		return BandCaution
	}
	return BandNormal
}

// DefaultPolicy blocks at 14× over 1 h and 6× over 6 h and from a spent budget
// on, and holds above 75 %.
func DefaultPolicy() Policy {
	minutes := func(m int) prom.Duration { return prom.Duration(time.Duration(m) * time.Minute) }
	return Policy{
		BurnFast:     BurnRule{Long: minutes(60), Short: minutes(5), Factor: 14},
		BurnSlow:     BurnRule{Long: minutes(360), Short: minutes(30), Factor: 6},
		CautionAbove: 0.5, HoldAbove: 0.75, FreezeAt: 1, StaleAfter: minutes(5), MinCoverage: 0.25, MinBadEvents: 5,
		OpenPages: EffectOff, PageSeverities: []string{"critical", "page", "P0", "P1"}, Dependencies: EffectOff,
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (p Policy) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	rule := func(name string, r BurnRule) {
		if r.Factor <= 0 {
			bad("%s.factor: must be > 0, got %v", name, r.Factor)
		}
		if r.Short <= 0 || r.Short >= r.Long {
			bad("%s.short: must be above 0 and below long, got %s", name, r.Short)
		}
	}
	// No comparison with what is no number would hold: it must not pass for a limit.
	for name, v := range map[string]float64{
		"burn_fast.factor": p.BurnFast.Factor, "burn_slow.factor": p.BurnSlow.Factor, "caution_above": p.CautionAbove, "hold_above": p.HoldAbove,
		"freeze_at": p.FreezeAt, "min_coverage": p.MinCoverage, "min_bad_events": p.MinBadEvents, "confidence": p.Confidence,
	} {
		if !finite(v) {
			bad("%s: must be a number, got %v", name, v)
		}
	}
	rule("burn_fast", p.BurnFast)
	rule("burn_slow", p.BurnSlow)
	if p.CautionAbove <= 0 || p.CautionAbove > p.HoldAbove {
		bad("caution_above: must be above 0 and at most hold_above, got %v", p.CautionAbove)
	}
	if p.HoldAbove <= 0 || p.HoldAbove > p.FreezeAt {
		bad("hold_above: must be above 0 and at most freeze_at, got %v", p.HoldAbove)
	}
	if p.FreezeAt <= 0 {
		bad("freeze_at: must be > 0, got %v", p.FreezeAt)
	}
	if p.StaleAfter <= 0 {
		bad("stale_after: must be > 0, got %s", p.StaleAfter)
	}
	if p.MinCoverage < 0 || p.MinCoverage > 1 {
		bad("min_coverage: must be 0 to 1, got %v", p.MinCoverage)
	}
	if p.MinBadEvents < 0 {
		bad("min_bad_events: must be >= 0, got %v", p.MinBadEvents)
	}
	if p.Confidence != 0 && (p.Confidence < 0.5 || p.Confidence >= 1) {
		bad("confidence: must be 0, or from 0.5 to below 1, got %v", p.Confidence)
	}
	effect := func(name string, e Effect) {
		if !slices.Contains([]Effect{EffectOff, EffectHold, EffectBlock}, e) {
			bad("%s: must be off, hold or block, got %q", name, e)
		}
	}
	effect("open_pages", p.OpenPages)
	effect("dependencies", p.Dependencies)
	return errs
}

// summary is the decision in one sentence.
func summary(d model.GateDecision, slos []model.SLOSnapshot) string {
	first := d.Reasons[0]
	if first.Rule == RuleOverride {
		return first.Message
	}
	text := map[model.Verdict]string{
		model.VerdictBlock: "Blocked: ", model.VerdictHold: "On hold: ", model.VerdictInsufficient: "Not enough data: ", model.VerdictAllow: "Allowed: ",
	}[d.Verdict]
	if d.Verdict != model.VerdictAllow {
		text += first.Message
		more := 0
		for _, r := range d.Reasons[1:] {
			if r.Verdict == d.Verdict {
				more++
			}
		}
		if more > 0 {
			text += fmt.Sprintf(" (and %d more)", more)
		}
		return text
	}
	least := slos[0].Status
	for _, p := range slos[1:] {
		if p.Status.Budget.LeftRatio < least.Budget.LeftRatio {
			least = p.Status
		}
	}
	if len(slos) == 1 {
		text = fmt.Sprintf("%s%s has %s of its budget left.", text, least.Name, human.Percent(least.Budget.LeftRatio))
	} else {
		text = fmt.Sprintf("%sall %d SLOs hold; the least budget, %s, is left to %s.", text, len(slos), human.Percent(least.Budget.LeftRatio), least.Name)
	}
	if d.Band == BandCaution {
		text += " Release with caution."
	}
	return text
}

// atLeast is the share of bad events that is sure at a confidence.
func atLeast(bad, events, confidence float64) float64 {
	low, _ := stat.Wilson(bad, events, stat.OneSided(confidence))
	return low
}
