package api

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/common/model"
)

// Config bounds what one request and all requests together may use.
type Config struct {
	// MaxBodyBytes bounds a request's body.
	MaxBodyBytes int64 `yaml:"max_body_bytes"`
	// Timeout bounds a request, except for the log tail.
	Timeout model.Duration `yaml:"timeout"`
	// MaxInFlight bounds the requests worked on at once; more are answered
	// 429 with Retry-After.
	MaxInFlight int `yaml:"max_in_flight"`
	// MaxTails bounds the open log tails, which do not count as in flight.
	MaxTails int `yaml:"max_tails"`
	// CORSOrigins are the origins that browsers may call from; none by default.
	CORSOrigins []string `yaml:"cors_origins"`
}

// DefaultConfig suits one machine with a handful of people looking at it.
func DefaultConfig() Config {
	return Config{
		MaxBodyBytes: 1 << 20,
		Timeout:      model.Duration(60 * time.Second),
		MaxInFlight:  64,
		MaxTails:     128,
	}
}

// Validate names every problem.
func (c Config) Validate() []error {
	var errs []error
	positive := func(name string, v int64) {
		if v <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be > 0, got %d", name, v))
		}
	}
	positive("max_body_bytes", c.MaxBodyBytes)
	positive("max_in_flight", int64(c.MaxInFlight))
	positive("max_tails", int64(c.MaxTails))
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: must be > 0, got %s", c.Timeout))
	}
	for i, o := range c.CORSOrigins {
		if o == "*" {
			continue
		}
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(o); err != nil {
			errs = append(errs, fmt.Errorf("cors_origins[%d]: %w", i, err))
		}
	}
	return errs
}
