package store

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// The selections below are what the state store (store/state) is asked with.
// Zero fields select everything; End is exclusive. Limit 0 means DefaultStateLimit.
// Every list comes newest first.

// DefaultStateLimit bounds a list that names no limit.
const DefaultStateLimit = 100

// DeployQuery selects deployment markers.
type DeployQuery struct {
	Service     string
	Environment string
	Start, End  time.Time
	Limit       int
}

// DecisionQuery selects gate decisions; Before is the cursor that the page before
// answered.
type DecisionQuery struct {
	Service    string
	Verdict    model.Verdict
	Start, End time.Time
	Before     string
	Limit      int
}

// PageQuery selects pages by their first delivery. Status is firing, resolved or "".
type PageQuery struct {
	Status     string
	Start, End time.Time
	Limit      int
}

// AuditQuery selects audit entries.
type AuditQuery struct {
	Start, End time.Time
	Actor      string
	Action     string
	Limit      int
}

// SLORecord is what must survive a restart of one SLO's evaluation: since
// when it is in its state, and its burn alerts.
type SLORecord struct {
	Name    string           `json:"name"`
	State   model.SLOState   `json:"state"`
	Since   time.Time        `json:"since"`
	Alerts  []SLOAlertRecord `json:"alerts,omitempty"`
	Updated time.Time        `json:"updated"`
	// Pending is since when alerts that must burn for a while have burned.
	Pending map[string]time.Time `json:"pending,omitempty"`
}

// SLOLedger is what one SLO's ledger held at a time.
type SLOLedger struct {
	Name     string
	Measures string // what was measured; another text makes the slots worthless
	Sealed   time.Time
	Slots    []byte
}

// SLODay is what one SLO counted on one UTC day, for reports: kept for much
// longer than samples are.
type SLODay struct {
	SLO     string
	Counts  string // what was counted; another text makes the cells worthless
	Day     time.Time
	Read    time.Time // when it was read from the samples
	Settled bool      // it was read twice and was the same
	Cells   []byte
}

// SLOAlertRecord is one burn alert that is active.
type SLOAlertRecord struct {
	Name   string    `json:"name"`
	Window string    `json:"window"` // long window of the row that fired
	Since  time.Time `json:"since"`
	Sent   time.Time `json:"sent,omitzero"` // last hand-over to the alert pipeline
}

// RemedyQuery selects remedies. Open selects those that may still change.
type RemedyQuery struct {
	Service string
	State   model.RemedyState
	Open    bool
	Limit   int
}
