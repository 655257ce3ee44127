package rules

import (
	prommodel "github.com/prometheus/common/model"
	promrules "github.com/prometheus/prometheus/rules"

	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// AlertRules are the alerting rules in force as they were last evaluated, in the
// order of their groups.
func (r *Rules) AlertRules() []inforce.AlertRule {
	var out []inforce.AlertRule
	for _, g := range r.RuleGroups() {
		for _, rule := range g.AlertingRules() {
			out = append(out, r.ruleOf(g, rule))
		}
	}
	return out
}

func (r *Rules) ruleOf(g *promrules.Group, rule *promrules.AlertingRule) inforce.AlertRule {
	out := inforce.AlertRule{
		Name: rule.Name(), Group: g.Name(), Query: rule.Query().String(), Labels: rule.Labels().Map(), For: rule.HoldDuration(),
		State: rule.State().String(), Evaluated: rule.GetEvaluationTimestamp(),
	}
	if err := rule.LastError(); err != nil {
		out.Error = err.Error()
	}
	for _, a := range rule.ActiveAlerts() {
		ls := notify.WithExternal(a.Labels.Map(), r.deps.ExternalLabels)
		if r.deps.Labelled != nil {
			ls = r.deps.Labelled(ls)
		}
		out.Active = append(out.Active, inforce.RuleAlert{
			Fingerprint: fingerprint(ls), Labels: ls, Annotations: a.Annotations.Map(), State: a.State.String(),
			Since: a.ActiveAt.UTC(), Value: a.Value,
		})
	}
	return out
}

// fingerprint is what the alert pipeline calls an alert with these labels.
func fingerprint(ls map[string]string) string {
	set := make(prommodel.LabelSet, len(ls))
	for k, v := range ls {
		if v != "" {
			set[prommodel.LabelName(k)] = prommodel.LabelValue(v)
		}
	}
	return set.Fingerprint().String()
}
