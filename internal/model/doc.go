// Package model holds the words all rooms share: telemetry records, SLOs,
// alerts, pages, deployments and verdicts.
//
// It does nothing by itself: plain values with JSON names, their text forms
// and their validation. It imports the standard library only, starts no
// goroutine and keeps no state. Times are Unix nanoseconds in telemetry
// records (field names end in Time or Start) and time.Time everywhere else.
//
// A word that one room says first is that room's and not here (archtest: TestTheModelHoldsOnlyWhatHasNoRoomOfItsOwn).
// Decisions of the gate, their causes and remedies are here because the contract of the state stores
// them, pages because that of notifications sends them: those contracts lie below the rooms that make them.
//
// Start reading at resource.go, then logrecord.go and span.go.
package model
