// Package spans converts the spans of OTLP.
//
// In: pdata. Out: model.Span, all spans of a resource sharing one model.Resource, and what was refused.
// It keeps nothing. Start reading at Of.
package spans

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Batch is what a trace request holds.
type Batch struct {
	Spans    []model.Span
	Refused  []stream.Refusal
	Hashes   []uint64 // of Spans, one by one
	Negative int      // durations below zero that were set to zero
}

// Of converts a request whose spans have the hashes, in their order.
func Of(td ptrace.Traces, hashes []uint64, from common.Sender) Batch {
	b := Batch{Spans: make([]model.Span, 0, len(hashes)), Hashes: make([]uint64, 0, len(hashes))}
	for _, rs := range td.ResourceSpans().All() {
		res, refusal := common.ResourceOf(rs.Resource(), from)
		for _, ss := range rs.ScopeSpans().All() {
			these := hashes[:ss.Spans().Len()]
			hashes = hashes[len(these):]
			if refusal != nil {
				b.Refused = common.Refuse(b.Refused, refusal.Reason, refusal.Message, len(these))
				continue
			}
			b.Hashes = append(b.Hashes, these...)
			for _, s := range ss.Spans().All() {
				b.add(s, ss.Scope(), res)
			}
		}
	}
	return b
}

func (b *Batch) add(s ptrace.Span, scope pcommon.InstrumentationScope, res *model.Resource) {
	start, end := common.Nanos(s.StartTimestamp()), common.Nanos(s.EndTimestamp())
	if start == 0 {
		start = end // a duration since 1970 would be nobody's latency
	}
	duration := end - start
	if end < start {
		duration = 0
		b.Negative++
	}
	out := model.Span{
		TraceID: model.TraceID(s.TraceID()), SpanID: model.SpanID(s.SpanID()), ParentID: model.SpanID(s.ParentSpanID()),
		Name: s.Name(), Kind: spanKindOf(s.Kind()), Start: start, Duration: duration,
		Status: statusOf(s.Status().Code()), StatusMessage: s.Status().Message(),
		TraceState: s.TraceState().AsRaw(), Scope: scope.Name(), Resource: res,
	}
	out.Attrs = make(model.Attrs, 0, s.Attributes().Len()+scope.Attributes().Len()+1)
	out.Attrs = common.AppendScope(out.Attrs, scope, false)
	out.Attrs = common.AppendAttrs(out.Attrs, s.Attributes())
	out.Attrs = common.AppendCount(out.Attrs, "otel.dropped_attributes_count", s.DroppedAttributesCount())
	out.Attrs = common.AppendCount(out.Attrs, "otel.dropped_events_count", s.DroppedEventsCount())
	out.Attrs = common.AppendCount(out.Attrs, "otel.dropped_links_count", s.DroppedLinksCount())
	if n := s.Events().Len(); n > 0 {
		out.Events = make([]model.SpanEvent, 0, n)
		for _, e := range s.Events().All() {
			out.Events = append(out.Events, model.SpanEvent{Time: common.Nanos(e.Timestamp()), Name: e.Name(), Attrs: common.AttrsOf(e.Attributes())})
		}
	}
	if n := s.Links().Len(); n > 0 {
		out.Links = make([]model.SpanLink, 0, n)
		for _, l := range s.Links().All() {
			out.Links = append(out.Links, model.SpanLink{TraceID: model.TraceID(l.TraceID()), SpanID: model.SpanID(l.SpanID()), Attrs: common.AttrsOf(l.Attributes())})
		}
	}
	b.Spans = append(b.Spans, out)
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
