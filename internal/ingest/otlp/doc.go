// Package otlp takes in OpenTelemetry: traces, metrics and logs over OTLP/gRPC
// and OTLP/HTTP, protobuf or JSON.
//
// It does not decide what may enter (a stream.Admitter does), does not keep anything (a
// stream.Sink and a storage.AppendableV2 do), and does not make metrics
// from spans.
//
// Data in: Export requests on two listeners of its own and on any mux that
// mounts Handler. Data out: model.LogRecord and model.Span to the sink, samples to the
// appendable, one answer per request as the OTLP specification words it:
// full success, partial success with the number and the first reasons of what was
// refused, or an error that says whether sending again makes sense.
//
// Invariants: nothing is answered with success before the sink or the appender's commit
// returned nil. Memory is bounded: requests in flight, bytes per request after
// decompression, and bytes in flight have limits, and what exceeds
// them is told to come back later. The tenant of the header wins over a resource attribute.
//
// wire reads both forms; spans, logs and metrics convert, on what common has for all; repeats
// knows what was stored already.
//
// Start reading at server.go, then intake.go.
package otlp
