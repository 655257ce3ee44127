package definition

import (
	"fmt"
	"math"
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
	// Alert is what the alert is called where that is not Name; AlertConditions set it and the following.
	Alert       string            `yaml:"-"`
	Labels      map[string]string `yaml:"-"`
	Annotations map[string]string `yaml:"-"`
	Only        bool              `yaml:"-"` // Labels are all that the alert has
}

// String is the row as the configuration writes it.
func (b BurnAlert) String() string {
	return fmt.Sprintf("{name: %s, long: %s, short: %s, factor: %v, effect: %s}", b.Name, b.Long, b.Short, b.Factor, b.Effect)
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

// Validate lists what is wrong with a row, but for its name.
func (b BurnAlert) Validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if d := time.Duration(b.Long); d < time.Minute || d%time.Minute != 0 {
		bad("long: must be whole minutes, got %s", b.Long)
	}
	if s := b.ShortWindow(); s < time.Minute || s >= time.Duration(b.Long) {
		bad("short: must be at least 1m and below long, got %s", prom.Duration(b.ShortWindow()))
	}
	if !(b.Factor > 0) || math.IsInf(b.Factor, 1) { // NaN is neither
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

// ShortWindow is Short, or long / 12.
func (b BurnAlert) ShortWindow() time.Duration {
	if b.Short == 0 {
		return time.Duration(b.Long) / 12
	}
	return time.Duration(b.Short)
}
