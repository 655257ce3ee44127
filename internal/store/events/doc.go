// Package events is the embedded store of log records and spans.
//
// It takes batches (write-ahead log, then a head in memory), seals heads to parts on
// disk in the background, drops parts that are too old, and gives readers
// one consistent View. It does not parse requests, does not evaluate filters (package
// scan does, over views) and does not speak SQL (query/sql does, over views).
//
// In: model.LogRecord and model.Span through store.EventWriter. Out: part.View,
// and store.LogReader and store.SpanReader through package scan.
//
// The way of a batch: reserve room in the head of its UTC day → encode → append to
// that head's log segment and wait for the shared fdatasync → append to the head's
// columns, where readers see it → nil. A batch that touches several days does so
// for each, and shows none of it before all are durable. A full or old head is
// frozen, written as a part, and in one step under the lock replaced by it; then
// its segments are deleted.
//
// Invariants:
//   - A row is in exactly one head or part of every view. Across a crash: a part names the
//     segments whose rows it holds; at start such segments are deleted, all others replayed.
//     A merged part names the parts it replaces; at start those are deleted.
//   - An acknowledged row is in a synced segment or a synced part.
//   - A part is in the roster before its segments are deleted; before its files are deleted it is taken out.
//   - Segment and part ids are never used twice.
//   - Nothing damaged stops the store: it is moved to quarantine/, counted, and named with its range.
//
// Lock order: shelf.appendMu, shelf.mu, then leaf locks (a head's builder, a part, a
// segment). No file is written under shelf.mu. DB.seal.mu is taken before all of them.
//
// With Config.Encrypt all but names, LOCK, ACKED and PARTS, which hold times and numbers, opens with a key alone (package cipherfile).
// How a file is kept shows in itself: those of before are read as they are, and written anew in the background, their content unchanged.
//
// Files: LOCK · ACKED · PARTS · wal/*.wal · logs/DAY/* · spans/DAY/* · quarantine/* (docs/formats/events.md).
//
// Start reading at db.go, then shelf.go, seal.go, open.go, keys.go, known.go and maintain.go.
package events
