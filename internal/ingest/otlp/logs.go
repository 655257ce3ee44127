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
	timed   bool // every record has a time of its own
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
	b := logBatch{records: make([]model.LogRecord, 0, ld.LogRecordCount()), timed: true}
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
	b.timed = b.timed && out.Time != 0
	if out.Time == 0 {
		out.Time = now.UnixNano()
	}
	body := setBody(&out, lr.Body())
	b.forms[body]++
	if out.Level == model.LevelUnset && body == formText {
		out.Level = model.LevelOfText(out.Message)
	}
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
