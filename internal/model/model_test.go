package model_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestParseTraceID(t *testing.T) {
	full := "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, tc := range []struct{ name, given, want, fails string }{
		{"32 digits", full, full, ""},
		{"capitals", strings.ToUpper(full), full, ""},
		{"a UUID's dashes", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", full, ""},
		{"16 digits, as old Zipkin clients send", "a3ce929d0e0e4736", "0000000000000000a3ce929d0e0e4736", ""},
		{"an odd number of digits", "abc", "00000000000000000000000000000abc", ""},
		{"nothing", "", "", ""},
		{"too long", full + "0", "", "more than 32 hex digits"},
		{"a letter that is no digit", "xyz", "", "not a hex digit"},
		{"a dash out of place", "a-b", "", "not a hex digit"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id, err := model.ParseTraceID(tc.given)
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Errorf("got %v, want an error saying %q", err, tc.fails)
				}
				return
			}
			if err != nil || id.String() != tc.want {
				t.Errorf("got %q, %v; want %q", id, err, tc.want)
			}
		})
	}
}

func FuzzParseSpanID(f *testing.F) {
	f.Add("00f067aa0ba902b7")
	f.Add("-")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := model.ParseSpanID(s)
		if err != nil || id.IsZero() {
			return
		}
		again, err := model.ParseSpanID(id.String())
		if err != nil || again != id {
			t.Errorf("%q reads as %s, which reads as %s, %v", s, id, again, err)
		}
	})
}

func TestLevels(t *testing.T) {
	for severity, want := range map[int32]model.Level{0: model.LevelUnset, 1: model.LevelTrace, 5: model.LevelDebug, 9: model.LevelInfo, 12: model.LevelInfo, 13: model.LevelWarn, 17: model.LevelError, 24: model.LevelFatal, 25: model.LevelUnset, -1: model.LevelUnset} {
		if got := model.LevelOfSeverity(severity); got != want {
			t.Errorf("severity %d is %q, want %q", severity, got, want)
		}
	}
	for name, want := range map[string]model.Level{"WARNING": model.LevelWarn, "notice": model.LevelInfo, "Err": model.LevelError, "panic": model.LevelFatal} {
		if got, ok := model.ParseLevel(name); !ok || got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, ok := model.ParseLevel("loud"); ok {
		t.Error("an unknown level was accepted")
	}
}

func sampleAttrs() model.Attrs {
	return model.Attrs{
		{Key: "s", Value: model.StringValue(`quoted "text"`)},
		{Key: "i", Value: model.IntValue(math.MinInt64)},
		{Key: "f", Value: model.FloatValue(0.25)},
		{Key: "b", Value: model.BoolValue(true)},
		{Key: "j", Value: model.JSONValue(`[1,{"a":null}]`)},
		{Key: "e", Value: model.Value{}},
	}
}

var comparable = cmp.AllowUnexported(model.Value{})

func TestALogRecordSurvivesJSON(t *testing.T) {
	id, _ := model.ParseTraceID("4bf92f3577b34da6a3ce929d0e0e4736")
	want := model.LogRecord{
		Time: 1_700_000_000_123_456_789, Level: model.LevelWarn, TraceID: id, SpanID: model.SpanID{7: 1}, RequestID: "r-1",
		Message: "connection reset", Attrs: sampleAttrs(),
		Resource: &model.Resource{Tenant: "default", Service: "edge", Env: "prod", Region: "eu-1", Version: "2.4.1", Attrs: model.Attrs{{Key: "host.name", Value: model.StringValue("h1")}}},
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	// R023: the mandatory schema is flat.
	for _, field := range []string{"timestamp", "level", "service", "env", "region", "trace_id", "span_id", "tenant", "request_id", "message"} {
		if !strings.Contains(string(text), `"`+field+`":`) {
			t.Errorf("no %s in %s", field, text)
		}
	}
	var got model.LogRecord
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, comparable); d != "" {
		t.Error(d)
	}
}

func TestASpanSurvivesJSON(t *testing.T) {
	want := model.Span{
		TraceID: model.TraceID{1}, SpanID: model.SpanID{2}, ParentID: model.SpanID{3}, Name: "GET /", Kind: model.SpanKindServer,
		Start: 1_700_000_000_123_456_789, Duration: 5, Status: model.StatusError, StatusMessage: "boom", TraceState: "a=b", Scope: "lib",
		Attrs:    sampleAttrs(),
		Events:   []model.SpanEvent{{Time: 9, Name: "exception", Attrs: model.Attrs{{Key: "type", Value: model.StringValue("E")}}}},
		Links:    []model.SpanLink{{TraceID: model.TraceID{4}, SpanID: model.SpanID{5}}},
		Resource: &model.Resource{Service: "edge"},
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got model.Span
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got, comparable); d != "" {
		t.Error(d)
	}
}

func TestValuesThatJSONHasNoNumberForBecomeText(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		text, err := json.Marshal(model.FloatValue(f))
		if err != nil || text[0] != '"' {
			t.Errorf("%v became %s, %v", f, text, err)
		}
	}
}

func TestSetIdentityKnowsConventionsAndShortNames(t *testing.T) {
	var r model.Resource
	for key, value := range map[string]string{
		"service.name": "edge", "service.namespace": "broker", "deployment.environment.name": "prod",
		"cloud.region": "eu-1", "service.version": "2", "service.instance.id": "i", "tenant": "acme",
	} {
		if !r.SetIdentity(key, value) {
			t.Errorf("%s is not known", key)
		}
	}
	want := model.Resource{Tenant: "acme", Service: "edge", Namespace: "broker", Env: "prod", Region: "eu-1", Version: "2", Instance: "i"}
	if d := cmp.Diff(want, r, comparable); d != "" {
		t.Error(d)
	}
	if r.SetIdentity("host.name", "h") {
		t.Error("host.name is no identity")
	}
}
