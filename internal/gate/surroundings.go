package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// surroundings applies the rules of one policy that are not about the service's
// own SLOs.
type surroundings struct {
	policy   NamedPolicy
	in       Input
	reasons  []model.GateReason
	evidence []model.Evidence
}

// add notes a rule that holds. A critical fix passes a hold, and the reason stays.
func (s *surroundings) add(e Effect, rule, slo, message, cure string) {
	r := model.GateReason{Verdict: e.verdict(), Rule: rule, Policy: s.policy.Name, SLO: slo, Message: message, Cure: cure}
	if r.Verdict == model.VerdictHold && s.in.Request.Critical {
		r.Verdict, r.Cure = model.VerdictAllow, ""
		r.Message = strings.TrimSuffix(message, ".") + "; a critical fix passes."
	}
	s.reasons = append(s.reasons, r)
}

func (s *surroundings) calendar() {
	for _, f := range s.policy.Frozen(s.in.Time) {
		until := f.Until.Format("2006-01-02 15:04 MST")
		cure := "Wait until " + until + "."
		if f.Effect == EffectHold {
			cure = strings.TrimSuffix(cure, ".") + ", or mark a critical fix as critical."
		}
		s.add(f.Effect, RuleCalendar, "", fmt.Sprintf("Freeze %s until %s: %s.", f.Name, until, strings.TrimSuffix(f.Reason, ".")), cure)
	}
}

func (s *surroundings) pages() {
	if s.policy.Rules.OpenPages == EffectOff {
		return
	}
	s.unknown("open pages", RulePage)
	for _, p := range s.in.Pages {
		if !slices.Contains(s.policy.Rules.PageSeverities, p.Severity) {
			continue
		}
		state := "nobody has acknowledged it"
		if p.AckedBy != "" {
			state = p.AckedBy + " is on it"
		}
		if p.Tampered != "" {
			state = "who has it is not sure: its acknowledgement " + strings.TrimPrefix(p.Tampered, "it ")
		}
		s.add(s.policy.Rules.OpenPages, RulePage, "", fmt.Sprintf("A %s page about %s has been open for %s: %s (%s).",
			p.Severity, s.in.Request.Service, human.Duration(s.in.Time.Sub(p.Since)), strings.TrimSuffix(p.Title, "."), state),
			"Resolve what the page is about (page "+p.ID+"), or mark the fix as critical.")
	}
}

func (s *surroundings) dependencies() {
	if s.policy.Rules.Dependencies == EffectOff {
		return
	}
	s.unknown("dependencies", RuleDependency)
	for _, d := range s.in.Dependencies {
		if !d.Called && !slices.Contains(s.policy.Rules.DependsOn, d.Service) {
			continue
		}
		used, limit := d.UsedRatio, 1.0
		e := model.Evidence{SLO: d.SLO, Name: "dependency_budget_used", Threshold: &limit, Time: s.in.Time}
		if !d.Unknown {
			e.Value = &used
		}
		s.evidence = append(s.evidence, e)
		s.corrections(d)
		if d.State != model.SLOExhausted && d.State != model.SLOBurning {
			continue
		}
		s.add(s.policy.Rules.Dependencies, RuleDependency, d.SLO, fmt.Sprintf("%s depends on %s, whose SLO %s is %s: %s",
			s.in.Request.Service, d.Service, d.SLO, d.State, d.Reason),
			"Wait until "+d.Service+" has recovered, so that a failure has one cause at a time.")
	}
}

// unknown says that an input which the policy asks for could not be read.
func (s *surroundings) unknown(what, rule string) {
	for _, u := range s.in.Unknown {
		if rest, ok := strings.CutPrefix(u, what+": "); ok {
			s.reasons = append(s.reasons, model.GateReason{
				Verdict: model.VerdictInsufficient, Rule: rule, Policy: s.policy.Name,
				Message: fmt.Sprintf("The %s could not be read: %s.", what, strings.TrimSuffix(rest, ".")), Cure: "Ask again; if it stays, the log of Signalbox says more.",
			})
		}
	}
}

// overrides are those in force, the newest first: they let the deployment pass
// whatever else holds.
func overrides(in Input) []model.GateReason {
	var newest *model.GateOverride
	for i, o := range in.Overrides {
		same := o.Service == in.Request.Service && o.Environment == in.Request.Environment && o.Version == in.Request.Version
		if same && !in.Time.Before(o.Time) && in.Time.Before(o.Expires) && (newest == nil || o.Time.After(newest.Time)) {
			newest = &in.Overrides[i]
		}
	}
	if newest == nil {
		return nil
	}
	return []model.GateReason{{
		Verdict: model.VerdictAllow, Rule: RuleOverride,
		Message: fmt.Sprintf("Allowed by an override of %s until %s (decision %s was %s): %s", newest.Actor,
			newest.Expires.UTC().Format("2006-01-02 15:04:05 MST"), newest.DecisionID, newest.Verdict, newest.Reason),
	}}
}
