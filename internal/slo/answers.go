package slo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Names of the metrics that results are written as, with labels slo, service
// and, but for the objective and the threshold, window; MetricPeak has the label calendar.
const (
	MetricObjective  = "signalbox_slo_objective"
	MetricBudgetLeft = "signalbox_slo_budget_left_ratio"
	MetricBurnRate   = "signalbox_slo_burn_rate"
	MetricErrorRatio = "signalbox_slo_error_ratio"
	MetricThreshold  = "signalbox_slo_threshold"
	MetricPeak       = "signalbox_peak"
)

// SLOs are the promises of a service ("" means all), worst first, and a
// sentence about them, as of the last evaluation.
func (e *Engine) SLOs(_ context.Context, service string) ([]model.SLOStatus, string, error) {
	all := *e.list.Load()
	out := make([]model.SLOStatus, 0, len(all))
	for _, s := range all {
		if service == "" || s.Service == service {
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
		if p.def.PartOf != "" || p.def.Service != service || environment != "" && p.def.Environment != "" && p.def.Environment != environment {
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
	recorded, err := indicator.Points(ctx, e.deps.Querier, fmt.Sprintf("%s{slo=%s,window=%s}", MetricBudgetLeft, strconv.Quote(name), strconv.Quote(p.def.WindowText())), start, end, step)
	if err != nil {
		return h, fmt.Errorf("history of SLO %s: %w", name, err)
	}
	first, hasData := p.first()
	for t := start; !t.After(end); t = t.Add(step) {
		h.Points = append(h.Points, p.historyPoint(t, recorded, first, hasData))
	}
	return h, nil
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
	if !hasData || t.After(p.liveTo) || t.Before(first) {
		return pt
	}
	hour, _ := p.sum(t.Add(-time.Hour), t)
	if hour.Minutes > 0 {
		burn, ratio := BurnRate(hour, p.def.Objective), 0.0
		if hour.Total > 0 {
			ratio = hour.Bad / hour.Total
		}
		pt.Burn, pt.Error = &burn, &ratio
	}
	if pt.Left == nil {
		begin, length := p.def.span(t)
		m := measured{start: begin, length: length, age: t.Sub(later(first, begin))}
		m.budget, m.felt = p.sum(later(first, begin), t)
		if m.budget.Total > 0 && m.age > 0 {
			left := budgetOf(p.def, m).LeftRatio
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
		at = later(at, one)
	}
	return at, true
}

// badRange marks a mistake of the caller's.
type badRange struct{ error }

// BadRequest tells the API whose fault it is.
func (badRange) BadRequest() {}

// writeResults writes every promise's figures as metrics. What cannot be
// known is left out: a gap says so.
func (e *Engine) writeResults(ctx context.Context, list []model.SLOStatus, now time.Time) error {
	app := e.deps.Results.AppenderV2(ctx)
	w := resultWriter{app: app, at: now.UnixMilli()}
	for _, s := range list {
		w.add(MetricObjective, s, "", s.Objective)
		if s.Threshold != nil {
			w.add(MetricThreshold, s, "", *s.Threshold)
		}
		if s.Budget.Total <= 0 || s.State == model.SLOInsufficient {
			continue
		}
		w.add(MetricBudgetLeft, s, s.Window, s.Budget.LeftRatio)
		w.add(MetricErrorRatio, s, s.Window, 1-s.Budget.SLI)
		for _, b := range s.Burn {
			if b.Coverage > 0 {
				w.add(MetricBurnRate, s, b.Window, b.Rate)
				if b.Window != s.Window {
					w.add(MetricErrorRatio, s, b.Window, b.Rate*errorBudget(s.Objective))
				}
			}
		}
	}
	for name, active := range e.peaks(now) {
		w.append(labels.FromStrings(labels.MetricName, MetricPeak, "calendar", name), active)
	}
	if w.err != nil {
		return errors.Join(fmt.Errorf("write SLO results: %w", w.err), app.Rollback())
	}
	if err := app.Commit(); err != nil {
		return fmt.Errorf("write SLO results: %w", err)
	}
	return nil
}

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

type resultWriter struct {
	app storage.AppenderV2
	at  int64
	err error
}

func (w *resultWriter) add(name string, s model.SLOStatus, window string, v float64) {
	ls := labels.FromStrings(labels.MetricName, name, "service", s.Service, "slo", s.Name)
	if window != "" {
		ls = labels.FromStrings(labels.MetricName, name, "service", s.Service, "slo", s.Name, "window", window)
	}
	w.append(ls, v)
}

func (w *resultWriter) append(ls labels.Labels, v float64) {
	if _, err := w.app.Append(0, ls, 0, w.at, v, nil, nil, storage.AOptions{}); err != nil && w.err == nil {
		w.err = err
	}
}
