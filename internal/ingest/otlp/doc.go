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
// them is told to come back later. A message is checked for its nesting before it is decoded,
// because the decoder recurses and a stack overflow cannot be caught. The tenant of
// the header wins over a resource attribute. The locks here (the delta state's) are leaves.
//
// Start reading at server.go, then intake.go; logs.go, spans.go and metrics.go convert.
package otlp
