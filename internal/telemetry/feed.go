package telemetry

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/signalbox-project/signalbox/internal/model"
)

const (
	feedBuffer = 4096            // log records held while the sink is busy
	feedEvery  = time.Second     // how long a record waits for company
	feedLimit  = 5 * time.Second // how long one hand-over may take
)

// EventSink takes our own log records and spans; stream.Sink is one.
type EventSink interface {
	Logs(ctx context.Context, records []model.LogRecord) error
	Spans(ctx context.Context, spans []model.Span) error
}

// feed carries our own telemetry to our own stores.
type feed struct {
	resource *model.Resource
	logs     chan model.LogRecord
	sink     chan EventSink // holds the sink once there is one
	dropped  *prometheus.CounterVec
}

func newFeed(res *model.Resource, reg prometheus.Registerer) *feed {
	f := &feed{
		resource: res,
		logs:     make(chan model.LogRecord, feedBuffer),
		sink:     make(chan EventSink, 1),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_self_telemetry_dropped_total",
			Help: "Own log records and spans that could not be stored, by signal and reason.",
		}, []string{"signal", "reason"}),
	}
	reg.MustRegister(f.dropped)
	return f
}

// Feed hands our own logs and spans to sink until ctx is done, then delivers what is left.
// It is to be run once, after the sink started and before anything that should be seen.
func (t *Telemetry) Feed(ctx context.Context, sink EventSink) error {
	f := t.feed
	f.sink <- sink
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.deliver(ctx, sink)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), feedLimit)
			defer cancel()
			f.deliver(last, sink)
			return t.provider.ForceFlush(last)
		}
	}
}

func (f *feed) deliver(ctx context.Context, sink EventSink) {
	var batch []model.LogRecord
	for len(f.logs) > 0 && len(batch) < feedBuffer {
		batch = append(batch, <-f.logs)
	}
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, feedLimit)
	defer cancel()
	if err := sink.Logs(ctx, batch); err != nil {
		f.dropped.WithLabelValues("logs", "store").Add(float64(len(batch)))
	}
}

// ExportSpans implements sdktrace.SpanExporter.
func (f *feed) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	select {
	case sink := <-f.sink:
		f.sink <- sink
		out := make([]model.Span, len(spans))
		for i, s := range spans {
			out[i] = f.span(s)
		}
		if err := sink.Spans(ctx, out); err != nil {
			f.dropped.WithLabelValues("spans", "store").Add(float64(len(spans)))
		}
	default:
		f.dropped.WithLabelValues("spans", "not_started").Add(float64(len(spans)))
	}
	return nil
}

// Shutdown implements sdktrace.SpanExporter.
func (f *feed) Shutdown(context.Context) error { return nil }

func (f *feed) span(s sdktrace.ReadOnlySpan) model.Span {
	out := model.Span{
		TraceID:       model.TraceID(s.SpanContext().TraceID()),
		SpanID:        model.SpanID(s.SpanContext().SpanID()),
		ParentID:      model.SpanID(s.Parent().SpanID()),
		Name:          s.Name(),
		Kind:          model.SpanKind(s.SpanKind()),
		Start:         s.StartTime().UnixNano(),
		Duration:      max(0, s.EndTime().Sub(s.StartTime()).Nanoseconds()),
		Status:        spanStatus(s.Status()),
		StatusMessage: s.Status().Description,
		Scope:         s.InstrumentationScope().Name,
		Resource:      f.resource,
	}
	for _, kv := range s.Attributes() {
		out.Attrs = append(out.Attrs, model.Attr{Key: string(kv.Key), Value: attrValue(kv.Value)})
	}
	for _, e := range s.Events() {
		ev := model.SpanEvent{Time: e.Time.UnixNano(), Name: e.Name}
		for _, kv := range e.Attributes {
			ev.Attrs = append(ev.Attrs, model.Attr{Key: string(kv.Key), Value: attrValue(kv.Value)})
		}
		out.Events = append(out.Events, ev)
	}
	return out
}

// take queues a log record unless the context says that the feed itself caused it.
func (f *feed) take(ctx context.Context, r slog.Record, attrs []slog.Attr, group string) {
	sc := trace.SpanContextFromContext(ctx)
	rec := model.LogRecord{
		Time: r.Time.UnixNano(), Level: levelOf(r.Level), Message: r.Message,
		TraceID: model.TraceID(sc.TraceID()), SpanID: model.SpanID(sc.SpanID()), Resource: f.resource,
	}
	for _, a := range attrs {
		rec.Attrs = appendAttr(rec.Attrs, "", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		rec.Attrs = appendAttr(rec.Attrs, group, a)
		return true
	})
	select {
	case f.logs <- rec:
	default:
		f.dropped.WithLabelValues("logs", "buffer_full").Inc()
	}
}
