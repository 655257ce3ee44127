package judgement

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// BudgetOf is the error budget over the window. A SLO younger than its
// window is measured against the whole window's budget at the traffic seen so far, so that its
// budget starts at 100 %: used = (bad / total) / (1 - objective) × age / window.
// With a full window that is the customary bad / allowed.
//
// Time that corrections take out counts for neither the window nor its budget.
func BudgetOf(d *definition.Definition, m Measured) model.Budget {
	length := m.Length
	if length == 0 {
		length = d.Window
	}
	length, age := length-m.Outside, m.Age-m.Excluded
	b := model.Budget{
		Bad: m.Budget.Bad, Total: m.Budget.Total, LeftRatio: 1, SLI: 1,
		Minutes: budget.Minutes(d.Objective, length), Coverage: coverage(m.Budget, length),
	}
	if m.Budget.Total <= 0 || age <= 0 {
		b.Reason = "no data in the window"
		return b
	}
	share := float64(age) / float64(length)
	b.SLI = 1 - m.Budget.Bad/m.Budget.Total
	b.Allowed = d.ErrorBudget() * m.Budget.Total / share
	b.UsedRatio = m.Budget.Bad / b.Allowed
	b.LeftRatio = 1 - b.UsedRatio
	return b
}

// feltBudget is the budget as users felt it: corrections left out.
func feltBudget(d *definition.Definition, m Measured) model.Budget {
	m.Budget, m.Excluded, m.Outside = m.Felt, 0, 0
	return BudgetOf(d, m)
}

func coverage(c ledger.Cell, window time.Duration) float64 {
	if window <= 0 {
		return 0
	}
	return min(1, max(0, c.Minutes/window.Minutes()))
}

// Row is one row of the table as it stands for one SLO.
type Row struct {
	Alert       definition.BurnAlert
	Long, Short model.Burn
	LongBad     float64
	Firing      bool
	Since       time.Time // when it began to burn, while it must go on for longer before it fires
	unread      bool      // history of the long window is still to be read
}

// Standing is what was said before: an active alert stays so while nothing is known, because
// silence after a fire is no all-clear.
type Standing struct {
	Active  func(name string) bool
	Pending map[string]time.Time // rows that burn, but not for long enough, and since when
}

// Verdict is all that is said of a SLO at one time. State, burn rates, budget and alerts come
// from one judgement, so that they cannot contradict each other.
type Verdict struct {
	Status  model.SLOStatus
	Rows    []Row
	Pending map[string]time.Time
}

// Judge says how the SLO stands. It is a pure function.
func Judge(limits Limits, d *definition.Definition, m Measured, was Standing) Verdict {
	why := mistrust(limits, d, m)
	rows := burnRows(limits, d, m, was.Active)
	if why != nil {
		for i := range rows {
			r := &rows[i]
			r.Firing = r.Firing && (r.Alert.NoData || was.Active(r.Alert.Name) && why.kind != model.DoubtUnmatched)
		}
	}
	v := Verdict{Rows: rows, Pending: hold(rows, was, m.Now)}
	worst := worstRow(rows)
	if why == nil && worst == nil {
		why = thin(limits, d, m)
	}
	v.Status = status(limits, d, m, rows, why)
	s := &v.Status
	switch {
	case why != nil:
		s.State, s.Doubt, s.Reason, s.Action = model.SLOInsufficient, why.kind, why.reason, why.action
		conceal(s)
	case budget.Reaches(s.Budget.UsedRatio, 1):
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

// burnRows judges every row that applies to an SLO by its figures alone.
func burnRows(limits Limits, d *definition.Definition, m Measured, wasActive func(name string) bool) []Row {
	var rows []Row
	for _, a := range d.Table(limits.BurnAlerts) {
		long, short := time.Duration(a.Long), a.ShortWindow()
		if long > d.Window {
			continue
		}
		if d.Grouping != nil && !a.NoData || d.Group != nil && a.NoData {
			continue // each group burns alone; whether data comes is asked of all
		}
		if a.NoData {
			stale := m.LastData.IsZero() || m.Now.Sub(m.LastData) > time.Duration(limits.StaleAfter)
			rows = append(rows, Row{Alert: a, Firing: m.Loaded > 0 && stale || m.Loaded == 0 && wasActive(a.Name)})
			continue
		}
		a.Factor = d.FactorAt(a, m.Now)
		r := Row{Alert: a, Long: burnOf(d, m, long), Short: burnOf(d, m, short), LongBad: m.Windows[long].Bad}
		r.unread = m.unread(long)
		r.Firing = !r.unread && enough(limits, d, m.Windows[long]) && budget.Reaches(r.Long.Rate, a.Factor) && budget.Reaches(r.Short.Rate, a.Factor)
		if wasActive(a.Name) {
			// With few events a single good one between bad ones is no all-clear.
			unknown := m.Loaded < long || r.Short.Events == 0 || m.Trickle != nil && !budget.Reaches(r.Short.Events, limits.LowTraffic.MinEvents/2)
			r.Firing = r.Firing || unknown && (m.Loaded < long || budget.Reaches(r.Long.Rate, a.Factor))
		}
		rows = append(rows, r)
	}
	trickling := wasActive(AlertTrickle)
	paged := slices.ContainsFunc(rows, func(r Row) bool { return r.Firing && r.Alert.Effect == definition.EffectPage })
	if paged && !trickling || d.PartOf != "" || d.Grouping != nil {
		return rows // one page for one trouble
	}
	if r, applies := trickleRow(limits, d, m, trickling); applies {
		rows = append(rows, r)
	}
	return rows
}

// hold keeps rows from firing until they have burned for as long as they must.
func hold(rows []Row, was Standing, now time.Time) (pending map[string]time.Time) {
	pending = maps.Clone(was.Pending)
	for i := range rows {
		r := &rows[i]
		since, waiting := pending[r.Alert.Name]
		switch wait := time.Duration(r.Alert.For); {
		case wait == 0 || was.Active(r.Alert.Name):
		case r.unread && !r.Firing: // it may burn all the time
		case !r.Firing:
			delete(pending, r.Alert.Name)
		case !waiting:
			if pending == nil {
				pending = map[string]time.Time{}
			}
			pending[r.Alert.Name], r.Firing, r.Since = now.UTC(), false, now.UTC()
		case now.Sub(since) < wait:
			r.Firing, r.Since = false, since
		default:
			delete(pending, r.Alert.Name)
		}
	}
	return pending
}

// worstRow is the first that fires of those that tell of burning, else the first that waits to: an SLO is
// not well because its alert is still to come.
func worstRow(rows []Row) *Row {
	var waits *Row
	for i := range rows {
		switch r := &rows[i]; {
		case r.Alert.NoData:
		case r.Firing:
			return r
		case !r.Since.IsZero() && waits == nil:
			waits = r
		}
	}
	return waits
}

func burnOf(d *definition.Definition, m Measured, window time.Duration) model.Burn {
	return burn(window, m.Windows[window], d.Objective)
}

func burn(window time.Duration, c ledger.Cell, objective float64) model.Burn {
	return model.Burn{Window: budget.Window(window), Rate: budget.BurnRate(c.Bad, c.Total, objective), Events: c.Total, Coverage: coverage(c, window)}
}

// status is what was measured, in figures.
func status(limits Limits, d *definition.Definition, m Measured, rows []Row, why *doubt) model.SLOStatus {
	s := describe(d, m)
	for _, w := range limits.Windows(d) {
		b := burnOf(d, m, w)
		if why != nil && why.kind.Wrong() {
			b.Rate, b.Coverage = 0, 0
		}
		s.Burn = append(s.Burn, b)
	}
	for _, r := range rows {
		if r.Firing {
			s.Alerts = append(s.Alerts, r.Alert.Name)
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
func describe(d *definition.Definition, m Measured) model.SLOStatus {
	s := model.SLOStatus{
		Name: d.Name, DisplayName: d.DisplayName, Service: d.Service, Description: d.Description, Labels: d.Labels,
		Objective: d.Objective, Window: d.WindowText(), Method: d.Method, Indicator: d.Indicator, Queries: d.Queries, Source: d.Source(),
		Budget: BudgetOf(d, m), Time: m.Now.UTC(), PartOf: d.PartOf,
	}
	if d.Calendar != nil {
		from, to := d.Calendar.At(m.Now)
		s.WindowStart, s.WindowEnd = &from, &to
	}
	if len(m.Fixed) > 0 {
		felt := feltBudget(d, m)
		s.Felt, s.Corrections = &felt, m.Fixed
	}
	if v, ok := d.Threshold(m.Now); ok {
		s.Threshold = &v
	}
	s.Peak = d.Peak != nil && d.Peak.Calendar.Active(m.Now)
	for _, p := range d.Parts {
		s.Parts = append(s.Parts, model.SLOPart{Name: p.Definition.Name, Weight: p.Weight, Objective: p.Objective})
	}
	return s
}

// exhaustedIn is how many seconds the budget lasts at the burn rate of the last
// hour; nil when it is spent, lasts for ever, or lasts until the calendar renews it.
func exhaustedIn(d *definition.Definition, m Measured, left float64) *float64 {
	_, length := d.Span(m.Now)
	rate := budget.BurnRate(m.Windows[time.Hour].Bad, m.Windows[time.Hour].Total, d.Objective)
	if rate <= 0 || left <= 0 {
		return nil
	}
	in := left * length.Seconds() / rate
	if math.IsInf(in, 0) {
		return nil
	}
	if d.Calendar != nil {
		if _, end := d.Calendar.At(m.Now); in >= end.Sub(m.Now).Seconds() {
			return nil
		}
	}
	return &in
}

// unread reports whether history of a window is still to be read: the minutes that are
// known would count for all of it. Where it cannot be read what is known must
// do, since a page too many is better than none.
func (m Measured) unread(window time.Duration) bool { return m.Loaded < window && m.Err == nil }

// young reports whether data began within the budget window.
func (m Measured) young(d *definition.Definition) bool {
	if d.Calendar == nil {
		return m.Age < d.Window-time.Hour
	}
	return m.Age < m.Now.Sub(m.Start)-time.Hour
}
