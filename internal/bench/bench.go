// Package bench is the load generator: how much one server takes in of each
// signal, what that costs it in CPU, memory and disk, and whether everything
// that it acknowledged can be queried.
//
// It measures ingestion only, and only what the peers' figures were measured
// with: remote write of Kubernetes-like series, OTLP spans of 371 bytes, OTLP
// logs of 366 bytes. All requests are encoded before the clock starts, so the
// generator takes little from the server that shares its machine.
//
// Data in: a base URL and, for CPU, memory and disk, a process id and a
// data folder. Data out: a Report, as a table or as JSON. Counts and time are bounded,
// and only a loopback address is accepted unless asked otherwise.
//
// Start reading at Run, then workload.go.
package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/platform/loopback"
)

// Config says what is sent where.
type Config struct {
	BaseURL     string        // of the web port, for example http://127.0.0.1:4300
	PID         int           // of the server; 0: the process that listens on the URL's port, if it can be found
	DataDir     string        // of the server; "": no disk figures
	Signals     []string      // of metrics, spans, logs
	Series      int           // active series
	Samples     int           // besides the first one of each series
	Spans, Logs int           // how many of each
	PerRequest  int           // samples in a request
	BatchSize   int           // spans or log lines in a request
	Connections int           // requests in flight
	Settle      time.Duration // wait after the last request before CPU and disk are read again
	Timeout     time.Duration // of everything
	AllowRemote bool          // accept an address that is not loopback
	Seed        uint64
}

// DefaultConfig takes about a minute on two cores.
func DefaultConfig() Config {
	return Config{
		BaseURL: "http://127.0.0.1:4300", Signals: Signals(), Series: 100_000, Samples: 4_000_000, Spans: 500_000, Logs: 500_000,
		PerRequest: 5000, BatchSize: 1000, Connections: 2, Settle: 5 * time.Second, Timeout: 15 * time.Minute, Seed: 1,
	}
}

// Signals lists what can be measured.
func Signals() []string { return []string{"metrics", "spans", "logs"} }

// Bounds of a run: all requests of one signal are held in memory.
const (
	maxUnits = 50_000_000
	minUnits = 1000
)

// Validate returns every problem, each beginning with the field's flag name.
func (c Config) Validate() []error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	u, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		bad("server: must be an http or https URL, got %q", c.BaseURL)
	case !c.AllowRemote && !loopback.Host(u.Hostname()):
		bad("server: %s is not this machine; a benchmark of another takes --allow-remote", u.Hostname())
	}
	for _, s := range c.Signals {
		if !slices.Contains(Signals(), s) {
			bad("signals: must be of %s, got %q", strings.Join(Signals(), ", "), s)
		}
	}
	for _, f := range []struct {
		name        string
		v, min, max int
	}{
		{"series", c.Series, 1, 5_000_000},
		{"samples", c.Samples, minUnits, maxUnits},
		{"spans", c.Spans, minUnits, maxUnits},
		{"logs", c.Logs, minUnits, maxUnits},
		{"per-request", c.PerRequest, 1, 100_000},
		{"batch-size", c.BatchSize, 10, 100_000},
		{"connections", c.Connections, 1, 256},
	} {
		if f.v < f.min || f.v > f.max {
			bad("%s: must be from %d to %d, got %d", f.name, f.min, f.max, f.v)
		}
	}
	if c.Timeout <= 0 || c.Settle < 0 {
		bad("timeout, settle: must be > 0 and >= 0, got %s and %s", c.Timeout, c.Settle)
	}
	return problems
}

// Deps are what a run needs from its surroundings.
type Deps struct {
	Logger *slog.Logger
}

// Run measures the signals one after the other. The report holds what was
// measured even when an error ends the run early.
func Run(ctx context.Context, cfg Config, deps Deps) (*Report, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, err
	}
	deps.Logger = instrument.Logger(deps.Logger)
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	if cfg.PID == 0 {
		cfg.PID = listener(cfg.BaseURL)
	}
	r := &Report{URL: cfg.BaseURL, PID: cfg.PID, Started: time.Now(), Run: fmt.Sprintf("bench-%x", time.Now().UnixMilli()&0xffffffffff)}
	b := &benchmark{cfg: cfg, log: deps.Logger, report: r, client: newHTTPClient(cfg.Connections)}
	defer b.client.CloseIdleConnections()
	for _, signal := range cfg.Signals {
		if err := b.measure(ctx, signal); err != nil {
			return r, fmt.Errorf("%s: %w", signal, err)
		}
	}
	return r, nil
}
