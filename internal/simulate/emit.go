package simulate

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// message waits in a queue for its consumer.
type message struct {
	span      trace.SpanContext // of the producer
	sent      time.Time
	tenant    string
	requestID string
}

// emission writes one plan's telemetry through the instances' SDKs.
type emission struct {
	fleet     *fleet
	base      time.Time // where the plan's time 0 lies
	tenant    string
	user      string
	requestID string
	publish   func(region, queue string, m message) // nil: messages go nowhere
}

// span writes o and everything below it, parents first, each with the times
// of the plan rather than those of the clock.
func (e emission) span(ctx context.Context, o *op, links ...trace.Link) error {
	in, err := e.fleet.get(o.service, o.region, o.version)
	if err != nil {
		return err
	}
	if parent := trace.SpanContextFromContext(ctx); o.kind == trace.SpanKindServer && parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent.WithRemote(true))
	}
	ctx, span := in.tracer.Start(ctx, o.name, trace.WithSpanKind(o.kind), trace.WithTimestamp(e.base.Add(o.start)),
		trace.WithAttributes(e.attributes(o)...), trace.WithLinks(links...))
	for _, c := range o.children {
		if err := e.span(ctx, c); err != nil {
			return err
		}
	}
	if o.failed() {
		span.SetStatus(codes.Error, o.message)
		if o.kind == trace.SpanKindServer || o.kind == trace.SpanKindConsumer {
			span.AddEvent("exception", trace.WithTimestamp(e.base.Add(o.end())), trace.WithAttributes(
				attribute.String("exception.type", "broker.Error"), attribute.String("exception.message", o.message)))
		}
	}
	span.End(trace.WithTimestamp(e.base.Add(o.end())))
	if o.kind == trace.SpanKindProducer && e.publish != nil {
		e.publish(o.region, o.queue, message{span: span.SpanContext(), sent: e.base.Add(o.end()), tenant: e.tenant, requestID: e.requestID})
	}
	if e.fleet.gauges != nil {
		e.measure(ctx, in, o)
	}
	e.log(ctx, in, o)
	return nil
}

// consumed writes what a consumer does with a message. It goes on in the producer's trace, so that one trace id leads from
// the broker's action to its end, and links to the producer as messaging conventions ask.
func (e emission) consumed(ctx context.Context, o *op, m message) error {
	parent := trace.ContextWithRemoteSpanContext(ctx, m.span.WithRemote(true))
	return e.span(parent, o, trace.Link{SpanContext: m.span})
}

// attributes calls the customer so: a filter's field tenant is that of the request to the server.
func (e emission) attributes(o *op) []attribute.KeyValue {
	as := make([]attribute.KeyValue, 0, 12)
	as = append(as, attribute.String("region", o.region), attribute.String("customer", e.tenant))
	if o.method != "" {
		as = append(as, attribute.String("http.request.method", o.method))
	}
	if o.status != 0 {
		as = append(as, attribute.Int("http.response.status_code", o.status))
	}
	if o.failure != "" {
		as = append(as, attribute.String("error.type", o.failure), attribute.String("error.code", o.failure))
	}
	switch o.kind {
	case trace.SpanKindServer:
		as = append(as, attribute.String("http.route", o.route), attribute.String("request_id", e.requestID),
			attribute.Float64("latency_ms", float64(o.duration.Microseconds())/1000))
	case trace.SpanKindClient:
		as = append(as, attribute.String("server.address", o.peer))
		if o.database != "" {
			as = append(as, attribute.String("db.system.name", "postgresql"), attribute.String("db.namespace", o.database),
				attribute.String("db.operation.name", "SELECT"))
		}
		if o.resend > 0 {
			as = append(as, attribute.Int("http.request.resend_count", o.resend))
		}
		if o.poolWait > 0 {
			as = append(as, attribute.Float64("pool.wait_ms", float64(o.poolWait.Microseconds())/1000))
		}
	case trace.SpanKindProducer, trace.SpanKindConsumer:
		operation := map[trace.SpanKind]string{trace.SpanKindProducer: "send", trace.SpanKindConsumer: "process"}[o.kind]
		as = append(as, attribute.String("messaging.system", "aws_sqs"), attribute.String("messaging.destination.name", o.queue),
			attribute.String("messaging.operation.type", operation), attribute.String("sqs.queue", o.queue))
	}
	return as
}

// measure records the metrics of a finished span; ctx carries it, so the
// histograms keep it as exemplar.
func (e emission) measure(ctx context.Context, in *instance, o *op) {
	seconds := o.duration.Seconds()
	switch {
	case o.kind == trace.SpanKindServer:
		in.load.requests.Add(1)
		in.serverDuration.Record(ctx, seconds, in.set("s "+o.name+strconv.Itoa(o.status), func() []attribute.KeyValue {
			as := []attribute.KeyValue{
				attribute.String("http.request.method", o.method), attribute.String("http.route", o.route),
				attribute.Int("http.response.status_code", o.status), attribute.String("url.scheme", "https"),
			}
			if o.status >= 500 {
				as = append(as, attribute.String("error.type", o.failure))
			}
			return as
		}))
		if o.service == Edge && o.route == "/layouts/{id}" && o.status < 400 {
			in.opened.Add(ctx, 1, in.set("o "+e.tenant, func() []attribute.KeyValue {
				return []attribute.KeyValue{attribute.String("customer", e.tenant)}
			}))
		}
	case o.kind == trace.SpanKindClient && o.database == "":
		in.clientDuration.Record(ctx, seconds, in.set("c "+o.peer+o.method+o.failure, func() []attribute.KeyValue {
			as := []attribute.KeyValue{attribute.String("http.request.method", o.method), attribute.String("server.address", o.peer)}
			if o.failure != "" {
				as = append(as, attribute.String("error.type", o.failure))
			}
			return as
		}))
	case o.kind == trace.SpanKindConsumer:
		in.load.requests.Add(1)
		in.messages.Add(ctx, 1, in.set("m "+o.queue+o.failure, func() []attribute.KeyValue {
			as := []attribute.KeyValue{attribute.String("messaging.destination.name", o.queue)}
			if o.failure != "" {
				as = append(as, attribute.String("error.type", o.failure))
			}
			return as
		}))
	}
}

// deployed records how long a layout deployment took, queue and all.
func (e emission) deployed(ctx context.Context, o *op, took time.Duration) error {
	in, err := e.fleet.get(o.service, o.region, o.version)
	if err != nil {
		return err
	}
	in.deployTime.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("outcome", outcome(took))))
	return nil
}

func outcome(took time.Duration) string {
	if took > DeploymentDeadline {
		return "late"
	}
	return "in_time"
}

// log writes what the service's own logger would: each request at the front
// door, each failure anywhere, and what the consumers did.
func (e emission) log(ctx context.Context, in *instance, o *op) {
	at := e.base.Add(o.end())
	took := slog.Float64("duration_ms", float64(o.duration.Microseconds())/1000)
	switch {
	case o.kind == trace.SpanKindClient && o.failed() && o.database == "":
		e.line(ctx, in, at, slog.LevelWarn, "call to "+o.peer+" failed: "+o.failureText(),
			slog.String("peer", o.peer), slog.Int("attempt", o.resend+1), took)
	case o.kind == trace.SpanKindServer && o.failed():
		e.line(ctx, in, at, slog.LevelError, o.message,
			slog.String("http.route", o.route), slog.Int("http.response.status_code", o.status), slog.String("error.code", o.failure), took)
	case o.kind == trace.SpanKindServer && o.degraded:
		e.line(ctx, in, at, slog.LevelWarn, "answered from the cache, a dependency is down",
			slog.String("http.route", o.route), slog.Int("http.response.status_code", o.status), took)
	case o.kind == trace.SpanKindServer && o.status == 403:
		e.line(ctx, in, at, slog.LevelWarn, "access denied", slog.String("http.route", o.route), slog.String("user", e.user))
	case o.kind == trace.SpanKindServer && o.service == Edge:
		e.line(ctx, in, at, slog.LevelInfo, fmt.Sprintf("%s %s %d", o.method, o.route, o.status),
			slog.String("http.route", o.route), slog.Int("http.response.status_code", o.status), slog.String("user", e.user), took)
	case o.kind == trace.SpanKindServer && o.method != "GET" && o.service != AccessControl:
		e.line(ctx, in, at, slog.LevelInfo, "stored", slog.String("http.route", o.route), slog.String("user", e.user), took)
	case o.kind == trace.SpanKindConsumer && o.failed():
		e.line(ctx, in, at, slog.LevelError, "message not processed: "+o.message, slog.String("sqs.queue", o.queue), took)
	case o.kind == trace.SpanKindConsumer:
		e.line(ctx, in, at, slog.LevelInfo, "message processed", slog.String("sqs.queue", o.queue), took)
	}
}

func (e emission) line(ctx context.Context, in *instance, at time.Time, level slog.Level, text string, attrs ...slog.Attr) {
	r := slog.NewRecord(at, level, text, 0)
	r.AddAttrs(slog.String("customer", e.tenant), slog.String("request_id", e.requestID))
	r.AddAttrs(attrs...)
	// The bridge's handler only hands over to the batch processor: it cannot fail.
	_ = in.logs.Handle(ctx, r)
}
