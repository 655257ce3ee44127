package history

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
)

// Point is one of a budget curve: burn and error ratio over the hour before it, and the budget left. Where nothing
// was counted it has the time alone, and where too little was to judge by, no budget.
func (h *History) Point(limits judgement.Limits, t time.Time) model.SLOHistoryPoint {
	pt := model.SLOHistoryPoint{Time: t.UTC()}
	def, _ := h.definition()
	h.mu.Lock()
	liveTo := h.liveTo
	h.mu.Unlock()
	first, has := h.first()
	if !has || t.After(liveTo) || t.Before(first) {
		return pt
	}
	hour, _ := h.sum(t.Add(-time.Hour), t)
	if hour.Minutes > 0 {
		burn, ratio := budget.BurnRate(hour.Bad, hour.Total, def.Objective), 0.0
		if hour.Total > 0 {
			ratio = hour.Bad / hour.Total
		}
		pt.Burn, pt.Error = &burn, &ratio
	}
	begin, length := def.Span(t)
	var m judgement.Measured
	m.Now, m.Start, m.Length, m.Age, m.History = t, begin, length, t.Sub(times.Later(first, begin)), t.Sub(first)
	m.Budget, m.Felt = h.sum(times.Later(first, begin), t)
	h.mu.Lock()
	h.takeOut(&m)
	h.mu.Unlock()
	if m.Budget.Total > 0 && m.Age > 0 && !judgement.TooThin(limits, def, m) {
		left := judgement.BudgetOf(def, m).LeftRatio
		pt.Left = &left
	}
	return pt
}

// first is when the oldest data kept begins: of a composite, where all parts have some.
func (h *History) first() (at time.Time, ok bool) {
	_, parts := h.definition()
	if len(parts) == 0 {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.ledger.First(h.liveTo)
	}
	for _, q := range parts {
		one, has := q.first()
		if !has {
			return at, false
		}
		at = times.Later(at, one)
	}
	return at, true
}
