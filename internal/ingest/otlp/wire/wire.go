// Package wire reads the requests of OTLP in both of their forms, protobuf and
// JSON, into pdata.
//
// JSON is turned into protobuf's form first, so that all else sees one form. A message is looked through
// before it is decoded: values that are nested too deep are refused, because the
// decoder recurses and a stack overflow cannot be caught, and what has an id of a wrong length is
// left out, because the decoder would give up the whole batch. The types come from protobuf's descriptors.
//
// In: the bytes of a request. Out: pdata, and what was left out. It keeps nothing and is safe for
// concurrent use. Start reading at Reader.
package wire

import (
	"errors"
	"fmt"
	"hash/maphash"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
)

// Reader reads requests.
type Reader struct {
	traces, logs, metrics *message
	seed                  maphash.Seed
}

// NewReader makes a Reader.
func NewReader() *Reader {
	return &Reader{
		traces:  schema((&tracespb.ExportTraceServiceRequest{}).ProtoReflect().Descriptor()),
		logs:    schema((&logspb.ExportLogsServiceRequest{}).ProtoReflect().Descriptor()),
		metrics: schema((&metricspb.ExportMetricsServiceRequest{}).ProtoReflect().Descriptor()),
		seed:    maphash.MakeSeed(),
	}
}

// LeftOut is what could not be read of a request that was read.
type LeftOut struct {
	NoSpans int    // spans whose ids, or whose parent's, have a wrong length
	IDs     int    // of log records, links and exemplars, which are kept without
	Unknown string // the first field of a JSON text that is none of OTLP's
}

// Spans is the request of traces that was read.
type Spans struct {
	ptrace.Traces
	LeftOut
	// Hashes stand for the spans with all that is said of them, in their order.
	Hashes []uint64
}

// Traces reads spans.
func (r *Reader) Traces(body []byte, json bool) (Spans, error) {
	m := ptraceotlp.NewExportRequest()
	body, left, err := read(r.traces, "spans", body, json, m)
	if err != nil {
		return Spans{}, err
	}
	out := Spans{Traces: m.Traces(), LeftOut: left, Hashes: hashSpans(r.seed, r.traces, body)}
	if len(out.Hashes) != out.SpanCount() {
		return Spans{}, errors.New("the body cannot be decoded: its spans cannot be told apart")
	}
	return out, nil
}

// Logs reads log records.
func (r *Reader) Logs(body []byte, json bool) (plog.Logs, LeftOut, error) {
	m := plogotlp.NewExportRequest()
	_, left, err := read(r.logs, "logs", body, json, m)
	return m.Logs(), left, err
}

// Metrics reads data points.
func (r *Reader) Metrics(body []byte, json bool) (pmetric.Metrics, LeftOut, error) {
	m := pmetricotlp.NewExportRequest()
	_, left, err := read(r.metrics, "metrics", body, json, m)
	return m.Metrics(), left, err
}

type target interface{ UnmarshalProto(data []byte) error }

// read decodes a body; what it returns is the body that was decoded.
func read(m *message, signal string, body []byte, json bool, into target) (decoded []byte, left LeftOut, err error) {
	defer func() {
		// The decoders are generated and fuzzed, but they read what strangers send.
		if p := recover(); p != nil {
			err = fmt.Errorf("the body cannot be decoded: %v", p)
		}
	}()
	form := "protobuf"
	if json {
		form = "JSON"
		if body, left.Unknown, err = encodeJSON(m, body); err != nil {
			return nil, left, fmt.Errorf("the body is not an OTLP/JSON %s request: %w", signal, err)
		}
	}
	var found inspection
	if err := found.walk(m, body, 0); err != nil {
		return nil, left, err
	}
	if found.badIDs > 0 {
		r := repairer{}
		body, _ = r.repair(nil, m, body)
		left.NoSpans, left.IDs = r.spans, r.ids
	}
	if err := into.UnmarshalProto(body); err != nil {
		return nil, left, fmt.Errorf("the body is not an OTLP/%s %s request: %w", form, signal, err)
	}
	return body, left, nil
}
