package slo

import (
	"fmt"
	"math"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/platform/stat"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// LowTraffic is how promises that count few events are judged: by counts that
// chance does not explain, over as much time as it takes to see enough of them.
type LowTraffic struct {
	// MaxEvents is how many events in 6 hours make traffic low; from there on the table of burn alerts suffices.
	MaxEvents float64 `yaml:"max_events"`
	// MinEvents is how many events it takes to speak of a slow trickle of failures.
	MinEvents float64 `yaml:"min_events"`
	// Significance is how unlikely a count of bad events must be, if the promise were
	// just kept, to alert on fewer than min_bad_events (of three or more).
	Significance float64 `yaml:"significance"`
	// Factor is the burn rate from which a slow trickle alerts.
	Factor float64 `yaml:"factor"`
	// Effect is page, warn or ticket.
	Effect string `yaml:"effect"`
}

// AlertTrickle is the name of the alert of promises with few events.
const AlertTrickle = "SLOSlowTrickle"

// rowOf is a burn alert of a promise by its name, that of few events included.
func rowOf(cfg Config, d *Definition, name string) (BurnAlert, bool) {
	if name == AlertTrickle {
		b := BurnAlert{Name: name, Effect: cfg.LowTraffic.Effect, Factor: cfg.LowTraffic.Factor}
		for _, row := range d.BurnAlerts { // it goes where an imported SLO's pages go
			if row.Only && row.Effect == b.Effect {
				b.Labels, b.Only = row.Labels, true
				break
			}
		}
		return b, true
	}
	return d.Row(cfg.BurnAlerts, name)
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
	case EffectPage, EffectWarn, EffectTicket:
	default:
		bad("effect: must be page, warn or ticket, got %q", l.Effect)
	}
	return errs
}

// enough reports whether a window holds enough bad events to alert on: an
// absolute number, or fewer that are no chance.
func enough(cfg Config, d *Definition, c ledger.Cell) bool {
	if d.Method != "occurrences" || c.Bad >= cfg.MinBadEvents {
		return true
	}
	return c.Bad >= fewest-1e-9 && stat.PoissonTail(c.Bad, d.ErrorBudget()*c.Total) < cfg.LowTraffic.Significance
}

// The windows in which a slow trickle is looked for, and those that tell
// whether it goes on.
func trickleWindows() (long, recent []time.Duration) {
	const hour = time.Hour
	return []time.Duration{6 * hour, 24 * hour, 72 * hour, 168 * hour}, []time.Duration{hour / 2, hour, 2 * hour, 6 * hour, 12 * hour, 24 * hour}
}

// lowTraffic reports whether the table's windows hold too few events.
func lowTraffic(cfg Config, d *Definition, sixHours ledger.Cell) bool {
	return d.Method == "occurrences" && sixHours.Total < cfg.LowTraffic.MaxEvents
}

// trickleRow judges a promise with few events over the shortest windows that hold enough of them.
// Like the table it wants both: bad over a longer time, and still bad.
func trickleRow(cfg Config, d *Definition, m measured, wasActive bool) (burnRow, bool) {
	if m.trickle == nil || len(d.Table(cfg.BurnAlerts)) == 0 { // an SLO that wants no alerts
		return burnRow{}, false
	}
	longs, recents := trickleWindows()
	find := func(windows []time.Duration, least float64, below time.Duration) (time.Duration, bool) {
		for _, w := range windows {
			if w < below && w <= d.Window && m.trickle[w].Total >= least-1e-9 {
				return w, true
			}
		}
		return 0, false
	}
	alert, _ := rowOf(cfg, d, AlertTrickle)
	r := burnRow{alert: alert}
	long, found := find(longs, cfg.LowTraffic.MinEvents, math.MaxInt64)
	if !found {
		r.firing = wasActive
		return r, wasActive
	}
	cell := m.trickle[long]
	r.long, r.longBad = burn(long, cell, d.Objective), cell.Bad
	recent, found := find(recents, cfg.LowTraffic.MinEvents/2, long)
	if found {
		r.short = burn(recent, m.trickle[recent], d.Objective)
	}
	factor := d.FactorAt(alert, m.now)
	still := found && budget.Reaches(r.short.Rate, factor) || !found && wasActive
	chance := stat.PoissonTail(cell.Bad, d.ErrorBudget()*cell.Total)
	r.unread = m.unread(long)
	r.firing = !r.unread && cell.Bad >= max(fewest, cfg.MinBadEvents) && chance < max(cfg.LowTraffic.Significance, 1e-300) && budget.Reaches(r.long.Rate, factor) && still
	r.firing = r.firing || wasActive && m.loaded < long
	return r, true
}
