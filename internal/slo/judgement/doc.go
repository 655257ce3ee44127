// Package judgement says how an SLO stands, given what was counted of it: its state, burn rates and budget,
// which of its burn alerts fire, and the sentences that go with them.
//
// It is arithmetic: it reads no clock, no store and no file, and keeps nothing. In: Limits, a definition, what was Measured
// and what was said before. Out: a Verdict.
//
// Invariants: no data is never good data; a state that cannot be known is "insufficient" and an active alert stays
// active until data says otherwise. State, burn rates, budget and alerts come from one judgement, so that they cannot
// contradict each other.
//
// Start reading at Judge.
package judgement
