// Package storetest is the conformance suite of the event store, run
// against every engine; that of the state store is statetest.
//
// It states what an engine must do (Events) and has the event store's
// contract in its plainest form (Memory), which engines are compared with. It does
// not test how an engine keeps its files: engines do that themselves.
//
// In: a function that opens an empty store. Out: failing subtests, named in sentences.
//
// Generated events and filters come from fixed seeds, so that a failure repeats.
// Optional abilities of a store are interfaces (Sealer, Reopener).
//
// Start reading at events.go.
package storetest
