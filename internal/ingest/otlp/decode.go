package otlp

import (
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/otlpjson"
)

// message is a request message of any signal.
type message interface {
	UnmarshalProto(data []byte) error
	UnmarshalJSON(data []byte) error
}

// form is how the request message of one signal is read. merge moves what one
// message holds behind what the other does.
type form[M message] struct {
	kind  msg
	empty func() M
	merge func(from, into M)
}

func traceForm() form[ptraceotlp.ExportRequest] {
	return form[ptraceotlp.ExportRequest]{msgTraces, ptraceotlp.NewExportRequest, func(from, into ptraceotlp.ExportRequest) {
		from.Traces().ResourceSpans().MoveAndAppendTo(into.Traces().ResourceSpans())
	}}
}

func logForm() form[plogotlp.ExportRequest] {
	return form[plogotlp.ExportRequest]{msgLogs, plogotlp.NewExportRequest, func(from, into plogotlp.ExportRequest) {
		from.Logs().ResourceLogs().MoveAndAppendTo(into.Logs().ResourceLogs())
	}}
}

func metricForm() form[pmetricotlp.ExportRequest] {
	return form[pmetricotlp.ExportRequest]{msgMetrics, pmetricotlp.NewExportRequest, func(from, into pmetricotlp.ExportRequest) {
		from.Metrics().ResourceMetrics().MoveAndAppendTo(into.Metrics().ResourceMetrics())
	}}
}

// decode reads a body; one that is not the message is the sender's fault.
func decode[M message](in *intake, r request, f form[M]) (m M, err error) {
	defer func() {
		// The decoders are generated and fuzzed, but they read what strangers send.
		if p := recover(); p != nil {
			err = malformed("the body cannot be decoded: %v", p)
		}
	}()
	m = f.empty()
	if r.json {
		return m, decodeJSON(r, f, m)
	}
	if err := in.wire.check(f.kind, r.body, 0); err != nil {
		return m, malformed("%s", err)
	}
	if err := m.UnmarshalProto(r.body); err != nil {
		return m, malformed("the body is not an OTLP/protobuf %s request: %s", r.signal, err)
	}
	return m, nil
}

func decodeJSON[M message](r request, f form[M], into M) error {
	if jsonDepthExceeds(r.body, maxJSONNesting) {
		return malformed("the JSON body is nested deeper than %d", maxJSONNesting)
	}
	docs, err := otlpjson.Documents(r.body)
	if err != nil {
		return malformed("the body is not an OTLP/JSON %s request: %s", r.signal, err)
	}
	for i, doc := range docs {
		m := into
		if i > 0 {
			m = f.empty()
		}
		if err := m.UnmarshalJSON(doc); err != nil {
			return malformed("the body is not an OTLP/JSON %s request: document %d of %d: %s", r.signal, i+1, len(docs), err)
		}
		if i > 0 {
			f.merge(m, into)
		}
	}
	return nil
}
