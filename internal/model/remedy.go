package model

import "time"

// RemedyState says how far a remedy is.
type RemedyState string

// The states. Watching, declined, executing and verifying are open: they
// change while the breach lasts; the others are final.
const (
	RemedyWatching  RemedyState = "watching"  // the breach is younger than the limit
	RemedyDeclined  RemedyState = "declined"  // old enough, but nothing is done; Reason says why
	RemedyExecuting RemedyState = "executing" // the rollback was ordered, its outcome is not known yet
	RemedyVerifying RemedyState = "verifying" // rolled back, recovery is awaited
	RemedyPlanned   RemedyState = "planned"   // dry run: it would have been rolled back
	RemedyRecovered RemedyState = "recovered" // rolled back, and the burn fell
	RemedyUnhelpful RemedyState = "unhelpful" // rolled back, and the burn did not fall in time
	RemedyFailed    RemedyState = "failed"    // the rollback could not be carried out
	RemedyEnded     RemedyState = "ended"     // the breach ended before anything was done
)

// Open reports whether the remedy may still change.
func (s RemedyState) Open() bool {
	switch s {
	case RemedyWatching, RemedyDeclined, RemedyExecuting, RemedyVerifying:
		return true
	}
	return false
}

// Remedy is what was done, or not done, about one breach of one service.
type Remedy struct {
	ID          string       `json:"id"`
	Service     string       `json:"service"`
	Environment string       `json:"environment,omitempty"`
	SLO         string       `json:"slo" doc:"the SLO that was broken first"`
	Alert       string       `json:"alert" doc:"its burn alert"`
	State       RemedyState  `json:"state" enum:"watching,declined,executing,verifying,planned,recovered,unhelpful,failed,ended"`
	Reason      string       `json:"reason" doc:"why this state, in one sentence with figures"`
	Breach      time.Time    `json:"breach" doc:"since when the burn alert has been active"`
	Updated     time.Time    `json:"updated" doc:"last change"`
	Executed    *time.Time   `json:"executed,omitempty" doc:"when the rollback was ordered (in a dry run: would have been)"`
	VerifyUntil *time.Time   `json:"verify_until,omitempty" doc:"by when the burn must have fallen"`
	Ended       *time.Time   `json:"ended,omitempty" doc:"when the breach ended"`
	Deploy      *Deploy      `json:"deploy,omitempty" doc:"the deployment that is the likely cause"`
	Version     string       `json:"version,omitempty" doc:"the version that is the likely cause"`
	Previous    string       `json:"previous_version,omitempty" doc:"the version before it"`
	Executor    string       `json:"executor,omitempty" doc:"kubernetes, argo, gitlab or webhook"`
	DryRun      bool         `json:"dry_run"`
	Result      string       `json:"result,omitempty" doc:"what the executor answered"`
	Evidence    []Evidence   `json:"evidence"`
	History     []RemedyStep `json:"history" doc:"every change of state, oldest first"`
}

// RemedyStep is one change of a remedy.
type RemedyStep struct {
	Time   time.Time   `json:"time"`
	State  RemedyState `json:"state"`
	Reason string      `json:"reason"`
}
