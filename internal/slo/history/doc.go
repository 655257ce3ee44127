// Package history counts: how much of what an SLO measures was good and bad, minute by minute over its window.
//
// It keeps a ledger of each SLO, the queue of what is still to be read of the past, what lies at the
// edges (the minutes since the last full one, calendar windows that begin within an hour) and what corrections take out. It
// judges nothing (judgement does) and decides nothing about when to read (the engine does; a replay reads in bulk). The engine, replays and
// reports count with it, so that they cannot differ.
//
// In: a definition, an indicator.Querier. Out: judgement.Measured, points of a budget curve, what survives a restart.
//
// Invariants: every number is a sum over minutes that adds up exactly; one goroutine reads into it, any may ask; its lock is never
// held during a query.
//
// Start reading at History, then reading.go.
package history
