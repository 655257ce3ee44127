package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
)

// What the gate says of records in the database that are not what was written: nothing of the kind counts silently.

// touchedCorrections asks whether what was taken out of an SLO is what somebody took out: what was put there hides what is
// spent. A critical fix passes it no more than others do, as nobody knows whether the budget is a whole one.
func touchedCorrections(slo string, list []model.SLOCorrection) (out []model.GateReason) {
	for _, c := range list {
		r := model.GateReason{SLO: slo}
		switch {
		case c.Tampered == "":
			continue
		case strings.HasPrefix(c.Tampered, model.Uncompared):
			r.Verdict, r.Cure = model.VerdictInsufficient, "Ask again in a moment."
			r.Message = fmt.Sprintf("%s: whether its correction %s is as it was written is not known: %s.", slo, c.ID, c.Tampered)
		default:
			r.Verdict = model.VerdictHold
			r.Cure = fmt.Sprintf("Find out who had access to the database; take the correction back with `signalbox slo correct %s --delete %s`, and add it anew if it was right.", cmp.Or(c.SLO, slo), c.ID)
			r.Message = fmt.Sprintf("%s: its correction %s was tampered with, so that the budget may be less than it looks: %s.", slo, c.ID, c.Tampered)
		}
		out = append(out, r)
	}
	return out
}

// corrections are those of the SLO itself, and of the parts that it is made of.
func (j *judgement) corrections() {
	for _, r := range touchedCorrections(j.snapshot.Status.Name, j.snapshot.Status.Corrections) {
		r.Policy, r.Rule = j.name, RuleBudget
		if r.Verdict == model.VerdictInsufficient {
			r.Rule = RuleData
		}
		j.reasons = append(j.reasons, r)
	}
}

// corrections are those of an SLO of a dependency: one that was put there makes an SLO look well that burns.
func (s *surroundings) corrections(d Dependency) {
	for _, r := range touchedCorrections(d.SLO, d.Touched) {
		r.Policy, r.Rule = s.policy.Name, RuleDependency
		r.Message = fmt.Sprintf("%s depends on %s, whose SLO %s", s.in.Request.Service, d.Service, r.Message)
		s.reasons = append(s.reasons, r)
	}
}

// touched are the corrections that are not as they were written, or of which nobody knows.
func touched(list []model.SLOCorrection) []model.SLOCorrection {
	return slices.DeleteFunc(slices.Clone(list), func(c model.SLOCorrection) bool { return c.Tampered == "" })
}

// genuine are the overrides that this gate gave, and what is wrong with the others. Its key of now must have signed them: those of before lie in the database,
// where whoever edits an override can put one.
func (g *Gate) genuine(ctx context.Context, list []model.GateOverride) (out []model.GateOverride, refused []string) {
	out = []model.GateOverride{}
	for _, o := range list {
		if err := verifyOverride(g.deps.Key.Public(), o); err != nil {
			refused = append(refused, fmt.Sprintf("override %s of %s: %v", o.ID, o.Actor, err))
			g.deps.Logger.ErrorContext(ctx, "a gate override is not honoured", "override", o.ID, "decision", o.DecisionID, "service", o.Service, "err", err)
			continue
		}
		out = append(out, o)
	}
	return out, refused
}

// refusedOverrides says of overrides that do not count why. They change no verdict: it is the one that there would be without them.
func refusedOverrides(in Input) (out []model.GateReason) {
	for _, text := range in.Refused {
		out = append(out, model.GateReason{
			Verdict: model.VerdictAllow, Rule: RuleData, Policy: DefaultName, Message: "An override in the database lets nothing pass: " + text + ".",
			Cure: "Find out who had access to the database, or give the override again if it is older than the gate's key.",
		})
	}
	return out
}
