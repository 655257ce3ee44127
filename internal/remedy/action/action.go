// Package action is the contract between the engine that decides on remedies and what carries them out.
//
// It does nothing itself. In: an Order. Out: a Plan, which is made by looking only, and one sentence of what was done.
//
// Invariants: Plan and Look change nothing; Do does what the Plan says and nothing else, or fails; who is asked whether a Plan was
// carried out says Unknown rather than guess, since what is not known to be undone is never done again.
//
// Start reading at Executor.
package action

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Order says for whom something is done.
type Order struct {
	ID          string // of the run; the same for every attempt
	Remedy      string
	Service     string
	Environment string
	Reason      string
	At          time.Time // when it was decided
	// Bound is what a query says that an amount must not exceed; nil without one.
	Bound *float64
	// MinReplicas and MaxReplicas bound a number of replicas.
	MinReplicas, MaxReplicas int
}

// Plan is what would be done.
type Plan struct {
	Text string `json:"text" doc:"what would be done, in one sentence"`
	// Calls are exactly what is sent or started, without secrets.
	Calls []string `json:"calls" doc:"exactly what is sent or started, without its secrets"`
	// Undo says how it would be undone; "" where it cannot be.
	Undo string `json:"undo,omitempty" doc:"how it would be undone; absent where it cannot be"`
	// Touched of Total replicas change or may be missing at once; 0 of 0 where nobody knows.
	Touched int `json:"touched,omitempty" doc:"replicas that change or may be missing at once"`
	Total   int `json:"total,omitempty" doc:"replicas that there are"`
	// Replicas is how many there will be; 0 where that does not change.
	Replicas int `json:"replicas,omitempty" doc:"how many replicas there will be; absent where that does not change"`
	// Data is what the executor needs to carry it out, to find out whether that happened, and to undo it.
	Data json.RawMessage `json:"-"`
}

// World is what a look at the world found.
type World int

// What may be found.
const (
	Unknown World = iota // it cannot be told
	Before               // as it was: the plan was not carried out
	After                // as it should be: it was
)

// ErrDecline is wrapped where there is nothing to do, or it must not be done: nothing was changed, and nothing is broken.
var ErrDecline = errors.New("nothing is done")

// Executor carries out one kind of action on one target.
type Executor interface {
	// Plan looks at the world and says what would be done.
	Plan(context.Context, Order) (Plan, error)
	// Do does it, and says what was done. It fails, without any effect, where the world is not that of the plan any more.
	Do(context.Context, Order, Plan) (string, error)
	// Look says whether the plan was carried out.
	Look(context.Context, Order, Plan) (World, error)
	// Undo takes it back. It is called where the plan says how.
	Undo(context.Context, Order, Plan) (string, error)
}
