package slo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"
)

// Effects of a burn alert: how loud it is.
const (
	EffectPage   = "page"   // severity critical
	EffectWarn   = "warn"   // severity warning
	EffectTicket = "ticket" // severity info
)

// BurnAlert is one row of the table of burn alerts: it fires while the burn rate
// over both windows is at or above Factor.
type BurnAlert struct {
	Name   string        `yaml:"name"`
	Long   prom.Duration `yaml:"long"`
	Short  prom.Duration `yaml:"short"` // long / 12 when absent
	Factor float64       `yaml:"factor"`
	Effect string        `yaml:"effect"` // page, warn or ticket
	For    prom.Duration `yaml:"for"`    // how long it must burn so before it fires; 0s by default

	// NoData makes it fire for missing data instead; AlertPolicies set it.
	NoData bool `yaml:"-"`
}

// Severity is the alert's severity label.
func (b BurnAlert) Severity() string {
	switch b.Effect {
	case EffectPage:
		return "critical"
	case EffectWarn:
		return "warning"
	}
	return "info"
}

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
		for _, err := range b.validate() {
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

// validate lists what is wrong with a row, but for its name.
func (b BurnAlert) validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if d := time.Duration(b.Long); d < time.Minute || d%time.Minute != 0 {
		bad("long: must be whole minutes, got %s", b.Long)
	}
	if s := b.short(); s < time.Minute || s >= time.Duration(b.Long) {
		bad("short: must be at least 1m and below long, got %s", b.Short)
	}
	if b.Factor <= 0 {
		bad("factor: must be > 0, got %v", b.Factor)
	}
	if b.For < 0 {
		bad("for: must be >= 0, got %s", b.For)
	}
	switch b.Effect {
	case EffectPage, EffectWarn, EffectTicket:
	default:
		bad("effect: must be page, warn or ticket, got %q", b.Effect)
	}
	return errs
}

func (b BurnAlert) short() time.Duration {
	if b.Short == 0 {
		return time.Duration(b.Long) / 12
	}
	return time.Duration(b.Short)
}

// WindowText writes a window as configuration and API do: 5m, 1h, 28d.
// Prometheus' own form of 28 days would be 4w.
func WindowText(d time.Duration) string {
	switch {
	case d == 0:
		return "0s"
	case d%(24*time.Hour) == 0:
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
