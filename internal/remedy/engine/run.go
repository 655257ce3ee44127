package engine

import (
	"encoding/json"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/remedy/action"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
)

// State says how far a run is.
type State string

// The states. Asked to holding, and undoing, are open: they change while the alert lasts; the others are final.
const (
	Asked       State = "asked"       // begun, not judged yet
	Declined    State = "declined"    // nothing is done, for the reason given; judged again while the alert lasts
	Pending     State = "pending"     // it waits for somebody to approve it
	Acting      State = "acting"      // it was decided and is being carried out
	Verifying   State = "verifying"   // carried out; the expected effect is awaited
	Holding     State = "holding"     // the effect was seen; it must last
	Undoing     State = "undoing"     // it is being taken back
	Suggested   State = "suggested"   // this would be done; the remedy's mode is suggest
	Planned     State = "planned"     // this would have been done: a dry run
	Effective   State = "effective"   // carried out, with the expected effect
	Undone      State = "undone"      // carried out without the effect, and taken back
	Ineffective State = "ineffective" // carried out without the effect, and not taken back
	Failed      State = "failed"      // it could not be carried out, or nobody knows whether it was
	Halted      State = "halted"      // stopped by somebody after it was carried out
	Refused     State = "refused"     // somebody said no
	Ended       State = "ended"       // the alert ended before anything was done
)

// holdsTarget reports whether no other remedy may touch the target.
func (s State) holdsTarget() bool {
	switch s {
	case Pending, Acting, Verifying, Holding, Undoing:
		return true
	}
	return false
}

// Run is one time that a remedy was thought of.
type Run struct {
	ID       string             `json:"id"`
	Remedy   string             `json:"remedy"`
	State    State              `json:"state" enum:"asked,declined,pending,acting,verifying,holding,undoing,suggested,planned,effective,undone,ineffective,failed,halted,refused,ended"`
	Why      string             `json:"why,omitempty" doc:"why it is declined, in one word: stopped, excluded, frozen, cooldown, limit, precondition, no_data, plan, blast_radius, gone"`
	Reason   string             `json:"reason" doc:"why this state, in one sentence"`
	Subject  Subject            `json:"subject"`
	Trigger  Trigger            `json:"trigger"`
	Mode     contract.Mode      `json:"mode" enum:"suggest,approve,auto"`
	DryRun   bool               `json:"dry_run"`
	Plan     *action.Plan       `json:"plan,omitempty" doc:"what would be or was done"`
	Evidence []contract.Finding `json:"evidence" doc:"what its queries found last"`
	Times    Times              `json:"times"`
	Approval *Approval          `json:"approval,omitempty"`
	Result   string             `json:"result,omitempty" doc:"what came of it, in the executor's words"`
	History  []Step             `json:"history" doc:"every change of state, the oldest first"`
}

// Subject is what a run is about.
type Subject struct {
	Target      string       `json:"target" doc:"what is touched; two runs never touch one target at once"`
	Service     string       `json:"service,omitempty"`
	Environment string       `json:"environment,omitempty"`
	Labels      model.Labels `json:"labels" doc:"of the alert, or as given by hand"`
}

// Trigger is what began a run.
type Trigger struct {
	Kind        string    `json:"kind" enum:"alert,webhook,hand"`
	Alert       string    `json:"alert,omitempty"`
	Fingerprint string    `json:"fingerprint,omitempty"`
	Since       time.Time `json:"since"`
	By          string    `json:"by,omitempty" doc:"who began it by hand"`
}

// Times are when things happened.
type Times struct {
	Began   time.Time  `json:"began"`
	Updated time.Time  `json:"updated"`
	Decided *time.Time `json:"decided,omitempty" doc:"when it was carried out, planned or suggested; limits count these"`
	Until   *time.Time `json:"until,omitempty" doc:"until when the effect must be seen, or must last"`
	Ended   *time.Time `json:"ended,omitempty" doc:"when it was over and its alert had ended"`
}

// Approval is what somebody said.
type Approval struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Plan string    `json:"plan" doc:"the plan that was approved"`
}

// Step is one change of a run.
type Step struct {
	Time   time.Time `json:"time"`
	State  State     `json:"state"`
	Reason string    `json:"reason"`
	By     string    `json:"by,omitempty"`
}

// kept is a run as it is stored.
type kept struct {
	Run
	Data    json.RawMessage // of the plan
	version int64
}

// plan is the plan with what its executor keeps of it.
func (k *kept) plan() action.Plan {
	p := *k.Plan
	p.Data = k.Data
	return p
}
