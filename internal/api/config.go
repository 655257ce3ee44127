package api

import (
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
		MaxTails:     32,
	}
}
