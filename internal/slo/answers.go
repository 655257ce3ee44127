package slo

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/nearest"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/slo/results"
	"github.com/signalbox-project/signalbox/internal/store"
)

// SLOs are the SLOs of a service ("" means all), worst first, and a
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
	return out, judgement.Summary(out), nil
}

// SLO is one of them; store.ErrNotFound when it is not defined.
func (e *Engine) SLO(_ context.Context, name string) (model.SLOStatus, error) {
	for _, s := range *e.list.Load() {
		if s.Name == name {
			return s, nil
		}
	}
	if o := e.find(name); o != nil && o.definition().Group != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.status, nil
	}
	return model.SLOStatus{}, e.unknown(name)
}

// unknown says that there is no SLO of a name, and which was meant.
func (e *Engine) unknown(name string) error {
	var known []string
	for _, s := range *e.list.Load() {
		known = append(known, s.Name)
	}
	if near := nearest.Name(name, known); near != "" {
		return fmt.Errorf("SLO %s: %w; did you mean %s?", name, store.ErrNotFound, near)
	}
	return fmt.Errorf("SLO %s: %w", name, store.ErrNotFound)
}

// Snapshots are the SLOs that a deployment of a service to an environment
// concerns: those of the environment and those of every one. An empty environment
// means all.
func (e *Engine) Snapshots(_ context.Context, service, environment string) ([]model.SLOSnapshot, error) {
	var out []model.SLOSnapshot
	e.members.shown.RLock()
	defer e.members.shown.RUnlock()
	for _, o := range e.members.all() {
		if s, concerned := o.snapshot(service, environment); concerned {
			out = append(out, s)
		}
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
	o := e.find(name)
	if o == nil {
		return h, e.unknown(name)
	}
	if worst := o.worstGroup(); worst != "" { // whose figures the SLO shows
		if one := e.find(worst); one != nil {
			o = one
		}
	}
	d := o.definition()
	recorded, err := indicator.Points(ctx, e.deps.Querier, fmt.Sprintf("%s{slo=%s,window=%s}", results.MetricBudgetLeft, strconv.Quote(d.Name), strconv.Quote(d.WindowText())), start, end, step)
	if err != nil {
		return h, fmt.Errorf("history of SLO %s: %w", name, err)
	}
	for t := start; !t.After(end); t = t.Add(step) {
		pt := o.history.Point(e.cfg.Limits, t)
		if left, ok := recorded[t.UnixMilli()]; ok {
			pt.Left = &left
		}
		h.Points = append(h.Points, pt)
	}
	h.Points = withNow(h.Points, o.nowPoint(), start, end)
	return h, nil
}

// withNow puts how an SLO stands now among the points of its history, so that the curve ends where
// every other answer says that the budget is.
func withNow(points []model.SLOHistoryPoint, now model.SLOHistoryPoint, start, end time.Time) []model.SLOHistoryPoint {
	if now.Time.IsZero() || now.Time.Before(start) || now.Time.After(end) {
		return points
	}
	i, same := slices.BinarySearchFunc(points, now.Time, func(p model.SLOHistoryPoint, t time.Time) int { return p.Time.Compare(t) })
	if same {
		points[i] = now
		return points
	}
	return slices.Insert(points, i, now)
}

// nowPoint is the status as a point of the history; what cannot be judged is a gap.
func (o *objective) nowPoint() model.SLOHistoryPoint {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.status
	pt := model.SLOHistoryPoint{Time: s.Time}
	if left := s.Budget.LeftRatio; !s.Budget.Unknown {
		pt.Left = &left
	}
	for _, b := range s.Burn {
		if b.Window == "1h" && b.Coverage > 0 {
			burn, ratio := b.Rate, b.Rate*(1-s.Objective)
			pt.Burn, pt.Error = &burn, &ratio
		}
	}
	return pt
}

func (e *Engine) find(name string) *objective {
	for _, o := range e.members.all() {
		if o.definition().Name == name {
			return o
		}
	}
	return nil
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
