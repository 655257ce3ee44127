package diagnose

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/nearest"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// maxPages is how far back pages are searched for an alert.
	maxPages = 500
	// maxOthers bounds how many other alerts of the same name are listed.
	maxOthers = 20
)

// The states of an Explanation.
const (
	stateFiring   = "firing"
	statePending  = "pending"
	stateInactive = "inactive"
	stateResolved = "resolved"
)

// subject is the alert that is asked about: one that fires, one that waits, one that
// was, or a rule that has none.
type subject struct {
	inforce.ActiveAlert
	state string
	ended *time.Time
	rule  *inforce.AlertRule // nil for an alert that comes from no rule
	value *float64           // of a pending or firing alert, as its rule saw it
}

// Explain answers why somebody was paged for an alert, or why nobody was. The alert is
// named by its fingerprint, a page's ID, or its name (then the one that has been active
// longest is explained and the others are listed). store.ErrNotFound when no
// alert, rule or page is called so.
func (r *Diagnoser) Explain(ctx context.Context, asked string) (Explanation, error) {
	e := Explanation{Labels: map[string]string{}, Timeline: []TimelineEvent{}, Pages: []model.Page{}, SilencedBy: []string{}, InhibitedBy: []string{}}
	active, pages, rules, err := r.everything(ctx)
	if err != nil {
		return e, fmt.Errorf("explain %s: %w", asked, err)
	}
	s, ok := find(asked, active, pages, rules)
	if !ok {
		return e, unknownAlert(asked, active, pages, rules)
	}
	e.Alert, e.Fingerprint, e.State, e.Severity = cmp.Or(s.Labels["alertname"], asked), s.Fingerprint, s.state, s.Labels.Own("severity")
	maps.Copy(e.Labels, s.Labels)
	if s.state != stateInactive && !s.StartsAt.IsZero() {
		since := s.StartsAt.UTC()
		e.ActiveSince = &since
	}
	e.Pages = pagesOf(pages, s, asked)
	e.Others = others(s, active, rules)
	e.Flapping = s.Flapping
	r.quiet(ctx, &e, s, active)
	if err := r.condition(ctx, &e, s); err != nil {
		return e, fmt.Errorf("explain %s: %w", asked, err)
	}
	deploys, err := r.why(ctx, &e, s)
	if err != nil {
		return e, fmt.Errorf("explain %s: %w", asked, err)
	}
	e.Timeline = timeline(s, e.Pages, deploys)
	e.Summary = explainText(e, s)
	if err := r.escalated(ctx, &e, s.Labels); err != nil {
		return e, fmt.Errorf("explain %s: %w", asked, err)
	}
	return e, nil
}

func (r *Diagnoser) everything(ctx context.Context) (active []inforce.ActiveAlert, pages []model.Page, rules []inforce.AlertRule, err error) {
	if r.deps.Alerts != nil {
		if active, err = r.deps.Alerts.ActiveAlerts(ctx); err != nil {
			return nil, nil, nil, err
		}
		// By name the one that has been active longest: what came first explains most.
		slices.SortStableFunc(active, func(a, b inforce.ActiveAlert) int { return a.StartsAt.Compare(b.StartsAt) })
	}
	if r.deps.Pages != nil {
		if pages, err = r.deps.Pages.Pages(ctx, store.PageQuery{Limit: maxPages}); err != nil {
			return nil, nil, nil, err
		}
	}
	if r.deps.Rules != nil {
		rules = r.deps.Rules.AlertRules()
	}
	active, rules = alertsApart(ctx, active, rules)
	return active, pages, rules, nil
}

// find prefers what fires to what waits, that to what was, and that to a rule without
// an alert; and a fingerprint or page to a name.
func find(asked string, active []inforce.ActiveAlert, pages []model.Page, rules []inforce.AlertRule) (subject, bool) {
	for _, byName := range []bool{false, true} {
		if s, ok := findFiring(asked, byName, active, rules); ok {
			return s, true
		}
		if s, ok := findPending(asked, byName, rules); ok {
			return s, true
		}
		if s, ok := findPaged(asked, byName, active, pages, rules); ok {
			return s, true
		}
	}
	for i := range rules {
		if rules[i].Name == asked {
			labels := model.Labels{"alertname": asked}
			maps.Copy(labels, rules[i].Labels)
			return subject{ActiveAlert: inforce.ActiveAlert{Labels: labels}, state: stateInactive, rule: &rules[i]}, true
		}
	}
	return subject{}, false
}

func is(asked string, byName bool, fingerprint string, labels model.Labels) bool {
	if byName {
		return labels["alertname"] == asked
	}
	return fingerprint != "" && fingerprint == asked
}

func findFiring(asked string, byName bool, active []inforce.ActiveAlert, rules []inforce.AlertRule) (subject, bool) {
	for _, a := range active {
		if is(asked, byName, a.Fingerprint, a.Labels) {
			s := subject{ActiveAlert: a, state: stateFiring}
			s.rule, s.value = ruleOf(a.Fingerprint, rules)
			return s, true
		}
	}
	return subject{}, false
}

// ruleOf is the rule that an alert comes from, and its value there.
func ruleOf(fingerprint string, rules []inforce.AlertRule) (*inforce.AlertRule, *float64) {
	for i := range rules {
		for _, a := range rules[i].Active {
			if a.Fingerprint == fingerprint {
				return &rules[i], pointer(a.Value)
			}
		}
	}
	return nil, nil
}

func findPending(asked string, byName bool, rules []inforce.AlertRule) (subject, bool) {
	for i := range rules {
		for _, a := range rules[i].Active {
			if a.State == statePending && is(asked, byName, a.Fingerprint, a.Labels) {
				return subject{
					ActiveAlert: inforce.ActiveAlert{Fingerprint: a.Fingerprint, Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.Since},
					state:       statePending, rule: &rules[i], value: pointer(a.Value),
				}, true
			}
		}
	}
	return subject{}, false
}

// findPaged finds an alert that was paged for. A page that is asked for by its ID stands
// for its first alert, which may still fire.
func findPaged(asked string, byName bool, active []inforce.ActiveAlert, pages []model.Page, rules []inforce.AlertRule) (subject, bool) {
	for _, p := range pages {
		for _, a := range p.Alerts {
			if !is(asked, byName, a.Fingerprint, a.Labels) && (byName || p.ID != asked) {
				continue
			}
			if s, ok := findFiring(a.Fingerprint, false, active, rules); ok {
				return s, true
			}
			return subject{
				ActiveAlert: inforce.ActiveAlert{Fingerprint: a.Fingerprint, Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt},
				state:       stateResolved, ended: cmp.Or(a.EndsAt, p.ResolvedAt), rule: named(a.Labels["alertname"], rules),
			}, true
		}
		if !byName && p.ID == asked {
			return subject{ActiveAlert: inforce.ActiveAlert{Labels: p.GroupLabels, StartsAt: p.Time}, state: stateResolved, ended: p.ResolvedAt}, true
		}
	}
	return subject{}, false
}

func named(name string, rules []inforce.AlertRule) *inforce.AlertRule {
	for i := range rules {
		if rules[i].Name == name {
			return &rules[i]
		}
	}
	return nil
}

// unknownAlert says what there is under a similar name.
func unknownAlert(asked string, active []inforce.ActiveAlert, pages []model.Page, rules []inforce.AlertRule) error {
	var names []string
	for _, a := range active {
		names = append(names, a.Labels["alertname"])
	}
	for _, p := range pages {
		for _, a := range p.Alerts {
			names = append(names, a.Labels["alertname"])
		}
	}
	for _, r := range rules {
		names = append(names, r.Name)
	}
	hint := "the rules and alerts there are stand under /api/v1/rules and /api/v2/alerts"
	if near := nearest.Name(asked, names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return fmt.Errorf("no alert, rule or page is called %s: %w; %s", strconv.Quote(asked), store.ErrNotFound, hint)
}

// pagesOf are the pages about an alert, newest first. Alerts of the same name and
// other labels have pages of their own.
func pagesOf(pages []model.Page, s subject, asked string) []model.Page {
	out := []model.Page{}
	for _, p := range pages {
		if p.ID == asked || s.Fingerprint != "" && slices.ContainsFunc(p.Alerts, func(a model.PageAlert) bool { return a.Fingerprint == s.Fingerprint }) {
			out = append(out, p)
		}
	}
	return out
}

// others are further alerts of the same name.
func others(s subject, active []inforce.ActiveAlert, rules []inforce.AlertRule) []AlertRef {
	var out []AlertRef
	name := s.Labels["alertname"]
	for _, a := range active {
		if a.Labels["alertname"] == name && a.Fingerprint != s.Fingerprint && len(out) < maxOthers {
			out = append(out, AlertRef{Fingerprint: a.Fingerprint, Alert: name, Labels: a.Labels, State: stateFiring})
		}
	}
	for _, r := range rules {
		for _, a := range r.Active {
			if a.State == statePending && r.Name == name && a.Fingerprint != s.Fingerprint && len(out) < maxOthers {
				out = append(out, AlertRef{Fingerprint: a.Fingerprint, Alert: name, Labels: a.Labels, State: statePending})
			}
		}
	}
	return out
}

// quiet names what keeps the alert from being delivered, and where it would go.
func (r *Diagnoser) quiet(ctx context.Context, e *Explanation, s subject, active []inforce.ActiveAlert) {
	e.SilencedBy, e.InhibitedBy = append(e.SilencedBy, s.SilencedBy...), append(e.InhibitedBy, s.InhibitedBy...)
	for _, a := range active {
		if slices.Contains(e.InhibitedBy, a.Fingerprint) {
			e.Inhibitors = append(e.Inhibitors, AlertRef{Fingerprint: a.Fingerprint, Alert: a.Labels["alertname"], Labels: a.Labels, State: stateFiring})
		}
	}
	if r.deps.Routing == nil {
		return
	}
	for _, id := range e.SilencedBy {
		if !access.ScopeFor(ctx, access.AlertsRead).All {
			break // what else it silences is not known here
		}
		if found, ok := r.deps.Routing.Silence(ctx, id); ok {
			e.Silences = append(e.Silences, found)
		}
	}
	for _, d := range r.deps.Routing.Destinations()(s.Labels) {
		if !slices.Contains(e.Receivers, d.Receiver) {
			e.Receivers = append(e.Receivers, d.Receiver)
		}
	}
}

// why finds the cause of an alert about a service, and the changes to show beside it.
func (r *Diagnoser) why(ctx context.Context, e *Explanation, s subject) ([]model.Deploy, error) {
	service := s.Labels.Own("service")
	if service == "" || e.ActiveSince == nil || s.state == statePending {
		return nil, nil
	}
	at := r.deps.Now()
	symptom := cause.Symptom{
		Service: service, Environment: environmentOf(s.Labels), Region: s.Labels["region"], Since: s.StartsAt, At: at,
		Window: shortWindow(s.Labels), Slow: latencyAlert(s.Labels["alertname"]),
	}
	if s.state == stateResolved {
		symptom.Until = s.StartsAt
		if s.ended != nil {
			symptom.Until = *s.ended
		}
	}
	k, err := r.factsAround(access.Whole(ctx), model.DefaultTenant, s.StartsAt, at)
	if err != nil {
		return nil, err
	}
	c, err := r.causeOf(ctx, symptom, k)
	if err != nil {
		return nil, err
	}
	e.Cause = &c
	seen, err := r.deploys(ctx, store.DeployQuery{Start: s.StartsAt.Add(-changesOver), End: at.Add(time.Second), Limit: maxMarkers})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(seen, func(d model.Deploy) bool {
		return d.Service != service && d.Service != c.Service || d.Time.Before(s.StartsAt.Add(-cause.Within)) || d.Time.After(symptom.At)
	}), nil
}
