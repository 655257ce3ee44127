// Package groups finds the groups of an SLO that is kept for each of them alone: the sets of labels by which its queries
// sum, and that send data now or did within its window.
//
// It judges nothing. In: a definition with a Grouping, an indicator.Querier. Out: a definition for each group, and the names of
// those above the limit.
//
// Invariants: never more than Max groups of one SLO; what is above is named and never counted into another.
// It is not safe for concurrent use.
//
// Start reading at Groups for the running engine, Within for a piece of the past.
package groups

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// Max is how many groups of one SLO are judged; what is above it is named.
const Max = 100

const (
	// Named is how many of those above the limit are named.
	Named     = 10
	part      = 24 * time.Hour   // of history that is looked through for groups at a time
	silence   = time.Hour        // after which a group has ended, while others send
	lookEvery = 10 * time.Second // how often new ones are looked for
)

// Groups are those of one SLO whose queries sum by labels.
type Groups struct {
	def   *definition.Definition            // the SLO
	known map[string]*definition.Definition // by name
	seen  map[string]time.Time              // when each was seen last
	above map[string]struct{}               // names above the limit
	next  time.Time                         // when to look again
	back  time.Time                         // history was looked through down to here
	again []time.Time                       // hours to be looked through again
}

// New knows no groups of an SLO yet.
func New(d *definition.Definition) *Groups {
	return &Groups{def: d, known: map[string]*definition.Definition{}, seen: map[string]time.Time{}, above: map[string]struct{}{}}
}

// Within are the definitions of the groups that sent data in [from, to], sorted by name, and the names of those above the limit.
func Within(ctx context.Context, q indicator.Querier, d *definition.Definition, from, to time.Time) (defs []*definition.Definition, above []string, err error) {
	g := New(d)
	for end := to; end.After(from); end = end.Add(-part) { // the newest first: they are the ones that are judged
		if err := g.read(ctx, q, times.Later(end.Add(-part), from), end); err != nil {
			return nil, nil, fmt.Errorf("groups of SLO %s: %w", d.Name, err)
		}
	}
	return g.Definitions(), slices.Sorted(maps.Keys(g.above)), nil
}

// Expand puts the groups of [from, to] in the place of the SLOs that have any. A note says of each what is left out.
func Expand(ctx context.Context, q indicator.Querier, defs []*definition.Definition, from, to time.Time) (out []*definition.Definition, notes []string, err error) {
	for _, d := range defs {
		if d.Grouping == nil {
			out = append(out, d)
			continue
		}
		some, above, err := Within(ctx, q, d, from, to)
		if err != nil {
			return nil, nil, err
		}
		if len(above) > 0 {
			notes = append(notes, fmt.Sprintf("SLO %s: %s", d.Name, Above(above)))
		}
		if len(some) == 0 {
			notes = append(notes, fmt.Sprintf("SLO %s: none of its groups is known in that time: they are counted together.", d.Name))
			some = []*definition.Definition{d}
		}
		out = append(out, some...)
	}
	return out, notes, nil
}

// Above says which groups are not judged.
func Above(names []string) string {
	return fmt.Sprintf("%d groups above the limit of %d are not judged: %s; sum by fewer labels.", len(names), Max, strings.Join(names[:min(len(names), Named)], ", "))
}

// Follow makes the groups follow a definition that was loaded again.
func (g *Groups) Follow(d *definition.Definition) {
	if g.def == d {
		return
	}
	if !slices.Equal(g.def.Grouping.By, d.Grouping.By) || g.def.Grouping.Members.Identity() != d.Grouping.Members.Identity() {
		*g = *New(d)
		return
	}
	g.def = d
	for name, one := range g.known {
		g.known[name] = d.Narrow(one.Group.Labels)
	}
}

// Add takes note of a group that sent data at a time.
func (g *Groups) Add(labels map[string]string, at time.Time) {
	group := map[string]string{}
	for _, name := range g.def.Grouping.By {
		group[name] = labels[name]
	}
	name := definition.GroupName(g.def.Name, group)
	g.seen[name] = times.Later(g.seen[name], at)
	if g.known[name] != nil {
		return
	}
	if len(g.known) >= Max {
		g.above[name] = struct{}{}
		return
	}
	if one := g.def.Narrow(group); one != nil {
		delete(g.above, name)
		g.known[name] = one
	}
}

// forget drops the groups that are out of the window.
func (g *Groups) forget(now time.Time) {
	for name, at := range g.seen {
		if now.Sub(at) > g.def.Window {
			delete(g.known, name)
			delete(g.above, name)
			delete(g.seen, name)
		}
	}
}

// Look asks for the groups that send data, and for those of a piece of history. After an error it waits as after an answer.
func (g *Groups) Look(ctx context.Context, q indicator.Querier, now time.Time) error {
	if now.Before(g.next) && !g.reading(now) && len(g.again) == 0 {
		return nil
	}
	if !now.Before(g.next) {
		g.next = now.Add(lookEvery)
		if err := g.read(ctx, q, now, now); err != nil {
			return err
		}
	}
	if g.back.IsZero() {
		g.back = now.Truncate(indicator.MembersStep)
	}
	if g.reading(now) {
		from := times.Later(g.back.Add(-part), now.Add(-g.def.Window).Truncate(indicator.MembersStep))
		if err := g.read(ctx, q, from, g.back); err != nil {
			return err
		}
		g.back = from
	}
	if len(g.again) > 0 {
		if err := g.lookAgain(ctx, q); err != nil {
			return err
		}
	}
	g.forget(now)
	return nil
}

func (g *Groups) read(ctx context.Context, q indicator.Querier, from, to time.Time) error {
	members, err := g.def.Grouping.Members.Groups(ctx, q, from, to)
	for _, m := range members {
		g.Add(m.Labels, m.Last)
	}
	return err
}

// Again has hours looked through again into which samples came late.
func (g *Groups) Again(hours []time.Time) {
	g.again = append(g.again, hours...)
	slices.SortFunc(g.again, time.Time.Compare)
	g.again = slices.CompactFunc(g.again, time.Time.Equal)
}

// lookAgain looks through the newest of these hours and those right before it.
func (g *Groups) lookAgain(ctx context.Context, q indicator.Querier) error {
	n := len(g.again) - 1
	from, to := g.again[n], g.again[n].Add(time.Hour+indicator.MembersStep) // a sample is found for as long as it is looked back for
	for ; n > 0 && g.again[n-1].Equal(from.Add(-time.Hour)) && to.Sub(from) < part; n-- {
		from = g.again[n-1]
	}
	if err := g.read(ctx, q, from, to); err != nil {
		return err
	}
	g.again = g.again[:n]
	return nil
}

// reading reports whether history is still to be looked through.
func (g *Groups) reading(now time.Time) bool {
	return g.back.IsZero() || g.back.After(now.Add(-g.def.Window+part/24))
}

// Definitions are those of the groups, sorted by name.
func (g *Groups) Definitions() []*definition.Definition {
	out := make([]*definition.Definition, 0, len(g.known))
	for _, name := range slices.Sorted(maps.Keys(g.known)) {
		out = append(out, g.known[name])
	}
	return out
}

// By are the labels that tell them apart, Labels those of one of them.
func (g *Groups) By() []string { return g.def.Grouping.By }

// Labels are those of a group by its name.
func (g *Groups) Labels(name string) map[string]string { return g.known[name].Group.Labels }

// LeftOut are the names of those above the limit.
func (g *Groups) LeftOut() []string { return slices.Sorted(maps.Keys(g.above)) }

// Ended reports whether a group has been silent for so long, while others send, that it is over: its
// route or pod is gone, which is no failure.
func (g *Groups) Ended(name string, now time.Time) bool {
	newest := time.Time{}
	for _, at := range g.seen {
		newest = times.Later(newest, at)
	}
	return now.Sub(newest) < silence && now.Sub(g.seen[name]) >= silence
}
