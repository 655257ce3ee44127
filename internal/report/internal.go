package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// What the people who run services have promised themselves.
const (
	ackUrgent     = 15 * time.Minute // P0
	ackHigh       = time.Hour        // P1
	resolveUrgent = 15 * time.Minute
	pagesPerWeek  = 2
	maxListed     = 200 // lines of each list
)

// internals is what only the internal report says.
func (w *work) internals(ctx context.Context, slos []*sloWork) (*paper.Internal, error) {
	out := &paper.Internal{Budgets: []paper.Budget{}, NotMeasured: []string{
		"How fast support answers critical issues (promised: within 4 h): Signalbox does not see support's tickets.",
		"Time to detect where no SLO measures what the page was about: nobody knows when it began.",
		"Deployments without downtime, where no marker was sent: only marked deployments are counted.",
	}}
	for _, p := range slos {
		out.Budgets = append(out.Budgets, p.budgets...)
	}
	slices.SortStableFunc(out.Budgets, func(a, b paper.Budget) int { return cmp.Compare(a.Service, b.Service) })
	list, err := w.pagesIn(ctx, slos, w.period.start, w.until())
	if err != nil {
		return nil, err
	}
	out.Pages = w.pages(list)
	if out.Outcomes, err = w.outcomes(ctx, slos, list); err != nil {
		return nil, err
	}
	out.Deploys = w.deployments(slos)
	if out.Gate, err = w.gate(ctx, slos); err != nil {
		return nil, err
	}
	if out.Platform, err = w.platform(ctx); err != nil {
		return nil, w.archive.Explain(err)
	}
	if w.cut {
		out.NotMeasured = append(out.NotMeasured, fmt.Sprintf("More than the newest %d deployments.", maxRecords))
	}
	return out, nil
}

// fillBudgets splits what was spent by kind: minutes of which half failed are downtime.
func (p *sloWork) fillBudgets() {
	f := p.out.Contract
	if f.Achieved == nil || f.Total <= 0 {
		return
	}
	var down float64
	if p.out.Kind == kindErrors {
		p.tl.Hot(p.period.start, p.end(), func(at time.Time, c ledger.Cell) {
			if p.down(c) && !p.excluded(at) {
				down += c.Bad
			}
		})
	}
	add := func(kind string, minutes float64) {
		b := paper.Budget{Service: p.def.Service, SLO: p.def.Name, Kind: kind, AllowedMinutes: f.AllowedMinutes, UsedMinutes: paper.Tidy(minutes)}
		if f.AllowedMinutes > 0 {
			b.UsedRatio = paper.Tidy(minutes / f.AllowedMinutes)
		}
		p.budgets = append(p.budgets, b)
	}
	share := min(1, down/max(f.Bad, 1e-12))
	if p.out.Kind == kindErrors {
		add("downtime", f.UsedMinutes*share)
	}
	add(p.out.Kind, f.UsedMinutes*(1-share))
}

// concerns answers whether something about a service belongs to the report.
func (w *work) concerns(slos []*sloWork) func(service string) bool {
	if w.req.Service+w.req.SLO+w.req.Team == "" {
		return func(string) bool { return true }
	}
	services := map[string]bool{w.req.Service: w.req.Service != ""}
	for _, p := range slos {
		services[p.def.Service] = true
	}
	return func(service string) bool { return services[service] }
}

// severity ranks a severity, worst first, and says how urgent it is: 2 like a
// P0, 1 like a P1, 0 wakes nobody.
func severity(name string) (rank, urgent int) {
	order := [...]string{"p0", "critical", "page", "p1", "error", "high", "p2", "warning", "medium", "p3", "info", "low"}
	rank = slices.Index(order[:], strings.ToLower(name))
	switch {
	case rank < 0:
		return len(order), 0
	case rank < 3:
		return rank, 2
	case rank == 3:
		return rank, 1
	}
	return rank, 0
}

// pagesIn are the pages of a period that concern the report, oldest first.
func (w *work) pagesIn(ctx context.Context, slos []*sloWork, from, to time.Time) ([]paper.Page, error) {
	list, err := w.deps.Records.Pages(ctx, store.PageQuery{Start: from, End: to, Limit: maxRecords})
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	concerns := w.concerns(slos)
	by := map[string]*sloWork{}
	for _, p := range slos {
		by[p.def.Name] = p
	}
	out := []paper.Page{}
	for _, page := range slices.Backward(list) {
		if concerns(page.Service) {
			out = append(out, w.page(page, by))
		}
	}
	return out, nil
}

func (w *work) pages(list []paper.Page) paper.Pages {
	out := paper.Pages{TargetPerWeek: pagesPerWeek, Severities: []paper.Severity{}, List: list}
	groups := map[string][]paper.Page{}
	for _, p := range list {
		groups[p.Severity] = append(groups[p.Severity], p)
		if wakes(p) {
			out.Pages++
		}
	}
	for name, pages := range groups {
		out.Severities = append(out.Severities, sumUp(name, pages))
	}
	slices.SortFunc(out.Severities, func(a, b paper.Severity) int {
		x, _ := severity(a.Severity)
		y, _ := severity(b.Severity)
		return cmp.Or(x-y, cmp.Compare(a.Severity, b.Severity))
	})
	if n := len(out.List) - maxListed; n > 0 {
		out.List, out.LeftOut = out.List[n:], n
	}
	weeks := max(1, w.end().Sub(w.period.start).Hours()/(7*24))
	out.PerWeek = paper.Tidy(float64(out.Pages) / weeks)
	return out
}

func wakes(p paper.Page) bool {
	_, urgent := severity(p.Severity)
	return urgent > 0
}

func (w *work) page(p model.Page, by map[string]*sloWork) paper.Page {
	out := paper.Page{ID: p.ID, Time: p.Time.In(w.req.Zone), Severity: p.Severity, Title: p.Title, Service: p.Service}
	if out.Severity == "" {
		out.Severity = "none"
	}
	since := func(at *time.Time) *float64 {
		if at == nil || at.After(w.known) {
			return nil
		}
		s := paper.Tidy(max(0, at.Sub(p.Time).Seconds()))
		return &s
	}
	out.AckSecs, out.SolveSecs = since(p.AckedAt), since(p.ResolvedAt)
	if out.AckSecs != nil {
		out.AckedBy = p.AckedBy
	}
	for _, a := range p.Alerts {
		name := a.Labels.Own("slo")
		if name == "" {
			continue
		}
		out.SLO = cmp.Or(out.SLO, name)
		// A budget's band is passed long after its trouble began: nothing was detected then.
		if sloWork := by[name]; sloWork != nil && out.DetectSecs == nil && a.Labels["alertname"] != gate.BandAlert {
			if onset, ok := sloWork.onset(p.Time); ok {
				s := paper.Tidy(p.Time.Sub(onset).Seconds())
				out.DetectSecs = &s
			}
		}
	}
	return out
}

// sumUp is how fast the pages of one severity were answered.
func sumUp(name string, pages []paper.Page) paper.Severity {
	out := paper.Severity{Severity: name, Pages: len(pages)}
	_, urgent := severity(name)
	var ack, resolve time.Duration
	switch urgent {
	case 2:
		ack, resolve = ackUrgent, resolveUrgent
	case 1:
		ack = ackHigh
	}
	of := func(get func(paper.Page) *float64, target time.Duration) (s paper.Span) {
		var sum, worst float64
		for _, p := range pages {
			if v := get(p); v != nil {
				s.Known++
				sum, worst = sum+*v, max(worst, *v)
				if target > 0 && *v <= target.Seconds() {
					s.InTime++
				}
			}
		}
		if s.Known > 0 {
			mean := paper.Tidy(sum / float64(s.Known))
			s.MeanSeconds, s.WorstSeconds = &mean, &worst
		}
		if target > 0 {
			t := target.Seconds()
			s.TargetSeconds = &t
		}
		return s
	}
	out.Detect = of(func(p paper.Page) *float64 { return p.DetectSecs }, 0)
	out.Acknowledge = of(func(p paper.Page) *float64 { return p.AckSecs }, ack)
	out.Resolve = of(func(p paper.Page) *float64 { return p.SolveSecs }, resolve)
	return out
}

// deployments counts changes and what came of them.
func (w *work) deployments(slos []*sloWork) paper.Deploys {
	out := paper.Deploys{List: []paper.Deploy{}}
	concerns := w.concerns(slos)
	for i, d := range w.deploys {
		if d.Time.Before(w.period.start) || !concerns(d.Service) {
			continue
		}
		d.Time = d.Time.In(w.req.Zone)
		if cause.Mends(&d) {
			out.List = append(out.List, paper.Deploy{Deploy: d, Outcome: d.Kind})
			continue
		}
		out.Deploys++
		var outcomes []string
		if d.Status == "failed" {
			out.Failed++
			outcomes = append(outcomes, "failed")
		}
		if next := w.next(i); next != nil && cause.Mends(next) {
			out.RolledBack++
			outcomes = append(outcomes, "rolled back after "+paper.Length(next.Time.Sub(d.Time).Minutes()))
		}
		if names := breached(d, slos); len(names) > 0 {
			out.Breached++
			outcomes = append(outcomes, "followed by a breach of "+strings.Join(names, ", "))
		}
		if len(outcomes) > 0 {
			out.List = append(out.List, paper.Deploy{Deploy: d, Outcome: strings.Join(outcomes, "; ")})
		}
	}
	if n := len(out.List) - maxListed; n > 0 {
		out.List = out.List[n:]
	}
	return out
}

// next is the change after one, of the same service and environment.
func (w *work) next(i int) *model.Deploy {
	d := w.deploys[i]
	for k := i + 1; k < len(w.deploys); k++ {
		n := &w.deploys[k]
		if n.Service == d.Service && n.Environment == d.Environment && (n.Region == d.Region || n.Region == "" || d.Region == "") {
			return n
		}
	}
	return nil
}

// breached names the service's SLOs that an episode of began right after a change.
func breached(d model.Deploy, slos []*sloWork) (names []string) {
	for _, p := range slos {
		if p.def.Service != d.Service || !model.SameEnvironment(p.def.Environment, d.Environment) {
			continue
		}
		if slices.ContainsFunc(p.bursts, func(b [2]time.Time) bool {
			gap := b[0].Sub(d.Time)
			return gap >= -cause.Slack && gap <= cause.Within
		}) {
			names = append(names, p.def.Name)
		}
	}
	return names
}

// gate counts decisions.
func (w *work) gate(ctx context.Context, slos []*sloWork) (paper.Gate, error) {
	out := paper.Gate{List: []paper.GateDecision{}}
	concerns := w.concerns(slos)
	q := store.DecisionQuery{Start: w.period.start, End: w.until(), Limit: 1000}
	for {
		list, next, err := w.deps.Records.Decisions(ctx, q)
		if err != nil {
			return out, fmt.Errorf("read gate decisions: %w", err)
		}
		for _, d := range list {
			if concerns(d.Request.Service) {
				w.decision(&out, d)
			}
		}
		if q.Before = next; next == "" || out.Decisions >= maxRecords {
			break
		}
	}
	slices.Reverse(out.List)
	return out, nil
}

func (w *work) decision(out *paper.Gate, d model.GateDecision) {
	out.Decisions++
	switch d.Verdict {
	case model.VerdictAllow:
		out.Allowed++
	case model.VerdictHold:
		out.Held++
	case model.VerdictBlock:
		out.Blocked++
	default:
		out.Insufficient++
	}
	one := paper.GateDecision{
		ID: d.ID, Time: d.Time.In(w.req.Zone), Service: d.Request.Service, Environment: d.Request.Environment, Version: d.Request.Version,
		Verdict: d.Verdict, Summary: d.Summary,
	}
	if o := d.Override; o != nil && !o.Time.After(w.known) {
		out.Overridden++
		one.OverriddenBy, one.OverrideReason = o.Actor, o.Reason
	}
	switch {
	case d.Verdict == model.VerdictAllow && one.OverriddenBy == "":
	case len(out.List) >= maxListed:
		out.LeftOut++
	default:
		out.List = append(out.List, one)
	}
}
