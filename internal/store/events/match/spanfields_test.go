package match

import (
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

func TestFieldsOfSpans(t *testing.T) {
	ms := int64(time.Millisecond)
	places := spanPlaces(t, []named[model.Span]{
		{"root", model.Span{
			Name: "GET /a", Kind: model.SpanKindServer, Status: model.StatusError, StatusMessage: "locked", Duration: 5 * ms, Scope: "http",
			TraceID: model.TraceID{15: 1}, SpanID: model.SpanID{7: 1}, Resource: &model.Resource{Tenant: "default", Service: "edge"},
		}},
		{"child", model.Span{
			Name: "SELECT", Kind: model.SpanKindClient, Status: model.StatusOK, Duration: 5*ms - 1,
			TraceID: model.TraceID{15: 1}, SpanID: model.SpanID{7: 2}, ParentID: model.SpanID{7: 1}, Resource: &model.Resource{Tenant: "default", Service: "edge"},
		}},
		{"long", model.Span{Name: "batch", Duration: int64(90 * time.Minute), TraceID: model.TraceID{15: 2}, SpanID: model.SpanID{7: 1}, ParentID: model.SpanID{7: 9}}},
		{"instant", model.Span{Name: "tick", TraceID: model.TraceID{15: 3}, SpanID: model.SpanID{7: 3}}},
	})
	checkFilters(t, part.Spans, places, []want{
		{"duration:5ms", "root"},
		{"duration:5000000", "root"},
		{"duration:0.005s", "root"},
		{"duration_ns:4999999", "child"},
		{"duration:<5ms", "child instant"},
		{"duration:<=5ms", "root child instant"},
		{"duration:(>=4999999 <5ms)", "child"},
		{"duration:>=1h30m", "long"},
		{"duration:>1.5h", ""},
		{"duration:0", "instant"},
		{"duration:!=0", "root child long"},
		{"duration:*", "root child long instant"},
		{"duration:5*", "root long"}, // 5000000 and 5400000000000
		{"duration:/^4/", "child"},
		{"kind:server", "root"},
		{"span.kind:(server OR client)", "root child"},
		{"status:error", "root"},
		{"status:!=error", "child long instant"}, // unset is a status, too
		{"-status:error", "child long instant"},
		{"status_message:locked", "root"},
		{"-status_message:*", "child long instant"},
		{"name:SELECT", "child"},
		{"name:select", ""},
		{`name:"GET /a"`, "root"},
		{"name:/^[A-Z]+$/", "child"},
		{"body:tick", "instant"},
		{"scope:http", "root"},
		{"parent_id:0000000000000001", "child"},
		{"parent:!=0000000000000001", "long"},
		{"-parent_id:*", "root instant"},
		{"parent_id:*", "child long"},
		{"span_id:0000000000000001", "root long"},
		{"trace_id:00000000000000000000000000000001", "root child"},
		{"trace_id:00000000000000000000000000000001 -parent_id:*", "root"},
		{"trace_id:(00000000000000000000000000000002 OR 00000000000000000000000000000003)", "long instant"},
		{"trace_id:00000000000000000000000000000009", ""},
		{"service:edge status:ok", "child"},
		{"level:error", ""}, // spans have no level: it is an attribute's name
		{"start:(>=2026-11-21T00:00:01Z <=2026-11-21T00:00:02Z)", "child long"},
	})
}

func TestFieldsOfEventsAndLinks(t *testing.T) {
	attr := func(key string, v model.Value) model.Attrs { return model.Attrs{{Key: key, Value: v}} }
	event := func(name string, attrs model.Attrs) []model.SpanEvent {
		return []model.SpanEvent{{Time: t0, Name: name, Attrs: attrs}}
	}
	places := spanPlaces(t, []named[model.Span]{
		{"own", model.Span{Name: "m", Attrs: attr("exception.type", model.StringValue("DiskFull"))}},
		{"event", model.Span{Name: "m", Events: event("exception", attr("exception.type", model.StringValue("DiskFull")))}},
		{"object", model.Span{Name: "m", Events: event("exception", attr("exception", model.JSONValue(`{"type":"DiskFull","codes":[1,28]}`)))}},
		{"two", model.Span{Name: "m", Events: append(event("exception", attr("exception.type", model.StringValue("Timeout"))), event("retry", attr("try", model.IntValue(2)))...)}},
		{"mixed", model.Span{Name: "m", Attrs: attr("exception.type", model.StringValue("Timeout")), Events: event("late", attr("exception.type", model.StringValue("DiskFull")))}},
		{"link", model.Span{Name: "m", Links: []model.SpanLink{{TraceID: model.TraceID{0: 7, 15: 7}, SpanID: model.SpanID{0: 8, 7: 8}, Attrs: attr("reason", model.StringValue("retry"))}}}},
		{"resource", model.Span{Name: "m", Resource: &model.Resource{Tenant: "default", Attrs: attr("exception.type", model.StringValue("DiskFull"))}}},
		{"hides", model.Span{Name: "m", Events: event("e", attr("exception.type", model.StringValue("Own"))), Resource: &model.Resource{Tenant: "default", Attrs: attr("exception.type", model.StringValue("DiskFull"))}}},
		{"none", model.Span{Name: "m"}},
	})
	checkFilters(t, part.Spans, places, []want{
		{"exception.type:DiskFull", "own event object mixed resource"},
		{"event.exception.type:DiskFull", "event object mixed"},
		{"exception.type:!=DiskFull", "two hides"},
		{"exception.type:!=Timeout", "own event object resource hides"},
		{"-exception.type:DiskFull", "two link hides none"},
		{"exception.type:*", "own event object two mixed resource hides"},
		{"-exception.type:*", "link none"},
		{"exception.type:Disk*", "own event object mixed resource"},
		{"exception.type:/full$/", ""},
		{"exception.type:/Full$/", "own event object mixed resource"},
		{"exception.codes:28", "object"},
		{"exception.codes:>28", ""},
		{"event.name:exception", "event object two"},
		{"event.name:(retry OR late)", "two mixed"},
		{"event.name:!=exception", "mixed hides"},
		{"-event.name:*", "own link resource none"},
		{"try:2", "two"},
		{"event.try:>=2 try:<3", "two"},
		{"reason:retry", "link"},
		{"link.reason:retry", "link"},
		{"event.reason:retry", ""},
		{"link.exception.type:DiskFull", ""},
		{"link.trace_id:07000000000000000000000000000007", "link"},
		{"link.span_id:0800000000000008", "link"},
		{"link.trace_id:07*", "link"},
		{"link.trace_id:*", "link"},
		{"trace_id:07000000000000000000000000000007", ""},
	})
}

// A key that stands twice in a record counts by its last, however a part stores the two.
func TestOfADoubledKeyTheLastCounts(t *testing.T) {
	for _, key := range []string{"k", "n", "user", "zone"} {
		twice := func(a, b model.Value) model.LogRecord {
			return model.LogRecord{Message: "m", Attrs: model.Attrs{{Key: key, Value: a}, {Key: "between", Value: model.IntValue(1)}, {Key: key, Value: b}}}
		}
		places := logPlaces(t, []named[model.LogRecord]{
			{"ints", twice(model.IntValue(1), model.IntValue(2))},
			{"texts", twice(model.StringValue("a"), model.StringValue("b"))},
			{"kinds", twice(model.IntValue(1), model.StringValue("b"))},
			{"back", twice(model.StringValue("b"), model.IntValue(1))},
			{"emptied", twice(model.StringValue("b"), model.StringValue(""))},
			{"once", model.LogRecord{Message: "m"}},
			{"lent", model.LogRecord{Message: "m", Attrs: model.Attrs{{Key: key, Value: model.StringValue("")}}, Resource: &model.Resource{
				Tenant: "default", Attrs: model.Attrs{{Key: key, Value: model.StringValue("r")}},
			}}},
		})
		of := func(test string) string { return key + ":" + test }
		checkFilters(t, part.Logs, places, []want{
			{of("1"), "back"},
			{of("2"), "ints"},
			{of("b"), "texts kinds"},
			{of("a"), ""},
			{of("r"), "lent"}, // what is empty hides nothing
			{of("!=b"), "ints back lent"},
			{of("*"), "ints texts kinds back lent"},
			{"-" + of("*"), "emptied once"},
		})
		if t.Failed() {
			t.Fatalf("with the key %s", key)
		}
	}
}

// A span's own values and those of its events are one list, also where the own ones have a column: != asks all.
func TestAColumnDoesNotDecideForEventsAndResource(t *testing.T) {
	for _, key := range []string{"k", "n", "user", "zone"} {
		attr := func(v string) model.Attrs { return model.Attrs{{Key: key, Value: model.StringValue(v)}} }
		event := func(v string) []model.SpanEvent { return []model.SpanEvent{{Time: t0, Name: "e", Attrs: attr(v)}} }
		resource := &model.Resource{Tenant: "default", Attrs: attr("r")}
		places := spanPlaces(t, []named[model.Span]{
			{"own", model.Span{Name: "m", Attrs: attr("a")}},
			{"event", model.Span{Name: "m", Events: event("b")}},
			{"both", model.Span{Name: "m", Attrs: attr("a"), Events: event("b")}},
			{"same", model.Span{Name: "m", Attrs: attr("a"), Events: event("a"), Resource: resource}},
			{"resource", model.Span{Name: "m", Resource: resource}},
			{"blank", model.Span{Name: "m", Attrs: attr(""), Resource: resource}},
			{"blanks", model.Span{Name: "m", Attrs: attr(""), Events: event(""), Resource: resource}},
			{"none", model.Span{Name: "m", Attrs: attr("")}},
		})
		of := func(test string) string { return key + ":" + test }
		checkFilters(t, part.Spans, places, []want{
			{of("a"), "own both same"},
			{of("b"), "event both"},
			{of("r"), "resource blank blanks"},
			{of("!=a"), "event resource blank blanks"},
			{of("!=b"), "own same resource blank blanks"},
			{of("!=c"), "own event both same resource blank blanks"},
			{of("<b"), "own both same"},
			{of("*"), "own event both same resource blank blanks"},
			{"-" + of("*"), "none"},
			{"-" + of("r"), "own event both same none"},
			{"event." + of("a"), "same"},
			{"event." + of("!=a"), "event both"},
		})
		if t.Failed() {
			t.Fatalf("with the key %s", key)
		}
	}
}
