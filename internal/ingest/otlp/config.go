package otlp

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"

	"github.com/signalbox-project/signalbox/internal/front"
)

// Config is the section `otlp`.
type Config struct {
	// GRPCAddress and HTTPAddress are listen addresses; "" does not listen.
	GRPCAddress string `yaml:"-"`
	HTTPAddress string `yaml:"-"`
	// MaxMessageBytes bounds one request after decompression.
	MaxMessageBytes int `yaml:"max_message_bytes"`
	// MaxRequestsInFlight bounds requests that are worked on at once.
	MaxRequestsInFlight int `yaml:"max_requests_in_flight"`
	// MaxBytesInFlight bounds the decompressed bytes of all of them, and those of gRPC messages that wait; at most 5 % of the memory.
	MaxBytesInFlight int64 `yaml:"max_bytes_in_flight"`
	// RetryAfter is what an overloaded or read-only server tells senders to wait.
	RetryAfter model.Duration `yaml:"retry_after"`
	// DrainTimeout bounds how long a stop waits for requests in flight.
	DrainTimeout model.Duration `yaml:"drain_timeout"`
	// MaxDeltaStreams bounds the series of delta temporality that are summed up
	// to cumulative ones; 0 refuses delta temporality.
	MaxDeltaStreams int `yaml:"max_delta_streams"`
	// PromoteResourceAttributes are resource attributes that become labels of
	// every series, besides service, namespace, env, region, version and instance.
	PromoteResourceAttributes []string `yaml:"promote_resource_attributes"`
	// TranslationStrategy is how names of metrics and labels are translated, by Prometheus' names:
	// UnderscoreEscapingWithSuffixes, UnderscoreEscapingWithoutSuffixes, NoUTF8EscapingWithSuffixes or NoTranslation.
	TranslationStrategy otlptranslator.TranslationStrategyOption `yaml:"translation_strategy"`
	// CORSOrigins are the origins whose pages may send telemetry, such as
	// https://app.example.org or https://*.example.org; none by default.
	CORSOrigins []string `yaml:"cors_origins"`
	// BodyTimeout is how long a gRPC message may take to arrive (web.body_timeout).
	BodyTimeout model.Duration `yaml:"-"`
}

// DefaultConfig listens on OTLP's own ports.
func DefaultConfig() Config {
	return Config{
		GRPCAddress:         ":4317",
		HTTPAddress:         ":4318",
		MaxMessageBytes:     20 << 20,
		MaxRequestsInFlight: 128,
		MaxBytesInFlight:    128 << 20,
		RetryAfter:          model.Duration(time.Second),
		DrainTimeout:        model.Duration(5 * time.Second),
		MaxDeltaStreams:     100_000,
		TranslationStrategy: otlptranslator.UnderscoreEscapingWithSuffixes,
		BodyTimeout:         front.DefaultConfig().BodyTimeout,
	}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	var errs []error
	positive := func(path string, v int64) {
		if v <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be > 0, got %d", path, v))
		}
	}
	positive("max_message_bytes", int64(c.MaxMessageBytes))
	positive("max_requests_in_flight", int64(c.MaxRequestsInFlight))
	positive("max_bytes_in_flight", c.MaxBytesInFlight)
	if c.MaxBytesInFlight > 0 && int64(c.MaxMessageBytes) > c.MaxBytesInFlight {
		errs = append(errs, fmt.Errorf("max_bytes_in_flight: must be at least max_message_bytes (%d), got %d", c.MaxMessageBytes, c.MaxBytesInFlight))
	}
	if c.RetryAfter <= 0 {
		errs = append(errs, fmt.Errorf("retry_after: must be > 0, got %s", c.RetryAfter))
	}
	if c.DrainTimeout < 0 {
		errs = append(errs, fmt.Errorf("drain_timeout: must be >= 0, got %s", c.DrainTimeout))
	}
	if c.MaxDeltaStreams < 0 {
		errs = append(errs, fmt.Errorf("max_delta_streams: must be >= 0, got %d", c.MaxDeltaStreams))
	}
	switch c.TranslationStrategy {
	case otlptranslator.UnderscoreEscapingWithSuffixes, otlptranslator.UnderscoreEscapingWithoutSuffixes, otlptranslator.NoUTF8EscapingWithSuffixes, otlptranslator.NoTranslation:
	default:
		errs = append(errs, fmt.Errorf("translation_strategy: must be %s, %s, %s or %s, got %q", otlptranslator.UnderscoreEscapingWithSuffixes,
			otlptranslator.UnderscoreEscapingWithoutSuffixes, otlptranslator.NoUTF8EscapingWithSuffixes, otlptranslator.NoTranslation, c.TranslationStrategy))
	}
	return append(errs, front.CheckOrigins("cors_origins", c.CORSOrigins)...)
}
