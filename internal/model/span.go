package model

import (
	"encoding/json"
	"time"
)

// SpanKind is OpenTelemetry's span kind.
type SpanKind uint8

// The kinds, with OTLP's numbers.
const (
	SpanKindUnset SpanKind = iota
	SpanKindInternal
	SpanKindServer
	SpanKindClient
	SpanKindProducer
	SpanKindConsumer
)

// String is the lower-case name; "" for unset.
func (k SpanKind) String() string {
	if int(k) >= len(spanKindNames) {
		return ""
	}
	return spanKindNames[k]
}

var spanKindNames = [...]string{"", "internal", "server", "client", "producer", "consumer"}

// MarshalText writes the name.
func (k SpanKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a name; an unknown one is SpanKindUnset.
func (k *SpanKind) UnmarshalText(b []byte) error {
	*k = SpanKindUnset
	for i, n := range spanKindNames {
		if n == string(b) {
			*k = SpanKind(i)
		}
	}
	return nil
}

// SpanStatus is OpenTelemetry's span status.
type SpanStatus uint8

// The statuses, with OTLP's numbers.
const (
	StatusUnset SpanStatus = iota
	StatusOK
	StatusError
)

// String is unset, ok or error.
func (s SpanStatus) String() string {
	switch s {
	case StatusOK:
		return "ok"
	case StatusError:
		return "error"
	}
	return "unset"
}

// MarshalText writes the name.
func (s SpanStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name; an unknown one is StatusUnset.
func (s *SpanStatus) UnmarshalText(b []byte) error {
	switch string(b) {
	case "ok":
		*s = StatusOK
	case "error":
		*s = StatusError
	default:
		*s = StatusUnset
	}
	return nil
}

// SpanEvent is something that happened within a span, an exception for example.
type SpanEvent struct {
	Time  int64  `json:"time_unix_nano"` // Unix ns
	Name  string `json:"name"`
	Attrs Attrs  `json:"attributes,omitempty"`
}

// SpanLink points to a span of another trace, as a queue's consumer does.
type SpanLink struct {
	TraceID TraceID `json:"trace_id"`
	SpanID  SpanID  `json:"span_id"`
	Attrs   Attrs   `json:"attributes,omitempty"`
}

// Span is one span. Start is Unix ns, Duration is ns and never negative once
// admitted.
type Span struct {
	TraceID       TraceID
	SpanID        SpanID
	ParentID      SpanID // zero for a root
	Name          string
	Kind          SpanKind
	Start         int64
	Duration      int64
	Status        SpanStatus
	StatusMessage string
	TraceState    string
	Scope         string // instrumentation scope's name
	Attrs         Attrs
	Events        []SpanEvent
	Links         []SpanLink
	Resource      *Resource // never nil
}

// End is the span's end, Unix ns.
func (s *Span) End() int64 { return s.Start + s.Duration }

type spanJSON struct {
	TraceID       TraceID     `json:"trace_id"`
	SpanID        SpanID      `json:"span_id"`
	ParentID      SpanID      `json:"parent_span_id"`
	Name          string      `json:"name"`
	Kind          SpanKind    `json:"kind"`
	Start         time.Time   `json:"start"`
	StartUnixNano int64       `json:"start_unix_nano,string"`
	Duration      int64       `json:"duration_ns"`
	Status        SpanStatus  `json:"status"`
	StatusMessage string      `json:"status_message,omitempty"`
	TraceState    string      `json:"trace_state,omitempty"`
	Scope         string      `json:"scope,omitempty"`
	Service       string      `json:"service"`
	Resource      *Resource   `json:"resource"`
	Attrs         Attrs       `json:"attributes,omitempty"`
	Events        []SpanEvent `json:"events,omitempty"`
	Links         []SpanLink  `json:"links,omitempty"`
}

// MarshalJSON writes the span with its resource; start both as RFC 3339 and as
// exact Unix ns in a string.
func (s Span) MarshalJSON() ([]byte, error) {
	res := s.Resource
	if res == nil {
		res = &Resource{}
	}
	return json.Marshal(spanJSON{
		TraceID: s.TraceID, SpanID: s.SpanID, ParentID: s.ParentID, Name: s.Name, Kind: s.Kind,
		Start: time.Unix(0, s.Start).UTC(), StartUnixNano: s.Start, Duration: s.Duration,
		Status: s.Status, StatusMessage: s.StatusMessage, TraceState: s.TraceState, Scope: s.Scope,
		Service: res.Service, Resource: res, Attrs: s.Attrs, Events: s.Events, Links: s.Links,
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Span) UnmarshalJSON(b []byte) error {
	var j spanJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	if j.Resource == nil {
		j.Resource = &Resource{Service: j.Service}
	}
	*s = Span{
		TraceID: j.TraceID, SpanID: j.SpanID, ParentID: j.ParentID, Name: j.Name, Kind: j.Kind,
		Start: j.StartUnixNano, Duration: j.Duration, Status: j.Status, StatusMessage: j.StatusMessage,
		TraceState: j.TraceState, Scope: j.Scope, Attrs: j.Attrs, Events: j.Events, Links: j.Links,
		Resource: j.Resource,
	}
	return nil
}
