package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// Decide applies the policies to what is known. It is a pure function: the same
// policies and input give the same decision, so that a stored one can be
// replayed. The decision has no ID and no envelope yet.
func Decide(set Set, in Input) model.GateDecision {
	in = in.clean()
	d := model.GateDecision{Time: in.Time, Request: in.Request, Reasons: []model.GateReason{}, Evidence: []model.Evidence{}, Changes: in.Changes, Cause: in.Cause}
	cause := likelyCause(in)
	if len(in.SLOs) == 0 {
		d.Reasons = append(d.Reasons, noSLO(in.Request))
	}
	for _, s := range in.SLOs {
		for _, p := range set.forSLO(in.Request, s) {
			j := judgement{policy: p.Rules, name: p.Name, req: in.Request, now: in.Time, snapshot: s, cause: cause}
			j.data()
			j.burn()
			j.budget()
			j.corrections()
			d.Reasons = append(d.Reasons, j.reasons...)
			d.Evidence = mergeEvidence(d.Evidence, j.evidence)
			d.Band = StrictestBand(d.Band, j.band)
		}
	}
	for _, p := range set.forRequest(in.Request, in.SLOs) {
		s := surroundings{policy: p, in: in}
		s.calendar()
		s.pages()
		s.dependencies()
		d.Reasons = append(d.Reasons, s.reasons...)
		d.Evidence = mergeEvidence(d.Evidence, s.evidence)
	}
	d.Reasons = distinct(append(d.Reasons, refusedOverrides(in)...))
	slices.SortStableFunc(d.Reasons, func(a, b model.GateReason) int {
		return cmp.Or(cmp.Compare(strictness(b.Verdict), strictness(a.Verdict)), cmp.Compare(ruleOrder(a.Rule), ruleOrder(b.Rule)))
	})
	d.Reasons = append(distinct(overrides(in)), d.Reasons...) // what somebody lets pass comes before what stops it
	d.Verdict = d.Reasons[0].Verdict
	d.Summary = summary(d, in.SLOs)
	return d
}

// distinct leaves out what one policy says again after another.
func distinct(reasons []model.GateReason) []model.GateReason {
	type key struct {
		verdict            model.Verdict
		rule, slo, message string
	}
	seen := map[key]bool{}
	return slices.DeleteFunc(reasons, func(r model.GateReason) bool {
		k := key{r.Verdict, r.Rule, r.SLO, r.Message}
		again := seen[k]
		seen[k] = true
		return again
	})
}

// mergeEvidence adds figures; of the same figure under several policies it
// keeps the strictest threshold.
func mergeEvidence(all, more []model.Evidence) []model.Evidence {
	for _, e := range more {
		i := slices.IndexFunc(all, func(o model.Evidence) bool { return o.SLO == e.SLO && o.Name == e.Name })
		switch {
		case i < 0:
			all = append(all, e)
		case e.Threshold != nil && (all[i].Threshold == nil || *e.Threshold < *all[i].Threshold):
			all[i].Threshold = e.Threshold
		}
	}
	return all
}

// StrictestBand is the one of two that lets less pass; "" is none.
func StrictestBand(a, b string) string {
	order := []string{"", BandNormal, BandCaution, BandCritical, BandFreeze}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// strictness orders verdicts: block, hold, insufficient, allow. A hold comes
// before insufficient because it rests on a measured figure; both keep a pipeline from
// going on, and the missing data stays among the reasons.
func strictness(v model.Verdict) int {
	return -slices.Index([]model.Verdict{model.VerdictBlock, model.VerdictHold, model.VerdictInsufficient, model.VerdictAllow}, v)
}

func ruleOrder(rule string) int {
	return slices.Index([]string{RuleBurnFast, RuleBurnSlow, RuleBudget, RuleCalendar, RulePage, RuleDependency, RuleData}, rule)
}

func noSLO(req model.GateRequest) model.GateReason {
	where := req.Service
	if req.Environment != "" {
		where += " in " + req.Environment
	}
	return model.GateReason{
		Verdict: model.VerdictInsufficient, Rule: RuleData, Policy: DefaultName, Message: "No SLO is defined for " + where + ".",
		Cure: "Define one for service " + req.Service + " in a file that slo_files names, or check the names in the request.",
	}
}

// judgement applies every rule to one SLO.
type judgement struct {
	policy   Policy
	name     string
	req      model.GateRequest
	now      time.Time
	snapshot model.SLOSnapshot
	cause    string // the likely one of a burn, as a sentence
	unknown  bool   // the figures say nothing yet: only burn with enough events counts
	band     string // "" while unknown
	reasons  []model.GateReason
	evidence []model.Evidence
}

func (j *judgement) add(v model.Verdict, rule, cure, format string, args ...any) {
	j.reasons = append(j.reasons, model.GateReason{
		Verdict: v, Rule: rule, Policy: j.name, SLO: j.snapshot.Status.Name, Message: fmt.Sprintf(format, args...), Cure: cure,
	})
}

// data asks whether there is anything to judge by.
func (j *judgement) data() {
	st, name := j.snapshot.Status, j.snapshot.Status.Name
	j.unknown = st.Budget.Unknown || !j.snapshot.Loaded // a part of the history is no budget, however old the newest data
	age := j.now.Sub(j.snapshot.LastData)
	switch {
	case j.snapshot.LastData.IsZero() || st.Time.IsZero():
		j.unknown = true
		j.add(model.VerdictInsufficient, RuleData, cmp.Or(st.Action, "Send the telemetry that its query selects."), "%s: no data has been seen.", name)
	case st.Doubt.Wrong(): // how old it is does not matter then
		j.unknown = true
		j.add(model.VerdictInsufficient, RuleData, st.Action, "%s: %s", name, st.Reason)
	case age > time.Duration(j.policy.StaleAfter):
		// Old figures can still block: a spent budget does not come back because
		// telemetry stopped.
		j.add(model.VerdictInsufficient, RuleData, "Restore the telemetry of "+st.Service+", then ask again.",
			"%s: the newest data is %s old (limit %s).", name, human.Duration(age), human.Duration(time.Duration(j.policy.StaleAfter)))
	case !j.snapshot.Loaded:
		j.unknown = true
		j.add(model.VerdictInsufficient, RuleData, "Ask again in a minute.", "%s: its history is still being read.", name)
	case st.State == model.SLOInsufficient || j.unknown:
		j.unknown = !knownBudget(st)
		j.add(model.VerdictInsufficient, RuleData, st.Action, "%s: %s", name, st.Reason)
	case j.unmeasured() != "":
		j.add(model.VerdictInsufficient, RuleData, "Ask again in a minute: the window is measured from the next judgement on.",
			"%s: burn over %s, which the policy %s asks for, is not measured yet.", name, budget.Spaced(j.unmeasured()), j.name)
	case j.within(j.policy.BurnFast.Long) && !budget.Reaches(j.burnIn(j.policy.BurnFast.Long).Coverage, j.policy.MinCoverage):
		j.add(model.VerdictInsufficient, RuleData, "Wait for more data, or restore the telemetry that is missing.", "%s: only %s of the last %s has data (at least %s is needed).",
			name, human.Percent(j.burnIn(j.policy.BurnFast.Long).Coverage), human.Duration(time.Duration(j.policy.BurnFast.Long)), human.Percent(j.policy.MinCoverage))
	}
}

// unmeasured is a window that the policy asks for and the SLO does not have, though it could: the policy is new.
func (j *judgement) unmeasured() string {
	for _, r := range []BurnRule{j.policy.BurnFast, j.policy.BurnSlow} {
		if !j.within(r.Long) {
			continue // the rule does not apply
		}
		for _, w := range []duration{r.Long, r.Short} {
			if !j.measured(w) {
				return budget.Window(time.Duration(w))
			}
		}
	}
	return ""
}

// within reports whether a window fits into the SLO's own: over a longer one the ledger has no say, and how much
// of the budget is used says more.
func (j *judgement) within(window duration) bool {
	own, err := prom.ParseDuration(j.snapshot.Status.Window)
	return err != nil || window <= own // a calendar window is days
}

func (j *judgement) measured(window duration) bool {
	text := budget.Window(time.Duration(window))
	return slices.ContainsFunc(j.snapshot.Status.Burn, func(b model.Burn) bool { return b.Window == text })
}

func (j *judgement) burn() {
	j.burnRule(RuleBurnFast, j.policy.BurnFast)
	j.burnRule(RuleBurnSlow, j.policy.BurnSlow)
}

func (j *judgement) burnRule(rule string, r BurnRule) {
	if !j.within(r.Long) {
		return
	}
	long, short := j.burnIn(r.Long), j.burnIn(r.Short)
	j.burnEvidence(long, r.Factor)
	j.burnEvidence(short, r.Factor)
	if !j.measured(r.Long) || !j.measured(r.Short) {
		return // a window that is not measured is not one without data; data has said that it is missing
	}
	st := j.snapshot.Status
	if !budget.Reaches(long.Rate, r.Factor) || long.Coverage == 0 || st.Doubt == model.DoubtReading && len(st.Alerts) == 0 {
		return // of a history that is being read the few minutes known would count for all of it
	}
	bad := long.Rate * budget.Share(st.Objective) * long.Events
	figures := fmt.Sprintf("%s burns %s over %s and %s over %s (limit %s)", st.Name, human.Times(long.Rate), budget.Spaced(long.Window),
		human.Times(short.Rate), budget.Spaced(short.Window), human.Times(r.Factor))
	switch {
	case st.Method == "occurrences" && !budget.Reaches(bad, j.policy.MinBadEvents):
		j.add(model.VerdictInsufficient, rule, "Wait for more traffic, then ask again.", "%s, but that is %s bad events only (at least %s are needed).",
			figures, human.Number(bad), human.Number(j.policy.MinBadEvents))
	case st.Method == "occurrences" && j.policy.Confidence > 0 && !budget.Reaches(atLeast(bad, long.Events, j.policy.Confidence)/budget.Share(st.Objective), r.Factor):
		j.add(model.VerdictInsufficient, rule, "Wait for more traffic, then ask again.", "%s, but %s bad of %s events do not show it with %s confidence: at least %s is sure.",
			figures, human.Number(bad), human.Number(long.Events), human.Percent(j.policy.Confidence),
			human.Times(atLeast(bad, long.Events, j.policy.Confidence)/budget.Share(st.Objective)))
	case short.Events == 0:
		j.add(model.VerdictBlock, rule, "Restore the telemetry of "+st.Service+" and the service; silence after a fire is no all-clear.",
			"%s burns %s over %s (limit %s), and the last %s have no data.", st.Name, human.Times(long.Rate), budget.Spaced(long.Window), human.Times(r.Factor), budget.Spaced(short.Window))
		j.blame()
	case budget.Reaches(short.Rate, r.Factor):
		j.add(model.VerdictBlock, rule, fmt.Sprintf("Stop the failures: the block ends once the burn over %s falls below %s.", budget.Spaced(short.Window), human.Times(r.Factor)), "%s.", figures)
		j.blame()
	default:
		j.add(model.VerdictAllow, rule, "", "%s burnt %s over %s, but over the last %s it is %s (limit %s): it is over.",
			st.Name, human.Times(long.Rate), budget.Spaced(long.Window), budget.Spaced(short.Window), human.Times(short.Rate), human.Times(r.Factor))
	}
}

// blame adds the likely cause to the newest reason.
func (j *judgement) blame() {
	if j.cause != "" {
		j.reasons[len(j.reasons)-1].Message += " " + j.cause
	}
}

func (j *judgement) budget() {
	st := j.snapshot.Status
	e := model.Evidence{
		SLO: st.Name, Name: "budget_used", Window: st.Window, Query: ratioQuery(st, st.Window), Events: st.Budget.Total,
		Coverage: st.Budget.Coverage, LastData: j.snapshot.LastData, Time: st.Time, Threshold: pointer(j.policy.HoldAbove),
	}
	if st.Budget.Total > 0 && !st.Budget.Unknown {
		e.Value = pointer(st.Budget.UsedRatio)
	}
	j.evidence = append(j.evidence, e)
	if j.unknown {
		return
	}
	if !knownBudget(st) {
		j.add(model.VerdictInsufficient, RuleData, "Wait for data, or check the queries of the SLO.", "%s: how much of its budget is used is not known.", st.Name)
		return
	}
	j.band = j.policy.band(st.Budget.UsedRatio)
	used := fmt.Sprintf("%s has used %s of its budget of %s", st.Name, human.Percent(st.Budget.UsedRatio), budget.Spaced(st.Window))
	switch {
	case j.band == BandFreeze:
		j.add(model.VerdictBlock, RuleBudget, "Deployments are frozen until failures leave the window; make the service more reliable meanwhile.",
			"%s (freeze at %s).", used, human.Percent(j.policy.FreezeAt))
	case j.band == BandCritical && j.req.Critical:
		j.add(model.VerdictAllow, RuleBudget, "", "%s (hold above %s); a critical fix passes.", used, human.Percent(j.policy.HoldAbove))
	case j.band == BandCritical:
		j.add(model.VerdictHold, RuleBudget, "Wait until failures leave the window, or mark a critical fix as critical.",
			"%s (hold above %s).", used, human.Percent(j.policy.HoldAbove))
	case j.band == BandCaution:
		j.add(model.VerdictAllow, RuleBudget, "", "%s (caution above %s).", used, human.Percent(j.policy.CautionAbove))
	default:
		j.add(model.VerdictAllow, RuleBudget, "", "%s.", used)
	}
}

func (j *judgement) burnIn(window duration) model.Burn {
	text := budget.Window(time.Duration(window))
	for _, b := range j.snapshot.Status.Burn {
		if b.Window == text {
			return b
		}
	}
	return model.Burn{Window: text}
}

func (j *judgement) burnEvidence(b model.Burn, limit float64) {
	name := "burn_rate_" + b.Window
	if slices.ContainsFunc(j.evidence, func(e model.Evidence) bool { return e.Name == name }) {
		return
	}
	st := j.snapshot.Status
	e := model.Evidence{
		SLO: st.Name, Name: name, Window: b.Window, Threshold: pointer(limit), Events: b.Events, Coverage: b.Coverage,
		LastData: j.snapshot.LastData, Time: st.Time, Query: ratioQuery(st, b.Window),
	}
	if b.Coverage > 0 {
		e.Value = pointer(b.Rate)
	}
	j.evidence = append(j.evidence, e)
}

// ratioQuery is the error ratio over a window in units of the budget: the burn
// rate, or over the whole window the share of the budget used.
func ratioQuery(st model.SLOStatus, window string) string {
	return "(" + st.ErrorRatioQuery(window) + ") / " + strconv.FormatFloat(budget.Share(st.Objective), 'g', -1, 64)
}

func pointer(v float64) *float64 { return &v }
