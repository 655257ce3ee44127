package jaeger

import (
	"encoding/json"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/model"
)

// The JSON of Jaeger's query service and UI.
type trace struct {
	TraceID   string             `json:"traceID"`
	Spans     []span             `json:"spans"`
	Processes map[string]process `json:"processes"`
	Warnings  []string           `json:"warnings"`
}

type span struct {
	TraceID       string      `json:"traceID"`
	SpanID        string      `json:"spanID"`
	Flags         uint32      `json:"flags"`
	OperationName string      `json:"operationName"`
	References    []reference `json:"references"`
	StartTime     int64       `json:"startTime"` // Unix µs
	Duration      int64       `json:"duration"`  // µs
	Tags          []keyValue  `json:"tags"`
	Logs          []logEntry  `json:"logs"`
	ProcessID     string      `json:"processID"`
	Warnings      []string    `json:"warnings"`
}

type reference struct {
	RefType string `json:"refType"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

type process struct {
	ServiceName string     `json:"serviceName"`
	Tags        []keyValue `json:"tags"`
}

type logEntry struct {
	Timestamp int64      `json:"timestamp"` // Unix µs
	Fields    []keyValue `json:"fields"`
}

type keyValue struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

// maxSafeInteger is the largest integer that JavaScript's numbers hold; larger
// ones are sent as text, as Jaeger does.
const maxSafeInteger = 1<<53 - 1

// traceOf is a trace in Jaeger's form.
func traceOf(id model.TraceID, spans []model.Span) trace {
	t := trace{TraceID: id.String(), Spans: make([]span, 0, len(spans)), Processes: map[string]process{}}
	ids := map[string]string{}
	a := adjust(spans)
	for i := range a.spans {
		s := &a.spans[i]
		out := spanOf(s, t.processID(ids, s.Resource))
		out.Warnings = a.warnings[i]
		t.Spans = append(t.Spans, out)
	}
	return t
}

// processID numbers a resource; equal resources share a number.
func (t *trace) processID(ids map[string]string, res *model.Resource) string {
	if res == nil {
		res = &model.Resource{}
	}
	key, err := json.Marshal(res)
	if err != nil {
		key = []byte(res.Service) // an attribute that is no JSON; the service decides then
	}
	pid, ok := ids[string(key)]
	if !ok {
		pid = "p" + strconv.Itoa(len(ids)+1)
		ids[string(key)] = pid
		t.Processes[pid] = processOf(res)
	}
	return pid
}

func processOf(res *model.Resource) process {
	p := process{ServiceName: res.Service, Tags: []keyValue{}}
	p.Tags = append(p.Tags, tagsOf(identity(res)[1:])...)
	p.Tags = append(p.Tags, tagsOf(res.Attrs)...)
	return p
}

// identity is what a resource is known by, as attributes; the service comes first.
func identity(res *model.Resource) model.Attrs {
	out := model.Attrs{{Key: "service.name", Value: model.StringValue(res.Service)}}
	for _, id := range []struct{ key, value string }{
		{"service.namespace", res.Namespace},
		{"deployment.environment.name", res.Env},
		{"cloud.region", res.Region},
		{"service.version", res.Version},
		{"service.instance.id", res.Instance},
	} {
		if id.value != "" {
			out = append(out, model.Attr{Key: id.key, Value: model.StringValue(id.value)})
		}
	}
	return out
}

func spanOf(s *model.Span, pid string) span {
	out := span{
		TraceID: s.TraceID.String(), SpanID: s.SpanID.String(), Flags: 1, OperationName: s.Name,
		References: []reference{}, StartTime: s.Start / 1000, Duration: s.Duration / 1000,
		Tags: tagsOf(s.Attrs), Logs: []logEntry{}, ProcessID: pid,
	}
	if !s.ParentID.IsZero() {
		out.References = append(out.References, reference{"CHILD_OF", s.TraceID.String(), s.ParentID.String()})
	}
	for _, l := range s.Links {
		out.References = append(out.References, reference{"FOLLOWS_FROM", l.TraceID.String(), l.SpanID.String()})
	}
	// The tags that Jaeger makes of OpenTelemetry's fields.
	if s.Kind != model.SpanKindUnset {
		out.Tags = append(out.Tags, text("span.kind", s.Kind.String()))
	}
	switch s.Status {
	case model.StatusOK:
		out.Tags = append(out.Tags, text("otel.status_code", "OK"))
	case model.StatusError:
		out.Tags = append(out.Tags, text("otel.status_code", "ERROR"), keyValue{"error", "bool", true})
	}
	if s.StatusMessage != "" {
		out.Tags = append(out.Tags, text("otel.status_description", s.StatusMessage))
	}
	if s.Scope != "" {
		out.Tags = append(out.Tags, text("otel.scope.name", s.Scope))
	}
	if s.TraceState != "" {
		out.Tags = append(out.Tags, text("w3c.tracestate", s.TraceState))
	}
	for _, e := range s.Events {
		fields := append([]keyValue{text("event", e.Name)}, tagsOf(e.Attrs)...)
		out.Logs = append(out.Logs, logEntry{Timestamp: e.Time / 1000, Fields: fields})
	}
	return out
}

func text(key, value string) keyValue { return keyValue{key, "string", value} }

func tagsOf(attrs model.Attrs) []keyValue {
	out := make([]keyValue, 0, len(attrs)+6)
	for _, a := range attrs {
		kv := text(a.Key, a.Value.String())
		switch a.Value.Kind() {
		case model.KindBool:
			kv.Type, kv.Value = "bool", a.Value.Bool()
		case model.KindInt:
			kv.Type, kv.Value = "int64", a.Value.Int()
			if i := a.Value.Int(); i > maxSafeInteger || i < -maxSafeInteger {
				kv.Value = a.Value.String()
			}
		case model.KindJSON:
			if b, ok := binaryOf(a.Value); ok {
				kv.Type, kv.Value = "binary", b // base 64 in JSON
			}
		case model.KindFloat:
			// NaN and infinities, which JSON lacks, come out as text.
			kv.Type, kv.Value = "float64", a.Value
		}
		out = append(out, kv)
	}
	return out
}
