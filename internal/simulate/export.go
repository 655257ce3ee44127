package simulate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// exporters is where every instance's telemetry goes. All instances share one
// connection: they are one process here.
type exporters struct {
	spans   sdktrace.SpanExporter
	metrics sdkmetric.Exporter
	logs    sdklog.Exporter
	close   func() error
}

// dial prepares the OTLP/gRPC exporters; nothing connects yet.
func dial(ctx context.Context, endpoint string) (exporters, error) {
	creds := insecure.NewCredentials()
	target := strings.TrimPrefix(endpoint, "http://")
	if rest, secure := strings.CutPrefix(endpoint, "https://"); secure {
		target, creds = rest, credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(creds))
	if err != nil {
		return exporters{}, fmt.Errorf("OTLP endpoint %q: %w", endpoint, err)
	}
	retry := struct{ initial, most, elapsed time.Duration }{time.Second, 5 * time.Second, 30 * time.Second}
	spans, err1 := otlptracegrpc.New(ctx, otlptracegrpc.WithGRPCConn(conn), otlptracegrpc.WithTimeout(exportTimeout),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, InitialInterval: retry.initial, MaxInterval: retry.most, MaxElapsedTime: retry.elapsed}))
	metrics, err2 := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithGRPCConn(conn), otlpmetricgrpc.WithTimeout(exportTimeout),
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{Enabled: true, InitialInterval: retry.initial, MaxInterval: retry.most, MaxElapsedTime: retry.elapsed}))
	logs, err3 := otlploggrpc.New(ctx, otlploggrpc.WithGRPCConn(conn), otlploggrpc.WithTimeout(exportTimeout),
		otlploggrpc.WithRetry(otlploggrpc.RetryConfig{Enabled: true, InitialInterval: retry.initial, MaxInterval: retry.most, MaxElapsedTime: retry.elapsed}))
	if err := errors.Join(err1, err2, err3); err != nil {
		return exporters{}, errors.Join(fmt.Errorf("OTLP exporters for %q: %w", endpoint, err), conn.Close())
	}
	return exporters{spans: spans, metrics: metrics, logs: logs, close: conn.Close}, nil
}

// exportTimeout bounds one export with its retries, and thereby the shutdown.
const exportTimeout = 8 * time.Second

// Stats counts what was sent. Failed records are gone: exporters retry for a
// few seconds, as those of any OpenTelemetry SDK do, then give up.
type Stats struct {
	Requests                              uint64 // root requests simulated
	Skipped                               uint64 // requests not simulated because the machine was too slow
	Spans, Points, Logs                   uint64 // delivered
	FailedSpans, FailedPoints, FailedLogs uint64
	LastError                             string // of the newest failed export; "" after a success
}

// tally counts deliveries of the instances' exporters.
type tally struct {
	requests, skipped                     atomic.Uint64
	spans, points, logs                   atomic.Uint64
	failedSpans, failedPoints, failedLogs atomic.Uint64

	mu   sync.Mutex
	last string
}

func (t *tally) done(ok, failed *atomic.Uint64, n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		failed.Add(uint64(n))
		t.last = err.Error()
		return
	}
	ok.Add(uint64(n))
	t.last = ""
}

func (t *tally) stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Stats{
		Requests: t.requests.Load(), Skipped: t.skipped.Load(),
		Spans: t.spans.Load(), Points: t.points.Load(), Logs: t.logs.Load(),
		FailedSpans: t.failedSpans.Load(), FailedPoints: t.failedPoints.Load(), FailedLogs: t.failedLogs.Load(),
		LastError: t.last,
	}
}

// The three wrappers below count, and keep one instance's shutdown from
// closing what the others share. They report no error to the SDK, which would
// print each one to the process's standard error.

type countedSpans struct {
	sdktrace.SpanExporter
	tally *tally
}

func (e countedSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	e.tally.done(&e.tally.spans, &e.tally.failedSpans, len(spans), err)
	return nil
}

func (e countedSpans) Shutdown(context.Context) error { return nil }

type countedMetrics struct {
	sdkmetric.Exporter
	tally *tally
}

func (e countedMetrics) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	n := 0
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			n += points(m.Data)
		}
	}
	err := e.Exporter.Export(ctx, rm)
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil // the reader is shutting down: it exports these cumulative points once more
	}
	e.tally.done(&e.tally.points, &e.tally.failedPoints, n, err)
	return nil
}

func (e countedMetrics) Shutdown(context.Context) error   { return nil }
func (e countedMetrics) ForceFlush(context.Context) error { return nil }

func points(data metricdata.Aggregation) int {
	switch d := data.(type) {
	case metricdata.Histogram[float64]:
		return len(d.DataPoints)
	case metricdata.Sum[int64]:
		return len(d.DataPoints)
	case metricdata.Gauge[int64]:
		return len(d.DataPoints)
	case metricdata.Gauge[float64]:
		return len(d.DataPoints)
	}
	return 0
}

type countedLogs struct {
	sdklog.Exporter
	tally *tally
}

func (e countedLogs) Export(ctx context.Context, records []sdklog.Record) error {
	err := e.Exporter.Export(ctx, records)
	e.tally.done(&e.tally.logs, &e.tally.failedLogs, len(records), err)
	return nil
}

func (e countedLogs) Shutdown(context.Context) error   { return nil }
func (e countedLogs) ForceFlush(context.Context) error { return nil }
