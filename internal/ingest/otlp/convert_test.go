package otlp

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/signalbox-project/signalbox/internal/model"
)

func str(key, value string) model.Attr { return model.Attr{Key: key, Value: model.StringValue(value)} }

func convertLog(t testing.TB, set func(plog.LogRecord)) (model.LogRecord, logBatch) {
	t.Helper()
	ld := plog.NewLogs()
	set(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	b := logsOf(ld, "", time.Unix(50, 0))
	if len(b.records) != 1 {
		t.Fatalf("%d records", len(b.records))
	}
	return b.records[0], b
}

func TestBodiesBecomeMessagesAndFields(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(plog.LogRecord)
		want model.LogRecord
		form bodyForm
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
		{"bytes", func(lr plog.LogRecord) { lr.Body().SetEmptyBytes().FromRaw([]byte{1, 2}) }, model.LogRecord{Message: `"AQI="`}, formOther},
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
			if batch.forms[c.form] != 1 {
				t.Errorf("counted as %v, want one %s", batch.forms, c.form)
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

func TestResourceIdentity(t *testing.T) {
	res := pcommon.NewResource()
	for _, kv := range [][2]string{{"service", "short"}, {"service.name", "long"}, {"env", "prod"}, {"deployment.environment", "old"}, {"region", "eu"}, {"tenant", "acme"}, {"x", "y"}} {
		res.Attributes().PutStr(kv[0], kv[1])
	}
	got, err := resourceOf(res, "")
	want := &model.Resource{Tenant: "acme", Service: "long", Env: "old", Region: "eu", Attrs: model.Attrs{str("x", "y"), str("service", "short"), str("env", "prod")}}
	if diff := cmp.Diff(want, got, valueComparer()); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err := resourceOf(pcommon.NewResource(), ""); err != nil || got.Service != "unknown_service" || got.Tenant != "default" {
		t.Errorf("an empty resource = %+v %v", got, err)
	}
	for tenant, ok := range map[string]bool{"a-b_1.*'()!": true, "a/b": false, ".": false, "..": false, string(make([]byte, 151)): false, "ä": false} {
		if err := checkTenant(tenant); (err == nil) != ok {
			t.Errorf("tenant %q: %v", tenant, err)
		}
	}
}

func TestSpansThatEndBeforeTheyStartGetNoDuration(t *testing.T) {
	td := ptrace.NewTraces()
	s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetStartTimestamp(10)
	s.SetEndTimestamp(4)
	s.SetKind(99)
	s.SetDroppedEventsCount(3)
	s.TraceState().FromRaw("a=b")
	b := spansOf(td, "")
	got := b.spans[0]
	if b.negative != 1 || got.Start != 10 || got.Duration != 0 || got.Kind != model.SpanKindUnset || got.TraceState != "a=b" {
		t.Errorf("%d negative, span %+v", b.negative, got)
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

func fuzzIntake() *intake { return &intake{wire: newWireTable()} }

// Whatever the bytes are, decoding and converting ends without a panic and what
// comes out is JSON.
func FuzzLogs(f *testing.F) {
	req := logRequest("text", `{"msg":"x","n":1e999}`, `{"a":{"b":[1,2]}}`)
	req.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetEmptyMap().PutEmptySlice("l").AppendEmpty().SetDouble(math.Inf(1))
	f.Add(protoBody(f, req), false)
	text, _ := req.MarshalJSON()
	f.Add(text, true)
	f.Add(nestedLog(80, 1<<20), false)
	in := fuzzIntake()
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		m, err := decode(in, request{signal: "logs", json: isJSON, body: body}, logForm())
		if err != nil {
			return
		}
		n := m.Logs().LogRecordCount()
		b := logsOf(m.Logs(), "", time.Unix(1, 0))
		if len(b.records)+refusedCount(b.refused) != n {
			t.Fatalf("%d records became %d and %d refused", n, len(b.records), refusedCount(b.refused))
		}
		for i := range b.records {
			checkAttrs(t, b.records[i].Attrs)
		}
	})
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
	f.Add(protoBody(f, req), false)
	text, _ := req.MarshalJSON()
	f.Add(text, true)
	in := fuzzIntake()
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		m, err := decode(in, request{signal: "spans", json: isJSON, body: body}, traceForm())
		if err != nil {
			return
		}
		n := m.Traces().SpanCount()
		b := spansOf(m.Traces(), "")
		if len(b.spans)+refusedCount(b.refused) != n {
			t.Fatalf("%d spans became %d and %d refused", n, len(b.spans), refusedCount(b.refused))
		}
		for i := range b.spans {
			if b.spans[i].Duration < 0 || b.spans[i].End() < b.spans[i].Start {
				t.Errorf("span %+v", b.spans[i])
			}
			checkAttrs(t, b.spans[i].Attrs)
		}
	})
}

func FuzzMetrics(f *testing.F) {
	md := pmetric.NewMetrics()
	ms := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for i, set := range []func(pmetric.Metric){
		func(m pmetric.Metric) { m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(3) },
		func(m pmetric.Metric) {
			m.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			m.Sum().DataPoints().AppendEmpty().Exemplars().AppendEmpty().SetDoubleValue(1)
		},
		func(m pmetric.Metric) {
			m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			m.Histogram().DataPoints().AppendEmpty().BucketCounts().FromRaw([]uint64{1, 2})
		},
		func(m pmetric.Metric) {
			m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			m.ExponentialHistogram().DataPoints().AppendEmpty().Positive().BucketCounts().FromRaw([]uint64{1, 2})
		},
		func(m pmetric.Metric) {
			m.SetEmptySummary().DataPoints().AppendEmpty().QuantileValues().AppendEmpty().SetValue(2)
		},
	} {
		m := ms.AppendEmpty()
		m.SetName("m" + string(rune('a'+i)))
		set(m)
	}
	req := pmetricotlp.NewExportRequestFromMetrics(md)
	f.Add(protoBody(f, req), false)
	text, _ := req.MarshalJSON()
	f.Add(text, true)
	in := fuzzIntake()
	in.settings = translation(nil)
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		m, err := decode(in, request{signal: "metrics", json: isJSON, body: body}, metricForm())
		if err != nil {
			return
		}
		p := prepareMetrics(m.Metrics(), "", false)
		if left := m.Metrics().DataPointCount(); left+refusedCount(p.refused) != p.points {
			t.Fatalf("%d points: %d left, %d refused", p.points, left, refusedCount(p.refused))
		}
		// Every point that is left is translated: received = stored + refused.
		if problems, err := in.appendMetrics(t.Context(), newCountingAppender(discardAppender{}), m.Metrics()); err != nil || len(problems) > 0 {
			t.Errorf("append: %v, problems %v", err, problems)
		}
	})
}

func TestLevelsInBodiesOfTheFieldsLoggers(t *testing.T) {
	for body, want := range map[string]model.Level{
		`{"level":50,"msg":"pino"}`:                      model.LevelError,
		`{"level":"50","msg":"pino as text"}`:            model.LevelError,
		`{"Level":"Error","Message":"serilog"}`:          model.LevelError,
		`{"@l":"Error","@mt":"clef"}`:                    model.LevelError,
		`{"log.level":"error","message":"ecs"}`:          model.LevelError,
		`{"log":{"level":"error"},"message":"ecs"}`:      model.LevelError,
		`{"levelname":"ERROR","message":"python"}`:       model.LevelError,
		`{"levelno":40,"message":"python"}`:              model.LevelError,
		`{"severity_text":"ERROR","body":"otel"}`:        model.LevelError,
		`{"severityNumber":17,"body":"otel"}`:            model.LevelError,
		`{"PRIORITY":"3","MESSAGE":"journald"}`:          model.LevelError,
		`{"level":3,"short_message":"gelf"}`:             model.LevelError,
		`{"level":400,"message":"monolog"}`:              model.LevelError,
		`level=error msg=logfmt`:                         model.LevelError,
		`2026-11-30 05:42:10 ERROR text`:                 model.LevelError,
		`{"message":"no level","user":{"level":"gold"}}`: model.LevelUnset,
		`the level of water`:                             model.LevelUnset,
	} {
		b := logsOf(logRequest(body).Logs(), "", time.Unix(1, 0))
		if got := b.records[0].Level; got != want {
			t.Errorf("%s is %q, want %q", body, got, want)
		}
		if strings.HasPrefix(body, "{") && b.records[0].Message == body {
			t.Errorf("%s: no message was found", body)
		}
	}
	// What OTLP says outside the body wins.
	req := logRequest(`{"level":"error","msg":"x"}`)
	req.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetSeverityNumber(9)
	if got := logsOf(req.Logs(), "", time.Unix(1, 0)).records[0]; got.Level != model.LevelInfo {
		t.Errorf("level %s", got.Level)
	}
}
