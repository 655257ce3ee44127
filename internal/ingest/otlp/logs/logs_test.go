package logs

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

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

func str(key, value string) model.Attr { return model.Attr{Key: key, Value: model.StringValue(value)} }

func convertLog(t testing.TB, set func(plog.LogRecord)) (model.LogRecord, Batch) {
	t.Helper()
	ld := plog.NewLogs()
	set(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	b := Of(ld, anybody, time.Unix(50, 0))
	if len(b.Records) != 1 {
		t.Fatalf("%d records", len(b.Records))
	}
	return b.Records[0], b
}

func TestBodiesBecomeMessagesAndFields(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(plog.LogRecord)
		want model.LogRecord
		form Form
	}{
		{
			"plain text is wrapped", func(lr plog.LogRecord) { lr.Body().SetStr("it works") },
			model.LogRecord{Message: "it works"},
			formText,
		},
		{"a JSON object is taken apart", func(lr plog.LogRecord) {
			lr.Body().SetStr(` {"msg":"paid","amount":1.5,"user":{"id":7},"level":"warn","trace_id":"0102","span_id":"03","request_id":"r1"}` + "\n")
		}, model.LogRecord{
			Message: "paid", Level: model.LevelWarn, TraceID: model.TraceID{14: 1, 15: 2}, SpanID: model.SpanID{7: 3}, RequestID: "r1",
			Attrs: model.Attrs{{Key: "amount", Value: model.FloatValue(1.5)}, {Key: "user", Value: model.JSONValue(`{"id":7}`)}},
		}, formParsed},
		{"what OTLP says outside the body wins", func(lr plog.LogRecord) {
			lr.SetSeverityNumber(plog.SeverityNumberError)
			lr.SetTraceID(pcommon.TraceID{1})
			lr.Attributes().PutStr("request.id", "outer")
			lr.Body().SetStr(`{"message":"m","level":"info","trace_id":"0102","request_id":"inner"}`)
		}, model.LogRecord{
			Message: "m", Level: model.LevelError, TraceID: model.TraceID{1}, RequestID: "outer",
			Attrs: model.Attrs{str("level", "info"), str("trace_id", "0102")},
		}, formParsed},
		{
			"message wins over msg and body", func(lr plog.LogRecord) { lr.Body().SetStr(`{"body":"c","msg":"b","message":"a"}`) },
			model.LogRecord{Message: "a", Attrs: model.Attrs{str("body", "c"), str("msg", "b")}},
			formParsed,
		},
		{
			"an object without message keeps its text", func(lr plog.LogRecord) { lr.Body().SetStr(`{"a":true}`) },
			model.LogRecord{Message: `{"a":true}`, Attrs: model.Attrs{{Key: "a", Value: model.BoolValue(true)}}},
			formParsed,
		},
		{
			"broken JSON is text", func(lr plog.LogRecord) { lr.Body().SetStr(`{"a":}`) },
			model.LogRecord{Message: `{"a":}`},
			formText,
		},
		{
			"a JSON array is text", func(lr plog.LogRecord) { lr.Body().SetStr(`[1]`) },
			model.LogRecord{Message: `[1]`},
			formText,
		},
		{"a map body", func(lr plog.LogRecord) {
			m := lr.Body().SetEmptyMap()
			m.PutStr("message", "m")
			m.PutInt("n", 3)
			m.PutEmptySlice("l").AppendEmpty().SetDouble(math.NaN())
		}, model.LogRecord{Message: "m", Attrs: model.Attrs{{Key: "n", Value: model.IntValue(3)}, {Key: "l", Value: model.JSONValue(`["NaN"]`)}}}, formMap},
		{"a number", func(lr plog.LogRecord) { lr.Body().SetInt(7) }, model.LogRecord{Message: "7"}, formOther},
		{"bytes", func(lr plog.LogRecord) { lr.Body().SetEmptyBytes().FromRaw([]byte{1, 2}) }, model.LogRecord{Message: "AQI="}, formOther},
		{"bytes that are text", func(lr plog.LogRecord) { lr.Body().SetEmptyBytes().FromRaw([]byte("disk full\n")) }, model.LogRecord{Message: "disk full\n"}, formText},
		{"bytes that are JSON", func(lr plog.LogRecord) { lr.Body().SetEmptyBytes().FromRaw([]byte(`{"msg":"m"}`)) }, model.LogRecord{Message: "m"}, formParsed},
		{"nothing", func(plog.LogRecord) {}, model.LogRecord{}, formEmpty},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, batch := convertLog(t, c.set)
			got.Time, got.Resource = 0, nil
			if len(got.Attrs) == 0 {
				got.Attrs = nil
			}
			if diff := cmp.Diff(c.want, got, valueComparer()); diff != "" {
				t.Error(diff)
			}
			if batch.Forms[c.form] != 1 {
				t.Errorf("counted as %v, want one %s", batch.Forms, c.form)
			}
		})
	}
}

func TestLogTimesAndLevels(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(plog.LogRecord)
		time  int64
		level model.Level
	}{
		{"own time", func(lr plog.LogRecord) { lr.SetTimestamp(5); lr.SetObservedTimestamp(6) }, 5, model.LevelUnset},
		{"observed time stands in", func(lr plog.LogRecord) { lr.SetObservedTimestamp(6) }, 6, model.LevelUnset},
		{"the clock stands in", func(plog.LogRecord) {}, 50e9, model.LevelUnset},
		{"a time beyond 2262", func(lr plog.LogRecord) { lr.SetTimestamp(math.MaxUint64) }, math.MaxInt64, model.LevelUnset},
		{"number", func(lr plog.LogRecord) { lr.SetTimestamp(5); lr.SetSeverityNumber(12) }, 5, model.LevelInfo},
		{"number wins over text", func(lr plog.LogRecord) {
			lr.SetTimestamp(5)
			lr.SetSeverityNumber(17)
			lr.SetSeverityText("info")
		}, 5, model.LevelError},
		{"text", func(lr plog.LogRecord) { lr.SetTimestamp(5); lr.SetSeverityText("WARNING") }, 5, model.LevelWarn},
	} {
		got, _ := convertLog(t, c.set)
		if got.Time != c.time || got.Level != c.level {
			t.Errorf("%s: %d %s, want %d %s", c.name, got.Time, got.Level, c.time, c.level)
		}
	}
	got, _ := convertLog(t, func(lr plog.LogRecord) { lr.SetSeverityText("AUDIT"); lr.SetEventName("login") })
	want := model.Attrs{str("event.name", "login"), str("severity_text", "AUDIT")}
	if diff := cmp.Diff(want, got.Attrs, valueComparer()); diff != "" {
		t.Error(diff)
	}
}

// requestOf is a request of one record for each body.
func requestOf(bodies ...string) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, body := range bodies {
		lr := records.AppendEmpty()
		lr.SetTimestamp(1_790_000_000_000_000_000)
		lr.Body().SetStr(body)
	}
	return ld
}

// checkAttrs fails where attributes cannot be written as JSON.
func checkAttrs(t *testing.T, v any) {
	t.Helper()
	if _, err := json.Marshal(v); err != nil {
		t.Errorf("%+v: %v", v, err)
	}
}

// Whatever the bytes are, decoding and converting ends without a panic and what
// comes out is JSON.
func FuzzLogs(f *testing.F) {
	ld := requestOf("text", `{"msg":"x","n":1e999}`, `{"a":{"b":[1,2]}}`)
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetEmptyMap().PutEmptySlice("l").AppendEmpty().SetDouble(math.Inf(1))
	req := plogotlp.NewExportRequestFromLogs(ld)
	binary, _ := req.MarshalProto()
	f.Add(binary, false)
	text, _ := req.MarshalJSON()
	f.Add(text, true)
	in := wire.NewReader()
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		m, _, err := in.Logs(body, isJSON)
		if err != nil {
			return
		}
		n := m.LogRecordCount()
		b := Of(m, anybody, time.Unix(1, 0))
		if len(b.Records)+common.RefusedCount(b.Refused) != n {
			t.Fatalf("%d records became %d and %d refused", n, len(b.Records), common.RefusedCount(b.Refused))
		}
		for i := range b.Records {
			checkAttrs(t, b.Records[i].Attrs)
		}
	})
}

func TestLevelsInBodiesOfTheFieldsLoggers(t *testing.T) {
	for body, want := range map[string]model.Level{
		`{"level":50,"msg":"pino"}`:                                                 model.LevelError,
		`{"level":"50","msg":"pino as text"}`:                                       model.LevelError,
		`{"Level":"Error","Message":"serilog"}`:                                     model.LevelError,
		`{"@l":"Error","@mt":"clef"}`:                                               model.LevelError,
		`{"log.level":"error","message":"ecs"}`:                                     model.LevelError,
		`{"log":{"level":"error"},"message":"ecs"}`:                                 model.LevelError,
		`{"levelname":"ERROR","message":"python"}`:                                  model.LevelError,
		`{"levelno":40,"message":"python"}`:                                         model.LevelError,
		`{"severity_text":"ERROR","body":"otel"}`:                                   model.LevelError,
		`{"severityNumber":17,"body":"otel"}`:                                       model.LevelError,
		`{"PRIORITY":"3","MESSAGE":"journald"}`:                                     model.LevelError,
		`{"level":3,"short_message":"gelf"}`:                                        model.LevelError,
		`{"level":400,"message":"monolog"}`:                                         model.LevelError,
		`{"log":"2026-11-30 ERROR from docker\n","stream":"stderr"}`:                model.LevelError,
		`{"log":"{\"level\":\"error\",\"msg\":\"in docker\"}\n","stream":"stdout"}`: model.LevelError,
		`{"priority":35,"message":"syslog, auth.err"}`:                              model.LevelError,
		`level=error msg=logfmt`:                                                    model.LevelError,
		`2026-11-30 05:42:10 ERROR text`:                                            model.LevelError,
		`{"message":"no level","user":{"level":"gold"}}`:                            model.LevelUnset,
		`the level of water`:                                                        model.LevelUnset,
	} {
		b := Of(requestOf(body), anybody, time.Unix(1, 0))
		if got := b.Records[0].Level; got != want {
			t.Errorf("%s is %q, want %q", body, got, want)
		}
		if strings.HasPrefix(body, "{") && b.Records[0].Message == body {
			t.Errorf("%s: no message was found", body)
		}
	}
	// What OTLP says outside the body wins.
	req := requestOf(`{"level":"error","msg":"x"}`)
	req.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetSeverityNumber(9)
	if got := Of(req, anybody, time.Unix(1, 0)).Records[0]; got.Level != model.LevelInfo {
		t.Errorf("level %s", got.Level)
	}
}

// What agents put beside a record that has no severity is its level; a severity wins.
func TestLevelsInAttributes(t *testing.T) {
	for _, c := range []struct {
		key, value string
		severity   plog.SeverityNumber
		want       model.Level
	}{
		{"level", "error", 0, model.LevelError},
		{"PRIORITY", "3", 0, model.LevelError},
		{"priority", "34", 0, model.LevelFatal}, // facility 4, severity 2
		{"detected", "error", 0, model.LevelUnset},
		{"level", "gold", 0, model.LevelUnset},
		{"level", "error", 9, model.LevelInfo},
	} {
		got, _ := convertLog(t, func(lr plog.LogRecord) {
			lr.Body().SetStr("m")
			lr.SetSeverityNumber(c.severity)
			lr.Attributes().PutStr(c.key, c.value)
		})
		if got.Level != c.want || len(got.Attrs) != 1 {
			t.Errorf("%s=%s: %q, want %q", c.key, c.value, got.Level, c.want)
		}
	}
}

// A line that an agent wrapped reads as if it had not.
func TestWrappedLinesAreUnwrapped(t *testing.T) {
	for body, want := range map[string]string{
		`{"log":"plain line\n","stream":"stderr"}`:                  "plain line",
		`{"log":"{\"msg\":\"inner\",\"a\":1}\n","stream":"stderr"}`: "inner",
		`{"log":"line","message":"own message"}`:                    "own message",
		`{"log":{"level":"error"},"short":"x"}`:                     `{"log":{"level":"error"},"short":"x"}`,
		`{"log":"{\"log\":\"{\\\"msg\\\":\\\"twice\\\"}\"}"}`:       "twice",
	} {
		if got := Of(requestOf(body), anybody, time.Unix(1, 0)).Records[0]; got.Message != want {
			t.Errorf("%s: %q, want %q", body, got.Message, want)
		}
	}
}

func TestAKeyThatStandsTwiceInALogRecordHasItsLastValue(t *testing.T) {
	var reader plog.JSONUnmarshaler
	in, err := reader.UnmarshalLogs([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[
		{"body":{"stringValue":"x"},"attributes":[{"key":"k","value":{"stringValue":"1"}},{"key":"k","value":{"stringValue":"2"}}]},
		{"body":{"stringValue":"{\"msg\":\"x\",\"k\":\"1\",\"k\":\"2\"}"}}]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	records := in.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	b := &Batch{}
	for i := range records.Len() {
		b.add(records.At(i), pcommon.NewInstrumentationScope(), &model.Resource{}, time.Unix(50, 0))
	}
	for _, r := range b.Records {
		if v, _ := r.Attrs.Get("k"); len(r.Attrs) != 1 || v != model.StringValue("2") {
			t.Errorf("%s: %v", r.Message, r.Attrs)
		}
	}
}
