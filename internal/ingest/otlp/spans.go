package otlp

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// reasonTenant is why records of an impossible tenant are refused.
const reasonTenant = "bad_tenant"

// spanBatch is what a trace request holds.
type spanBatch struct {
	spans    []model.Span
	refused  []stream.Refusal
	negative int // durations below zero that were set to zero
}

// spansOf converts a request.
func spansOf(td ptrace.Traces, headerTenant string) spanBatch {
	b := spanBatch{spans: make([]model.Span, 0, td.SpanCount())}
	for _, rs := range td.ResourceSpans().All() {
		res, err := resourceOf(rs.Resource(), headerTenant)
		for _, ss := range rs.ScopeSpans().All() {
			if err != nil {
				b.refused = addRefusal(b.refused, reasonTenant, err.Error(), ss.Spans().Len())
				continue
			}
			for _, s := range ss.Spans().All() {
				b.add(s, ss.Scope(), res)
			}
		}
	}
	return b
}

func (b *spanBatch) add(s ptrace.Span, scope pcommon.InstrumentationScope, res *model.Resource) {
	start, end := nanos(s.StartTimestamp()), nanos(s.EndTimestamp())
	if start == 0 {
		start = end // a duration since 1970 would be nobody's latency
	}
	duration := end - start
	if end < start {
		duration = 0
		b.negative++
	}
	out := model.Span{
		TraceID: model.TraceID(s.TraceID()), SpanID: model.SpanID(s.SpanID()), ParentID: model.SpanID(s.ParentSpanID()),
		Name: s.Name(), Kind: spanKindOf(s.Kind()), Start: start, Duration: duration,
		Status: statusOf(s.Status().Code()), StatusMessage: s.Status().Message(),
		TraceState: s.TraceState().AsRaw(), Scope: scope.Name(), Resource: res,
	}
	out.Attrs = make(model.Attrs, 0, s.Attributes().Len()+scope.Attributes().Len()+1)
	out.Attrs = appendScope(out.Attrs, scope, false)
	out.Attrs = appendAttrs(out.Attrs, s.Attributes())
	out.Attrs = appendCount(out.Attrs, "otel.dropped_attributes_count", s.DroppedAttributesCount())
	out.Attrs = appendCount(out.Attrs, "otel.dropped_events_count", s.DroppedEventsCount())
	out.Attrs = appendCount(out.Attrs, "otel.dropped_links_count", s.DroppedLinksCount())
	if n := s.Events().Len(); n > 0 {
		out.Events = make([]model.SpanEvent, 0, n)
		for _, e := range s.Events().All() {
			out.Events = append(out.Events, model.SpanEvent{Time: nanos(e.Timestamp()), Name: e.Name(), Attrs: attrsOf(e.Attributes())})
		}
	}
	if n := s.Links().Len(); n > 0 {
		out.Links = make([]model.SpanLink, 0, n)
		for _, l := range s.Links().All() {
			out.Links = append(out.Links, model.SpanLink{TraceID: model.TraceID(l.TraceID()), SpanID: model.SpanID(l.SpanID()), Attrs: attrsOf(l.Attributes())})
		}
	}
	b.spans = append(b.spans, out)
}

// appendScope adds what the scope says beyond its name, and the name where the
// record has no field for it.
func appendScope(dst model.Attrs, scope pcommon.InstrumentationScope, withName bool) model.Attrs {
	if withName && scope.Name() != "" {
		dst = append(dst, model.Attr{Key: "otel.scope.name", Value: model.StringValue(scope.Name())})
	}
	if scope.Version() != "" {
		dst = append(dst, model.Attr{Key: "otel.scope.version", Value: model.StringValue(scope.Version())})
	}
	return appendAttrs(dst, scope.Attributes())
}

func appendCount(dst model.Attrs, key string, n uint32) model.Attrs {
	if n == 0 {
		return dst
	}
	return append(dst, model.Attr{Key: key, Value: model.IntValue(int64(n))})
}

// nanos is a timestamp as Unix ns; what does not fit (after the year 2262) is the largest.
func nanos(t pcommon.Timestamp) int64 {
	return int64(min(uint64(t), math.MaxInt64))
}

func spanKindOf(k ptrace.SpanKind) model.SpanKind {
	if k < ptrace.SpanKindUnspecified || k > ptrace.SpanKindConsumer {
		return model.SpanKindUnset
	}
	return model.SpanKind(k)
}

func statusOf(c ptrace.StatusCode) model.SpanStatus {
	switch c {
	case ptrace.StatusCodeOk:
		return model.StatusOK
	case ptrace.StatusCodeError:
		return model.StatusError
	}
	return model.StatusUnset
}

// addRefusal adds n to the reason's entry; the first message stays.
func addRefusal(list []stream.Refusal, reason, message string, n int) []stream.Refusal {
	if n <= 0 {
		return list
	}
	for i := range list {
		if list[i].Reason == reason {
			list[i].Count += n
			return list
		}
	}
	return append(list, stream.Refusal{Reason: reason, Message: message, Count: n})
}
