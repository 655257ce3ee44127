package judgement

import (
	"fmt"
	"math"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/platform/stat"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// LowTraffic is how SLOs that count few events are judged: by counts that
// chance does not explain, over as much time as it takes to see enough of them.
type LowTraffic struct {
	// MaxEvents is how many events in 6 hours make traffic low; from there on the table of burn alerts suffices.
	MaxEvents float64 `yaml:"max_events"`
	// MinEvents is how many events it takes to speak of a slow trickle of failures.
	MinEvents float64 `yaml:"min_events"`
	// Significance is how unlikely a count of bad events must be, if the objective were
	// just kept, to alert on fewer than min_bad_events (of three or more).
	Significance float64 `yaml:"significance"`
	// Factor is the burn rate from which a slow trickle alerts.
	Factor float64 `yaml:"factor"`
	// Effect is page, warn or ticket.
	Effect string `yaml:"effect"`
}

// AlertTrickle is the name of the alert of SLOs with few events.
const AlertTrickle = "SLOSlowTrickle"

// RowOf is a burn alert of a SLO by its name, that of few events included.
func RowOf(limits Limits, d *definition.Definition, name string) (definition.BurnAlert, bool) {
	if name == AlertTrickle {
		b := definition.BurnAlert{Name: name, Effect: limits.LowTraffic.Effect, Factor: limits.LowTraffic.Factor}
		for _, row := range d.BurnAlerts { // it goes where an imported SLO's pages go
			if row.Only && row.Effect == b.Effect {
				b.Labels, b.Only = row.Labels, true
				break
			}
		}
		return b, true
	}
	return d.Row(limits.BurnAlerts, name)
}

// fewest is the least number of bad events that alert on their own: one or
// two failures are no outage.
const fewest = 3

func (l LowTraffic) validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("low_traffic."+format, args...)) }
	if l.MaxEvents < 0 {
		bad("max_events: must be >= 0, got %v", l.MaxEvents)
	}
	if l.MinEvents < fewest {
		bad("min_events: must be at least %d, got %v", fewest, l.MinEvents)
	}
	if l.Significance < 0 || l.Significance >= 1 {
		bad("significance: must be at least 0 and below 1, got %v", l.Significance)
	}
	if l.Factor <= 0 {
		bad("factor: must be > 0, got %v", l.Factor)
	}
	switch l.Effect {
	case definition.EffectPage, definition.EffectWarn, definition.EffectTicket:
	default:
		bad("effect: must be page, warn or ticket, got %q", l.Effect)
	}
	return errs
}

// enough reports whether a window holds enough bad events to alert on: an
// absolute number, or fewer that are no chance.
func enough(limits Limits, d *definition.Definition, c ledger.Cell) bool {
	if d.Method != "occurrences" || budget.Reaches(c.Bad, limits.MinBadEvents) {
		return true
	}
	return budget.Reaches(c.Bad, fewest) && stat.PoissonTail(c.Bad, d.ErrorBudget()*c.Total) < limits.LowTraffic.Significance
}

// TrickleWindows are those in which a slow trickle is looked for, and those that tell
// whether it goes on.
func TrickleWindows() (long, recent []time.Duration) {
	const hour = time.Hour
	return []time.Duration{6 * hour, 24 * hour, 72 * hour, 168 * hour}, []time.Duration{hour / 2, hour, 2 * hour, 6 * hour, 12 * hour, 24 * hour}
}

// FewEvents reports whether the table's windows hold too few events.
func FewEvents(limits Limits, d *definition.Definition, sixHours ledger.Cell) bool {
	return d.Method == "occurrences" && sixHours.Total < limits.LowTraffic.MaxEvents
}

// trickleRow judges a SLO with few events over the shortest windows that hold enough of them.
// Like the table it wants both: bad over a longer time, and still bad.
func trickleRow(limits Limits, d *definition.Definition, m Measured, wasActive bool) (Row, bool) {
	if m.Trickle == nil || len(d.Table(limits.BurnAlerts)) == 0 { // an SLO that wants no alerts
		return Row{}, false
	}
	longs, recents := TrickleWindows()
	find := func(windows []time.Duration, least float64, below time.Duration) (time.Duration, bool) {
		for _, w := range windows {
			if w < below && w <= d.Window && budget.Reaches(m.Trickle[w].Total, least) {
				return w, true
			}
		}
		return 0, false
	}
	alert, _ := RowOf(limits, d, AlertTrickle)
	r := Row{Alert: alert}
	long, found := find(longs, limits.LowTraffic.MinEvents, math.MaxInt64)
	if !found {
		r.Firing = wasActive
		return r, wasActive
	}
	cell := m.Trickle[long]
	r.Long, r.LongBad = burn(long, cell, d.Objective), cell.Bad
	recent, found := find(recents, limits.LowTraffic.MinEvents/2, long)
	if found {
		r.Short = burn(recent, m.Trickle[recent], d.Objective)
	}
	factor := d.FactorAt(alert, m.Now)
	still := found && budget.Reaches(r.Short.Rate, factor) || !found && wasActive
	chance := stat.PoissonTail(cell.Bad, d.ErrorBudget()*cell.Total)
	r.unread = m.unread(long)
	r.Firing = !r.unread && budget.Reaches(cell.Bad, max(fewest, limits.MinBadEvents)) && chance < max(limits.LowTraffic.Significance, 1e-300) && budget.Reaches(r.Long.Rate, factor) && still
	r.Firing = r.Firing || wasActive && m.Loaded < long
	return r, true
}
