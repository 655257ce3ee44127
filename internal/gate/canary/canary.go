// Package canary compares two versions of a service that run side by side and
// says whether the new one is worse.
//
// It asks PromQL for the histogram of durations, the counts of failures and,
// where it is told how, the saturation of each version; Compare is a pure function of
// what came back. It stores nothing, deploys nothing, and knows no SLOs: the gate does.
//
// In: counter increases of signalbox_span_duration_seconds by version over a
// window. Out: a Result with one verdict per check, each with its figures.
//
// Invariants: what has too few events, no data, stale data or figures that are
// no numbers is insufficient, never a pass; the same samples give the same
// result. A Comparer keeps no state and is safe for concurrent use.
//
// Start reading at compare.go.
package canary

import (
	"errors"
	"fmt"
	"math"
	"time"

	prom "github.com/prometheus/common/model"
)

// Config is the section canary: when a version counts as worse.
type Config struct {
	// Window is how far a comparison looks back where the request does not say.
	Window prom.Duration `yaml:"window"`
	// MinEvents is how many requests each version must have had.
	MinEvents float64 `yaml:"min_events"`
	// StaleAfter is how old the newest sample of each version may be.
	StaleAfter prom.Duration `yaml:"stale_after"`
	// Confidence is that of every test and interval.
	Confidence float64 `yaml:"confidence"`
	// MinEffect is the share by which a random slower answer must come from the canary more
	// often than from the baseline (Vargha and Delaney's A, 0.5 is none) before a difference counts.
	MinEffect float64 `yaml:"min_effect"`
	// MaxLatencyRatio is how many times the baseline's P95 and P99 the canary's may be.
	MaxLatencyRatio float64 `yaml:"max_latency_ratio"`
	// MaxErrorIncrease is how much more of the requests may fail, as a share.
	MaxErrorIncrease float64 `yaml:"max_error_increase"`
	// Saturation is a PromQL expression with $service, $version, $environment and $window
	// that gives one number per version, for example CPU use; empty leaves the check out.
	Saturation string `yaml:"saturation"`
	// MaxSaturationRatio is how many times the baseline's saturation the canary's may be.
	MaxSaturationRatio float64 `yaml:"max_saturation_ratio"`
}

// DefaultConfig looks at 30 minutes and 100 requests a version.
func DefaultConfig() Config {
	return Config{
		Window: prom.Duration(30 * time.Minute), MinEvents: 100, StaleAfter: prom.Duration(5 * time.Minute), Confidence: 0.95,
		MinEffect: 0.56, MaxLatencyRatio: 1.2, MaxErrorIncrease: 0.005, MaxSaturationRatio: 1.25,
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	// No comparison with what is no number would hold: it must not pass for a limit.
	for name, v := range map[string]float64{
		"min_events": c.MinEvents, "confidence": c.Confidence, "min_effect": c.MinEffect, "max_latency_ratio": c.MaxLatencyRatio,
		"max_error_increase": c.MaxErrorIncrease, "max_saturation_ratio": c.MaxSaturationRatio,
	} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			bad("%s: must be a number, got %v", name, v)
		}
	}
	if c.Window <= 0 {
		bad("window: must be > 0, got %s", c.Window)
	}
	if c.MinEvents < 1 {
		bad("min_events: must be >= 1, got %v", c.MinEvents)
	}
	if c.StaleAfter <= 0 {
		bad("stale_after: must be > 0, got %s", c.StaleAfter)
	}
	if c.Confidence < 0.5 || c.Confidence >= 1 {
		bad("confidence: must be from 0.5 to below 1, got %v", c.Confidence)
	}
	if c.MinEffect < 0.5 || c.MinEffect >= 1 {
		bad("min_effect: must be from 0.5 to below 1, got %v", c.MinEffect)
	}
	if c.MaxLatencyRatio < 1 {
		bad("max_latency_ratio: must be >= 1, got %v", c.MaxLatencyRatio)
	}
	if c.MaxErrorIncrease < 0 || c.MaxErrorIncrease >= 1 {
		bad("max_error_increase: must be from 0 to below 1, got %v", c.MaxErrorIncrease)
	}
	if c.MaxSaturationRatio < 1 {
		bad("max_saturation_ratio: must be >= 1, got %v", c.MaxSaturationRatio)
	}
	return errs
}

// The checks, as results name them.
const (
	CheckData       = "data"
	CheckRank       = "latency_rank"
	CheckP95        = "latency_p95"
	CheckP99        = "latency_p99"
	CheckErrors     = "errors"
	CheckSaturation = "saturation"
)

// ErrRequest wraps what is wrong with a request.
var ErrRequest = errors.New("canary request")

type requestError struct{ error }

// BadRequest tells the API whose fault it is.
func (requestError) BadRequest()     {}
func (e requestError) Unwrap() error { return e.error }
