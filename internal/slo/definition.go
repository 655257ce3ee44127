package slo

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/platform/nearest"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// Problem is one thing wrong with an SLO document.
type Problem = openslo.Problem

// Definition is one promise, ready to be evaluated: one objective of one SLO
// document with its indicator resolved and its queries parsed. It is immutable.
type Definition struct {
	Name        string
	DisplayName string
	Service     string
	Environment string // label env or environment; "" means every one
	Description string
	Labels      map[string]string
	Annotations map[string]string
	Objective   float64 // 0 to 1
	Window      time.Duration
	Method      string // occurrences or timeslices
	Indicator   string // in words
	Queries     model.SLOQueries
	File        string
	Line        int

	source source
}

// ErrorBudget is the share of events that may be bad: 1 - Objective, without
// the noise that binary fractions bring (1 - 0.995 is 0.005).
func (d *Definition) ErrorBudget() float64 { return errorBudget(d.Objective) }

// measuresLike reports whether both read the same numbers over the same window,
// whatever their objective and texts.
func (d *Definition) measuresLike(o *Definition) bool {
	return d.Queries == o.Queries && d.Window == o.Window && d.Method == o.Method && d.source.identity() == o.source.identity()
}

func errorBudget(objective float64) float64 {
	const digits = 1e12
	return math.Round((1-objective)*digits) / digits
}

// BudgetMinutes is the budget as minutes of full outage over a window:
// (1 - objective) × window. 99.5 % over 28 d is 201.6 min, 3 h 21 m 36 s.
func BudgetMinutes(objective float64, window time.Duration) float64 {
	return errorBudget(objective) * window.Minutes()
}

// Define resolves documents into definitions, sorted by name, and reports
// what does not fit together. SLOs with a problem other than a warning are left out.
func Define(docs openslo.Documents) (defs []*Definition, problems []Problem) {
	r := resolver{docs: docs, slis: map[string]*openslo.SLI{}, names: map[string]openslo.Meta{}}
	r.index()
	for i := range docs.SLOs {
		defs = append(defs, r.define(&docs.SLOs[i])...)
	}
	for i := range docs.SLIs {
		if sli := &docs.SLIs[i]; !r.used[sli.Name] {
			r.report(sli.Meta, sli.Line, true, fmt.Sprintf("SLI %s is used by no SLO", sli.Name), "name it as an SLO's indicatorRef or delete it")
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
	services := map[string]openslo.Meta{}
	for _, s := range r.docs.Services {
		if first, twice := services[s.Name]; twice {
			r.twice("Service", s.Meta, first)
			continue
		}
		services[s.Name] = s.Meta
	}
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
	if near := nearest.Name(name, slices.Sorted(maps.Keys(r.slis))); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "write the SLI document or the indicator itself"
}

func (r *resolver) objective(s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective, name string) *Definition {
	d := &Definition{
		Name: name, DisplayName: s.DisplayName, Service: s.Service, Description: s.Description,
		Labels: s.Labels, Annotations: s.Annotations, Objective: ob.Target, Window: s.Window,
		Method: "occurrences", File: s.File, Line: s.Line,
	}
	if d.DisplayName == "" {
		d.DisplayName = s.Name
	}
	if len(s.Objectives) > 1 && ob.DisplayName != "" {
		d.DisplayName += ", " + ob.DisplayName
	}
	for _, key := range []string{"env", "environment"} {
		if v := s.Labels[key]; v != "" {
			d.Environment = v
		}
	}
	if s.Method != openslo.Occurrences {
		d.Method = "timeslices"
	}
	r.failed = false
	switch {
	case sli.Threshold != nil:
		r.threshold(d, s, sli, ob)
	case sli.Ratio.Raw != nil:
		r.raw(d, s, sli, ob)
	default:
		r.ratio(d, s, sli, ob)
	}
	if sli.Description != "" {
		d.Indicator = sli.Description
	}
	if r.failed {
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
	counts := &ratioSource{good: parse("good", sli.Ratio.Good), bad: parse("bad", sli.Ratio.Bad), total: parse("total", sli.Ratio.Total)}
	if r.failed {
		return
	}
	d.Indicator = "share of good events"
	d.Queries.Total = counts.total.Plain("$window")
	if counts.good != nil {
		d.Queries.Good = counts.good.Plain("$window")
		d.Queries.Error = fmt.Sprintf("1 - %s / %s", counts.good.Sum("$window"), counts.total.Sum("$window"))
	} else {
		d.Queries.Bad = counts.bad.Plain("$window")
		// Without a failure there is no series of failures: that is zero.
		d.Queries.Error = fmt.Sprintf("(%s or vector(0)) / %s", counts.bad.Sum("$window"), counts.total.Sum("$window"))
	}
	d.source = counts
	switch s.Method {
	case openslo.Timeslices:
		d.source = &sliceSource{counts: counts, slice: ob.SliceWindow, target: ob.SliceTarget}
		d.Indicator = fmt.Sprintf("share of %s slices with at least %s good events", human.Duration(ob.SliceWindow), human.Percent(ob.SliceTarget))
	case openslo.RatioTimeslices:
		d.source = &sliceSource{counts: counts, slice: ob.SliceWindow}
		d.Indicator = fmt.Sprintf("mean share of good events in %s slices", human.Duration(ob.SliceWindow))
	}
}

func (r *resolver) raw(d *Definition, s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective) {
	v := r.vector(d, sli, sli.Ratio.Raw)
	if v == nil {
		return
	}
	src := &sampleSource{query: v, success: sli.Ratio.RawType == "success", slice: time.Minute}
	d.Indicator = "mean of a measured share of good events"
	d.Queries.Error = v.Text
	if src.success {
		d.Queries.Error = "1 - (" + v.Text + ")"
	}
	if s.Method == openslo.Timeslices {
		src.slice, src.sliceTarget = ob.SliceWindow, ob.SliceTarget
	}
	d.source = src
}

func (r *resolver) threshold(d *Definition, s *openslo.SLO, sli *openslo.SLI, ob *openslo.Objective) {
	v := r.vector(d, sli, sli.Threshold)
	if ob.Op == "" {
		r.report(s.Meta, ob.Line, false, fmt.Sprintf("SLO %s: a threshold metric needs op and value", d.Name), "for example `op: lte` and `value: 0.3`")
	}
	if r.failed {
		return
	}
	op := map[string]string{"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}[ob.Op]
	d.Indicator = fmt.Sprintf("share of time with a value %s %s", op, human.Number(ob.Value))
	d.Queries.Good = fmt.Sprintf("(%s) %s bool %v", v.Text, op, ob.Value)
	d.Queries.Error = "1 - (" + d.Queries.Good + ")"
	d.source = &sampleSource{query: v, op: ob.Op, value: ob.Value, slice: ob.SliceWindow, allGood: s.Method != openslo.Occurrences}
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
