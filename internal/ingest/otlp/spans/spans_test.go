package spans

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/wire"
	"github.com/signalbox-project/signalbox/internal/model"
)

// anybody is a sender that may write everywhere.
var anybody = common.Sender{Scope: access.Scope{All: true}}

func valueComparer() cmp.Option {
	return cmp.Comparer(func(a, b model.Value) bool { return a == b })
}

func TestSpansThatEndBeforeTheyStartGetNoDuration(t *testing.T) {
	td := ptrace.NewTraces()
	s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetStartTimestamp(10)
	s.SetEndTimestamp(4)
	s.SetKind(99)
	s.SetDroppedEventsCount(3)
	s.TraceState().FromRaw("a=b")
	b := Of(td, []uint64{1}, anybody)
	got := b.Spans[0]
	if b.Negative != 1 || got.Start != 10 || got.Duration != 0 || got.Kind != model.SpanKindUnset || got.TraceState != "a=b" {
		t.Errorf("%d negative, span %+v", b.Negative, got)
	}
	if diff := cmp.Diff(model.Attrs{{Key: "otel.dropped_events_count", Value: model.IntValue(3)}}, got.Attrs, valueComparer()); diff != "" {
		t.Error(diff)
	}
}

// checkAttrs fails where attributes cannot be written as JSON.
func checkAttrs(t *testing.T, v any) {
	t.Helper()
	if _, err := json.Marshal(v); err != nil {
		t.Errorf("%+v: %v", v, err)
	}
}

func FuzzTraces(f *testing.F) {
	td := ptrace.NewTraces()
	s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetName("n")
	s.SetTraceID([16]byte{1})
	s.Attributes().PutEmptyMap("m").PutStr("k", "v")
	s.Events().AppendEmpty().SetName("e")
	s.Links().AppendEmpty().SetSpanID([8]byte{2})
	req := ptraceotlp.NewExportRequestFromTraces(td)
	binary, _ := req.MarshalProto()
	f.Add(binary, false)
	text, _ := req.MarshalJSON()
	f.Add(text, true)
	in := wire.NewReader()
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		m, err := in.Traces(body, isJSON)
		if err != nil {
			return
		}
		n := m.SpanCount()
		b := Of(m.Traces, m.Hashes, anybody)
		if len(b.Spans) != len(b.Hashes) || len(b.Spans)+common.RefusedCount(b.Refused) != n {
			t.Fatalf("%d spans became %d and %d refused", n, len(b.Spans), common.RefusedCount(b.Refused))
		}
		for i := range b.Spans {
			if b.Spans[i].Duration < 0 || b.Spans[i].End() < b.Spans[i].Start {
				t.Errorf("span %+v", b.Spans[i])
			}
			checkAttrs(t, b.Spans[i].Attrs)
		}
	})
}
