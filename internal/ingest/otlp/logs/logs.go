// Package logs converts the log records of OTLP and takes structured bodies apart, as the
// common loggers write them.
//
// In: pdata. Out: model.LogRecord, what was refused, and how the bodies looked. It keeps
// nothing. Start reading at Of; fields.go knows the loggers' names.
package logs

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Batch is what a log request holds, and how its bodies looked.
type Batch struct {
	Records []model.LogRecord
	Refused []stream.Refusal
	Timed   bool           // every record has a time of its own
	Forms   [formCount]int // by Form
}

// Form is how a record's body was structured.
type Form uint8

const (
	formMap    Form = iota // a map: fields as they came
	formParsed             // a string holding a JSON object: parsed into fields
	formText               // any other text: wrapped as the message
	formOther              // numbers, arrays, bytes: wrapped as their JSON text
	formEmpty
	formCount
)

func (f Form) String() string {
	return [...]string{"map", "json", "text", "other", "empty"}[f]
}

// Of converts a request; now stands in where a record has no time at all.
func Of(ld plog.Logs, from common.Sender, now time.Time) Batch {
	b := Batch{Records: make([]model.LogRecord, 0, ld.LogRecordCount()), Timed: true}
	for _, rl := range ld.ResourceLogs().All() {
		res, refusal := common.ResourceOf(rl.Resource(), from)
		for _, sl := range rl.ScopeLogs().All() {
			if refusal != nil {
				b.Refused = common.Refuse(b.Refused, refusal.Reason, refusal.Message, sl.LogRecords().Len())
				continue
			}
			for _, lr := range sl.LogRecords().All() {
				b.add(lr, sl.Scope(), res, now)
			}
		}
	}
	return b
}

func (b *Batch) add(lr plog.LogRecord, scope pcommon.InstrumentationScope, res *model.Resource, now time.Time) {
	out := model.LogRecord{
		Time:     common.Nanos(lr.Timestamp()),
		Level:    levelOf(lr),
		TraceID:  model.TraceID(lr.TraceID()),
		SpanID:   model.SpanID(lr.SpanID()),
		Resource: res,
		Attrs:    make(model.Attrs, 0, lr.Attributes().Len()+scope.Attributes().Len()+3),
	}
	if out.Time == 0 {
		out.Time = common.Nanos(lr.ObservedTimestamp())
	}
	b.Timed = b.Timed && out.Time != 0
	if out.Time == 0 {
		out.Time = now.UnixNano()
	}
	body := setBody(&out, lr.Body())
	b.Forms[body]++
	out.Attrs = common.AppendScope(out.Attrs, scope, true)
	if lr.EventName() != "" {
		out.Attrs = append(out.Attrs, model.Attr{Key: "event.name", Value: model.StringValue(lr.EventName())})
	}
	if text := lr.SeverityText(); text != "" {
		if _, ok := model.ParseLevel(text); !ok {
			out.Attrs = append(out.Attrs, model.Attr{Key: "severity_text", Value: model.StringValue(text)})
		}
	}
	own := len(out.Attrs)
	for key, v := range lr.Attributes().All() {
		if isRequestID(key) && v.Type() == pcommon.ValueTypeStr {
			out.RequestID = v.Str()
			continue
		}
		out.Attrs = append(out.Attrs, model.Attr{Key: key, Value: common.ValueOf(v)})
	}
	out.Attrs = out.Attrs[:own+len(out.Attrs[own:].Distinct())]
	if out.Level == model.LevelUnset {
		out.Level = levelOfAttrs(out.Attrs[own:])
	}
	if out.Level == model.LevelUnset && body == formText {
		out.Level = model.LevelOfText(out.Message)
	}
	out.Attrs = common.AppendCount(out.Attrs, "otel.dropped_attributes_count", lr.DroppedAttributesCount())
	b.Records = append(b.Records, out)
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
func setBody(out *model.LogRecord, body pcommon.Value) Form {
	switch body.Type() {
	case pcommon.ValueTypeEmpty:
		return formEmpty
	case pcommon.ValueTypeStr:
		return setText(out, body.Str())
	case pcommon.ValueTypeMap:
		fields := common.AttrsOf(body.Map())
		whole := ""
		if !hasMessage(fields) {
			whole = string(common.AppendJSON(nil, body))
		}
		setFields(out, fields, whole)
		return formMap
	case pcommon.ValueTypeBytes:
		if raw := body.Bytes().AsRaw(); isText(raw) { // an agent that was told of no encoding
			return setText(out, string(raw))
		}
		out.Message = base64.StdEncoding.EncodeToString(body.Bytes().AsRaw())
	case pcommon.ValueTypeSlice:
		out.Message = string(common.AppendJSON(nil, body))
	default:
		out.Message = common.ValueOf(body).String()
	}
	return formOther
}

func setText(out *model.LogRecord, text string) Form {
	if fields, ok := parseObject(text); ok {
		setFields(out, fields, text)
		return formParsed
	}
	out.Message = text
	return formText
}

// isText says of bytes that a person can read them.
func isText(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	return !bytes.ContainsFunc(b, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' && r != '\x1b'
	})
}

// parseObject reads a text that is one JSON object, as structured loggers write.
func parseObject(text string) (model.Attrs, bool) {
	trimmed := strings.TrimSpace(text)
	if len(trimmed) < 2 || trimmed[0] != '{' || trimmed[len(trimmed)-1] != '}' {
		return nil, false
	}
	if depthExceeds(trimmed, common.MaxNesting) {
		return nil, false
	}
	var fields model.Attrs
	if err := json.Unmarshal([]byte(trimmed), &fields); err != nil {
		return nil, false
	}
	return fields.Distinct(), true
}

// depthExceeds reports whether the brackets of a JSON text nest deeper than limit.
func depthExceeds(text string, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
