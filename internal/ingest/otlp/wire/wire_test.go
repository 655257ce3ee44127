package wire

import (
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/proto"

	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

const (
	goodTrace = `"traceId":"0af7651916cd43dd8448eb211c80319c"`
	goodSpan  = `"spanId":"b7ad6b7169203331"`
)

func spansJSON(spans ...string) []byte {
	return []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Join(spans, ",") + `]}]}]}`)
}

// What is wrong is named with its place.
func TestErrorsInJSONNameThePlace(t *testing.T) {
	r := NewReader()
	for body, want := range map[string]string{
		`{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"soon"}]}]}]}`:                `/resourceSpans/0/scopeSpans/0/spans/0/startTimeUnixNano: "soon" is not an integer`,
		`{"resourceSpans":[{"scopeSpans":{}}]}`:                                                        `/resourceSpans/0/scopeSpans: {} is not an array`,
		`{"resourceSpans":[null]}`:                                                                     `/resourceSpans/0: null is not an object`,
		`{"resourceSpans":[{"resource":{"droppedAttributesCount":-1}}]}`:                               `-1 is not an unsigned integer of 32 bits`,
		`{"resourceSpans":[],"resource_spans":[]}`:                                                     `resourceSpans stands twice`,
		`{"resourceSpans":[{"resource":{"attributes":[{"value":{"intValue":1,"stringValue":"a"}}]}}]}`: `stringValue: only one value may be set here`,
		`{"resourceSpans":[{"resource":{"attributes":[{"value":{"bytesValue":"!"}}]}}]}`:               `"!" is not base 64`,
		`{"resourceSpans":[{"resource":{"attributes":[{"value":{"doubleValue":"much"}}]}}]}`:           `"much" is not a number`,
		`{"resourceSpans":[{"resource":{"attributes":[{"value":{"boolValue":"true"}}]}}]}`:             `"true" is not true or false`,
		`{"resourceSpans":[{"resource":{"attributes":[{"key":7}]}}]}`:                                  `7 is not a string`,
		`{"resourceSpans":[]} {"resourceSpans":7}`:                                                     `document 2`,
		`{"resourceSpans":[]} ]`:                                                                       `document 2`,
		`[{}]`:                                                                                         `is not an object`,
		`{"resourceSpans":[`:                                                                           `ends too early`,
		``:                                                                                             `ends too early`,
		strings.Repeat(`{"resourceSpans":[{"resource":{"attributes":[{"value":`, 1) + strings.Repeat(`{"arrayValue":{"values":[`, 65): `nested deeper`,
	} {
		if _, err := r.Traces([]byte(body), true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

func TestTextsThatAreNoUTF8AreTaken(t *testing.T) {
	r := NewReader()
	m, _, err := r.Logs([]byte("\xef\xbb\xbf"+`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"cut \ud83d"}},{"body":{"stringValue":"`+"\xff"+`"}}]}]}]}`+"\n\n"+
		`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}`+"\n"), true)
	if err != nil || m.LogRecordCount() != 3 {
		t.Fatal(err, m.LogRecordCount())
	}
	records := m.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	if a, b := records.At(0).Body().Str(), records.At(1).Body().Str(); a != "cut \ufffd" || b != "\ufffd" {
		t.Errorf("%q, %q", a, b)
	}
}

func names(s Spans) (out []string) {
	for _, rs := range s.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				out = append(out, span.Name())
			}
		}
	}
	return out
}

// A bad id costs its span; of links, log records and exemplars it is left out.
func TestABadIDCostsOneSpan(t *testing.T) {
	body := spansJSON(
		`{`+goodTrace+`,`+goodSpan+`,"name":"first"}`,
		`{"traceId":"0af7",`+goodSpan+`,"name":"short trace id"}`,
		`{`+goodTrace+`,"spanId":"no hex at all...","name":"no hex"}`,
		`{`+goodTrace+`,"spanId":"b7ad6b716920333","name":"odd"}`,
		`{`+goodTrace+`,"spanId":"t61rcWkgMzE=","name":"base 64"}`,
		`{`+goodTrace+`,`+goodSpan+`,"parentSpanId":"01","name":"bad parent"}`,
		`{`+goodTrace+`,`+goodSpan+`,"parentSpanId":"0000000000000000","name":"no parent","links":[{"traceId":"01",`+goodSpan+`,"attributes":[{"key":"k"}]}]}`,
		`{`+goodTrace+`,`+goodSpan+`,"name":"last"}`,
	)
	r := NewReader()
	for range 2 {
		got, err := r.Traces(body, true)
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"first", "no parent", "last"}; !slices.Equal(names(got), want) || got.NoSpans != 5 || got.IDs != 1 || len(got.Hashes) != 3 {
			t.Errorf("%v, %+v", names(got), got.LeftOut)
		}
		link := got.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1).Links().At(0)
		if !link.TraceID().IsEmpty() || link.SpanID().IsEmpty() || link.Attributes().Len() != 1 {
			t.Errorf("link %v %v", link.TraceID(), link.SpanID())
		}
	}
	left, _, err := r.Logs([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"01",`+goodSpan+`,"body":{"stringValue":"m"}}]}]}]}`), true)
	if err != nil || left.LogRecordCount() != 1 {
		t.Fatal(err)
	}
	if lr := left.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0); !lr.TraceID().IsEmpty() || lr.SpanID().IsEmpty() || lr.Body().Str() != "m" {
		t.Errorf("%v", lr.TraceID())
	}
}

func TestABadIDInProtobufCostsOneSpan(t *testing.T) {
	span := func(name string, trace, id []byte) *tracepb.Span {
		return &tracepb.Span{Name: name, TraceId: trace, SpanId: id}
	}
	long := make([]byte, 16)
	body, err := proto.Marshal(&tracespb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{{Key: "k"}}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{
			span("a", long, long[:8]), span("b", long[:15], long[:8]), span("c", long, long[:9]), span("d", long, long[:8]),
		}, SchemaUrl: "s"}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := NewReader().Traces(body, false)
	if err != nil || got.NoSpans != 2 || !slices.Equal(names(got), []string{"a", "d"}) || got.ResourceSpans().At(0).ScopeSpans().At(0).SchemaUrl() != "s" {
		t.Errorf("%v %v %+v", err, names(got), got.LeftOut)
	}
}

// A hash stands for a span with its scope and resource, whatever the batch is.
func TestHashesFollowTheSpanAndNotTheBatch(t *testing.T) {
	batch := func(service string, spans ...string) ptraceotlp.ExportRequest {
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", service)
		for _, name := range spans {
			s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
			s.SetName(name)
			s.SetTraceID([16]byte{1})
		}
		return ptraceotlp.NewExportRequestFromTraces(td)
	}
	r := NewReader()
	hashes := func(m ptraceotlp.ExportRequest, json bool) []uint64 {
		body, err := m.MarshalProto()
		if json {
			body, err = m.MarshalJSON()
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Traces(body, json)
		if err != nil {
			t.Fatal(err)
		}
		return got.Hashes
	}
	all := hashes(batch("a", "x", "y", "z"), false)
	if got := hashes(batch("a", "z", "y"), false); !slices.Equal(got, []uint64{all[2], all[1]}) {
		t.Errorf("%v of %v", got, all)
	}
	if got, of := hashes(batch("a", "y"), true), hashes(batch("a", "x", "y"), true); got[0] != of[1] {
		t.Errorf("in JSON %v of %v", got, of)
	}
	if got := hashes(batch("b", "x"), false); got[0] == all[0] {
		t.Error("another resource is another span")
	}
}

func BenchmarkRead(b *testing.B) {
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range 1000 {
		s := spans.AppendEmpty()
		s.SetTraceID([16]byte{1, byte(i), byte(i >> 8)})
		s.SetSpanID([8]byte{1, byte(i), byte(i >> 8)})
		s.SetName("GET /api/things/{id}")
		s.SetStartTimestamp(1_790_000_000_000_000_000)
		s.SetEndTimestamp(1_790_000_000_100_000_000)
		lr := records.AppendEmpty()
		lr.SetTimestamp(1_790_000_000_000_000_000)
		lr.Body().SetStr("request served in 12 ms with status 200")
		for _, key := range []string{"http.route", "http.request.method", "server.address", "url.path", "user_agent.original"} {
			s.Attributes().PutStr(key, "some value of usual length")
			lr.Attributes().PutStr(key, "some value of usual length")
		}
	}
	r := NewReader()
	for name, json := range map[string]bool{"protobuf": false, "json": true} {
		traces, logs := ptraceotlp.NewExportRequestFromTraces(td), plogotlp.NewExportRequestFromLogs(ld)
		body, _ := traces.MarshalProto()
		text, _ := logs.MarshalProto()
		if json {
			body, _ = traces.MarshalJSON()
			text, _ = logs.MarshalJSON()
		}
		b.Run("spans/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := r.Traces(body, json); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("logs/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, _, err := r.Logs(text, json); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
