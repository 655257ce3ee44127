// Package rota is the calendar arithmetic of on-call schedules: who is on call when, exactly.
//
// It knows people by name only, no files, no clock and no store. In: a Schedule and a span of time. Out: who
// is on call in each part of it, and why.
//
// What the field's tools agree on holds here too: shifts of days, weeks and months are handed over at a wall-clock
// time of the schedule's time zone, so a shift in which the clocks change is an hour longer or shorter; shifts of hours
// are elapsed time. Where a hand-over's wall-clock time does not exist it is at the first moment after the gap; where it
// comes twice, at the first. A later layer goes before an earlier one, and an override before all layers.
//
// Invariants: spans are half-open, ordered, do not overlap, and neighbours differ. Nobody is on call before
// a layer's first hand-over, nor where no layer has anybody: such a gap is in no span.
//
// Start reading at Schedule.
package rota
