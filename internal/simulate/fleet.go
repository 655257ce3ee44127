package simulate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const scopeName = "github.com/signalbox-project/broker"

type instanceKey struct{ service, region, version string }

// instance is one running copy of a service: its own resource and its own
// tracer, meter and logger provider, as a process of its own would have.
type instance struct {
	key    instanceKey
	id     string
	tracer trace.Tracer
	logs   slog.Handler

	serverDuration, clientDuration, deployTime metric.Float64Histogram
	messages, opened                           metric.Int64Counter

	sets      map[string]metric.MeasurementOption // attribute sets by their key
	load      *load
	flushLogs func(context.Context) error
	shutdown  []func(context.Context) error
}

// fleet makes instances when they are first needed. It is used by one
// goroutine; only the gauges' callbacks run on others.
type fleet struct {
	cfg       Config
	tally     *tally
	exporters exporters
	ids       *idGenerator
	gauges    *gauges // nil: traces and logs only, and none is dropped for want of room
	start     time.Time
	instances map[instanceKey]*instance
}

func newFleet(cfg Config, exp exporters, t *tally, g *gauges, start time.Time) *fleet {
	return &fleet{
		cfg: cfg, tally: t, exporters: exp, ids: newIDGenerator(cfg.Seed, start), gauges: g, start: start,
		instances: map[instanceKey]*instance{},
	}
}

func (f *fleet) get(service, region, version string) (*instance, error) {
	key := instanceKey{service, region, version}
	if in := f.instances[key]; in != nil {
		return in, nil
	}
	in, err := f.launch(key)
	if err != nil {
		return nil, fmt.Errorf("instance of %s %s in %s: %w", service, version, region, err)
	}
	f.instances[key] = in
	return in, nil
}

func (f *fleet) launch(key instanceKey) (*instance, error) {
	in := &instance{
		key: key, id: fmt.Sprintf("%s-%s-%s-%x", key.service, key.region, key.version, f.start.Unix()&0xfffff),
		sets: map[string]metric.MeasurementOption{}, load: &load{},
	}
	res := resource.NewSchemaless(
		attribute.String("service.name", key.service),
		attribute.String("service.namespace", Namespace),
		attribute.String("service.version", key.version),
		attribute.String("service.instance.id", in.id),
		attribute.String("deployment.environment.name", Environment),
		attribute.String("cloud.region", key.region),
		attribute.String("telemetry.sdk.language", "go"),
		attribute.String("telemetry.sdk.name", "opentelemetry"),
	)
	batching := []sdktrace.BatchSpanProcessorOption{sdktrace.WithBatchTimeout(f.cfg.FlushEvery)}
	if f.gauges == nil {
		batching = append(batching, sdktrace.WithBlocking())
	}
	tp := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithIDGenerator(f.ids),
		sdktrace.WithBatcher(countedSpans{f.exporters.spans, f.tally}, batching...))
	lp := sdklog.NewLoggerProvider(sdklog.WithResource(res),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(countedLogs{f.exporters.logs, f.tally}, sdklog.WithExportInterval(f.cfg.FlushEvery))))
	in.tracer = tp.Tracer(scopeName)
	in.logs = otelslog.NewHandler(scopeName, otelslog.WithLoggerProvider(lp))
	in.shutdown = []func(context.Context) error{tp.Shutdown, lp.Shutdown}
	in.flushLogs = lp.ForceFlush
	if f.gauges == nil {
		return in, nil
	}
	mp := sdkmetric.NewMeterProvider(sdkmetric.WithResource(res),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(countedMetrics{f.exporters.metrics, f.tally}, sdkmetric.WithInterval(f.cfg.MetricsEvery))))
	in.shutdown = append(in.shutdown, mp.Shutdown)
	return in, in.instruments(mp.Meter(scopeName), f.gauges)
}

func (in *instance) instruments(m metric.Meter, g *gauges) error {
	var errs [5]error
	in.serverDuration, errs[0] = m.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP server requests."), metric.WithExplicitBucketBoundaries(ServerBounds()...))
	in.clientDuration, errs[1] = m.Float64Histogram("http.client.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP client requests."), metric.WithExplicitBucketBoundaries(clientBounds()...))
	in.messages, errs[2] = m.Int64Counter("messaging.client.consumed.messages", metric.WithUnit("{message}"),
		metric.WithDescription("Messages delivered to the application."))
	in.opened, errs[3] = m.Int64Counter("broker.layouts.opened", metric.WithUnit("{layout}"),
		metric.WithDescription("Layouts opened by brokers, by customer."))
	in.deployTime, errs[4] = m.Float64Histogram("layout.deployment.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from the request to the layout on every desktop."), metric.WithExplicitBucketBoundaries(DeploymentBounds()...))
	return errors.Join(append(errs[:], g.register(m, in))...)
}

// set is the attribute set of a measurement, made once per instance and key.
func (in *instance) set(key string, attrs func() []attribute.KeyValue) metric.MeasurementOption {
	s := in.sets[key]
	if s == nil {
		s = metric.WithAttributeSet(attribute.NewSet(attrs()...))
		in.sets[key] = s
	}
	return s
}

// stop flushes and ends the instances for which gone is true; nil is all.
func (f *fleet) stop(ctx context.Context, gone func(instanceKey) bool) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for key, in := range f.instances {
		if gone != nil && !gone(key) {
			continue
		}
		delete(f.instances, key)
		for _, shutdown := range in.shutdown {
			wg.Go(func() {
				if err := shutdown(ctx); err != nil {
					mu.Lock()
					errs = append(errs, fmt.Errorf("flush %s: %w", in.id, err))
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// idGenerator makes ids that repeat with the seed and the start time, so that
// two runs of one seed on one store do not share trace ids.
type idGenerator struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newIDGenerator(seed uint64, start time.Time) *idGenerator {
	return &idGenerator{rng: rand.New(rand.NewPCG(seed, uint64(start.UnixNano())))}
}

func (g *idGenerator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var id trace.TraceID
	binary.BigEndian.PutUint64(id[:8], g.rng.Uint64())
	binary.BigEndian.PutUint64(id[8:], g.rng.Uint64()|1)
	return id, g.span()
}

func (g *idGenerator) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.span()
}

func (g *idGenerator) span() trace.SpanID {
	var id trace.SpanID
	binary.BigEndian.PutUint64(id[:], g.rng.Uint64()|1)
	return id
}
