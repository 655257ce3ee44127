// Package telemetry is the program's own logger, metric registry, tracer and
// health.
//
// It makes them and hands them out; it does not decide what is worth logging or
// tracing. Console output goes to one writer; the same log records, and the
// spans of the tracer, also flow to an EventSink (our own stores) once Feed was
// called, so that Signalbox is a service in its own UI. Feeding never blocks a
// caller: when the buffer is full, records are dropped and counted.
//
// Invariant: one hand-over to the sink a second at most, so a sink that logs
// its own failures cannot feed on itself.
// Start reading at New.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Config says how much is logged and in which form.
type Config struct {
	Level  string // debug, info, warn, error
	Format string // logfmt, json
}

// DefaultConfig logs info as logfmt.
func DefaultConfig() Config { return Config{Level: "info", Format: "logfmt"} }

// Identity is who we are in our own data.
type Identity struct {
	Version  string
	Instance string
	Region   string
	Env      string
}

// Telemetry is what every component is given a part of.
type Telemetry struct {
	Logger   *slog.Logger
	Console  *slog.Logger // as Logger, but nothing is fed to the sink: for what is of another tenant than ours
	Registry *prometheus.Registry
	Tracer   trace.TracerProvider

	feed     *feed
	provider *sdktrace.TracerProvider
}

// New makes a Telemetry that writes log lines to out.
func New(cfg Config, id Identity, out io.Writer) (*Telemetry, error) {
	console, err := ConsoleHandler(cfg, out)
	if err != nil {
		return nil, err
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo(id))
	f := newFeed(&model.Resource{
		Tenant: model.DefaultTenant, Service: "signalbox", Version: id.Version,
		Instance: id.Instance, Region: id.Region, Env: id.Env,
	}, reg)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(resource.Empty()),
		sdktrace.WithBatcher(f),
	)
	return &Telemetry{
		Logger:   slog.New(maskHandler{teeHandler{console: console, feed: f}}),
		Console:  slog.New(maskHandler{console}),
		Registry: reg,
		Tracer:   provider,
		feed:     f,
		provider: provider,
	}, nil
}

// ConsoleHandler writes log lines to out only.
func ConsoleHandler(cfg Config, out io.Writer) (slog.Handler, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		return nil, fmt.Errorf("log level %q: must be one of debug, info, warn, error", cfg.Level)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch strings.ToLower(cfg.Format) {
	case "logfmt", "":
		return slog.NewTextHandler(out, opts), nil
	case "json":
		return slog.NewJSONHandler(out, opts), nil
	}
	return nil, fmt.Errorf("log format %q: must be logfmt or json", cfg.Format)
}

func buildInfo(id Identity) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "signalbox_build_info",
		Help:        "Always 1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": id.Version},
	})
	g.Set(1)
	return g
}
