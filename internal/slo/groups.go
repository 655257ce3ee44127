package slo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
)

// MaxGroups is how many groups of one SLO are judged; what is above it is named.
const MaxGroups = 100

const (
	namedAbove = 10               // groups above the limit that are named
	groupsPart = 24 * time.Hour   // of history that is looked through for groups at a time
	groupsStep = 5 * time.Minute  // as long as a sample is looked back for: no group falls between
	groupEnds  = time.Hour        // of silence, while others send
	groupsLook = 10 * time.Second // how often new ones are looked for
)

// groups are those of one SLO whose queries sum by labels.
type groups struct {
	def     *Definition            // the SLO
	known   map[string]*Definition // by name
	seen    map[string]time.Time   // when each was seen last
	above   map[string]struct{}    // names above the limit
	nextDue time.Time
	back    time.Time // history was looked through down to here
}

func newGroups(d *Definition) *groups {
	return &groups{def: d, known: map[string]*Definition{}, seen: map[string]time.Time{}, above: map[string]struct{}{}}
}

// follow makes the groups follow a definition that was loaded again.
func (g *groups) follow(d *Definition) {
	if g.def == d {
		return
	}
	if !slices.Equal(g.def.Grouping.By, d.Grouping.By) || g.def.Grouping.Members != d.Grouping.Members {
		*g = *newGroups(d)
		return
	}
	g.def = d
	for name, one := range g.known {
		g.known[name] = d.Narrow(one.Group.Labels)
	}
}

// add takes note of a group that sent data at a time.
func (g *groups) add(labels map[string]string, at time.Time) {
	group := map[string]string{}
	for _, name := range g.def.Grouping.By {
		group[name] = labels[name]
	}
	name := definition.GroupName(g.def.Name, group)
	g.seen[name] = times.Later(g.seen[name], at)
	if g.known[name] != nil {
		return
	}
	if len(g.known) >= MaxGroups {
		g.above[name] = struct{}{}
		return
	}
	if one := g.def.Narrow(group); one != nil {
		delete(g.above, name)
		g.known[name] = one
	}
}

// forget drops the groups that are out of the window.
func (g *groups) forget(now time.Time) {
	for name, at := range g.seen {
		if now.Sub(at) > g.def.Window {
			delete(g.known, name)
			delete(g.above, name)
			delete(g.seen, name)
		}
	}
}

// look asks for the groups that send data, and for those of a piece of history.
func (g *groups) look(ctx context.Context, q Querier, now time.Time) error {
	if now.Before(g.nextDue) && !g.reading(now) {
		return nil
	}
	if !now.Before(g.nextDue) {
		samples, err := q.Instant(ctx, g.def.Grouping.Members, now)
		if err != nil {
			return err
		}
		g.nextDue = now.Add(groupsLook)
		for _, s := range samples {
			g.add(s.Labels, now)
		}
	}
	if g.back.IsZero() {
		g.back = now.Truncate(groupsStep)
	}
	if g.reading(now) {
		from := times.Later(g.back.Add(-groupsPart), now.Add(-g.def.Window).Truncate(groupsStep))
		series, err := q.Range(ctx, g.def.Grouping.Members, from, g.back, groupsStep)
		if err != nil {
			return err
		}
		for _, s := range series {
			if n := len(s.Points); n > 0 {
				g.add(s.Labels, s.Points[n-1].Time)
			}
		}
		g.back = from
	}
	g.forget(now)
	return nil
}

// reading reports whether history is still to be looked through.
func (g *groups) reading(now time.Time) bool {
	return g.back.IsZero() || g.back.After(now.Add(-g.def.Window+groupsPart/24))
}

// definitions are those of the groups, sorted by name.
func (g *groups) definitions() []*Definition {
	out := make([]*Definition, 0, len(g.known))
	for _, name := range slices.Sorted(maps.Keys(g.known)) {
		out = append(out, g.known[name])
	}
	return out
}

// discover finds the groups of the SLOs that have any. It runs in Run's goroutine.
func (e *Engine) discover(ctx context.Context, now time.Time) {
	known := map[string]*groups{}
	for _, d := range e.deps.Catalog.Definitions() {
		if d.Grouping == nil {
			continue
		}
		g := e.groups[d.Name]
		if g == nil {
			g = newGroups(d)
			e.recall(g, now)
		}
		g.follow(d)
		known[d.Name] = g
		if err := g.look(ctx, e.deps.Querier, now); err != nil && ctx.Err() == nil {
			g.nextDue = now.Add(groupsLook)
			e.fail("query", err)
		}
	}
	e.groups = known
}

// recall brings back the groups of the last run: their ledgers and alerts wait for them.
func (e *Engine) recall(g *groups, now time.Time) {
	for name := range e.last.records {
		rest, ours := strings.CutPrefix(name, g.def.Name+"{")
		if !ours {
			continue
		}
		labels, err := parser.NewParser(parser.Options{}).ParseMetric("{" + rest)
		if err == nil && labels.Len() > 0 {
			g.add(labels.Map(), now)
		}
	}
}

// definitions are those of the catalog, and after each those of its groups.
func (e *Engine) definitions() []*Definition {
	defs := e.deps.Catalog.Definitions()
	if len(e.groups) == 0 {
		return defs
	}
	var out []*Definition
	for _, d := range defs {
		out = append(out, d)
		if g := e.groups[d.Name]; g != nil {
			out = append(out, g.definitions()...)
		}
	}
	return out
}

// ended reports whether a group has been silent for so long, while others send, that it is over: its
// route or pod is gone, which is no failure.
func (g *groups) ended(name string, now time.Time) bool {
	newest := time.Time{}
	for _, at := range g.seen {
		newest = times.Later(newest, at)
	}
	return now.Sub(newest) < groupEnds && now.Sub(g.seen[name]) >= groupEnds
}

// face is how an SLO stands that is kept for each group alone: as its worst group does.
func (g *groups) face(whole model.SLOStatus, members []*objective, now time.Time) model.SLOStatus {
	out := &model.SLOGroups{By: g.def.Grouping.By, LeftOut: slices.Sorted(maps.Keys(g.above))}
	out.LeftOut = out.LeftOut[:min(len(out.LeftOut), namedAbove)]
	var live, all []model.SLOStatus
	for _, m := range members {
		ended := g.ended(m.def.Name, now)
		m.mu.Lock()
		m.ended = ended
		m.mu.Unlock()
		all = append(all, m.status)
		if !ended {
			live = append(live, m.status)
		}
	}
	judgement.Sort(all)
	judgement.Sort(live)
	for _, s := range all {
		labels := g.known[s.Name].Group.Labels
		out.List = append(out.List, model.SLOGroup{
			Name: s.Name, Labels: labels, State: s.State, Doubt: s.Doubt, Reason: s.Reason, Budget: s.Budget, Burn: s.Burn,
			ExhaustedIn: s.ExhaustedIn, Alerts: s.Alerts, Ended: g.ended(s.Name, now),
		})
	}
	slices.SortStableFunc(out.List, func(a, b model.SLOGroup) int { return cmp.Compare(boolRank(a.Ended), boolRank(b.Ended)) })
	out.Count = len(all)
	s := whole
	s.Groups = out
	if len(live) == 0 {
		return s
	}
	worst := live[0]
	out.Worst = g.known[worst.Name].Group.Labels
	s.State, s.Doubt, s.Action, s.Since = worst.State, worst.Doubt, worst.Action, worst.Since
	s.Budget, s.Felt, s.Burn, s.ExhaustedIn, s.Threshold = worst.Budget, worst.Felt, worst.Burn, worst.ExhaustedIn, worst.Threshold
	s.Reason = definition.GroupText(out.Worst) + ": " + worst.Reason
	if len(g.above) > 0 {
		s.Action += above(len(g.above), out.LeftOut)
	}
	for _, one := range live {
		for _, a := range one.Alerts {
			if !slices.Contains(s.Alerts, a) {
				s.Alerts = append(slices.Clip(s.Alerts), a)
			}
		}
	}
	return s
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// above says which groups are not judged.
func above(n int, names []string) string {
	return fmt.Sprintf(" %d groups above the limit of %d are not judged: %s; sum by fewer labels.", n, MaxGroups, strings.Join(names, ", "))
}
