package backtest

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/pace"
	"github.com/signalbox-project/signalbox/internal/store"
)

// chunk is how much is read at once: between two chunks a job reports
// progress and can be cancelled, and no more is held in memory.
const chunk = 24 * time.Hour

// progress counts pieces of work.
type progress struct{ done, all atomic.Int64 }

func (p *progress) share() float64 {
	all := p.all.Load()
	if all == 0 {
		return 0
	}
	return min(1, float64(p.done.Load())/float64(all))
}

// replay is one set under way.
type replay struct {
	*plan
	room     *Replayer
	set      *set
	deploys  []model.Deploy // oldest first
	progress *progress
}

// run does the work.
func (r *Replayer) run(ctx context.Context, p plan, progress *progress) (*Result, error) {
	deploys, err := r.deps.Deploys.Deploys(ctx, store.DeployQuery{Start: p.start, End: p.end, Limit: maxDeploys})
	if err != nil {
		return nil, fmt.Errorf("read deployments: %w", err)
	}
	if len(deploys) == maxDeploys {
		p.notes = append(p.notes, fmt.Sprintf("Only the newest %d deployments were asked about.", maxDeploys))
	}
	slices.Reverse(deploys)
	for i := range p.sets {
		s := &p.sets[i]
		var notes []string
		if s.slos, notes, err = slo.EachGroup(ctx, r.deps.SLOQuerier, s.slos, p.start, p.end); err != nil {
			return nil, err
		}
		p.notes = append(p.notes, notes...)
	}
	if err := p.bound(); err != nil { // of all groups
		return nil, err
	}
	chunks := int64((p.end.Sub(p.start) + chunk - 1) / chunk)
	for _, s := range p.sets {
		// Reading the window before the start is as much work as the rest.
		progress.all.Add((2*int64(len(s.slos)) + int64(len(s.rules)+len(s.recording))) * chunks)
	}
	result := &Result{Start: p.start.UTC(), End: p.end.UTC(), Step: budget.Window(p.step), Difference: []Difference{}}
	for i := range p.sets {
		one := replay{plan: &p, room: r, set: &p.sets[i], deploys: deploys, progress: progress}
		out, err := one.run(ctx)
		if err != nil {
			return nil, err
		}
		result.Sets = append(result.Sets, out)
	}
	if len(result.Sets) == 2 {
		result.Difference = difference(result.Sets[0], result.Sets[1])
	}
	slices.Sort(p.notes)
	result.Notes = append([]string{}, slices.Compact(p.notes)...)
	result.Summary = summary(result)
	return result, nil
}

// maxDeploys bounds how many deployments one backtest asks the gate about.
const maxDeploys = 5000

func (r *replay) run(ctx context.Context) (Outcome, error) {
	slos := make([]*sloReplay, len(r.set.slos))
	rules, err := r.ruleReplays(ctx)
	if err != nil {
		return Outcome{}, err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(pace.Workers())
	for i, d := range r.set.slos {
		slos[i] = newSLOReplay(r, d)
		g.Go(func() error { return slos[i].run(gctx) })
	}
	for _, one := range rules {
		g.Go(func() error { return one.run(gctx) })
	}
	if err := g.Wait(); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Name: r.set.name, SLOs: []SLO{}, Alerts: []Alert{}}
	for _, p := range slos {
		out.SLOs = append(out.SLOs, p.outcome())
		out.Alerts = append(out.Alerts, p.firings.closed(r.end)...)
	}
	for _, a := range rules {
		out.Alerts = append(out.Alerts, a.firings.closed(r.end)...)
		if a.failed > 0 {
			r.notes = append(r.notes, fmt.Sprintf("Rule %s could not be evaluated %d times, first: %v.", a.rule.name, a.failed, a.failure))
		}
	}
	slices.SortStableFunc(out.Alerts, orderAlerts)
	if n := len(out.Alerts); n > maxAlerts {
		r.notes = append(r.notes, fmt.Sprintf("%d alerts fired with set %s; only the first %d are listed and counted.", n, r.set.name, maxAlerts))
		out.Alerts = out.Alerts[:maxAlerts]
	}
	out.Pages = pages(out.Alerts, r.room.deps.Routing.Destinations(), r.end)
	out.Deploys = r.decide(slos)
	return out, nil
}

// ruleReplays are the alert rules that can be judged, after the recording rules of the set. What cannot
// be is noted by name.
func (r *replay) ruleReplays(ctx context.Context) (out []*ruleReplay, err error) {
	if len(r.set.rules) == 0 {
		return nil, nil
	}
	recorded, err := r.record(ctx)
	if err != nil {
		return nil, err
	}
	notes, judged := recorded.explain()
	r.notes = append(r.notes, notes...)
	for i := range r.set.rules {
		one := &r.set.rules[i]
		if !judged(one) {
			continue
		}
		q := r.room.deps.Querier
		if len(one.rests) > 0 {
			q = recorded.querier
		}
		out = append(out, newRuleReplay(r, one, q))
	}
	return out, nil
}
