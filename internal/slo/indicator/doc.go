// Package indicator reads what an SLO's indicator measured: good and bad by slot of time.
//
// Ratio counts events of two counters, Values judges samples one by one, Slices
// judges stretches of time by one of them, AtPeak lets a calendar change what counts. Batch answers
// the questions of one evaluation together. It does not know objectives, budgets or
// windows (slo does), and keeps nothing.
//
// In: answers of a Querier. Out: ledger.Cell by slot.
//
// Invariants: a slot without data is the zero Cell, never a good one; the same
// slot read twice over the same data is the same, whatever else was read with it. Sources are
// immutable and safe for concurrent use; a Batch belongs to one goroutine.
//
// Start reading at source.go.
package indicator
