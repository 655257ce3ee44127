package definition

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// Grouping is how a promise that is kept for each group of series alone is taken apart: a query
// that sums by labels has a budget for each set of their values.
type Grouping struct {
	By      []string // labels
	Members string   // PromQL with one series for each group that sends data
	narrow  func(group map[string]string) *Definition
}

// Group is which one of its promise's groups a definition is for.
type Group struct {
	Of     string // name of the promise
	Labels map[string]string
}

// GroupName names one group of a promise: by-route{route="/b"}.
func GroupName(of string, labels map[string]string) string {
	return of + "{" + GroupText(labels) + "}"
}

// GroupText writes labels as PromQL does.
func GroupText(labels map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+strconv.Quote(labels[k]))
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

// Whole is the name of the promise, of which the definition may be one group.
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

// grouping finds the labels by which a promise's queries count. Groups that cannot be told apart
// are counted together, and that is said.
func (r *resolver) grouping(d *Definition, s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective) {
	total := sli.Ratio.Total
	by, err := promexpr.Groups(total.Query)
	for _, m := range []*openslo.Metric{sli.Ratio.Good, sli.Ratio.Bad} {
		if m == nil || err != nil {
			continue
		}
		other, why := promexpr.Groups(m.Query)
		if err = why; err == nil && !slices.Equal(by, other) {
			err = fmt.Errorf("total counts by %v and good or bad by %v", by, other)
		}
	}
	switch {
	case err != nil:
		r.report(sli.Meta, total.Line, true, fmt.Sprintf("SLO %s: its groups are counted together: %v", d.Name, err), "sum both queries by the same labels, `sum by (route) (rate(x_total[5m]))`, or write `sum(…)` if one budget for all is meant")
		return
	case len(by) == 0:
		return
	}
	members, err := promexpr.Members(total.Query, by)
	if err != nil {
		return
	}
	// Queries of one group are resolved as the whole was, and by the same documents.
	slis, policies, docs, name := r.slis, r.policy, r.docs, d.Name
	d.Grouping = &Grouping{By: by, Members: members, narrow: func(labels map[string]string) *Definition {
		own := resolver{docs: docs, slis: slis, policy: policies}
		own.policy.used = map[string]bool{}
		ratio, one := *sli.Ratio, *sli
		for _, m := range []**openslo.Metric{&ratio.Good, &ratio.Bad, &ratio.Total} {
			if *m == nil {
				continue
			}
			narrow := **m
			text, err := promexpr.Narrow(narrow.Query, labels)
			if err != nil {
				return nil
			}
			narrow.Query = text
			*m = &narrow
		}
		one.Ratio = &ratio
		return own.objective(s, &one, ob, name)
	}}
}
