package definition

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// Grouping is how an SLO that is kept for each group alone is taken apart: one whose queries
// sum by labels, or count events by fields, has a budget for each set of their values.
type Grouping struct {
	By      []string // labels or fields
	Members indicator.Members
	narrow  func(group map[string]string) *Definition
}

// Group is which one of its SLO's groups a definition is for.
type Group struct {
	Of     string // name of the SLO
	Labels map[string]string
}

// GroupName names one group of an SLO: by-route{route="/b"}.
func GroupName(of string, labels map[string]string) string {
	return of + "{" + GroupText(labels) + "}"
}

// GroupText writes labels as PromQL does.
func GroupText(labels map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		name := k
		if !prom.LegacyValidation.IsValidLabelName(k) { // http.route
			name = strconv.Quote(k)
		}
		parts = append(parts, name+"="+strconv.Quote(labels[k]))
	}
	return strings.Join(parts, ",")
}

// Narrow is the definition for one of its groups; nil when it has none.
func (d *Definition) Narrow(labels map[string]string) *Definition {
	if d.Grouping == nil {
		return nil
	}
	one := d.Grouping.narrow(labels)
	if one != nil {
		one.Name, one.DisplayName = GroupName(d.Name, labels), d.DisplayName+" ("+GroupText(labels)+")"
		one.Group = &Group{Of: d.Name, Labels: labels}
	}
	return one
}

// Whole is the name of the SLO, of which the definition may be one group.
func (d *Definition) Whole() string {
	if d.Group != nil {
		return d.Group.Of
	}
	return d.Name
}

// groupLabels are those of the group that a definition is for.
func (d *Definition) groupLabels() map[string]string {
	if d.Group == nil {
		return nil
	}
	return d.Group.Labels
}

// grouping finds the labels by which an SLO's queries count or judge. Groups that cannot be told apart
// are counted together, and that is said.
func (r *resolver) grouping(d *Definition, s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective) {
	whole, parts, k := groupedMetrics(sli)
	by, err := k.find(whole.Query)
	for _, m := range parts {
		if err != nil {
			break
		}
		other, why := k.find(m.Query)
		if err = why; err == nil && !slices.Equal(by, other) {
			err = fmt.Errorf("total counts by %v and good or bad by %v", by, other)
		}
	}
	switch {
	case err != nil:
		r.report(sli.Meta, whole.Line, true, fmt.Sprintf("SLO %s: its groups are counted together: %v", d.Name, err), k.cure)
		return
	case len(by) == 0:
		return
	}
	members, err := promexpr.Members(whole.Query, by)
	if err != nil {
		return
	}
	d.Grouping = &Grouping{By: by, Members: indicator.SeriesMembers{Expr: members}, narrow: r.narrower(s, sli, ob, d.Name, k.narrow)}
}

// groupKind is how labels are found in queries of a kind.
type groupKind struct {
	find   func(query string) ([]string, error)
	narrow func(query string, group map[string]string) (string, error)
	cure   string
}

// groupedMetrics are the query that says what there is, those that must agree with it, and how labels are found in them.
func groupedMetrics(sli *openslo.SLI) (whole *openslo.Metric, parts []*openslo.Metric, k groupKind) {
	k = groupKind{promexpr.ValueGroups, promexpr.NarrowValues, "aggregate by the labels, `max by (queue) (…)`, or all of it, `max(…)`, if one budget for all is meant"}
	switch {
	case sli.Threshold != nil:
		return sli.Threshold, nil, k
	case sli.Ratio.Raw != nil:
		return sli.Ratio.Raw, nil, k
	}
	k = groupKind{promexpr.Groups, promexpr.Narrow, "sum both queries by the same labels, `sum by (route) (rate(x_total[5m]))`, or write `sum(…)` if one budget for all is meant"}
	for _, m := range []*openslo.Metric{sli.Ratio.Good, sli.Ratio.Bad} {
		if m != nil {
			parts = append(parts, m)
		}
	}
	return sli.Ratio.Total, parts, k
}

// eventGrouping takes events apart by the fields that their document names.
func (r *resolver) eventGrouping(d *Definition, s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective, total *indicator.EventQuery) {
	by := sli.Ratio.Total.By
	for _, m := range []*openslo.Metric{sli.Ratio.Good, sli.Ratio.Bad} {
		if m != nil && len(m.By) > 0 {
			r.report(sli.Meta, m.Line, false, fmt.Sprintf("SLO %s: `by` stands beside the query of good or bad events", d.Name), "name the fields beside the query of total: they hold for both")
		}
	}
	if len(by) == 0 {
		return
	}
	for _, field := range by {
		if !isField(field) {
			r.report(sli.Meta, sli.Ratio.Total.Line, false, fmt.Sprintf("SLO %s: `by` names %q, which is no field", d.Name, field), "name fields as the search does, `by: [http.route]`")
			return
		}
	}
	by = slices.Compact(slices.Sorted(slices.Values(by)))
	d.Grouping = &Grouping{By: by, Members: indicator.EventMembers{Total: total, By: by}, narrow: r.narrower(s, sli, ob, d.Name, narrowFilter)}
}

// narrowFilter is a filter for the events that have the values in the fields.
func narrowFilter(text string, group map[string]string) (string, error) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	text = "(" + text + ")"
	for _, field := range slices.Sorted(maps.Keys(group)) {
		text += " AND " + field + `:"` + quote.Replace(group[field]) + `"`
	}
	return text, nil
}

// isField reports whether a filter may name a field so.
func isField(name string) bool {
	e, err := filter.Parse(name + ":*")
	exists, ok := e.(store.Exists)
	return err == nil && ok && exists.Field == name
}

// narrower makes the definition for a group: its queries are resolved as the whole's were, and by the same documents.
func (r *resolver) narrower(s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective, name string, narrow func(string, map[string]string) (string, error)) func(map[string]string) *Definition {
	slis, policies, docs := r.slis, r.policy, r.docs
	return func(labels map[string]string) *Definition {
		own := resolver{docs: docs, slis: slis, policy: policies}
		own.policy.used = map[string]bool{}
		one := *sli
		all := []**openslo.Metric{&one.Threshold}
		if sli.Ratio != nil {
			ratio := *sli.Ratio
			one.Ratio = &ratio
			all = append(all, &ratio.Good, &ratio.Bad, &ratio.Total, &ratio.Raw)
		}
		for _, m := range all {
			if *m == nil {
				continue
			}
			metric := **m
			text, err := narrow(metric.Query, labels)
			if err != nil {
				return nil
			}
			metric.Query, metric.By = text, nil
			*m = &metric
		}
		d := own.objective(s, &one, ob, name)
		if d != nil {
			d.Grouping = nil // what is left to sum by is the group itself
		}
		return d
	}
}
