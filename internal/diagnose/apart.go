package diagnose

import (
	"context"
	"slices"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Causes are concluded from all there is, whoever asks, and what the caller does not see is hidden of them afterwards.

// Hider hides of a cause what the request of ctx does not see; ownership.Owners does.
type Hider interface {
	Cause(ctx context.Context, c model.Cause) (model.Cause, error)
}

// causeOf is the cause of a symptom as the caller sees it.
func (r *Diagnoser) causeOf(ctx context.Context, s cause.Symptom, k known) (model.Cause, error) {
	c := cause.Of(s, k.of(s))
	if r.deps.Hider == nil {
		return c, nil
	}
	return r.deps.Hider.Cause(ctx, c)
}

// alertsApart are the alerts and rules that the caller sees: those that say themselves, by a label, that they are of a namespace of theirs.
func alertsApart(ctx context.Context, active []inforce.ActiveAlert, rules []inforce.AlertRule) ([]inforce.ActiveAlert, []inforce.AlertRule) {
	scope := access.ScopeFor(ctx, access.AlertsRead)
	if scope.All {
		return active, rules
	}
	active = slices.DeleteFunc(slices.Clone(active), func(a inforce.ActiveAlert) bool { return !scope.Sees(a.Labels[access.NamespaceLabel]) })
	rules = slices.Clone(rules)
	kept := rules[:0]
	for _, one := range rules {
		one.Active = slices.DeleteFunc(slices.Clone(one.Active), func(a inforce.RuleAlert) bool { return !scope.Sees(a.Labels[access.NamespaceLabel]) })
		if len(one.Active) > 0 || scope.Sees(one.Labels[access.NamespaceLabel]) {
			kept = append(kept, one)
		}
	}
	return active, kept
}
