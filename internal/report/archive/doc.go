// Package archive keeps what every SLO counted on each UTC day, in quarter hours with the minutes that burned fast.
//
// It knows no periods, verdicts or texts: report sums its days up. In: definitions, an indicator.Querier, the days that the state
// store keeps. Out: Timelines.
//
// Invariants: a day that has ended and was read twice with the same outcome is settled and
// not read again; a day is never replaced by one with less data, so it outlives its samples. Archive.mu guards the days in
// memory and is never held during a query.
//
// Start reading at Archive.Load, then day.go and timeline.go.
package archive
