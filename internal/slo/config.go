package slo

import (
	"fmt"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/slo/judgement"
)

// Config is the slo section.
type Config struct {
	judgement.Limits `yaml:",inline"`
	// Lateness is how late samples may arrive and still be counted at once;
	// up to 10 minutes later they count at the next minute, and then once their hour is read again, within seconds.
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

// DefaultConfig has the default limits, judged as soon as samples arrive.
func DefaultConfig() Config {
	return Config{
		Limits:      judgement.DefaultLimits(),
		Lateness:    prom.Duration(2 * time.Minute),
		RecordEvery: prom.Duration(15 * time.Second),
		ResendEvery: prom.Duration(time.Minute),
		CPUShare:    0.1,
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	errs := c.Limits.Validate()
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, f := range []struct {
		name string
		d    prom.Duration
	}{{"record_every", c.RecordEvery}, {"resend_every", c.ResendEvery}} {
		if f.d <= 0 {
			bad("%s: must be > 0, got %s", f.name, f.d)
		}
	}
	if c.Lateness < 0 || time.Duration(c.Lateness) > time.Hour {
		bad("lateness: must be 0s to 1h, got %s", c.Lateness)
	}
	if c.CPUShare <= 0 || c.CPUShare > 1 {
		bad("cpu_share: must be above 0 and at most 1, got %v", c.CPUShare)
	}
	return errs
}
