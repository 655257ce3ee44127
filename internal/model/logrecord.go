package model

import (
	"encoding/json"
	"time"
)

// Level is a log record's severity, ordered: a larger level is worse.
type Level uint8

// The levels, as OpenTelemetry's severity ranges name them.
const (
	LevelUnset Level = iota
	LevelTrace
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
	LevelFatal
)

// String is the lower-case name; "" for an unset level.
func (l Level) String() string {
	switch l {
	case LevelTrace:
		return "trace"
	case LevelDebug:
		return "debug"
	case LevelInfo:
		return "info"
	case LevelWarn:
		return "warn"
	case LevelError:
		return "error"
	case LevelFatal:
		return "fatal"
	}
	return ""
}

// MarshalText writes the name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what ParseLevel reads; an unknown name is LevelUnset.
func (l *Level) UnmarshalText(b []byte) error {
	*l, _ = ParseLevel(string(b))
	return nil
}

// LevelOfSeverity maps an OpenTelemetry severity number (1–24) to a level.
func LevelOfSeverity(n int32) Level {
	if n < 1 || n > 24 {
		return LevelUnset
	}
	return Level((n-1)/4) + LevelTrace
}

// LogRecord is one log line. Time is Unix ns and never 0 once admitted.
type LogRecord struct {
	Time      int64
	Level     Level
	TraceID   TraceID
	SpanID    SpanID
	RequestID string
	Message   string
	Attrs     Attrs
	Resource  *Resource // never nil
}

type logJSON struct {
	Time      time.Time `json:"timestamp"`
	Level     Level     `json:"level"`
	Service   string    `json:"service"`
	Namespace string    `json:"namespace,omitempty"`
	Env       string    `json:"env"`
	Region    string    `json:"region"`
	Version   string    `json:"version,omitempty"`
	Instance  string    `json:"instance,omitempty"`
	Tenant    string    `json:"tenant"`
	TraceID   TraceID   `json:"trace_id"`
	SpanID    SpanID    `json:"span_id"`
	RequestID string    `json:"request_id"`
	Message   string    `json:"message"`
	Attrs     Attrs     `json:"attributes,omitempty"`
	Resource  Attrs     `json:"resource,omitempty"`
}

// MarshalJSON writes the mandatory schema (R023) flat: timestamp (RFC 3339 with ns,
// UTC), level, service, env, region, trace_id, span_id, tenant, request_id,
// message; then attributes and further resource attributes as objects.
func (r LogRecord) MarshalJSON() ([]byte, error) {
	res := r.Resource
	if res == nil {
		res = &Resource{}
	}
	return json.Marshal(logJSON{
		Time: time.Unix(0, r.Time).UTC(), Level: r.Level,
		Service: res.Service, Namespace: res.Namespace, Env: res.Env, Region: res.Region,
		Version: res.Version, Instance: res.Instance, Tenant: res.Tenant,
		TraceID: r.TraceID, SpanID: r.SpanID, RequestID: r.RequestID, Message: r.Message,
		Attrs: r.Attrs, Resource: res.Attrs,
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *LogRecord) UnmarshalJSON(b []byte) error {
	var j logJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*r = LogRecord{
		Time: j.Time.UnixNano(), Level: j.Level, TraceID: j.TraceID, SpanID: j.SpanID,
		RequestID: j.RequestID, Message: j.Message, Attrs: j.Attrs,
		Resource: &Resource{
			Tenant: j.Tenant, Service: j.Service, Namespace: j.Namespace, Env: j.Env,
			Region: j.Region, Version: j.Version, Instance: j.Instance, Attrs: j.Resource,
		},
	}
	return nil
}
