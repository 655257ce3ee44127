package rulereview

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// chunk is how much of the period one query reads: below the engine's limit of points.
	chunk = 7 * 24 * time.Hour
	// slack is how far pages and firings may lie apart: groups wait.
	slack = 5 * time.Minute
	// burning is at what rate a budget burns that somebody should hear of.
	burning = 6
	// maxPages bounds how many pages are read.
	maxPages = 20_000
)

// episode is one firing of an alert.
type episode struct {
	labels     model.Labels
	start, end time.Time
	open       bool
	told       bool
	acted      bool
}

// history is what happened in the period.
type history struct {
	from, to time.Time
	covered  float64
	episodes map[string][]*episode // by alert name, the oldest first
	burns    map[string][]span     // by service
}

type span struct{ start, end time.Time }

func (r *Room) read(ctx context.Context, from, to time.Time) (*history, error) {
	h := &history{from: from, to: to, episodes: map[string][]*episode{}, burns: map[string][]span{}}
	fired, err := r.spans(ctx, `ALERTS{alertstate="firing"}`, from, to)
	if err != nil {
		return nil, err
	}
	for _, f := range fired {
		name := f.labels["alertname"]
		for _, s := range f.spans {
			h.episodes[name] = append(h.episodes[name], &episode{labels: f.labels, start: s.start, end: s.end, open: !s.end.Before(to)})
		}
	}
	for _, list := range h.episodes {
		slices.SortFunc(list, func(a, b *episode) int { return a.start.Compare(b.start) })
	}
	for _, e := range h.episodes["Watchdog"] {
		h.covered = max(h.covered, 0) + e.end.Sub(e.start).Seconds()/to.Sub(from).Seconds()
	}
	h.covered = min(h.covered, 1)
	burns, err := r.spans(ctx, fmt.Sprintf(`max by (service) (signalbox_slo_burn_rate{window="1h"}) >= %d`, burning), from, to)
	if err != nil {
		return nil, err
	}
	for _, b := range burns {
		h.burns[b.labels["service"]] = b.spans
	}
	return h, r.outcomes(ctx, h)
}

// course is when a series had a value.
type course struct {
	labels model.Labels
	spans  []span
}

// spans reads when the series of an expression were there.
func (r *Room) spans(ctx context.Context, expr string, from, to time.Time) ([]*course, error) {
	by := map[string]*course{}
	for at := from; at.Before(to); at = at.Add(chunk) {
		end := at.Add(chunk)
		if end.After(to) {
			end = to
		}
		series, err := r.deps.Querier.Range(ctx, expr, at, end, step)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", expr, err)
		}
		for _, s := range series {
			labels := maps.Clone(s.Labels)
			delete(labels, "__name__")
			delete(labels, "alertstate")
			key := fmt.Sprint(labels) // fmt sorts maps
			c := by[key]
			if c == nil {
				c = &course{labels: labels}
				by[key] = c
			}
			for _, p := range s.Points {
				c.add(p.Time.UTC())
			}
		}
	}
	out := make([]*course, 0, len(by))
	for _, key := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[key])
	}
	return out, nil
}

// add notes that the series had a value in a minute.
func (c *course) add(at time.Time) {
	if n := len(c.spans); n > 0 && at.Sub(c.spans[n-1].end) <= step {
		c.spans[n-1].end = at
		return
	}
	c.spans = append(c.spans, span{at, at})
}

// outcomes finds out which firings reached a page, and on which somebody acted.
func (r *Room) outcomes(ctx context.Context, h *history) error {
	pages, err := r.pages(ctx, h.from.Add(-24*time.Hour), h.to)
	if err != nil {
		return err
	}
	worked := map[string]bool{}
	if r.deps.Worked != nil {
		if worked, err = r.deps.Worked(ctx, h.from, h.to); err != nil {
			return err
		}
	}
	for _, p := range pages {
		for _, a := range p.Alerts {
			for _, e := range h.episodes[a.Labels["alertname"]] {
				if !e.isOf(p, a) {
					continue
				}
				e.told = true
				e.acted = e.acted || p.AckedBy != "" || worked[p.ID]
			}
		}
	}
	return r.actions(ctx, h)
}

// isOf says whether an alert of a page is of a firing. The page's may have more labels: external ones, and that of a team.
func (e *episode) isOf(p model.Page, a model.PageAlert) bool {
	for k, v := range e.labels {
		if a.Labels[k] != v {
			return false
		}
	}
	end := e.end
	if a.EndsAt != nil {
		end = *a.EndsAt
	} else if p.ResolvedAt != nil {
		end = *p.ResolvedAt
	}
	return !a.StartsAt.After(e.end.Add(slack)) && !end.Before(e.start.Add(-slack))
}

func (r *Room) pages(ctx context.Context, from, to time.Time) (out []model.Page, err error) {
	seen := map[string]bool{}
	for end := to.Add(time.Second); len(out) < maxPages; {
		const most = 500
		list, err := r.deps.Pages.Pages(ctx, store.PageQuery{Start: from, End: end, Limit: most})
		if err != nil {
			return nil, err
		}
		fresh := 0
		for _, p := range list {
			if !seen[p.ID] {
				seen[p.ID] = true
				out, fresh = append(out, p), fresh+1
			}
		}
		if len(list) < most || fresh == 0 {
			break
		}
		end = list[len(list)-1].Time.Add(time.Nanosecond)
	}
	return out, nil
}

// actions are what was done to a service while one of its alerts fired.
func (r *Room) actions(ctx context.Context, h *history) error {
	type act struct {
		service string
		at      time.Time
	}
	var acts []act
	if r.deps.Deploys != nil {
		deploys, err := r.deps.Deploys.Deploys(ctx, store.DeployQuery{Start: h.from, End: h.to.Add(time.Second)})
		if err != nil {
			return err
		}
		for _, d := range deploys {
			acts = append(acts, act{d.Service, d.Time})
		}
	}
	if r.deps.Remedies != nil {
		remedies, err := r.deps.Remedies.Remedies(ctx, store.RemedyQuery{Limit: 1000})
		if err != nil {
			return err
		}
		for _, m := range remedies {
			if m.Executed != nil && !m.DryRun {
				acts = append(acts, act{m.Service, *m.Executed})
			}
		}
	}
	for _, list := range h.episodes {
		for _, e := range list {
			service := e.labels.Own("service")
			e.acted = e.acted || service != "" && slices.ContainsFunc(acts, func(a act) bool {
				return strings.EqualFold(a.service, service) && !a.at.Before(e.start) && !a.at.After(e.end.Add(slack))
			})
		}
	}
	return nil
}
