// Package search is the question side of logs and spans: bounded queries, the
// live tail, and one sentence about where a trace's time went.
//
// It runs queries with limits and time-outs over any store.LogReader and
// store.SpanReader (Service), follows acknowledged records (Tail), and explains traces
// (ExplainTrace). It does not read the filter language (store/filter does) nor evaluate filters
// over stored data: engines below internal/store do, with store.Matcher as the
// definition of what a filter means.
//
// In: expressions, acknowledged records through stream.LogTap. Out: results of
// the readers, records to subscribers.
//
// Invariants: a tail never blocks the goroutine that feeds it: a slow
// subscriber loses records, and is told how many. Locks: Tail.mu before nothing; a
// subscription's channel is only written under Tail.mu read-locked.
//
// Start reading at service.go, then tail.go.
package search
