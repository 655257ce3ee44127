package otlp

import (
	"encoding/json"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// logBatch is what a log request holds, and how its bodies looked.
type logBatch struct {
	records []model.LogRecord
	refused []stream.Refusal
	forms   [formCount]int
}

// bodyForm is how a record's body was structured.
type bodyForm uint8

const (
	formMap    bodyForm = iota // a map: fields as they came
	formParsed                 // a string holding a JSON object: parsed into fields
	formText                   // any other text: wrapped as the message
	formOther                  // numbers, arrays, bytes: wrapped as their JSON text
	formEmpty
	formCount
)

func (f bodyForm) String() string {
	return [...]string{"map", "json", "text", "other", "empty"}[f]
}

// logsOf converts a request; now stands in where a record has no time at all.
func logsOf(ld plog.Logs, headerTenant string, now time.Time) logBatch {
	b := logBatch{records: make([]model.LogRecord, 0, ld.LogRecordCount())}
	for _, rl := range ld.ResourceLogs().All() {
		res, err := resourceOf(rl.Resource(), headerTenant)
		for _, sl := range rl.ScopeLogs().All() {
			if err != nil {
				b.refused = addRefusal(b.refused, reasonTenant, err.Error(), sl.LogRecords().Len())
				continue
			}
			for _, lr := range sl.LogRecords().All() {
				b.add(lr, sl.Scope(), res, now)
			}
		}
	}
	return b
}

func (b *logBatch) add(lr plog.LogRecord, scope pcommon.InstrumentationScope, res *model.Resource, now time.Time) {
	out := model.LogRecord{
		Time:     nanos(lr.Timestamp()),
		Level:    levelOf(lr),
		TraceID:  model.TraceID(lr.TraceID()),
		SpanID:   model.SpanID(lr.SpanID()),
		Resource: res,
		Attrs:    make(model.Attrs, 0, lr.Attributes().Len()+scope.Attributes().Len()+3),
	}
	if out.Time == 0 {
		out.Time = nanos(lr.ObservedTimestamp())
	}
	if out.Time == 0 {
		out.Time = now.UnixNano()
	}
	b.forms[setBody(&out, lr.Body())]++
	out.Attrs = appendScope(out.Attrs, scope, true)
	if lr.EventName() != "" {
		out.Attrs = append(out.Attrs, model.Attr{Key: "event.name", Value: model.StringValue(lr.EventName())})
	}
	if text := lr.SeverityText(); text != "" {
		if _, ok := model.ParseLevel(text); !ok {
			out.Attrs = append(out.Attrs, model.Attr{Key: "severity_text", Value: model.StringValue(text)})
		}
	}
	for key, v := range lr.Attributes().All() {
		if isRequestID(key) && v.Type() == pcommon.ValueTypeStr {
			out.RequestID = v.Str()
			continue
		}
		out.Attrs = append(out.Attrs, model.Attr{Key: key, Value: valueOf(v)})
	}
	out.Attrs = appendCount(out.Attrs, "otel.dropped_attributes_count", lr.DroppedAttributesCount())
	b.records = append(b.records, out)
}

func levelOf(lr plog.LogRecord) model.Level {
	if l := model.LevelOfSeverity(int32(lr.SeverityNumber())); l != model.LevelUnset {
		return l
	}
	l, _ := model.ParseLevel(lr.SeverityText())
	return l
}

func isRequestID(key string) bool {
	return key == "request_id" || key == "request.id" || key == "http.request.id"
}

// setBody gives the record its message and the fields of a structured body.
func setBody(out *model.LogRecord, body pcommon.Value) bodyForm {
	switch body.Type() {
	case pcommon.ValueTypeEmpty:
		return formEmpty
	case pcommon.ValueTypeStr:
		text := body.Str()
		if fields, ok := parseObject(text); ok {
			setFields(out, fields, text)
			return formParsed
		}
		out.Message = text
		return formText
	case pcommon.ValueTypeMap:
		fields := attrsOf(body.Map())
		whole := ""
		if !hasMessage(fields) {
			whole = string(appendJSON(nil, body))
		}
		setFields(out, fields, whole)
		return formMap
	case pcommon.ValueTypeBytes, pcommon.ValueTypeSlice:
		out.Message = string(appendJSON(nil, body))
	default:
		out.Message = valueOf(body).String()
	}
	return formOther
}

// parseObject reads a text that is one JSON object, as structured loggers write.
func parseObject(text string) (model.Attrs, bool) {
	trimmed := strings.TrimSpace(text)
	if len(trimmed) < 2 || trimmed[0] != '{' || trimmed[len(trimmed)-1] != '}' {
		return nil, false
	}
	if jsonDepthExceeds(trimmed, maxNesting) {
		return nil, false
	}
	var fields model.Attrs
	if err := json.Unmarshal([]byte(trimmed), &fields); err != nil {
		return nil, false
	}
	return fields, true
}

func isMessage(key string) bool { return key == "message" || key == "msg" || key == "body" }

func hasMessage(fields model.Attrs) bool {
	for _, f := range fields {
		if isMessage(f.Key) {
			return true
		}
	}
	return false
}

// setFields spreads a structured body: its message (the whole text where it
// has none), and level, ids and request id where the record does not have them itself; every
// other field becomes an attribute.
func setFields(out *model.LogRecord, fields model.Attrs, whole string) {
	message := -1
	for i, f := range fields {
		if isMessage(f.Key) && (message < 0 || rankMessage(f.Key) < rankMessage(fields[message].Key)) {
			message = i
		}
	}
	if message >= 0 {
		out.Message = fields[message].Value.String()
	} else {
		out.Message = whole
	}
	for i, f := range fields {
		if i == message || setKnownField(out, f) {
			continue
		}
		out.Attrs = append(out.Attrs, f)
	}
}

func rankMessage(key string) int {
	switch key {
	case "message":
		return 0
	case "msg":
		return 1
	}
	return 2
}

// setKnownField stores a field that the record has a place for and reports
// whether it did; what OTLP said outside the body wins.
func setKnownField(out *model.LogRecord, f model.Attr) bool {
	if f.Value.Kind() != model.KindString {
		return false
	}
	switch text := f.Value.Str(); f.Key {
	case "level", "severity":
		l, ok := model.ParseLevel(text)
		if ok && out.Level == model.LevelUnset {
			out.Level = l
		}
		return ok && out.Level == l
	case "trace_id", "traceId":
		id, err := model.ParseTraceID(text)
		if err == nil && out.TraceID.IsZero() {
			out.TraceID = id
		}
		return err == nil && out.TraceID == id
	case "span_id", "spanId":
		id, err := model.ParseSpanID(text)
		if err == nil && out.SpanID.IsZero() {
			out.SpanID = id
		}
		return err == nil && out.SpanID == id
	case "request_id":
		out.RequestID = text
		return true
	}
	return false
}
