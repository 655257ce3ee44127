package slo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/results"
	"github.com/signalbox-project/signalbox/internal/store"
)

// SLOs are the promises of a service ("" means all), worst first, and a
// sentence about them, as of the last evaluation.
func (e *Engine) SLOs(_ context.Context, service string) ([]model.SLOStatus, string, error) {
	all := *e.list.Load()
	out := make([]model.SLOStatus, 0, len(all))
	for _, s := range all {
		if service == "" || s.Service == service {
			if s.Groups != nil { // one by one they are in the answer about the SLO
				few := *s.Groups
				few.List = nil
				s.Groups = &few
			}
			out = append(out, s)
		}
	}
	return out, Summary(out), nil
}

// SLO is one promise; store.ErrNotFound when it is not defined.
func (e *Engine) SLO(_ context.Context, name string) (model.SLOStatus, error) {
	for _, s := range *e.list.Load() {
		if s.Name == name {
			return s, nil
		}
	}
	if p := e.find(name); p != nil && p.def.Group != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.status, nil
	}
	return model.SLOStatus{}, fmt.Errorf("SLO %s: %w", name, store.ErrNotFound)
}

// Snapshots are the promises that a deployment of a service to an environment
// concerns: those of the environment and those of every one. An empty environment
// means all.
func (e *Engine) Snapshots(_ context.Context, service, environment string) ([]model.SLOSnapshot, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []model.SLOSnapshot
	for _, p := range e.promises {
		if p.asksElsewhere() || p.def.PartOf != "" || p.def.Service != service || !model.SameEnvironment(p.def.Environment, environment) {
			continue
		}
		p.mu.Lock()
		out = append(out, model.SLOSnapshot{
			Status: p.status, Environment: p.def.Environment, LastData: p.lastData, Age: p.age,
			Loaded: !p.status.Time.IsZero() && p.loaded >= p.def.Window,
		})
		p.mu.Unlock()
	}
	return out, nil
}

// asksElsewhere reports whether others say how things stand: the groups of a promise, or those that go on.
func (p *promise) asksElsewhere() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended || p.status.Groups != nil && p.status.Groups.Worst != nil
}

// maxHistoryPoints bounds a history curve.
const maxHistoryPoints = 2000

// SLOHistory is a budget curve. Burn and error ratio (over the hour before each
// point) come from the ledger. So does the budget left where no recorded
// result exists: then history begins with the oldest data kept.
func (e *Engine) SLOHistory(ctx context.Context, name string, start, end time.Time, step time.Duration) (model.SLOHistory, error) {
	h := model.SLOHistory{Name: name, Points: []model.SLOHistoryPoint{}}
	if step <= 0 || end.Before(start) || end.Sub(start)/step > maxHistoryPoints {
		return h, badRange{fmt.Errorf("history of SLO %s: %s to %s by %s is not between 1 and %d steps", name, start, end, step, maxHistoryPoints)}
	}
	p := e.find(name)
	if p == nil {
		return h, fmt.Errorf("SLO %s: %w", name, store.ErrNotFound)
	}
	if worst := p.worstGroup(); worst != "" { // whose figures the SLO shows
		if one := e.find(worst); one != nil {
			p = one
		}
	}
	recorded, err := indicator.Points(ctx, e.deps.Querier, fmt.Sprintf("%s{slo=%s,window=%s}", results.MetricBudgetLeft, strconv.Quote(p.def.Name), strconv.Quote(p.def.WindowText())), start, end, step)
	if err != nil {
		return h, fmt.Errorf("history of SLO %s: %w", name, err)
	}
	first, hasData := p.first()
	for t := start; !t.After(end); t = t.Add(step) {
		h.Points = append(h.Points, p.historyPoint(t, recorded, first, hasData))
	}
	return h, nil
}

func (p *promise) worstGroup() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.Groups == nil || p.status.Groups.Worst == nil {
		return ""
	}
	return definition.GroupName(p.def.Name, p.status.Groups.Worst)
}

func (e *Engine) find(name string) *promise {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.promises {
		if p.def.Name == name {
			return p
		}
	}
	return nil
}

func (p *promise) historyPoint(t time.Time, recorded map[int64]float64, first time.Time, hasData bool) model.SLOHistoryPoint {
	pt := model.SLOHistoryPoint{Time: t.UTC()}
	if left, ok := recorded[t.UnixMilli()]; ok {
		pt.Left = &left
	}
	p.mu.Lock()
	liveTo, def := p.liveTo, p.def
	p.mu.Unlock()
	if !hasData || t.After(liveTo) || t.Before(first) {
		return pt
	}
	hour, _ := p.sum(t.Add(-time.Hour), t)
	if hour.Minutes > 0 {
		burn, ratio := budget.BurnRate(hour.Bad, hour.Total, def.Objective), 0.0
		if hour.Total > 0 {
			ratio = hour.Bad / hour.Total
		}
		pt.Burn, pt.Error = &burn, &ratio
	}
	if pt.Left == nil {
		begin, length := def.Span(t)
		m := measured{start: begin, length: length, age: t.Sub(times.Later(first, begin))}
		m.budget, m.felt = p.sum(times.Later(first, begin), t)
		if m.budget.Total > 0 && m.age > 0 {
			left := budgetOf(def, m).LeftRatio
			pt.Left = &left
		}
	}
	return pt
}

// first is when the oldest data kept begins: of a composite, where all parts have some.
func (p *promise) first() (at time.Time, ok bool) {
	if len(p.parts) == 0 {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.ledger.First(p.liveTo)
	}
	for _, q := range p.parts {
		one, has := q.first()
		if !has {
			return at, false
		}
		at = times.Later(at, one)
	}
	return at, true
}

// badRange marks a mistake of the caller's.
type badRange struct{ error }

// BadRequest tells the API whose fault it is.
func (badRange) BadRequest() {}

// peaks are the peak calendars in use: 1 at peak time, 0 otherwise.
func (e *Engine) peaks(now time.Time) map[string]float64 {
	out := map[string]float64{}
	for _, d := range e.deps.Catalog.Definitions() {
		if d.Peak == nil {
			continue
		}
		out[d.Peak.Calendar.Name] = 0
		if d.Peak.Calendar.Active(now) {
			out[d.Peak.Calendar.Name] = 1
		}
	}
	return out
}
