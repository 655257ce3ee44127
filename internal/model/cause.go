package model

import "time"

// The kinds of Cause.
const (
	CauseUpstream = "upstream" // a service that it calls fails
	CauseChange   = "change"   // a change of its own
	CauseUnknown  = "unknown"  // nothing that is known fits
)

// Cause is what most likely made a service fail.
type Cause struct {
	Kind    string    `json:"kind" enum:"upstream,change,unknown"`
	Service string    `json:"service" doc:"where the cause lies: the upstream, or the service itself"`
	Since   time.Time `json:"since" doc:"since when that service fails"`
	// Path is empty unless Kind is upstream.
	Path     []string   `json:"path,omitempty" doc:"the calls from the service to the upstream, both included"`
	Change   *Deploy    `json:"change,omitempty" doc:"the change of that service right before"`
	Undone   *time.Time `json:"undone,omitempty" doc:"when that change was rolled back or replaced"`
	RuledOut []RuledOut `json:"ruled_out,omitempty" doc:"changes that came at the right time and are not the cause, newest first"`
	Text     string     `json:"text" doc:"a clause, for example: , right after version 2.4.1"`
}

// RuledOut is a change that is not the cause.
type RuledOut struct {
	Change Deploy `json:"change"`
	Why    string `json:"why"`
}
