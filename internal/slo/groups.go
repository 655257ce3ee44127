package slo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/groups"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
)

// discover is who there is to evaluate: the definitions in force, and after each those of its groups. It runs in Run's goroutine.
func (e *Engine) discover(ctx context.Context, now time.Time) []*Definition {
	defs := e.deps.Catalog.Definitions()
	if !slices.ContainsFunc(defs, func(d *Definition) bool { return d.Grouping != nil }) {
		e.groups = nil
		return defs
	}
	known := map[string]*groups.Groups{}
	var out []*Definition
	for _, d := range defs {
		out = append(out, d)
		if d.Grouping == nil {
			continue
		}
		g := e.groups[d.Name]
		if g == nil {
			g = groups.New(d)
			e.recall(d, g, now)
		}
		g.Follow(d)
		known[d.Name] = g
		if err := g.Look(ctx, e.deps.Querier, now); err != nil && ctx.Err() == nil {
			e.fail("query", err)
		}
		out = append(out, g.Definitions()...)
	}
	e.groups = known
	return out
}

// recall brings back the groups of the last run: their ledgers and alerts wait for them.
func (e *Engine) recall(d *Definition, g *groups.Groups, now time.Time) {
	for name := range e.last.records {
		rest, ours := strings.CutPrefix(name, d.Name+"{")
		if !ours {
			continue
		}
		labels, err := parser.NewParser(parser.Options{}).ParseMetric("{" + rest)
		if err == nil && labels.Len() > 0 {
			g.Add(labels.Map(), now)
		}
	}
}

// EachGroup puts the groups that sent data in [from, to] in the place of the SLOs that have any; notes say what is left out.
func EachGroup(ctx context.Context, q Querier, defs []*Definition, from, to time.Time) (each []*Definition, notes []string, err error) {
	return groups.Expand(ctx, q, defs, from, to)
}

// face is how an SLO stands that is kept for each group alone: as its worst group does; live are the groups that say so.
func face(g *groups.Groups, whole model.SLOStatus, members []*objective, now time.Time) (s model.SLOStatus, live []model.SLOStatus) {
	above := g.LeftOut()
	out := &model.SLOGroups{By: g.By(), LeftOut: above[:min(len(above), groups.Named)]}
	var few, all []model.SLOStatus
	for _, m := range members {
		ended := g.Ended(m.def.Name, now)
		if ended {
			m.fresh.status.Alerts = nil // what is gone needs nobody any more
		}
		one := m.fresh.status
		all = append(all, one)
		switch {
		case ended:
		case thin(one):
			few = append(few, one)
		default:
			live = append(live, one)
		}
	}
	if len(live) == 0 {
		live = few
	}
	judgement.Sort(all)
	judgement.Sort(live)
	for _, s := range all {
		labels := g.Labels(s.Name)
		out.List = append(out.List, model.SLOGroup{
			Name: s.Name, Labels: labels, State: s.State, Doubt: s.Doubt, Reason: s.Reason, Budget: s.Budget, Burn: s.Burn,
			ExhaustedIn: s.ExhaustedIn, Alerts: s.Alerts, Ended: g.Ended(s.Name, now),
		})
	}
	slices.SortStableFunc(out.List, func(a, b model.SLOGroup) int { return cmp.Compare(boolRank(a.Ended), boolRank(b.Ended)) })
	out.Count = len(all)
	s = whole
	s.Groups = out
	if len(live) == 0 {
		return s, nil
	}
	worst := live[0]
	out.Worst = g.Labels(worst.Name)
	s.State, s.Doubt, s.Action, s.Since = worst.State, worst.Doubt, worst.Action, worst.Since
	s.Budget, s.Felt, s.Burn, s.ExhaustedIn, s.Threshold = worst.Budget, worst.Felt, worst.Burn, worst.ExhaustedIn, worst.Threshold
	s.Reason = definition.GroupText(out.Worst) + ": " + worst.Reason
	if len(above) > 0 {
		s.Action += " " + groups.Above(above)
	}
	for _, one := range live {
		for _, a := range one.Alerts {
			if !slices.Contains(s.Alerts, a) {
				s.Alerts = append(slices.Clip(s.Alerts), a)
			}
		}
	}
	return s, live
}

// thin reports whether a group has had too little so far to be judged, and does not burn: one that came with the last
// deployment, or that few visit. It says nothing about the SLO as long as other groups do.
func thin(s model.SLOStatus) bool {
	return s.Doubt == model.DoubtYoung || s.Doubt == model.DoubtFewEvents
}

// show makes how an SLO and its groups stand what readers see, all at once: one that asks meanwhile would hear of a group that
// has not been judged yet, or of nobody who says how things stand.
func (m *members) show(o *objective, groups []*objective, live []model.SLOStatus) {
	m.shown.Lock()
	defer m.shown.Unlock()
	for _, g := range groups {
		g.show(!slices.ContainsFunc(live, func(s model.SLOStatus) bool { return s.Name == g.fresh.status.Name }))
	}
	o.show(false)
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
