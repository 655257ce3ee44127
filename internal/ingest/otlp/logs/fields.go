package logs

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
)

// rankMessage orders the names under which loggers write the message, the
// plainest first; 0 is no message. Serilog's compact form has @m, or @mt without values.
func rankMessage(key string) int {
	switch strings.ToLower(key) {
	case "message":
		return 1
	case "msg", "@m":
		return 2
	case "body", "@message", "short_message":
		return 3
	case "@mt", "messagetemplate":
		return 4
	case wrapped:
		return 5
	}
	return 0
}

// wrapped is the name under which agents (Docker, Fluent Bit) put a line as they found it. ECS has
// an object there, which is no message.
const wrapped = "log"

// rank is rankMessage of a field.
func rank(f model.Attr) int {
	r := rankMessage(f.Key)
	if r == rankMessage(wrapped) && f.Value.Kind() != model.KindString {
		return 0
	}
	return r
}

func hasMessage(fields model.Attrs) bool {
	for _, f := range fields {
		if rank(f) > 0 {
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
		if r := rank(f); r > 0 && (message < 0 || r < rank(fields[message])) {
			message = i
		}
	}
	if message < 0 {
		out.Message = whole
	} else {
		out.Message = fields[message].Value.String()
	}
	for i, f := range fields {
		if i == message || setKnownField(out, f) {
			continue
		}
		out.Attrs = append(out.Attrs, f)
	}
	if message >= 0 && rank(fields[message]) == rankMessage(wrapped) {
		unwrap(out)
	}
}

// unwrap reads the line that an agent wrapped: what an application says of itself in JSON is
// spread as if nobody had wrapped it, and a text has its level.
func unwrap(out *model.LogRecord) {
	line := strings.TrimRight(out.Message, "\r\n")
	out.Message = line
	if fields, ok := parseObject(line); ok {
		setFields(out, fields, line)
		return
	}
	if out.Level == model.LevelUnset {
		out.Level = model.LevelOfText(line)
	}
}

// isLevel says whether loggers write the level under a key.
func isLevel(key string) bool {
	switch strings.ToLower(key) {
	case "level", "severity", "lvl", "@l", "log.level", "levelname", "loglevel", "log_level", "level_name", "severity_text", "severitytext", "priority", "syslog.severity":
		return true
	}
	return false
}

// levelOfField reads a level: a name, a logger's number, OpenTelemetry's severity
// number, or ECS' object {"log": {"level": …}}.
func levelOfField(f model.Attr) model.Level {
	v := f.Value
	switch key := strings.ToLower(f.Key); {
	case key == "severity_number" || key == "severitynumber":
		return model.LevelOfSeverity(int32(v.Int()))
	case key == "levelno" && v.Kind() == model.KindInt: // Python: 10 debug, 20 info, … 50 critical
		return model.LevelOfNumber(v.Int() + 10)
	case key == "log" && v.Kind() == model.KindJSON:
		var log struct {
			Level string `json:"level"`
		}
		if json.Unmarshal([]byte(v.Str()), &log) != nil {
			return model.LevelUnset
		}
		l, _ := model.ParseLevel(log.Level)
		return l
	case !isLevel(f.Key):
		return model.LevelUnset
	}
	switch v.Kind() {
	case model.KindInt:
		return levelOfNumber(f.Key, v.Int())
	case model.KindString:
		if n, err := strconv.ParseInt(strings.TrimSpace(v.Str()), 10, 64); err == nil {
			return levelOfNumber(f.Key, n)
		}
		l, _ := model.ParseLevel(v.Str())
		return l
	}
	return model.LevelUnset
}

// levelOfNumber reads syslog's priority as what it is, 8 × facility + severity, and any
// other number as a logger's.
func levelOfNumber(key string, n int64) model.Level {
	if strings.EqualFold(key, "priority") && n >= 0 && n < 192 {
		n %= 8
	}
	return model.LevelOfNumber(n)
}

// levelOfAttrs is the level that an agent put beside a record that has none.
func levelOfAttrs(attrs model.Attrs) model.Level {
	for _, f := range attrs {
		if l := levelOfField(f); l != model.LevelUnset {
			return l
		}
	}
	return model.LevelUnset
}

// setKnownField stores a field that the record has a place for and reports
// whether it did; what OTLP said outside the body wins.
func setKnownField(out *model.LogRecord, f model.Attr) bool {
	if l := levelOfField(f); l != model.LevelUnset {
		if out.Level == model.LevelUnset {
			out.Level = l
		}
		// A number or an object says more than the level's name does.
		return out.Level == l && f.Value.Kind() == model.KindString && isLevel(f.Key)
	}
	if f.Value.Kind() != model.KindString {
		return false
	}
	switch text := f.Value.Str(); f.Key {
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
