// Package store states what the engines below keep: contracts only.
//
// Metrics need no contract of ours: Prometheus' storage.Appendable and
// storage.Queryable are the contract, and its HTTP API is the surface. Events
// (log records and spans) are described by EventWriter, LogReader and
// SpanReader with one filter expression for both (Expr). State is what is kept of
// decisions (SLO states, pages, deployments, gate decisions, audit), composed of one role each; domain rooms
// ask for a role, or for the few methods that they call.
//
// Engines live in the folders below (events, metrics, state, …) and all pass
// storetest. Start reading at store.go, then expr.go and stateroles.go.
package store
