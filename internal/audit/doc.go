// Package audit decides what of the requests that come in is noted in the audit log.
//
// It keeps nothing itself: entries go to a log (internal/store/auditlog), those of queries in the background. Rooms that
// change something write their own entries; this one knows who asked what, and what was refused.
//
// In: front.Ended, one for every request that was answered, with the notes of its handler. Out: an entry for every query
// and for every change that no room notes; sums by minute of what comes in batches (ingest) or in floods (refusals).
//
// Invariant: mu guards the sums; nothing is written while it is held. Start reading at Recorder.Ended.
package audit
