package promql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/regexp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/expression"
)

// Config is the PromQL part of the query section.
type Config struct {
	// Timeout ends a query that runs longer.
	Timeout model.Duration `yaml:"timeout"`
	// MaxSamples bounds what one query may hold in memory at once.
	MaxSamples int `yaml:"max_samples"`
	// MaxConcurrency is how many queries run at once; more wait.
	MaxConcurrency int `yaml:"max_concurrency"`
	// Lookback is how old a sample may be and still count as current.
	Lookback model.Duration `yaml:"lookback_delta"`
	// CORSOrigin is a regular expression of the web origins whose scripts may
	// read the API; empty allows none but our own.
	CORSOrigin string `yaml:"cors_origin"`
	// EnableAdminAPI allows deleting series and taking snapshots over HTTP.
	EnableAdminAPI bool `yaml:"enable_admin_api"`
	// EnableFeatures turns on what Prometheus' --enable-feature does, by its names:
	// promql-experimental-functions, promql-extended-range-selectors, promql-binop-fill-modifiers, promql-delayed-name-removal.
	EnableFeatures []string `yaml:"enable_features"`
	// RemoteReadSamples bounds a remote read without streaming.
	RemoteReadSamples int `yaml:"remote_read_max_samples"`
	// RemoteReadConcurrency is how many remote reads run at once.
	RemoteReadConcurrency int `yaml:"remote_read_concurrency"`
}

// remoteReadFrameBytes is the size of a frame in a streamed remote read.
const remoteReadFrameBytes = 1 << 20

// DefaultConfig has Prometheus' own limits.
func DefaultConfig() Config {
	return Config{
		Timeout:               model.Duration(2 * time.Minute),
		MaxSamples:            50_000_000,
		MaxConcurrency:        20,
		Lookback:              model.Duration(5 * time.Minute),
		RemoteReadSamples:     50_000_000,
		RemoteReadConcurrency: 10,
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	positive := func(field string, n int64) {
		if n <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be > 0, got %d", field, n))
		}
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: must be > 0, got %s", c.Timeout))
	}
	if c.Lookback <= 0 {
		errs = append(errs, fmt.Errorf("lookback_delta: must be > 0, got %s", c.Lookback))
	}
	positive("max_samples", int64(c.MaxSamples))
	positive("max_concurrency", int64(c.MaxConcurrency))
	positive("remote_read_max_samples", int64(c.RemoteReadSamples))
	positive("remote_read_concurrency", int64(c.RemoteReadConcurrency))
	for i, f := range c.EnableFeatures {
		if !slices.Contains(queryFeatures(), f) {
			errs = append(errs, fmt.Errorf("enable_features[%d]: %q is not known; there are %s", i, f, strings.Join(queryFeatures(), ", ")))
		}
	}
	if _, err := c.cors(); err != nil {
		errs = append(errs, fmt.Errorf("cors_origin: %w", err))
	}
	return errs
}

// The features that are off in Prometheus unless its flag names them.
const (
	experimentalFunctions  = "promql-experimental-functions"
	extendedRangeSelectors = "promql-extended-range-selectors"
	binopFillModifiers     = "promql-binop-fill-modifiers"
	delayedNameRemoval     = "promql-delayed-name-removal"
)

func queryFeatures() []string {
	return []string{experimentalFunctions, extendedRangeSelectors, binopFillModifiers, delayedNameRemoval}
}

// NewParser reads expressions as this configuration allows; its defaults are
// those of Prometheus, where duration expressions are on.
func NewParser(c Config) parser.Parser {
	return expression.Parser{Parser: parser.NewParser(parser.Options{
		ExperimentalDurationExpr:     true,
		EnableExperimentalFunctions:  slices.Contains(c.EnableFeatures, experimentalFunctions),
		EnableExtendedRangeSelectors: slices.Contains(c.EnableFeatures, extendedRangeSelectors),
		EnableBinopFillModifiers:     slices.Contains(c.EnableFeatures, binopFillModifiers),
	})}
}

// DelaysNameRemoval tells whether names are removed at the end of an evaluation.
func (c Config) DelaysNameRemoval() bool {
	return slices.Contains(c.EnableFeatures, delayedNameRemoval)
}

// cors compiles the origin pattern; `$^` matches nothing.
func (c Config) cors() (*regexp.Regexp, error) {
	if c.CORSOrigin == "" {
		return regexp.Compile(`$^`)
	}
	return regexp.Compile("^(?:" + c.CORSOrigin + ")$")
}
