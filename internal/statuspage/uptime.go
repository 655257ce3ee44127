package statuspage

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

const day = 24 * time.Hour

// Kinds of sources.
const (
	ofSLO   = "slo/"
	ofProbe = "probe/"
)

// sourcesOf are what counts a component.
func (r *Room) sourcesOf(c Component) (out []string) {
	add := func(source string) {
		if !slices.Contains(out, source) {
			out = append(out, source)
		}
	}
	for _, s := range c.SLOs {
		if s != everySLO {
			add(ofSLO + s)
			continue
		}
		for _, service := range c.Services {
			if r.deps.Sources.SLOsOf != nil {
				for _, name := range r.deps.Sources.SLOsOf(service) {
					add(ofSLO + name)
				}
			}
		}
	}
	for _, p := range c.Probes {
		add(ofProbe + p)
	}
	return out
}

// Count reads what the sources of all pages counted.
func (r *Room) Count(ctx context.Context) {
	first := r.now().UTC().Truncate(day).Add(-(UptimeDays - 1) * day)
	next := map[string][]ledger.Cell{}
	for _, p := range r.Value() {
		for _, c := range r.whole(p).Components {
			for _, source := range r.sourcesOf(c) {
				if _, done := next[source]; done {
					continue
				}
				cells, err := r.read(ctx, source, first)
				switch {
				case errors.Is(err, store.ErrNotFound):
					r.log.WarnContext(ctx, "a status page names what is not there: its days have no data", "page", p.Name, "component", c.ID, "source", source)
				case err != nil:
					r.log.WarnContext(ctx, "the days of a status page could not be counted", "page", p.Name, "component", c.ID, "source", source, "err", err)
					r.mu.Lock()
					cells = r.since(source, first) // what was known stays known
					r.mu.Unlock()
				}
				next[source] = cells
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !first.Equal(r.first) || !maps.EqualFunc(next, r.days, slices.Equal) {
		r.changes.Add(1)
	}
	r.days, r.first = next, first
}

func (r *Room) read(ctx context.Context, source string, first time.Time) ([]ledger.Cell, error) {
	from := r.deps.Sources.SLODays
	name := source[len(ofSLO):]
	if source[:len(ofSLO)] != ofSLO {
		from, name = r.deps.Sources.ProbeDays, source[len(ofProbe):]
	}
	if from == nil {
		return nil, nil
	}
	return from(ctx, name, first, UptimeDays)
}

// since are the days of a source as they were counted last, moved to another first day; r.mu is held.
func (r *Room) since(source string, first time.Time) []ledger.Cell {
	was, moved := r.days[source], int(first.Sub(r.first)/day)
	if moved < 0 || moved >= len(was) {
		return nil
	}
	return append(slices.Clone(was[moved:]), make([]ledger.Cell, moved)...)
}

// uptime is what a page shows of a component's days: of each day the source that did worst, over all days likewise.
func (r *Room) uptime(c Component, posts []Post, now time.Time) (*Uptime, []Day) {
	sources := r.sourcesOf(c)
	if len(sources) == 0 {
		return nil, []Day{}
	}
	first := now.Truncate(day).Add(-(UptimeDays - 1) * day)
	r.mu.Lock()
	var counted [][]ledger.Cell
	for _, s := range sources {
		counted = append(counted, r.since(s, first))
	}
	r.mu.Unlock()
	out, sums := make([]Day, UptimeDays), make([]ledger.Cell, len(counted))
	all := &Uptime{Of: UptimeDays}
	for i := range out {
		at := first.Add(time.Duration(i) * day)
		out[i] = dayOf(counted, sums, i)
		out[i].Date = at.Format(time.DateOnly)
		if out[i].Ratio != nil {
			all.Days++
		}
		out[i].mark(c.ID, posts, at, now)
	}
	for _, sum := range sums {
		all.Ratio = lower(all.Ratio, sum)
	}
	return all, out
}

// dayOf is one day by its worst source. Its minutes are those of the source that has the fewest.
func dayOf(counted [][]ledger.Cell, sums []ledger.Cell, i int) (d Day) {
	d.Minutes = day.Minutes()
	for s, cells := range counted {
		var cell ledger.Cell
		if i < len(cells) {
			cell = cells[i]
		}
		sums[s] = sums[s].Add(cell)
		d.Ratio, d.Minutes = lower(d.Ratio, cell), min(d.Minutes, cell.Minutes)
	}
	return d
}

// lower is the lower of a ratio and that of a cell, which has none where nothing was counted.
func lower(ratio *float64, c ledger.Cell) *float64 {
	if c.Total <= 0 {
		return ratio
	}
	good := max(0, 1-c.Bad/c.Total)
	if ratio == nil || good < *ratio {
		return &good
	}
	return ratio
}

// mark notes what was announced of a component for a day.
func (d *Day) mark(component string, posts []Post, at, now time.Time) {
	for i := range posts {
		p := &posts[i]
		if !slices.Contains(p.concerned(), component) {
			continue
		}
		from, to := p.lasted(now)
		if from.IsZero() || !from.Before(at.Add(day)) || to.Before(at) {
			continue
		}
		if p.Kind == OfMaintenance {
			d.Maintenance = true
		} else {
			d.Incidents++
		}
	}
}

// lasted is from when until when something went on; zero where it never began.
func (p *Post) lasted(now time.Time) (from, to time.Time) {
	to = now
	if p.Ended != nil {
		to = *p.Ended
	}
	if p.Kind == OfIncident {
		return p.Created, to
	}
	for _, u := range p.Updates {
		if u.Status == InProgress || u.Status == Verifying {
			return u.Time, to
		}
	}
	return time.Time{}, to
}
