// Package instrument is what every constructor does with the logger and the registry it is given.
//
// It does: take a logger or none, register metrics or none. It does not: decide what is logged
// or measured, or where to; that is the rooms' and internal/telemetry's.
// Start at Logger and Register.
package instrument

import (
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

// Logger is the logger given, or one that stays silent for nil.
func Logger(log *slog.Logger) *slog.Logger {
	if log == nil {
		return Silent()
	}
	return log
}

// Silent is a logger for libraries that insist on one and whose errors are returned all the same.
func Silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Register registers the metrics of the part that what names, none at a nil registerer. The first
// that cannot be registered ends it: two parts of one name are a mistake of who builds them.
func Register(reg prometheus.Registerer, what string, metrics ...prometheus.Collector) error {
	if reg == nil {
		return nil
	}
	for _, m := range metrics {
		if err := reg.Register(m); err != nil {
			return fmt.Errorf("register %s metrics: %w", what, err)
		}
	}
	return nil
}
