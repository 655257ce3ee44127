// Package admit decides which log records and spans may enter, and in which
// shape.
//
// It does not know protocols, does not store anything, and has no say over metrics
// (admit/samples has). Data in: a batch that an intake converted and owns. Data
// out: the kept part of it, repaired, truncated and masked in place, and why the
// rest was refused.
//
// Invariants: what leaves is valid UTF-8, within the limits, within the time
// window, and has a resource. A refusal or a change is always counted under its reason. A Policy is immutable and safe for
// concurrent use; there are no locks.
//
// Start reading at Policy, then limits.go; mask.go and pattern.go mask personal data.
package admit
