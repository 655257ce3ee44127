package jaeger

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/signalbox-project/signalbox/internal/model"
)

const sec = int64(1e9)

func spanAt(service string, kind model.SpanKind, id, parent byte, start, end int64) model.Span {
	s := model.Span{
		TraceID: model.TraceID{1}, SpanID: model.SpanID{7: id}, Kind: kind, Start: start * sec, Duration: (end - start) * sec,
		Resource: &model.Resource{Service: service}, Events: []model.SpanEvent{{Time: start * sec}},
	}
	s.ParentID[7] = parent
	return s
}

// seen is what is shown of a span: id, parent, start and end in seconds, and the first word of each warning.
func seen(a adjusted) (out []string) {
	for i, s := range a.spans {
		line := []string{s.Resource.Service, fmt.Sprintf("%02x", s.SpanID[7]), fmt.Sprintf("%02x", s.ParentID[7]), string(rune('a' + s.Start/sec - 100)), string(rune('a' + s.End()/sec - 100))}
		for _, w := range a.warnings[i] {
			line = append(line, strings.Fields(w)[0])
		}
		if s.Events[0].Time != s.Start {
			line = append(line, "events were left behind")
		}
		out = append(out, strings.Join(line, " "))
	}
	return out
}

func TestTracesAreAdjustedAsJaegerDoes(t *testing.T) {
	const client, server, internal, producer, consumer = model.SpanKindClient, model.SpanKindServer, model.SpanKindInternal, model.SpanKindProducer, model.SpanKindConsumer
	for _, c := range []struct {
		name  string
		spans []model.Span
		want  []string
	}{
		{"nothing to adjust", []model.Span{spanAt("a", client, 1, 0, 100, 110), spanAt("b", server, 2, 1, 102, 104)}, []string{"a 01 00 a k", "b 02 01 c e"}},
		{
			"a child before its parent: moved into its middle",
			[]model.Span{spanAt("a", client, 1, 0, 110, 114), spanAt("b", server, 2, 1, 104, 106)},
			[]string{"a 01 00 k o", "b 02 01 l n This"},
		},
		{
			"a child behind its parent, with a child of its own on the same clock",
			[]model.Span{spanAt("a", client, 1, 0, 100, 104), spanAt("b", server, 2, 1, 110, 112), spanAt("b", internal, 3, 2, 111, 112)},
			[]string{"a 01 00 a e", "b 02 01 b d This", "b 03 02 c d This"},
		},
		{
			"a child that lasts longer than its parent only begins with it",
			[]model.Span{spanAt("a", client, 1, 0, 105, 107), spanAt("b", server, 2, 1, 102, 108), spanAt("c", server, 3, 2, 106, 110)},
			[]string{"a 01 00 f h", "b 02 01 f l This", "c 03 02 g k"},
		},
		{
			"one host has one clock: work that goes on is none of the clock's",
			[]model.Span{spanAt("a", server, 1, 0, 100, 104), spanAt("a", internal, 2, 1, 106, 107)},
			[]string{"a 01 00 a e", "a 02 01 g h"},
		},
		{
			"a message may wait",
			[]model.Span{spanAt("a", producer, 1, 0, 105, 108), spanAt("b", consumer, 2, 1, 112, 113), spanAt("c", consumer, 3, 1, 101, 102)},
			[]string{"a 01 00 f i", "b 02 01 m n", "c 03 01 f g This"},
		},
		{
			"shared ids: the server's copy is the client's child, and the parent of what it called",
			[]model.Span{spanAt("a", client, 1, 0, 105, 107), spanAt("b", server, 1, 0, 101, 102), spanAt("b", client, 5, 1, 101, 102)},
			[]string{"a 01 00 f h", "b 02 01 f g span This", "b 05 02 f g This"},
		},
		{
			"shared ids beside an id that is taken",
			[]model.Span{spanAt("b", server, 1, 9, 105, 107), spanAt("a", client, 1, 9, 105, 107), spanAt("a", server, 9, 0, 105, 108), spanAt("a", internal, 2, 9, 105, 106)},
			[]string{"b 03 01 f h span", "a 01 09 f h", "a 09 00 f i", "a 02 09 f g"},
		},
		{
			"a parent that is missing, and an id that comes twice",
			[]model.Span{spanAt("a", server, 1, 8, 100, 104), spanAt("b", server, 2, 1, 90, 91), spanAt("b", server, 2, 1, 90, 91)},
			[]string{"a 01 08 a e invalid", "b 02 01 b c This", "b 02 01 W X duplicate"},
		},
		{"a span that is its own parent, and a ring", []model.Span{spanAt("a", server, 1, 1, 100, 104), spanAt("b", server, 2, 3, 100, 101), spanAt("c", server, 3, 2, 100, 101)}, []string{"a 01 01 a e invalid", "b 02 03 a b", "c 03 02 a b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, err := json.Marshal(c.spans)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, seen(adjust(c.spans))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if after, err := json.Marshal(c.spans); err != nil || string(before) != string(after) {
				t.Errorf("the caller's spans were changed: %v", err)
			}
		})
	}
}

func TestTheThirdVersionAnswersWithOTLP(t *testing.T) {
	s := &spans{values: map[string][]string{"service": {"edge"}, "name server": {"GET /"}, "name client": {"read"}}}
	for target, want := range map[string]string{
		"/jaeger/api/v3/services":                                                      `{"services":["edge"]}`,
		"/jaeger/api/v3/operations?service=edge&span_kind=client":                      `{"operations":[{"name":"read","spanKind":"client"}]}`,
		"/jaeger/api/v3/operations?service=edge&span_kind=SPAN_KIND_SERVER":            `{"operations":[{"name":"GET /","spanKind":"server"}]}`,
		"/jaeger/api/v3/operations":                                                    `{"error":{"httpCode":400,"message":"parameter 'service' is required"}}`,
		"/jaeger/api/v3/traces/02":                                                     `{"error":{"httpCode":404,"message":"No traces found"}}`,
		"/jaeger/api/v3/traces/x":                                                      `{"error":{"httpCode":400,"message":"malformed trace id \"x\": want up to 32 hex digits, not all 0"}}`,
		"/jaeger/api/v3/traces?query.service_name=edge&query.start_time_min=yesterday": `{"error":{"httpCode":400,"message":"malformed parameter`,
	} {
		if got := strings.TrimSpace(serve(s, target).Body.String()); got != want && !strings.HasPrefix(want, `{"error":{"httpCode":400,"message":"malformed p`) || !strings.HasPrefix(got, strings.TrimSuffix(want, "\"}}")) {
			t.Errorf("%s\n got %s\nwant %s", target, got, want)
		}
	}
	for _, target := range []string{
		"/jaeger/api/v3/traces/01000000000000000000000000000000",
		"/jaeger/api/v3/traces?query.service_name=edge&query.operation_name=GET+/&query.start_time_min=2026-11-21T10:00:00Z&query.start_time_max=2026-11-21T11:00:00.5Z&query.duration_min=10ms&query.search_depth=5&query.attributes=%7B%22a%22:%22b%22%7D",
	} {
		rec := serve(s, target)
		var out struct{ Result json.RawMessage }
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != 200 {
			t.Fatalf("%s: %d %s, %v", target, rec.Code, rec.Body, err)
		}
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(out.Result)
		if err != nil || td.SpanCount() != 3 {
			t.Fatalf("%s: %d spans, %v", target, td.SpanCount(), err)
		}
		rs := td.ResourceSpans().At(0)
		span := rs.ScopeSpans().At(0).Spans().At(0)
		attrs := span.Attributes().AsRaw()
		if service, _ := rs.Resource().Attributes().Get("service.name"); service.Str() != "edge" || rs.ScopeSpans().At(0).Scope().Name() != "net/http" {
			t.Errorf("resource %v", rs.Resource().Attributes().AsRaw())
		}
		if span.Name() != "GET /" || span.Kind() != ptrace.SpanKindServer || span.Status().Code() != ptrace.StatusCodeError || span.EndTimestamp()-span.StartTimestamp() != 5_999 ||
			attrs["big"] != int64(1<<60) || attrs["ratio"] != 0.5 || attrs["retry"] != true || !cmp.Equal(attrs["list"], []any{"a"}) || span.Events().At(0).Name() != "exception" {
			t.Errorf("span %q %v %v", span.Name(), span.Kind(), attrs)
		}
	}
	if s.asked.Limit != 5 || s.asked.Range.End != 1795258800500001000 {
		t.Errorf("asked %+v", s.asked)
	}
}

func TestBinaryTagsAreBase64(t *testing.T) {
	got := tagsOf(model.Attrs{{Key: "b", Value: model.JSONValue(`"AQID"`)}, {Key: "a", Value: model.JSONValue(`[1]`)}})
	b, err := json.Marshal(got)
	if want := `[{"key":"b","type":"binary","value":"AQID"},{"key":"a","type":"string","value":"[1]"}]`; err != nil || string(b) != want {
		t.Errorf("%s, %v; want %s", b, err, want)
	}
}
