package definition

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// Part is one objective of a composite: another definition and how much it
// counts. The burn rate of a composite over any window is the weighted mean of its parts'.
type Part struct {
	Definition *Definition
	Weight     float64 // all parts' sum is 1
	Objective  float64 // that the part is held to here
}

// compose counts a composite's window in minutes: those with data in every
// part, bad by the weighted mean of the parts' burn rates.
func compose(parts []Part, objective float64, cells []ledger.Cell) ledger.Cell {
	var burn float64
	minutes := cells[0].Minutes
	for i, p := range parts {
		burn += p.Weight * budget.BurnRate(cells[i].Bad, cells[i].Total, p.Objective)
		minutes = min(minutes, cells[i].Minutes)
	}
	return ledger.Cell{Bad: burn * budget.Share(objective) * minutes, Total: minutes, Minutes: minutes}
}

// compositeSource reads a composite slot by slot, for reports and replays;
// the engine combines its parts' ledgers over whole windows.
type compositeSource struct {
	parts     []Part
	objective float64
}

// Reread is indicator.Source's.
func (s *compositeSource) Reread() (d time.Duration) {
	for _, p := range s.parts {
		d = max(d, p.Definition.Measure.Reread())
	}
	return d
}

// Newest is as old as the part that is behind.
func (s *compositeSource) Newest(ctx context.Context, q indicator.Querier, now time.Time) (at time.Time, ok bool, err error) {
	for i, p := range s.parts {
		one, has, err := p.Definition.Measure.Newest(ctx, q, now)
		if err != nil || !has {
			return at, false, err
		}
		if i == 0 || one.Before(at) {
			at = one
		}
	}
	return at, len(s.parts) > 0, nil
}

// Identity is indicator.Source's.
func (s *compositeSource) Identity() string {
	var b strings.Builder
	b.WriteString("composite")
	for _, p := range s.parts {
		fmt.Fprint(&b, " ", p.Definition.Name, p.Weight, p.Objective, p.Definition.Queries, p.Definition.Measure.Identity())
	}
	return b.String()
}

// Cells is indicator.Source's.
func (s *compositeSource) Cells(ctx context.Context, q indicator.Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	all := make([][]ledger.Cell, len(s.parts))
	for i, p := range s.parts {
		var err error
		if all[i], err = p.Definition.Measure.Cells(ctx, q, from, to, width); err != nil {
			return nil, err
		}
	}
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	for k := range out {
		one := make([]ledger.Cell, len(all))
		for i := range all {
			one[i] = all[i][k]
		}
		out[k] = compose(s.parts, s.objective, one)
	}
	return out, nil
}

// Live is indicator.Source's.
func (s *compositeSource) Live(ctx context.Context, q indicator.Querier, from, to time.Time) (ledger.Cell, error) {
	cells := make([]ledger.Cell, len(s.parts))
	for i, p := range s.parts {
		var err error
		if cells[i], err = p.Definition.Measure.Live(ctx, q, from, to); err != nil {
			return ledger.Cell{}, err
		}
	}
	return compose(s.parts, s.objective, cells), nil
}

// composites resolves the SLOs whose objectives have indicators of their own,
// after all others, parts before wholes.
func (r *resolver) composites(defs []*Definition) []*Definition {
	c := compositeResolver{resolver: r, byName: map[string]*Definition{}, docs: map[string]*openslo.SLO{}, state: map[string]int{}}
	for _, d := range defs {
		c.byName[d.Name] = d
	}
	c.defs = defs
	for i := range r.docs.SLOs {
		s := &r.docs.SLOs[i]
		if !s.Composite() {
			continue
		}
		if first, twice := r.names[s.Name]; twice {
			r.twice("SLO", s.Meta, first)
			continue
		}
		c.docs[s.Name], r.names[s.Name] = s, s.Meta
	}
	for i := range r.docs.SLOs {
		if s := &r.docs.SLOs[i]; c.docs[s.Name] == s {
			c.visit(s, nil)
		}
	}
	return c.defs
}

type compositeResolver struct {
	*resolver
	byName map[string]*Definition
	docs   map[string]*openslo.SLO
	state  map[string]int // 1: being resolved, 2: done
	defs   []*Definition
}

// visit resolves one composite; path are those that led here.
func (c *compositeResolver) visit(s *openslo.SLO, path []string) *Definition {
	path = append(path, s.Name)
	switch c.state[s.Name] {
	case 2:
		return c.byName[s.Name]
	case 1:
		c.report(s.Meta, s.Line, false, "the composite refers to itself: "+strings.Join(path, " → "), "take one of them out of the circle")
		return nil
	}
	c.state[s.Name] = 1
	defer func() { c.state[s.Name] = 2 }()
	var sum float64
	var parts []Part
	for i := range s.Objectives {
		ob := &s.Objectives[i]
		d := c.part(s, ob, i, path)
		if d == nil {
			return nil
		}
		objective := ob.Target
		if objective == 0 {
			objective = d.Objective
		}
		if d.Grouping != nil {
			c.report(s.Meta, ob.Line, true, fmt.Sprintf("SLO %s: its part %s has a budget for each %s; here all of its groups are counted together", s.Name, d.Name, strings.Join(d.Grouping.By, ", ")),
				"write a composite for each group, over queries that select it, or leave the part as it is if all together are meant")
		}
		if d.PartOf != "" {
			d.Grouping = nil // it is of the composite's making
		}
		parts = append(parts, Part{Definition: d, Weight: ob.Weight, Objective: objective})
		sum += ob.Weight
	}
	d := c.describe(s, s.Name)
	d.Method = "timeslices"
	var words []string
	for i := range parts {
		parts[i].Weight /= sum
		d.Objective += parts[i].Weight * parts[i].Objective
		words = append(words, fmt.Sprintf("%s of %s", human.Percent(parts[i].Weight), parts[i].Definition.Name))
	}
	d.Parts, d.Indicator = parts, "weighted mean of burn rates: "+strings.Join(words, ", ")
	d.Measure = &compositeSource{parts: parts, objective: d.Objective}
	d.Queries.Error = compositeQuery(parts, d.Objective)
	if !c.complete(d, s) {
		return nil
	}
	c.byName[d.Name] = d
	c.defs = append(c.defs, d)
	return d
}

// errorQuery is a definition's error ratio over $window in PromQL.
func errorQuery(d *Definition) string {
	return model.SLOStatus{Name: d.Name, Source: d.Source(), Queries: d.Queries}.ErrorRatioQuery("$window")
}

// compositeQuery is the error ratio in standard PromQL.
func compositeQuery(parts []Part, objective float64) string {
	var texts []string
	for _, p := range parts {
		texts = append(texts, fmt.Sprintf("%.10g * (%s)", p.Weight*budget.Share(objective)/budget.Share(p.Objective), errorQuery(p.Definition)))
	}
	return strings.Join(texts, " + ")
}

// part is the definition behind one objective: an SLI, which becomes an SLO
// of its own that never alerts, or another SLO.
func (c *compositeResolver) part(s *openslo.SLO, ob *openslo.Objective, i int, path []string) *Definition {
	sli := ob.Indicator
	if sli == nil {
		if sli = c.slis[ob.IndicatorRef]; sli != nil {
			c.used[sli.Name] = true
		}
	}
	if sli == nil {
		if other := c.docs[ob.IndicatorRef]; other != nil {
			return c.visit(other, path)
		}
		if d := c.byName[ob.IndicatorRef]; d != nil {
			return d
		}
		if _, named := c.names[ob.IndicatorRef]; named {
			c.report(s.Meta, ob.Line, false, fmt.Sprintf("SLO %s: its part %s cannot be used", s.Name, ob.IndicatorRef), "mend what is wrong with "+ob.IndicatorRef)
			return nil
		}
		known := append(keys(c.slis), keys(c.byName)...)
		c.dangling(s.Meta, ob.Line, "SLO "+s.Name, "SLI or SLO", ob.IndicatorRef, append(known, keys(c.docs)...))
		return nil
	}
	if ob.Target == 0 {
		c.report(s.Meta, ob.Line, false, fmt.Sprintf("SLO %s: the objective of %s has no target", s.Name, sli.Name), "add target, for example 0.995")
		return nil
	}
	name := fmt.Sprintf("%s-%s", s.Name, slug(ob.DisplayName, i+1))
	if first, twice := c.names[name]; twice {
		c.twice("SLO", openslo.Meta{Name: name, File: s.File, Line: ob.Line}, first)
		return nil
	}
	c.names[name] = s.Meta
	d := c.objective(s, sli, ob, name)
	if d == nil {
		return nil
	}
	d.PartOf, d.BurnAlerts, d.extends = s.Name, []BurnAlert{}, false
	c.byName[name] = d
	c.defs = append(c.defs, d)
	return d
}
