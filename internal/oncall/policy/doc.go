// Package policy says who is told of a page, when and how: levels, escalation policies, and each person's own rules.
//
// It is pure: no clock, no store, no channel. In: what files say, and labels. Out: the level of an alert, the policy that
// applies to it, the steps and the contacts in their order, each with the reason in words.
//
// What the sources contradict each other in is data here. A level says whether it notices at once and after how long it
// pages; resource metrics never page, whatever severity they claim; the chains that teams use are templates.
//
// Invariants: an alert always has a level. An alert that nobody classified is not lost: it has the level that is marked for such.
//
// Start reading at Level, then EscalationPolicy.
package policy
