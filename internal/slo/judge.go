package slo

import (
	"math"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// measured is what one evaluation of a promise saw: the input of judge.
type measured struct {
	now      time.Time
	windows  map[time.Duration]ledger.Cell // by burn window
	budget   ledger.Cell                   // over the budget window
	age      time.Duration                 // since the first data in the window, at most the window
	lastData time.Time
	loaded   time.Duration // how far back history has been read
	err      error         // of the last query, when it goes on
	noGood   bool          // the query of good events matches nothing
}

// BurnRate is how many times faster than evenly the budget is spent:
// (bad / total) / (1 - objective). No events burn nothing.
func BurnRate(c ledger.Cell, objective float64) float64 {
	if c.Total <= 0 {
		return 0
	}
	return c.Bad / c.Total / errorBudget(objective)
}

// reaches compares a burn rate with a factor; the tolerance takes up binary
// fractions, so that 7 % of errors at 99.5 % is 14×.
func reaches(rate, factor float64) bool { return rate >= factor*(1-1e-9) }

// budgetOf is the error budget over the window. A promise younger than its
// window is measured against the whole window's budget at the traffic seen so far, so that its
// budget starts at 100 %: used = (bad / total) / (1 - objective) × age / window.
// With a full window that is the customary bad / allowed.
func budgetOf(d *Definition, m measured) model.Budget {
	b := model.Budget{
		Bad: m.budget.Bad, Total: m.budget.Total, LeftRatio: 1, SLI: 1,
		Minutes: BudgetMinutes(d.Objective, d.Window), Coverage: coverage(m.budget, d.Window),
	}
	if m.budget.Total <= 0 || m.age <= 0 {
		b.Reason = "no data in the window"
		return b
	}
	share := float64(m.age) / float64(d.Window)
	b.SLI = 1 - m.budget.Bad/m.budget.Total
	b.Allowed = d.ErrorBudget() * m.budget.Total / share
	b.UsedRatio = m.budget.Bad / b.Allowed
	b.LeftRatio = 1 - b.UsedRatio
	return b
}

func coverage(c ledger.Cell, window time.Duration) float64 {
	return min(1, max(0, c.Minutes/window.Minutes()))
}

// burnRow is one row of the table as it stands for one promise.
type burnRow struct {
	alert       BurnAlert
	long, short model.Burn
	longBad     float64
	firing      bool
}

// burnRows judges every row that applies to the promise. wasActive says whether a row's alert is
// active: it stays so while the short window is empty and the long one still
// burns, because silence after a fire is no all-clear.
func burnRows(cfg Config, d *Definition, m measured, wasActive func(name string) bool) []burnRow {
	var rows []burnRow
	for _, a := range cfg.BurnAlerts {
		long, short := time.Duration(a.Long), a.short()
		if long > d.Window {
			continue
		}
		r := burnRow{alert: a, long: burnOf(d, m, long), short: burnOf(d, m, short), longBad: m.windows[long].Bad}
		enough := d.Method != "occurrences" || r.longBad >= cfg.MinBadEvents
		r.firing = enough && reaches(r.long.Rate, a.Factor) && reaches(r.short.Rate, a.Factor)
		if wasActive(a.Name) {
			unknown := m.loaded < long || r.short.Events == 0
			r.firing = r.firing || unknown && (m.loaded < long || reaches(r.long.Rate, a.Factor))
		}
		rows = append(rows, r)
	}
	return rows
}

func burnOf(d *Definition, m measured, window time.Duration) model.Burn {
	c := m.windows[window]
	return model.Burn{Window: WindowText(window), Rate: BurnRate(c, d.Objective), Events: c.Total, Coverage: coverage(c, window)}
}

// judge says how the promise stands. It is a pure function.
func judge(cfg Config, d *Definition, m measured, rows []burnRow) model.SLOStatus {
	s := model.SLOStatus{
		Name: d.Name, DisplayName: d.DisplayName, Service: d.Service, Description: d.Description, Labels: d.Labels,
		Objective: d.Objective, Window: WindowText(d.Window), Method: d.Method, Indicator: d.Indicator, Queries: d.Queries,
		Budget: budgetOf(d, m), Time: m.now.UTC(),
	}
	for _, w := range burnWindows(cfg, d) {
		s.Burn = append(s.Burn, burnOf(d, m, w))
	}
	var worst *burnRow
	for i := range rows {
		if rows[i].firing {
			s.Alerts = append(s.Alerts, rows[i].alert.Name)
			if worst == nil {
				worst = &rows[i]
			}
		}
	}
	if rate := BurnRate(m.windows[time.Hour], d.Objective); rate > 0 && s.Budget.LeftRatio > 0 {
		in := s.Budget.LeftRatio * d.Window.Seconds() / rate
		if !math.IsInf(in, 0) {
			s.ExhaustedIn = &in
		}
	}
	in := insufficiency(cfg, d, m, worst != nil)
	switch {
	case in != nil:
		s.State, s.Reason, s.Action = model.SLOInsufficient, in.reason, in.action
		s.Budget.Reason = in.reason
	case s.Budget.UsedRatio >= 1-1e-12:
		s.State = model.SLOExhausted
		s.Reason, s.Action = exhaustedText(d, s, worst)
	case worst != nil:
		s.State = model.SLOBurning
		s.Reason, s.Action = burningText(d, s, worst)
	default:
		s.State = model.SLOOK
		s.Reason, s.Action = okText(d, s)
	}
	if in == nil && m.age < d.Window-time.Hour {
		s.Budget.Reason = youngText(d, m)
	}
	return s
}

// burnWindows are the windows of the table, shortest first, each once.
func burnWindows(cfg Config, d *Definition) []time.Duration {
	seen := map[time.Duration]bool{time.Hour: true}
	out := []time.Duration{time.Hour}
	for _, a := range cfg.BurnAlerts {
		for _, w := range []time.Duration{time.Duration(a.Long), a.short()} {
			if time.Duration(a.Long) <= d.Window && !seen[w] {
				seen[w] = true
				out = append(out, w)
			}
		}
	}
	sortDurations(out)
	return out
}
