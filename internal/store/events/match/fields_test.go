package match

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// attrLogs are records of which each has one attribute; an empty value stands for none.
func attrLogs(key string, list ...named[model.Value]) (out []named[model.LogRecord]) {
	for _, v := range list {
		r := model.LogRecord{Message: "m"}
		if v.row.Kind() != model.KindEmpty {
			r.Attrs = model.Attrs{{Key: key, Value: v.row}}
		}
		out = append(out, named[model.LogRecord]{v.name, r})
	}
	return out
}

// n is an integer's column in large parts, user a text's without dictionary, zone one with, and k has none: a
// value means the same in each, also one that is of another kind than its column.
func TestNumbersTextsAndUnitsOfAttributes(t *testing.T) {
	for _, key := range []string{"n", "k", "user", "zone", "share", "flag"} {
		places := logPlaces(t, attrLogs(key,
			named[model.Value]{"i500", model.IntValue(500)},
			named[model.Value]{"neg", model.IntValue(-3)},
			named[model.Value]{"zero", model.IntValue(0)},
			named[model.Value]{"f500", model.FloatValue(500)},
			named[model.Value]{"half", model.FloatValue(0.5)},
			named[model.Value]{"big", model.IntValue(9007199254740993)},
			named[model.Value]{"t500", model.StringValue("500")},
			named[model.Value]{"v110", model.StringValue("1.10")},
			named[model.Value]{"t12ms", model.StringValue("12ms")},
			named[model.Value]{"t2kib", model.StringValue("2KiB")},
			named[model.Value]{"yes", model.BoolValue(true)},
			named[model.Value]{"no", model.BoolValue(false)},
			named[model.Value]{"blank", model.StringValue("")},
			named[model.Value]{"none", model.Value{}},
		))
		of := func(test string) string { return key + ":" + test }
		checkFilters(t, part.Logs, places, []want{
			{of("500"), "i500 f500 t500"},
			{of("500.0"), "i500 f500"},
			{of("5e2"), "i500 f500"},
			{of("0500"), "i500 f500"},
			{of("+500"), "i500 f500"},
			{of(`"500"`), "i500 f500 t500"},
			{of(`"5e2"`), ""},
			{of("0"), "zero"},
			{of("-0"), "zero"},
			{of("0.5"), "half"},
			{of(".5"), "half"},
			{of("1.10"), "v110"},
			{of("1.1"), ""},
			{of("12ms"), "t12ms"},
			{of("12000000"), ""},
			{of("2048"), ""},
			{of("9007199254740993"), "big"},
			{of("09007199254740993"), "big"},
			{of("9007199254740992"), ""},
			{of("true"), "yes"},
			{of("TRUE"), ""},
			{of("(true OR false)"), "yes no"},
			{of("5*"), "i500 f500 t500"},
			{of("12*"), "t12ms"},
			{of("!=5*"), "neg zero half big v110 t12ms t2kib yes no"},
			{of(`/^\d+ms$/`), "t12ms"},
			{of("!=500"), "neg zero half big v110 t12ms t2kib yes no"},
			{"-" + of("500"), "neg zero half big v110 t12ms t2kib yes no blank none"},
			{of("*"), "i500 neg zero f500 half big t500 v110 t12ms t2kib yes no"},
			{"-" + of("*"), "blank none"},
			{"-" + of("!=500"), "i500 f500 t500 blank none"},
		})
		// Ranges with their borders. What is no number has no place among them.
		checkFilters(t, part.Logs, places, []want{
			{of("(>=-3 <=0)"), "neg zero"},
			{of("(>-3 <0.5)"), "zero"},
			{of("(>=0 <500)"), "zero half v110"},
			{of("(>=0.5 <=1.1)"), "half v110"},
			{of("(>=500 <=500)"), "i500 f500 t500"},
			{of("(>500 <=2KiB)"), "t2kib"},
			{of("(>=2048 <2049)"), "t2kib"},
			{of("(>10ms <=12ms)"), "t12ms"},
			{of("(>=0.012s <0.013s)"), "t12ms"},
			{of("(>9007199254740992 <9007199254740994)"), "big"},
			{of("(>9007199254740993 <9007199254740999)"), ""},
			{of("<-3"), ""},
			{of("<=-3"), "neg"},
			{of(">w"), ""},
			{of(">2049"), "big t12ms"},
			{of("<=2049"), "i500 neg zero f500 half t500 v110 t2kib"},
			{of(`>"2049"`), "i500 f500 big t500 t2kib yes no"},
			{of("(>=false <=true)"), "yes no"},
			{of("<0") + " OR " + of(">=true"), "neg yes"},
		})
		if t.Failed() {
			t.Fatalf("with the key %s", key)
		}
	}
}

func TestFieldsWithinValues(t *testing.T) {
	attrs := func(kv ...any) (out model.Attrs) {
		for i := 0; i < len(kv); i += 2 {
			out = append(out, model.Attr{Key: kv[i].(string), Value: kv[i+1].(model.Value)})
		}
		return out
	}
	log := func(name string, own model.Attrs, resource model.Attrs) named[model.LogRecord] {
		return named[model.LogRecord]{name, model.LogRecord{Message: "m", Attrs: own, Resource: &model.Resource{Tenant: "default", Attrs: resource}}}
	}
	object := model.JSONValue(`{"status":503,"tags":["x","y"],"deep":{"a":{"b":1}},"none":null,"quo\"te":"a\nb"}`)
	places := logPlaces(t, []named[model.LogRecord]{
		log("object", attrs("http", object), nil),
		log("dotted", attrs("http.status", model.IntValue(200)), nil),
		log("both", attrs("http.status", model.IntValue(404), "http", object), nil),
		log("blank", attrs("http.status", model.StringValue(""), "http", object), nil),
		log("half", attrs("http.deep", model.JSONValue(`{"a":{"b":2}}`)), nil),
		log("array", attrs("tags", model.JSONValue(`["a","b",["c",7]]`)), nil),
		log("objects", attrs("items", model.JSONValue(`[{"id":1,"n":"x"},{"id":2}]`)), nil),
		log("resource", nil, attrs("http.status", model.IntValue(500), "host", model.StringValue("h1"))),
		log("hidden", attrs("host", model.StringValue("own")), attrs("host", model.StringValue("h1"))),
		log("unhidden", attrs("host", model.StringValue("")), attrs("host", model.StringValue("h1"))),
		log("text", attrs("http", model.StringValue(`{"status":503}`)), nil),
		log("nothing", nil, nil),
	})
	checkFilters(t, part.Logs, places, []want{
		{"http.status:503", "object blank"},
		{"http.status:200", "dotted"},
		{"http.status:404", "both"},
		{"http.status:(>=500 <600)", "object blank resource"},
		{"http.status:!=503", "dotted both resource"},
		{"http.status:*", "object dotted both blank resource"},
		{"-http.status:*", "half array objects hidden unhidden text nothing"},
		{"http.tags:x", "object both blank"},
		{"http.tags:z", ""},
		{"http.deep.a.b:1", "object both blank"},
		{"http.deep.a.b:>1", "half"},
		{"http.none:*", ""},
		{`"http.quo\"te":/^a\nb$/`, "object both blank"},
		{"http:*", "object both blank text"},
		{"tags:a", "array"},
		{"tags:c", "array"},
		{"tags:7", "array"},
		{"tags:>6 tags:<8", "array"},
		{"tags:d", ""},
		{"tags:<6", ""}, // the array's own text has no order
		{"tags:(>=a <=c)", "array"},
		{"http:>0 -http:/status/", ""},
		{"tags:!=a", ""},
		{"tags:!=d", "array"},
		{"-tags:a", "object dotted both blank half objects resource hidden unhidden text nothing"},
		{"items.id:2", "objects"},
		{"items.id:!=2", ""},
		{"items.id:!=3", "objects"},
		{"items.n:x", "objects"},
		{"items.absent:*", ""},
		{"host:h1", "resource unhidden"},
		{"host:own", "hidden"},
		{"host:!=h1", "hidden"},
		{"-host:h1", "object dotted both blank half array objects hidden text nothing"},
	})
}

func TestFieldsOfLogRecords(t *testing.T) {
	trace, span := model.TraceID{0: 0xab, 15: 1}, model.SpanID{0: 0xcd, 7: 1}
	gold := model.Attrs{{Key: "level", Value: model.StringValue("gold")}, {Key: "tenant", Value: model.StringValue("acme")}}
	places := logPlaces(t, []named[model.LogRecord]{
		{"error", model.LogRecord{Level: model.LevelError, TraceID: trace, SpanID: span, RequestID: "r-1", Resource: &model.Resource{Tenant: "default", Service: "edge", Env: "prod", Version: "1.1"}}},
		{"warn", model.LogRecord{Level: model.LevelWarn, RequestID: "R-1", Resource: &model.Resource{Tenant: "blue", Service: "Edge", Env: "stage", Version: "1.10"}}},
		{"fatal", model.LogRecord{Level: model.LevelFatal, RequestID: "r-10", Resource: &model.Resource{Tenant: "default", Service: "edge-2", Region: "eu", Instance: "i", Namespace: "ns"}}},
		{"trace", model.LogRecord{Level: model.LevelTrace, TraceID: model.TraceID{15: 2}, SpanID: model.SpanID{7: 2}, Resource: &model.Resource{Tenant: "default"}}},
		{"unset", model.LogRecord{Attrs: gold}},
	})
	checkFilters(t, part.Logs, places, []want{
		{"level:error", "error"},
		{"level:ERR", "error"},
		{"severity:>=warn", "error warn fatal"},
		{"level:>warn", "error fatal"},
		{"level:<=debug", "trace"},
		{"level:!=error", "warn fatal trace"},
		{"-level:error", "warn fatal trace unset"},
		{"level:*", "error warn fatal trace"},
		{"level:e*", "error"},
		{"level:/al$/", "fatal"},
		{"attr.level:gold", "unset"},
		{"attr.tenant:acme", "unset"},
		{"tenant:acme", ""},
		{"tenant:blue", "warn"},
		{"service:edge", "error"},
		{"service.name:edge*", "error fatal"},
		{"service:!=edge", "warn fatal"},
		{"-service:edge", "warn fatal trace unset"},
		{"service:/(?i)^edge$/", "error warn"},
		{"service:(Edge OR edge-2)", "warn fatal"},
		{"version:1.1", "error"},
		{"version:1.10", "warn"},
		{"version:(>=1.1 <=1.1)", "error warn"},
		{"env:prod OR region:eu", "error fatal"},
		{"namespace:ns instance:i", "fatal"},
		{"region:!=us", "fatal"},
		{"-region:us", "error warn fatal trace unset"},
		{"request_id:r-1", "error"},
		{"request_id:r-1*", "error fatal"},
		{"-request_id:*", "trace unset"},
		{"trace:ab000000000000000000000000000001", "error"},
		{"trace:AB000000000000000000000000000001", "error"},
		{"trace_id:ab*", "error"},
		{"trace_id:AB*", "error"},
		{"trace_id:00000000000000000000000000000002", "trace"},
		{"trace_id:00000000000000000000000000000003", ""},
		{"trace_id:!=ab000000000000000000000000000001", "trace"},
		{"-trace_id:*", "warn fatal unset"},
		{"span_id:cd00000000000001", "error"},
		{"span_id:>=cd00000000000001", "error"},
		{"span_id:/2$/", "trace"},
	})
	// Times have borders: the third record's is t0 and two seconds.
	checkFilters(t, part.Logs, places, []want{
		{"timestamp:2026-11-21T00:00:02Z", "fatal"},
		{"timestamp:1795219202000000000", "fatal"},
		{"timestamp:>=2026-11-21T00:00:02Z", "fatal trace unset"},
		{"timestamp:>2026-11-21T00:00:02Z", "trace unset"},
		{"timestamp:(>=2026-11-21T00:00:01Z <2026-11-21T00:00:03Z)", "warn fatal"},
		{"timestamp:<2026-11-21T01:00:01+01:00 timestamp:>=2026-11-21T00:00:00Z", "error"},
		{"timestamp:2026-11-21T00:00:02*", "fatal"},
	})
}
