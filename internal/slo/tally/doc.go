// Package tally counts spans, log records and deployments by minute, for
// SLOs over them.
//
// It asks the stores and remembers the answers of the last minutes; what arrives (TapLogs,
// TapSpans, AddDeploy) makes it forget exactly the minutes concerned, so that an evaluation reads
// only those that changed. It does not know SLOs, and keeps nothing across a restart.
//
// In: store.LogReader, store.SpanReader, deployment records, what was stored
// just now. Out: counts by minute, and the hours into which late data fell.
//
// Invariants: a remembered count is that of the store as long as every write is
// tapped after it is durable; an answer read while data arrived is not remembered. Lock order:
// Tally.mu only, never held while a store is read.
//
// Start reading at CountEvents.
package tally
