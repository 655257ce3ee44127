package otlp

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otellog "go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/signalbox-project/signalbox/internal/model"
)

func sdkResource() *resource.Resource {
	return resource.NewSchemaless(
		attribute.String("service.name", "edge"), attribute.String("service.namespace", "shop"),
		attribute.String("deployment.environment.name", "prod"), attribute.String("cloud.region", "eu-1"),
		attribute.String("service.version", "2.4.1"), attribute.String("service.instance.id", "edge-0"),
		attribute.String("host.name", "h1"))
}

func wantResource(tenant string) *model.Resource {
	return &model.Resource{
		Tenant: tenant, Service: "edge", Namespace: "shop", Env: "prod", Region: "eu-1", Version: "2.4.1", Instance: "edge-0",
		Attrs: model.Attrs{{Key: "host.name", Value: model.StringValue("h1")}},
	}
}

func valueComparer() cmp.Option {
	return cmp.Comparer(func(a, b model.Value) bool { return a == b })
}

func TestTracesOfTheGoSDKArriveWhole(t *testing.T) {
	for _, protocol := range []string{"grpc", "http on its own port", "http on the web port"} {
		t.Run(protocol, func(t *testing.T) {
			tb := start(t, nil)
			var exp sdktrace.SpanExporter
			var err error
			switch protocol {
			case "grpc":
				exp, err = otlptracegrpc.New(t.Context(), otlptracegrpc.WithInsecure(), otlptracegrpc.WithEndpoint(tb.GRPCAddr().String()),
					otlptracegrpc.WithCompressor("gzip"), otlptracegrpc.WithHeaders(map[string]string{"x-scope-orgid": "acme"}))
			case "http on its own port":
				exp, err = otlptracehttp.New(t.Context(), otlptracehttp.WithInsecure(), otlptracehttp.WithEndpoint(tb.HTTPAddr().String()),
					otlptracehttp.WithCompression(otlptracehttp.GzipCompression), otlptracehttp.WithHeaders(map[string]string{"X-Scope-OrgID": "acme"}))
			default:
				exp, err = otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(tb.web.URL+"/v1/traces"), otlptracehttp.WithHeaders(map[string]string{"X-Scope-OrgID": "acme"}))
			}
			if err != nil {
				t.Fatal(err)
			}
			provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exp), sdktrace.WithResource(sdkResource()))
			begin := time.Unix(1_790_000_000, 5)
			linked := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{9}, SpanID: trace.SpanID{8}, TraceFlags: trace.FlagsSampled})
			_, span := provider.Tracer("lib", trace.WithInstrumentationVersion("1.2")).Start(context.Background(), "GET /x",
				trace.WithTimestamp(begin), trace.WithSpanKind(trace.SpanKindServer),
				trace.WithLinks(trace.Link{SpanContext: linked, Attributes: []attribute.KeyValue{attribute.Int("n", 1)}}),
				trace.WithAttributes(attribute.String("http.route", "/x"), attribute.Int64Slice("list", []int64{1, 2}), attribute.Float64("f", 1.5), attribute.Bool("b", true)))
			span.AddEvent("retry", trace.WithTimestamp(begin.Add(time.Millisecond)), trace.WithAttributes(attribute.Int("try", 2)))
			span.SetStatus(codes.Error, "boom")
			span.End(trace.WithTimestamp(begin.Add(7 * time.Millisecond)))
			if err := provider.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := []model.Span{{
				TraceID: model.TraceID(span.SpanContext().TraceID()), SpanID: model.SpanID(span.SpanContext().SpanID()),
				Name: "GET /x", Kind: model.SpanKindServer, Start: begin.UnixNano(), Duration: 7_000_000,
				Status: model.StatusError, StatusMessage: "boom", Scope: "lib", Resource: wantResource("acme"),
				Attrs: model.Attrs{
					{Key: "otel.scope.version", Value: model.StringValue("1.2")},
					{Key: "http.route", Value: model.StringValue("/x")},
					{Key: "list", Value: model.JSONValue("[1,2]")},
					{Key: "f", Value: model.FloatValue(1.5)},
					{Key: "b", Value: model.BoolValue(true)},
				},
				Events: []model.SpanEvent{{Time: begin.UnixNano() + 1e6, Name: "retry", Attrs: model.Attrs{{Key: "try", Value: model.IntValue(2)}}}},
				Links:  []model.SpanLink{{TraceID: model.TraceID{9}, SpanID: model.SpanID{8}, Attrs: model.Attrs{{Key: "n", Value: model.IntValue(1)}}}},
			}}
			if diff := cmp.Diff(want, tb.spans, valueComparer()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLogsOfTheGoSDKArriveWhole(t *testing.T) {
	tb := start(t, nil)
	exp, err := otlploggrpc.New(t.Context(), otlploggrpc.WithInsecure(), otlploggrpc.WithEndpoint(tb.GRPCAddr().String()))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewSimpleProcessor(exp)), sdklog.WithResource(sdkResource()))
	ctx := trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}}))
	var rec otellog.Record
	rec.SetTimestamp(time.Unix(1_790_000_000, 7))
	rec.SetSeverity(otellog.SeverityWarn2)
	rec.SetBody(attribute.StringValue("disk is slow"))
	rec.AddAttributes(attribute.String("request_id", "r-1"), attribute.Int("disk", 3))
	provider.Logger("app.disk").Emit(ctx, rec)
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []model.LogRecord{{
		Time: time.Unix(1_790_000_000, 7).UnixNano(), Level: model.LevelWarn, TraceID: model.TraceID{1}, SpanID: model.SpanID{2},
		RequestID: "r-1", Message: "disk is slow", Resource: wantResource("default"),
		Attrs: model.Attrs{{Key: "otel.scope.name", Value: model.StringValue("app.disk")}, {Key: "disk", Value: model.IntValue(3)}},
	}}
	if diff := cmp.Diff(want, tb.logs, valueComparer()); diff != "" {
		t.Error(diff)
	}
}

func TestMetricsOfTheGoSDKBecomePrometheusSeries(t *testing.T) {
	for _, temporality := range []metricdata.Temporality{metricdata.CumulativeTemporality, metricdata.DeltaTemporality} {
		t.Run(temporality.String(), func(t *testing.T) {
			tb := start(t, nil)
			exp, err := otlpmetricgrpc.New(t.Context(), otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithEndpoint(tb.GRPCAddr().String()),
				otlpmetricgrpc.WithTemporalitySelector(func(sdkmetric.InstrumentKind) metricdata.Temporality { return temporality }))
			if err != nil {
				t.Fatal(err)
			}
			exponential := sdkmetric.NewView(sdkmetric.Instrument{Name: "native"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}})
			provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exp)), sdkmetric.WithResource(sdkResource()), sdkmetric.WithView(exponential))
			meter := provider.Meter("m")
			count, _ := meter.Int64Counter("orders", metric.WithUnit("{order}"))
			seconds, _ := meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.1, 1))
			native, _ := meter.Float64Histogram("native")
			queue, _ := meter.Int64Gauge("queue.length")
			traced := trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled}))
			for range 2 { // two exports: deltas must add up
				count.Add(traced, 2, metric.WithAttributes(attribute.String("kind", "new")))
				seconds.Record(traced, 0.5)
				native.Record(traced, 0.5)
				queue.Record(traced, 7)
				if err := provider.ForceFlush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if err := provider.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := tb.series(t)
			identity := `env="prod", instance="edge-0", job="shop/edge", %namespace="shop", otel_scope_name="m", region="eu-1", service="edge", version="2.4.1"`
			for name, want := range map[string]float64{
				`{__name__="orders_total", ` + strings.Replace(identity, "%", `kind="new", `, 1) + `}`:                              4,
				`{__name__="http_server_request_duration_seconds_count", ` + strings.Replace(identity, "%", "", 1) + `}`:            2,
				`{__name__="http_server_request_duration_seconds_sum", ` + strings.Replace(identity, "%", "", 1) + `}`:              1,
				`{__name__="http_server_request_duration_seconds_bucket", ` + strings.Replace(identity, "%", `le="1", `, 1) + `}`:   2,
				`{__name__="http_server_request_duration_seconds_bucket", ` + strings.Replace(identity, "%", `le="0.1", `, 1) + `}`: 0,
				`{__name__="native", ` + strings.Replace(identity, "%", "", 1) + `}`:                                                2,
				`{__name__="queue_length", ` + strings.Replace(identity, "%", "", 1) + `}`:                                          7,
			} {
				points := got[name]
				if len(points) == 0 {
					t.Errorf("no series %s among %d", name, len(got))
					continue
				}
				if v := points[len(points)-1].v; v != want {
					t.Errorf("%s = %v, want %v", name, v, want)
				}
			}
			eq, err := tb.db.ExemplarQuerier(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ex, err := eq.Select(0, time.Now().Add(time.Hour).UnixMilli(), anySeries())
			if err != nil || len(ex) == 0 {
				t.Fatalf("exemplars = %v, %v", ex, err)
			}
			if id := ex[0].Exemplars[0].Labels.Get("trace_id"); id != (model.TraceID{1}).String() {
				t.Errorf("exemplar's trace = %q", id)
			}
		})
	}
}

func TestLogClientOfPdataSpeaksToTheServer(t *testing.T) {
	tb := start(t, nil)
	resp, err := plogotlp.NewGRPCClient(tb.dial(t)).Export(t.Context(), plogotlp.NewExportRequest())
	if err != nil || resp.PartialSuccess().RejectedLogRecords() != 0 {
		t.Errorf("an empty request must be answered with success, got %v", err)
	}
}
