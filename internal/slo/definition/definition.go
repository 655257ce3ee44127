package definition

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/platform/nearest"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// Problem is one thing wrong with an SLO document.
type Problem = openslo.Problem

// Definition is one SLO, ready to be evaluated: one objective of one SLO
// document with its indicator resolved and its queries parsed. It is immutable.
type Definition struct {
	About
	Target
	Alerting

	Indicator string // in words
	Queries   model.SLOQueries
	// Measure reads what it counts.
	Measure indicator.Source
	// Peak is what changes at peak time, nil for nothing.
	Peak *Peak
	// Parts make a composite.
	Parts []Part
	// PartOf names the composite that this was made for, if it was: such an
	// SLO is shown, but alerts and gates by its composite.
	PartOf string
	// Grouping is set where each group of series has a budget of its own, Group in what Narrow
	// made for one of them.
	Grouping *Grouping
	Group    *Group
}

// About is what the document says of an SLO, and where.
type About struct {
	Name        string
	DisplayName string
	Service     string
	Environment string // those that its labels name, joined by commas; "" means every one
	Description string
	Labels      map[string]string
	Annotations map[string]string
	File        string
	Line        int
}

// Target is what an SLO is held to, over which time, and how that is counted.
type Target struct {
	Objective float64           // 0 to 1
	Window    time.Duration     // of a calendar: no shorter than any of its windows
	Calendar  *openslo.Calendar // nil: the window rolls
	Method    string            // occurrences or timeslices
}

// Alerting is how an SLO alerts.
type Alerting struct {
	// BurnAlerts are those of its AlertPolicies; nil without any.
	BurnAlerts []BurnAlert
	// Notify is what its AlertPolicies notify, comma-separated: a label of its alerts.
	Notify string

	extends bool // BurnAlerts come on top of the configuration's
}

// ErrorBudget is the share of events that may be bad: 1 - Objective, without
// the noise that binary fractions bring (1 - 0.995 is 0.005).
func (d *Definition) ErrorBudget() float64 { return budget.Share(d.Objective) }

// MeasuresLike reports whether both read the same numbers over the same window,
// whatever their objective and texts.
func (d *Definition) MeasuresLike(o *Definition) bool {
	return d.Queries == o.Queries && d.Window == o.Window && (len(d.Parts) == 0) == (len(o.Parts) == 0) && d.Method == o.Method && d.Measure.Identity() == o.Measure.Identity()
}

// Define resolves documents into definitions, sorted by name, and reports
// what does not fit together. SLOs with a problem other than a warning are left out.
func Define(docs openslo.Documents) (defs []*Definition, problems []Problem) {
	r := resolver{docs: docs, slis: map[string]*openslo.SLI{}, names: map[string]openslo.Meta{}}
	r.index()
	for i := range docs.SLOs {
		if !docs.SLOs[i].Composite() {
			defs = append(defs, r.define(&docs.SLOs[i])...)
		}
	}
	defs = r.composites(defs)
	for i := range docs.SLIs {
		if sli := &docs.SLIs[i]; !r.used[sli.Name] {
			r.report(sli.Meta, sli.Line, true, fmt.Sprintf("SLI %s is used by no SLO", sli.Name), "name it as an SLO's indicatorRef or delete it")
		}
	}
	for _, name := range keys(r.policy.policies) {
		if p := r.policy.policies[name]; !r.policy.used[name] {
			r.report(p.Meta, p.Line, true, fmt.Sprintf("AlertPolicy %s is used by no SLO", name), "name it in an SLO's alertPolicies or delete it")
		}
	}
	slices.SortFunc(defs, func(a, b *Definition) int { return strings.Compare(a.Name, b.Name) })
	return defs, r.problems
}

type resolver struct {
	docs     openslo.Documents
	slis     map[string]*openslo.SLI
	names    map[string]openslo.Meta // of objectives' names already given
	used     map[string]bool
	kinds    map[string]openslo.Meta // by kind and name
	policy   policyIndex
	problems []Problem
	failed   bool
}

func (r *resolver) report(m openslo.Meta, line int, warning bool, message, cure string) {
	r.problems = append(r.problems, Problem{File: m.File, Line: line, Warning: warning, Message: message, Cure: cure})
	r.failed = r.failed || !warning
}

func (r *resolver) index() {
	r.used = map[string]bool{}
	for i := range r.docs.SLIs {
		sli := &r.docs.SLIs[i]
		if first, twice := r.slis[sli.Name]; twice {
			r.twice("SLI", sli.Meta, first.Meta)
			continue
		}
		r.slis[sli.Name] = sli
	}
	for _, s := range r.docs.Services {
		r.once("Service", s.Meta)
	}
	for _, c := range r.docs.Calendars {
		r.once("PeakCalendar", c.Meta)
	}
	r.indexPolicies()
}

// once reports a name that a kind has twice.
func (r *resolver) once(kind string, m openslo.Meta) {
	if r.kinds == nil {
		r.kinds = map[string]openslo.Meta{}
	}
	if first, twice := r.kinds[kind+" "+m.Name]; twice {
		r.twice(kind, m, first)
		return
	}
	r.kinds[kind+" "+m.Name] = m
}

func (r *resolver) twice(kind string, m, first openslo.Meta) {
	r.report(m, m.Line, false, fmt.Sprintf("%s %s was defined before, in %s:%d", kind, m.Name, first.File, first.Line), "give one of them another name")
}

func (r *resolver) define(s *openslo.SLO) (defs []*Definition) {
	sli := s.Indicator
	if s.IndicatorRef != "" {
		if sli = r.slis[s.IndicatorRef]; sli == nil {
			r.report(s.Meta, s.Line, false, fmt.Sprintf("SLO %s: there is no SLI %s", s.Name, s.IndicatorRef), r.nearestSLI(s.IndicatorRef))
			return nil
		}
		r.used[sli.Name] = true
	}
	for i := range s.Objectives {
		ob := &s.Objectives[i]
		name := s.Name
		if len(s.Objectives) > 1 {
			name = fmt.Sprintf("%s-%s", s.Name, slug(ob.DisplayName, i+1))
		}
		if first, twice := r.names[name]; twice {
			r.twice("SLO", openslo.Meta{Name: name, File: s.File, Line: s.Line}, first)
			continue
		}
		r.names[name] = s.Meta
		if d := r.objective(s, sli, ob, name); d != nil {
			defs = append(defs, d)
		}
	}
	return defs
}

func (r *resolver) nearestSLI(name string) string {
	return nearestOr(name, keys(r.slis), "write the SLI document or the indicator itself")
}

func nearestOr(name string, known []string, otherwise string) string {
	if near := nearest.Name(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

func keys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// describe is what an SLO's definition has whatever it measures.
func (r *resolver) describe(s *openslo.SLO, name string) *Definition {
	d := &Definition{
		About: About{
			Name: name, DisplayName: s.DisplayName, Service: s.Service, Description: s.Description, Labels: s.Labels,
			Annotations: s.Annotations, File: s.File, Line: s.Line, Environment: model.Environments(s.Labels),
		},
		Target: Target{Window: s.Window, Calendar: s.Calendar, Method: "occurrences"},
	}
	if d.DisplayName == "" {
		d.DisplayName = s.Name
	}
	return d
}

// complete adds what every definition has once its source is known; false when
// something does not fit.
func (r *resolver) complete(d *Definition, s *openslo.SLO) bool {
	r.failed = false
	d.BurnAlerts, d.Notify = r.burnTable(s)
	switch mode := s.Annotations[annotationBurnAlerts]; mode {
	case "", "replace":
	case "extend":
		d.extends = len(d.BurnAlerts) > 0
	default:
		r.report(s.Meta, s.Line, false, fmt.Sprintf("SLO %s: annotation %s is %q", s.Name, annotationBurnAlerts, mode), "say replace or extend")
	}
	r.applyPeak(d, s)
	r.checkCarried(d)
	return !r.failed
}

func (r *resolver) objective(s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective, name string) *Definition {
	d := r.describe(s, name)
	d.Objective = ob.Target
	if len(s.Objectives) > 1 && ob.DisplayName != "" {
		d.DisplayName += ", " + ob.DisplayName
	}
	if s.Method != openslo.Occurrences {
		d.Method = "timeslices"
	}
	r.failed = false
	switch {
	case sli.Valued() != nil && sli.Valued().Events():
		r.report(sli.Meta, sli.Valued().Line, false, fmt.Sprintf("SLO %s: events are counted, they have no value", d.Name), "give good and total of a ratioMetric; what makes an event good, such as `duration:<300ms`, stands in the filter")
	case sli.Threshold != nil:
		r.threshold(d, s, sli, ob)
	case sli.Ratio.Raw != nil:
		r.raw(d, s, sli, ob)
	case sli.Ratio.Events():
		r.eventRatio(d, s, sli, ob)
	default:
		r.ratio(d, s, sli, ob)
	}
	if sli.Description != "" {
		d.Indicator = sli.Description
	}
	if r.failed || !r.complete(d, s) {
		return nil
	}
	return d
}

func (r *resolver) ratio(d *Definition, s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective) {
	parse := func(what string, m *openslo.Metric) *promexpr.Counter {
		if m == nil {
			return nil
		}
		c, err := promexpr.ParseCounter(m.Query, sli.Ratio.Counter)
		if err != nil {
			r.report(sli.Meta, m.Line, false, fmt.Sprintf("SLO %s: %s query: %v", d.Name, what, err), "try it in Explore")
			return nil
		}
		return c
	}
	counts := &indicator.Ratio{Good: parse("good", sli.Ratio.Good), Bad: parse("bad", sli.Ratio.Bad), Total: parse("total", sli.Ratio.Total)}
	if r.failed {
		return
	}
	d.Indicator = "share of good events"
	d.Queries.Total = counts.Total.Plain("$window")
	if counts.Good != nil {
		d.Queries.Good = counts.Good.Plain("$window")
		d.Queries.Error = fmt.Sprintf("1 - %s / %s", counts.Good.Sum("$window"), counts.Total.Sum("$window"))
	} else {
		d.Queries.Bad = counts.Bad.Plain("$window")
		// Without a failure there is no series of failures: that is zero.
		d.Queries.Error = fmt.Sprintf("(%s or vector(0)) / %s", counts.Bad.Sum("$window"), counts.Total.Sum("$window"))
	}
	d.Measure = counts
	r.grouping(d, s, sli, ob)
	r.sliceCounts(d, counts, s.Method, ob)
}

// sliceCounts judges counts by slices where the method asks for it.
func (r *resolver) sliceCounts(d *Definition, counts indicator.Counting, method string, ob *openslo.Objective) {
	switch method {
	case openslo.Timeslices:
		d.Measure = &indicator.Slices{Counts: counts, Slice: ob.SliceWindow, Target: ob.SliceTarget}
		d.Indicator = fmt.Sprintf("share of %s slices with at least %s good events", human.Duration(ob.SliceWindow), human.Percent(ob.SliceTarget))
	case openslo.RatioTimeslices:
		d.Measure = &indicator.Slices{Counts: counts, Slice: ob.SliceWindow}
		d.Indicator = fmt.Sprintf("mean share of good events in %s slices", human.Duration(ob.SliceWindow))
	}
}

func (r *resolver) raw(d *Definition, s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective) {
	v := r.vector(d, sli, sli.Ratio.Raw)
	if v == nil {
		return
	}
	src := &indicator.Values{Query: v, Success: sli.Ratio.RawType == "success"}
	d.Indicator = "mean of a measured share of good events"
	d.Queries.Error = v.Text
	if src.Success {
		d.Queries.Error = "1 - (" + v.Text + ")"
	}
	d.Measure = sliced(src, s.Method, ob, ob.SliceTarget)
	r.grouping(d, s, sli, ob)
}

// sliced judges values by slices where the method asks for it.
func sliced(src *indicator.Values, method string, ob *openslo.Objective, target float64) indicator.Source {
	if method == openslo.Occurrences {
		return src
	}
	if method == openslo.RatioTimeslices {
		target = 0
	}
	return &indicator.Slices{Counts: src, Slice: ob.SliceWindow, Target: target}
}

func (r *resolver) threshold(d *Definition, s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective) {
	v := r.vector(d, sli, sli.Threshold)
	if ob.Op == "" || !ob.HasValue {
		r.report(s.Meta, ob.Line, false, fmt.Sprintf("SLO %s: a threshold metric needs op and value", d.Name), "for example `op: lte` and `value: 0.3`")
	}
	if r.failed {
		return
	}
	op := map[string]string{"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}[ob.Op]
	d.Indicator = fmt.Sprintf("share of time with a value %s %s", op, human.Number(ob.Value))
	d.Queries.Good = fmt.Sprintf("(%s) %s bool %v", v.Text, op, ob.Value)
	d.Queries.Error = "1 - (" + d.Queries.Good + ")"
	target := ob.SliceTarget
	if target == 0 {
		target = 1
	}
	d.Measure = sliced(&indicator.Values{Query: v, Op: ob.Op, Limit: ob.Value}, s.Method, ob, target)
	r.grouping(d, s, sli, ob)
}

func (r *resolver) vector(d *Definition, sli *openslo.SLI, m *openslo.Metric) *promexpr.Vector {
	v, err := promexpr.ParseVector(m.Query)
	if err != nil {
		r.report(sli.Meta, m.Line, false, fmt.Sprintf("SLO %s: query: %v", d.Name, err), "try it in Explore")
	}
	return v
}

// slug makes a name's part of a display name.
func slug(text string, n int) string {
	s := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.':
			return c
		case c >= 'A' && c <= 'Z':
			return c - 'A' + 'a'
		}
		return '-'
	}, text)
	s = strings.Trim(s, "-.")
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "-")
	}
	if s == "" {
		return fmt.Sprint(n)
	}
	return s
}
