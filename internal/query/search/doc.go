// Package search is the question side of logs and spans: the filter language,
// bounded queries, the live tail, and one sentence about where a trace's time went.
//
// It parses text to store.Expr and prints it back (Parse, String), runs queries with
// limits and time-outs over any store.LogReader and store.SpanReader (Service), follows
// acknowledged records (Tail), and explains traces (ExplainTrace). It does not evaluate
// filters over stored data: engines below internal/store do, with store.Matcher as the
// definition of what a filter means.
//
// In: filter texts, acknowledged records through stream.LogTap. Out: expressions,
// results of the readers, records to subscribers.
//
// Invariants: parsing never panics and takes time linear in the text; every
// syntax error says where, what was expected and what to write instead. A tail never
// blocks the goroutine that feeds it: a slow subscriber loses records, and is told how
// many. Locks: Tail.mu before nothing; a subscription's channel is only written
// under Tail.mu read-locked.
//
// The language is described in docs/query-language.md. Start reading at parse.go,
// then value.go, service.go and tail.go.
package search
