package judgement

import (
	"fmt"
	"slices"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

// Limits are what SLOs are judged by; the slo section of the configuration has them.
type Limits struct {
	// BurnAlerts is the table of burn alerts of every SLO. Rows whose long window
	// exceeds an SLO's window do not apply to it.
	BurnAlerts []definition.BurnAlert `yaml:"burn_alerts"`
	// StaleAfter is how old the newest sample may be before an SLO cannot be
	// judged any more.
	StaleAfter prom.Duration `yaml:"stale_after"`
	// MinData is how much data an SLO needs before its budget is judged.
	MinData prom.Duration `yaml:"min_data"`
	// MinBadEvents is how many bad events the long window must hold before a
	// burn alert fires (occurrences only): one failure of three requests is no outage.
	MinBadEvents float64 `yaml:"min_bad_events"`
	// MinAllowedEvents is how many bad events the budget must allow over the
	// window before it can be judged (occurrences only).
	MinAllowedEvents float64 `yaml:"min_allowed_events"`
	// LowTraffic is how SLOs with few events are judged.
	LowTraffic LowTraffic `yaml:"low_traffic"`
	// Asked are windows that others judge by, the gate's policies for example: burn over them is measured for every SLO,
	// whatever its own table.
	Asked []time.Duration `yaml:"-"`
}

// Windows are those over which the burn of an SLO is measured, shortest first: of its table and those
// that are asked for. None is longer than its budget's window.
func (l Limits) Windows(d *definition.Definition) []time.Duration {
	out := d.BurnWindows(l.BurnAlerts)
	for _, w := range l.Asked {
		if w <= d.Window && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out
}

// DefaultLimits has the table of the two source policies united: 14× and 6×
// page and block deployments, 3× warns, 1× over three days is a ticket.
func DefaultLimits() Limits {
	hours := func(h int) prom.Duration { return prom.Duration(time.Duration(h) * time.Hour) }
	minutes := func(m int) prom.Duration { return prom.Duration(time.Duration(m) * time.Minute) }
	return Limits{
		BurnAlerts: []definition.BurnAlert{
			{Name: "SLOBurnRateFast", Long: hours(1), Short: minutes(5), Factor: 14, Effect: definition.EffectPage},
			{Name: "SLOBurnRateSlow", Long: hours(6), Short: minutes(30), Factor: 6, Effect: definition.EffectPage},
			{Name: "SLOBudgetBurnWarning", Long: hours(6), Short: minutes(30), Factor: 3, Effect: definition.EffectWarn},
			{Name: "SLOBudgetBurnTicket", Long: hours(72), Short: hours(6), Factor: 1, Effect: definition.EffectTicket},
		},
		StaleAfter:       minutes(5),
		MinData:          minutes(15),
		MinBadEvents:     5,
		MinAllowedEvents: 1,
		LowTraffic:       LowTraffic{MaxEvents: 60, MinEvents: 10, Significance: 1e-6, Factor: 6, Effect: definition.EffectPage},
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (l Limits) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	names := map[string]bool{}
	for i, b := range l.BurnAlerts {
		at := fmt.Sprintf("burn_alerts[%d]", i)
		if b.Name == "" || strings.Trim(b.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			bad("%s.name: must be letters, digits and _, got %q", at, b.Name)
		} else if names[b.Name] {
			bad("%s.name: %q is used twice", at, b.Name)
		}
		names[b.Name] = true
		for _, err := range b.Validate() {
			bad("%s.%w", at, err)
		}
	}
	errs = append(errs, l.LowTraffic.validate()...)
	if l.StaleAfter <= 0 {
		bad("stale_after: must be > 0, got %s", l.StaleAfter)
	}
	if l.MinData < 0 {
		bad("min_data: must be >= 0, got %s", l.MinData)
	}
	if l.MinBadEvents < 0 {
		bad("min_bad_events: must be >= 0, got %v", l.MinBadEvents)
	}
	if l.MinAllowedEvents < 0 {
		bad("min_allowed_events: must be >= 0, got %v", l.MinAllowedEvents)
	}
	return errs
}
