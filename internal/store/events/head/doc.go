// Package head keeps the newest, not yet sealed events in columns in memory.
//
// It appends records, hands out snapshots and gives rows back as model values. It does
// not write files, decide when to seal, or evaluate filters: package events
// does the first two, package scan the third.
//
// In: model.LogRecord and model.Span by the batch. Out: *Logs and *Spans, snapshots that never
// change, cost a few slice headers and stay valid for as long as they are held,
// also after the builder grew or its rows were sealed.
//
// Invariants: a builder only ever appends, nothing that a snapshot can see is
// written again (that is what makes slice headers enough). One mutex per
// builder, held while appending and while copying headers; it is a leaf lock.
// Texts are valid UTF-8. An attribute list keeps order and double keys.
//
// Start reading at logs.go, then column.go.
package head
