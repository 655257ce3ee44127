package canary

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Request says what to compare.
type Request struct {
	Service     string `json:"service" minLength:"1" maxLength:"200"`
	Baseline    string `json:"baseline" minLength:"1" maxLength:"200" doc:"version that runs"`
	Canary      string `json:"canary" minLength:"1" maxLength:"200" doc:"version to judge"`
	Environment string `json:"environment,omitempty" maxLength:"200"`
	Window      string `json:"window,omitempty" maxLength:"20" doc:"for example 30m; canary.window if absent" example:"30m"`
	Actor       string `json:"actor,omitempty" maxLength:"200" doc:"who or what asks"`
}

// Result is a comparison: allow (no worse), block (worse) or insufficient.
type Result struct {
	Time     time.Time     `json:"time"`
	Request  Request       `json:"request"`
	Window   string        `json:"window"`
	Verdict  model.Verdict `json:"verdict" enum:"allow,block,insufficient"`
	Summary  string        `json:"summary"`
	Baseline Figures       `json:"baseline"`
	Canary   Figures       `json:"canary"`
	Checks   []Check       `json:"checks" doc:"strictest first"`
	Queries  []string      `json:"queries" doc:"the PromQL that was evaluated"`
}

// Figures are what was measured of one version; nil means no data.
type Figures struct {
	Version    string    `json:"version"`
	Events     float64   `json:"events"`
	Errors     float64   `json:"errors"`
	ErrorRatio *float64  `json:"error_ratio"`
	P50        *float64  `json:"p50_seconds"`
	P95        *float64  `json:"p95_seconds"`
	P99        *float64  `json:"p99_seconds"`
	Saturation *float64  `json:"saturation"`
	LastData   time.Time `json:"last_data,omitzero"`
}

// Check is one comparison.
type Check struct {
	Name    string        `json:"name" enum:"data,latency_rank,latency_p95,latency_p99,errors,saturation"`
	Verdict model.Verdict `json:"verdict" enum:"allow,block,insufficient"`
	Message string        `json:"message"`
	// Value is compared with Threshold: the effect size, a ratio, or the bound of
	// a difference.
	Value     *float64 `json:"value"`
	Threshold *float64 `json:"threshold"`
	// P is the probability of so large a difference by chance, for the rank test.
	P *float64 `json:"p_value,omitempty"`
	// Low and High bound a difference at the configured confidence.
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
}
