package slo

import (
	"fmt"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"
)

// Config is the slo section.
type Config struct {
	// BurnAlerts is the table of burn alerts of every SLO. Rows whose long window
	// exceeds an SLO's window do not apply to it.
	BurnAlerts []BurnAlert `yaml:"burn_alerts"`
	// StaleAfter is how old the newest sample may be before a promise cannot be
	// judged any more.
	StaleAfter prom.Duration `yaml:"stale_after"`
	// MinData is how much data a promise needs before its budget is judged.
	MinData prom.Duration `yaml:"min_data"`
	// MinBadEvents is how many bad events the long window must hold before a
	// burn alert fires (occurrences only): one failure of three requests is no outage.
	MinBadEvents float64 `yaml:"min_bad_events"`
	// MinAllowedEvents is how many bad events the budget must allow over the
	// window before it can be judged (occurrences only).
	MinAllowedEvents float64 `yaml:"min_allowed_events"`
	// LowTraffic is how promises with few events are judged.
	LowTraffic LowTraffic `yaml:"low_traffic"`
	// Lateness is how late samples may arrive and still be counted at once;
	// later ones count when history is read again.
	Lateness prom.Duration `yaml:"lateness"`
	// RecordEvery is how often results are written as metrics.
	RecordEvery prom.Duration `yaml:"record_every"`
	// ResendEvery is how often an active alert is handed to the alert pipeline
	// again.
	ResendEvery prom.Duration `yaml:"resend_every"`
	// CPUShare bounds how much of one core evaluation takes, in computing time: waiting
	// for a busy machine does not count.
	CPUShare float64 `yaml:"cpu_share"`
}

// DefaultConfig has the table of the two source policies united: 14× and 6×
// page and block deployments, 3× warns, 1× over three days is a ticket.
func DefaultConfig() Config {
	hours := func(h int) prom.Duration { return prom.Duration(time.Duration(h) * time.Hour) }
	minutes := func(m int) prom.Duration { return prom.Duration(time.Duration(m) * time.Minute) }
	return Config{
		BurnAlerts: []BurnAlert{
			{Name: "SLOBurnRateFast", Long: hours(1), Short: minutes(5), Factor: 14, Effect: EffectPage},
			{Name: "SLOBurnRateSlow", Long: hours(6), Short: minutes(30), Factor: 6, Effect: EffectPage},
			{Name: "SLOBudgetBurnWarning", Long: hours(6), Short: minutes(30), Factor: 3, Effect: EffectWarn},
			{Name: "SLOBudgetBurnTicket", Long: hours(72), Short: hours(6), Factor: 1, Effect: EffectTicket},
		},
		StaleAfter:       minutes(5),
		MinData:          minutes(15),
		MinBadEvents:     5,
		MinAllowedEvents: 1,
		LowTraffic:       LowTraffic{MaxEvents: 60, MinEvents: 10, Significance: 1e-6, Factor: 6, Effect: EffectPage},
		Lateness:         minutes(2),
		RecordEvery:      prom.Duration(15 * time.Second),
		ResendEvery:      minutes(1),
		CPUShare:         0.1,
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	names := map[string]bool{}
	for i, b := range c.BurnAlerts {
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
	errs = append(errs, c.LowTraffic.validate()...)
	positive := func(field string, d prom.Duration) {
		if d <= 0 {
			bad("%s: must be > 0, got %s", field, d)
		}
	}
	positive("stale_after", c.StaleAfter)
	positive("record_every", c.RecordEvery)
	positive("resend_every", c.ResendEvery)
	if c.MinData < 0 {
		bad("min_data: must be >= 0, got %s", c.MinData)
	}
	if c.Lateness < 0 || time.Duration(c.Lateness) > time.Hour {
		bad("lateness: must be 0s to 1h, got %s", c.Lateness)
	}
	if c.MinBadEvents < 0 {
		bad("min_bad_events: must be >= 0, got %v", c.MinBadEvents)
	}
	if c.MinAllowedEvents < 0 {
		bad("min_allowed_events: must be >= 0, got %v", c.MinAllowedEvents)
	}
	if c.CPUShare <= 0 || c.CPUShare > 1 {
		bad("cpu_share: must be above 0 and at most 1, got %v", c.CPUShare)
	}
	return errs
}
