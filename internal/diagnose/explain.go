package diagnose

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/store"
)

// maxPages is how far back pages are searched for an alert.
const maxPages = 500

// Explain answers why somebody was paged for an alert, which is named by its name, its
// fingerprint or a page's ID. store.ErrNotFound when neither an active alert
// nor a page knows it.
func (r *Room) Explain(ctx context.Context, alert string) (model.Explanation, error) {
	e := model.Explanation{Alert: alert, Labels: map[string]string{}, Timeline: []model.TimelineEvent{}, Pages: []model.Page{}, SilencedBy: []string{}, InhibitedBy: []string{}}
	a, active, err := r.findActive(ctx, alert)
	if err != nil {
		return e, fmt.Errorf("explain %s: %w", alert, err)
	}
	if e.Pages, err = r.pagesOf(ctx, alert, a); err != nil {
		return e, fmt.Errorf("explain %s: %w", alert, err)
	}
	if !active {
		if len(e.Pages) == 0 {
			return e, fmt.Errorf("alert %s: %w", alert, store.ErrNotFound)
		}
		a = alertOf(e.Pages[0], alert)
	}
	if !a.StartsAt.IsZero() {
		since := a.StartsAt.UTC()
		e.ActiveSince = &since
	}
	e.Alert, e.Labels, e.Severity = orElse(a.Labels["alertname"], alert), a.Labels, a.Labels["severity"]
	e.SilencedBy, e.InhibitedBy = append(e.SilencedBy, a.SilencedBy...), append(e.InhibitedBy, a.InhibitedBy...)
	if err := r.condition(ctx, &e, a); err != nil {
		return e, fmt.Errorf("explain %s: %w", alert, err)
	}
	deploys, err := r.deploysBefore(ctx, a)
	if err != nil {
		return e, fmt.Errorf("explain %s: %w", alert, err)
	}
	e.Timeline = timeline(a, e.Pages, deploys)
	e.Summary = explainText(e, a, active, deploys)
	return e, nil
}

func (r *Room) findActive(ctx context.Context, alert string) (model.ActiveAlert, bool, error) {
	if r.deps.Alerts == nil {
		return model.ActiveAlert{}, false, nil
	}
	list, err := r.deps.Alerts.ActiveAlerts(ctx)
	if err != nil {
		return model.ActiveAlert{}, false, err
	}
	// By name the one that has been active longest: what came first explains most.
	slices.SortStableFunc(list, func(a, b model.ActiveAlert) int { return a.StartsAt.Compare(b.StartsAt) })
	for _, a := range list {
		if a.Fingerprint == alert || a.Labels["alertname"] == alert {
			return a, true, nil
		}
	}
	return model.ActiveAlert{}, false, nil
}

// pagesOf are the pages about an alert, newest first.
func (r *Room) pagesOf(ctx context.Context, alert string, a model.ActiveAlert) ([]model.Page, error) {
	out := []model.Page{}
	if r.deps.Pages == nil {
		return out, nil
	}
	all, err := r.deps.Pages.Pages(ctx, store.PageQuery{Limit: maxPages})
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.ID == alert || slices.ContainsFunc(p.Alerts, func(pa model.PageAlert) bool {
			return pa.Fingerprint == alert || a.Fingerprint != "" && pa.Fingerprint == a.Fingerprint ||
				a.Fingerprint == "" && pa.Labels["alertname"] == alert
		}) {
			out = append(out, p)
		}
	}
	return out, nil
}

func alertOf(p model.Page, alert string) model.ActiveAlert {
	if len(p.Alerts) == 0 {
		return model.ActiveAlert{Labels: p.GroupLabels, StartsAt: p.Time}
	}
	pa := p.Alerts[0]
	for _, c := range p.Alerts {
		if c.Fingerprint == alert || c.Labels["alertname"] == alert {
			pa = c
			break
		}
	}
	return model.ActiveAlert{Fingerprint: pa.Fingerprint, Labels: pa.Labels, Annotations: pa.Annotations, StartsAt: pa.StartsAt}
}

// condition finds what was compared with what: for a burn alert from the promise, for
// a rule from its expression.
func (r *Room) condition(ctx context.Context, e *model.Explanation, a model.ActiveAlert) error {
	if name := a.Labels["slo"]; name != "" {
		list, err := r.slos(ctx, a.Labels["service"])
		if err != nil {
			return err
		}
		for _, s := range list {
			if s.Name == name {
				e.Query = s.ErrorRatioQuery(orElse(a.Labels["long_window"], "1h"))
				for _, b := range s.Burn {
					if b.Window == a.Labels["long_window"] {
						e.Value = pointer(b.Rate)
					}
				}
			}
		}
		if v, err := strconv.ParseFloat(a.Annotations["threshold"], 64); err == nil {
			e.Threshold = pointer(v)
		}
		return nil
	}
	e.Query = expressionOf(a.GeneratorURL)
	if e.Query == "" {
		return nil
	}
	value, threshold := split(e.Query)
	e.Threshold = threshold
	samples, err := r.deps.Querier.Instant(ctx, value, r.deps.Now())
	if err != nil {
		// The alert is explained all the same, without its present value.
		r.log.DebugContext(ctx, "value of an alert's query", "alert", e.Alert, "err", err)
		return nil
	}
	for _, s := range samples {
		if matches(s.Labels, a.Labels) {
			e.Value = pointer(s.Value)
			break
		}
	}
	return nil
}

// expressionOf reads the expression from the link that Prometheus gives a
// rule's alerts.
func expressionOf(generatorURL string) string {
	u, err := url.Parse(generatorURL)
	if err != nil {
		return ""
	}
	for _, key := range []string{"g0.expr", "expr", "q"} {
		if q := u.Query().Get(key); q != "" {
			return q
		}
	}
	return ""
}

// split takes a comparison with a number apart: its value side, and the number.
func split(expr string) (value string, threshold *float64) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return expr, nil
	}
	b, ok := parsed.(*parser.BinaryExpr)
	if !ok || !b.Op.IsComparisonOperator() {
		return expr, nil
	}
	if n, ok := b.RHS.(*parser.NumberLiteral); ok {
		return b.LHS.String(), pointer(n.Val)
	}
	if n, ok := b.LHS.(*parser.NumberLiteral); ok {
		return b.RHS.String(), pointer(n.Val)
	}
	return expr, nil
}

// matches reports whether a series' labels are those of the alert.
func matches(series, alert model.Labels) bool {
	for k, v := range series {
		if k != "__name__" && alert[k] != v {
			return false
		}
	}
	return true
}

func (r *Room) deploysBefore(ctx context.Context, a model.ActiveAlert) ([]model.Deploy, error) {
	service := a.Labels["service"]
	if service == "" || a.StartsAt.IsZero() {
		return nil, nil
	}
	return r.deploys(ctx, store.DeployQuery{Service: service, Start: a.StartsAt.Add(-time.Hour), End: a.StartsAt.Add(2 * time.Minute), Limit: 20})
}

// timeline is what happened around an alert, oldest first.
func timeline(a model.ActiveAlert, pages []model.Page, deploys []model.Deploy) []model.TimelineEvent {
	out := []model.TimelineEvent{}
	add := func(t time.Time, format string, args ...any) {
		if !t.IsZero() {
			out = append(out, model.TimelineEvent{Time: t.UTC(), Event: fmt.Sprintf(format, args...)})
		}
	}
	for _, d := range deploys {
		add(d.Time, "%s of %s %s (%s)", d.Kind, d.Service, d.Version, d.Status)
	}
	add(a.StartsAt, "%s became active", a.Labels["alertname"])
	for _, p := range pages {
		for _, d := range p.Deliveries {
			if d.Status == "delivered" {
				add(d.Time, "%s was notified through %s", p.Receiver, d.Channel)
			} else {
				add(d.Time, "notifying %s through %s failed: %s", p.Receiver, d.Channel, d.Error)
			}
		}
		if p.AckedAt != nil {
			add(*p.AckedAt, "%s acknowledged", p.AckedBy)
		}
		if p.ResolvedAt != nil {
			add(*p.ResolvedAt, "resolved")
		}
	}
	slices.SortStableFunc(out, func(x, y model.TimelineEvent) int { return x.Time.Compare(y.Time) })
	return out
}

func explainText(e model.Explanation, a model.ActiveAlert, active bool, deploys []model.Deploy) string {
	what := e.Alert
	if slo := a.Labels["slo"]; slo != "" {
		what += " for " + slo
	} else if s := a.Labels["service"]; s != "" {
		what += " of " + s
	}
	text := what
	if e.ActiveSince != nil {
		verb := " has been active since "
		if !active {
			verb = " became active at "
		}
		text += verb + clock(*e.ActiveSince) + rightAfter(deploys, *e.ActiveSince)
	}
	if why := orElse(a.Annotations["description"], a.Annotations["summary"]); why != "" {
		text += ": " + strings.TrimSuffix(why, ".")
	} else if e.Threshold != nil && e.Value != nil {
		text += fmt.Sprintf(": the value is %s, the limit %s", human.Number(*e.Value), human.Number(*e.Threshold))
	}
	text += "."
	switch {
	case len(e.SilencedBy) > 0:
		text += " It is silenced."
	case len(e.InhibitedBy) > 0:
		if a.HeldBack != "" {
			text += " Nobody was notified of it: " + a.HeldBack + "."
		} else {
			text += " It is inhibited by another alert."
		}
	case len(e.Pages) > 0:
		p := e.Pages[0]
		text += fmt.Sprintf(" %s was notified at %s", p.Receiver, clock(p.Time))
		if p.AckedBy != "" {
			text += "; " + p.AckedBy + " has it"
		}
		text += "."
	default:
		text += " Nobody was notified."
	}
	return text
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
