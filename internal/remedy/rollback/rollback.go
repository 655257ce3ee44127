// Package rollback is the contract between the room that decides on rollbacks
// and those that carry them out.
//
// It does nothing itself. In: an Order. Out: one sentence about what was done,
// or in a dry run would be done. Invariant: an Executor changes nothing when
// DryRun is set, and must be safe to be told the same Order twice: a second
// rollback must not bring the bad version back. Start reading at Executor.
package rollback

import "context"

// Order says what to roll back.
type Order struct {
	ID          string // of the remedy
	Action      string // what is asked for, where that is no rollback: the name of a remedy of remedy_files
	Service     string
	Environment string
	Version     string // the version to get rid of
	Previous    string // the version that ran before, as far as it is known
	Reason      string
	DryRun      bool
}

// Executor carries out rollbacks in one place.
type Executor interface {
	// Name is the kind of place: kubernetes, argo, gitlab or webhook.
	Name() string
	Rollback(ctx context.Context, o Order) (string, error)
}
