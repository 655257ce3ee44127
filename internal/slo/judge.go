package slo

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// measured is what one evaluation of a promise saw: the input of judge.
type measured struct {
	now      time.Time
	windows  map[time.Duration]ledger.Cell // by burn window
	budget   ledger.Cell                   // over the budget window
	age      time.Duration                 // since the first data in the window, at most the window
	lastData time.Time
	loaded   time.Duration    // how far back history has been read
	err      error            // of the last query, when it goes on
	noGood   bool             // the query of good events matches nothing
	fault    *indicator.Fault // what was measured and cannot be
	idle     string           // a part of the composite that counted nothing

	start    time.Time                     // of the budget window
	length   time.Duration                 // of the budget window; 0: the definition's
	history  time.Duration                 // since the first data, that before the budget window included
	trickle  map[time.Duration]ledger.Cell // by window, where traffic is low
	felt     ledger.Cell                   // budget without corrections
	excluded time.Duration                 // how much of age corrections take out
	outside  time.Duration                 // how much of the window corrections take out
	fixed    []model.SLOCorrection         // corrections that reach into the window
}

// budgetOf is the error budget over the window. A promise younger than its
// window is measured against the whole window's budget at the traffic seen so far, so that its
// budget starts at 100 %: used = (bad / total) / (1 - objective) × age / window.
// With a full window that is the customary bad / allowed.
//
// Time that corrections take out counts for neither the window nor its budget.
func budgetOf(d *Definition, m measured) model.Budget {
	length := m.length
	if length == 0 {
		length = d.Window
	}
	length, age := length-m.outside, m.age-m.excluded
	b := model.Budget{
		Bad: m.budget.Bad, Total: m.budget.Total, LeftRatio: 1, SLI: 1,
		Minutes: budget.Minutes(d.Objective, length), Coverage: coverage(m.budget, length),
	}
	if m.budget.Total <= 0 || age <= 0 {
		b.Reason = "no data in the window"
		return b
	}
	share := float64(age) / float64(length)
	b.SLI = 1 - m.budget.Bad/m.budget.Total
	b.Allowed = d.ErrorBudget() * m.budget.Total / share
	b.UsedRatio = m.budget.Bad / b.Allowed
	b.LeftRatio = 1 - b.UsedRatio
	return b
}

// feltBudget is the budget as users felt it: corrections left out.
func feltBudget(d *Definition, m measured) model.Budget {
	m.budget, m.excluded, m.outside = m.felt, 0, 0
	return budgetOf(d, m)
}

func coverage(c ledger.Cell, window time.Duration) float64 {
	if window <= 0 {
		return 0
	}
	return min(1, max(0, c.Minutes/window.Minutes()))
}

// burnRow is one row of the table as it stands for one promise.
type burnRow struct {
	alert       BurnAlert
	long, short model.Burn
	longBad     float64
	firing      bool
	since       time.Time // when it began to burn, while it must go on for longer before it fires
	unread      bool      // history of the long window is still to be read
}

// standing is what was said before: an active alert stays so while nothing is known, because
// silence after a fire is no all-clear.
type standing struct {
	active  func(name string) bool
	pending map[string]time.Time // rows that burn, but not for long enough, and since when
}

// verdict is all that is said of a promise at one time. State, burn rates, budget and alerts come
// from one judgement, so that they cannot contradict each other.
type verdict struct {
	status  model.SLOStatus
	rows    []burnRow
	pending map[string]time.Time
}

// judge says how the promise stands. It is a pure function.
func judge(cfg Config, d *Definition, m measured, was standing) verdict {
	why := mistrust(cfg, d, m)
	rows := burnRows(cfg, d, m, was.active)
	if why != nil {
		for i := range rows {
			r := &rows[i]
			r.firing = r.firing && (r.alert.NoData || was.active(r.alert.Name) && why.kind != model.DoubtUnmatched)
		}
	}
	v := verdict{rows: rows, pending: hold(rows, was, m.now)}
	worst := worstRow(rows)
	if why == nil && worst == nil {
		why = thin(cfg, d, m)
	}
	v.status = status(cfg, d, m, rows, why)
	s := &v.status
	switch {
	case why != nil:
		s.State, s.Doubt, s.Reason, s.Action = model.SLOInsufficient, why.kind, why.reason, why.action
		conceal(s)
	case s.Budget.UsedRatio >= 1-1e-12:
		s.State = model.SLOExhausted
		s.Reason, s.Action = exhaustedText(d, *s, worst)
	case worst != nil:
		s.State = model.SLOBurning
		s.Reason, s.Action = burningText(d, *s, worst)
	default:
		s.State = model.SLOOK
		s.Reason, s.Action = okText(d, *s)
	}
	if why == nil && m.young(d) {
		s.Budget.Reason = youngText(d, m)
	}
	return v
}

// burnRows judges every row that applies to the promise by its figures alone.
func burnRows(cfg Config, d *Definition, m measured, wasActive func(name string) bool) []burnRow {
	var rows []burnRow
	for _, a := range d.Table(cfg.BurnAlerts) {
		long, short := time.Duration(a.Long), a.ShortWindow()
		if long > d.Window {
			continue
		}
		if d.Grouping != nil && !a.NoData || d.Group != nil && a.NoData {
			continue // each group burns alone; whether data comes is asked of all
		}
		if a.NoData {
			stale := m.lastData.IsZero() || m.now.Sub(m.lastData) > time.Duration(cfg.StaleAfter)
			rows = append(rows, burnRow{alert: a, firing: m.loaded > 0 && stale || m.loaded == 0 && wasActive(a.Name)})
			continue
		}
		a.Factor = d.FactorAt(a, m.now)
		r := burnRow{alert: a, long: burnOf(d, m, long), short: burnOf(d, m, short), longBad: m.windows[long].Bad}
		r.unread = m.unread(long)
		r.firing = !r.unread && enough(cfg, d, m.windows[long]) && budget.Reaches(r.long.Rate, a.Factor) && budget.Reaches(r.short.Rate, a.Factor)
		if wasActive(a.Name) {
			// With few events a single good one between bad ones is no all-clear.
			unknown := m.loaded < long || r.short.Events == 0 || m.trickle != nil && r.short.Events < cfg.LowTraffic.MinEvents/2
			r.firing = r.firing || unknown && (m.loaded < long || budget.Reaches(r.long.Rate, a.Factor))
		}
		rows = append(rows, r)
	}
	trickling := wasActive(AlertTrickle)
	paged := slices.ContainsFunc(rows, func(r burnRow) bool { return r.firing && r.alert.Effect == EffectPage })
	if paged && !trickling || d.PartOf != "" || d.Grouping != nil {
		return rows // one page for one trouble
	}
	if r, applies := trickleRow(cfg, d, m, trickling); applies {
		rows = append(rows, r)
	}
	return rows
}

// hold keeps rows from firing until they have burned for as long as they must.
func hold(rows []burnRow, was standing, now time.Time) (pending map[string]time.Time) {
	pending = maps.Clone(was.pending)
	for i := range rows {
		r := &rows[i]
		since, waiting := pending[r.alert.Name]
		switch wait := time.Duration(r.alert.For); {
		case wait == 0 || was.active(r.alert.Name):
		case r.unread && !r.firing: // it may burn all the time
		case !r.firing:
			delete(pending, r.alert.Name)
		case !waiting:
			if pending == nil {
				pending = map[string]time.Time{}
			}
			pending[r.alert.Name], r.firing, r.since = now.UTC(), false, now.UTC()
		case now.Sub(since) < wait:
			r.firing, r.since = false, since
		default:
			delete(pending, r.alert.Name)
		}
	}
	return pending
}

// worstRow is the first that fires of those that tell of burning, else the first that waits to: an SLO is
// not well because its alert is still to come.
func worstRow(rows []burnRow) *burnRow {
	var waits *burnRow
	for i := range rows {
		switch r := &rows[i]; {
		case r.alert.NoData:
		case r.firing:
			return r
		case !r.since.IsZero() && waits == nil:
			waits = r
		}
	}
	return waits
}

func burnOf(d *Definition, m measured, window time.Duration) model.Burn {
	return burn(window, m.windows[window], d.Objective)
}

func burn(window time.Duration, c ledger.Cell, objective float64) model.Burn {
	return model.Burn{Window: budget.Window(window), Rate: budget.BurnRate(c.Bad, c.Total, objective), Events: c.Total, Coverage: coverage(c, window)}
}

// status is what was measured, in figures.
func status(cfg Config, d *Definition, m measured, rows []burnRow, why *doubt) model.SLOStatus {
	s := describe(d, m)
	for _, w := range d.BurnWindows(cfg.BurnAlerts) {
		b := burnOf(d, m, w)
		if why != nil && why.kind.Wrong() {
			b.Rate, b.Coverage = 0, 0
		}
		s.Burn = append(s.Burn, b)
	}
	for _, r := range rows {
		if r.firing {
			s.Alerts = append(s.Alerts, r.alert.Name)
		}
	}
	if why == nil {
		s.ExhaustedIn = exhaustedIn(d, m, s.Budget.LeftRatio)
	}
	return s
}

// conceal says of the figures of the budget that nothing vouches for them. Of old data the bad
// that was seen stays: it does not go away because telemetry stopped.
func conceal(s *model.SLOStatus) {
	for _, b := range []*model.Budget{&s.Budget, s.Felt} {
		if b == nil {
			continue
		}
		b.Reason = s.Reason
		b.Unknown = s.Doubt != model.DoubtStale || b.Bad <= 0
		if s.Doubt.Wrong() {
			b.Allowed, b.Bad = 0, 0
		}
	}
}

// describe is the part of a status that needs no judgement.
func describe(d *Definition, m measured) model.SLOStatus {
	s := model.SLOStatus{
		Name: d.Name, DisplayName: d.DisplayName, Service: d.Service, Description: d.Description, Labels: d.Labels,
		Objective: d.Objective, Window: d.WindowText(), Method: d.Method, Indicator: d.Indicator, Queries: d.Queries, Source: d.Source(),
		Budget: budgetOf(d, m), Time: m.now.UTC(), PartOf: d.PartOf,
	}
	if d.Calendar != nil {
		from, to := d.Calendar.At(m.now)
		s.WindowStart, s.WindowEnd = &from, &to
	}
	if len(m.fixed) > 0 {
		felt := feltBudget(d, m)
		s.Felt, s.Corrections = &felt, m.fixed
	}
	if v, ok := d.Threshold(m.now); ok {
		s.Threshold = &v
	}
	s.Peak = d.Peak != nil && d.Peak.Calendar.Active(m.now)
	for _, p := range d.Parts {
		s.Parts = append(s.Parts, model.SLOPart{Name: p.Definition.Name, Weight: p.Weight, Objective: p.Objective})
	}
	return s
}

// exhaustedIn is how many seconds the budget lasts at the burn rate of the last
// hour; nil when it is spent, lasts for ever, or lasts until the calendar renews it.
func exhaustedIn(d *Definition, m measured, left float64) *float64 {
	_, length := d.Span(m.now)
	rate := budget.BurnRate(m.windows[time.Hour].Bad, m.windows[time.Hour].Total, d.Objective)
	if rate <= 0 || left <= 0 {
		return nil
	}
	in := left * length.Seconds() / rate
	if math.IsInf(in, 0) {
		return nil
	}
	if d.Calendar != nil {
		if _, end := d.Calendar.At(m.now); in >= end.Sub(m.now).Seconds() {
			return nil
		}
	}
	return &in
}

// unread reports whether history of a window is still to be read: the minutes that are
// known would count for all of it. Where it cannot be read what is known must
// do, since a page too many is better than none.
func (m measured) unread(window time.Duration) bool { return m.loaded < window && m.err == nil }

// young reports whether data began within the budget window.
func (m measured) young(d *Definition) bool {
	if d.Calendar == nil {
		return m.age < d.Window-time.Hour
	}
	return m.age < m.now.Sub(m.start)-time.Hour
}
