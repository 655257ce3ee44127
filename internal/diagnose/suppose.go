package diagnose

import (
	"context"
	"fmt"
	"maps"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall/escalation"
)

// requestError marks a mistake of the caller's.
type requestError struct{ error }

// BadRequest tells the API whose fault it is.
func (requestError) BadRequest() {}

// placed are the labels as those of an alert of the caller's: where alerts of other teams go is told to nobody else, and it is the
// label namespace that says whose an alert is.
func placed(ctx context.Context, labels model.Labels) (model.Labels, error) {
	scope := access.ScopeFor(ctx, access.AlertsRead)
	if scope.All {
		return labels, nil
	}
	said := labels[access.NamespaceLabel]
	space, ok := scope.Place(said)
	switch {
	case !ok && said == "":
		return nil, requestError{fmt.Errorf("labels: add %s=, with one of yours: %s", access.NamespaceLabel, scope.Text())}
	case !ok:
		return nil, requestError{fmt.Errorf("labels: the namespace %q is none of yours, which are: %s", said, scope.Text())}
	}
	labels = maps.Clone(labels)
	labels[access.NamespaceLabel] = space
	return labels, nil
}

// Suppose says where an alert with these labels would go, and whom it would page now, whether or not there is one.
func (r *Diagnoser) Suppose(ctx context.Context, labels model.Labels) (Explanation, error) {
	labels, err := placed(ctx, labels)
	if err != nil {
		return Explanation{}, err
	}
	name := labels["alertname"]
	if name == "" {
		name = "an alert with these labels"
	}
	e := Explanation{
		Alert: name, State: stateInactive, Severity: labels.Own("severity"), Labels: map[string]string{},
		Timeline: []TimelineEvent{}, Pages: []model.Page{}, SilencedBy: []string{}, InhibitedBy: []string{},
	}
	maps.Copy(e.Labels, labels)
	s := subject{state: stateInactive}
	s.Labels = labels
	r.quiet(ctx, &e, s, nil)
	e.Summary = name + " is only supposed." + routeText(e, " It would go to ")
	return e, r.escalated(ctx, &e, labels)
}

// escalated adds whom the newest page went to, or whom one would go to. Who may not see who is on call sees it of their pages alone.
func (r *Diagnoser) escalated(ctx context.Context, e *Explanation, labels model.Labels) error {
	if r.deps.Escalations == nil {
		return nil
	}
	var v escalation.View
	var err error
	switch from := r.deps.Escalations(); {
	case from == nil:
		return nil
	case len(e.Pages) > 0:
		v, err = from.OfPage(ctx, e.Pages[0].ID)
	case access.ScopeFor(ctx, access.OnCallRead).All:
		v, err = from.Supposed(ctx, labels)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	e.Escalation = &v
	if v.Policy != "" {
		e.Summary += " " + v.Summary
	}
	return nil
}
