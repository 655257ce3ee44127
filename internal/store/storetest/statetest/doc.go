// Package statetest is the conformance suite of the state store, run against every engine.
//
// It states what an engine must do, not how it keeps its files: engines test that themselves. In: a function that
// opens the same, empty store each time. Out: failing subtests, named in sentences.
//
// Start reading at State.
package statetest
