package store

import (
	"strings"
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

// AuditQuery selects audit entries. Before selects those with smaller IDs: it pages.
type AuditQuery struct {
	Start, End time.Time
	Actor      string
	Action     string
	Tenant     string // AuditInstallation is what has none
	Subject    string
	Text       string // somewhere in it, whatever the case of its letters
	Before     int64
	After      int64 // only entries with greater numbers
	Limit      int
}

// AuditInstallation is the tenant of audit entries that name none: what concerns the installation is its business.
const AuditInstallation = "default"

// AuditChanged begins what is said of an entry that is not what was written.
const AuditChanged = "it was changed"

// TenantOf is whose an entry is.
func (AuditQuery) TenantOf(e model.AuditEntry) string {
	if e.Tenant == "" {
		return AuditInstallation
	}
	return e.Tenant
}

// Takes says whether an entry is selected, but for Limit.
func (q AuditQuery) Takes(e model.AuditEntry) bool {
	switch {
	case q.Before > 0 && e.ID >= q.Before, e.ID <= q.After,
		q.Actor != "" && e.Actor != q.Actor,
		q.Action != "" && e.Action != q.Action,
		q.Tenant != "" && q.TenantOf(e) != q.Tenant,
		q.Subject != "" && e.Subject != q.Subject,
		!q.Start.IsZero() && e.Time.Before(q.Start),
		!q.End.IsZero() && !e.Time.Before(q.End):
		return false
	}
	return q.Text == "" || holdsText(e, strings.ToLower(q.Text))
}

func holdsText(e model.AuditEntry, text string) bool {
	for _, v := range []string{e.Actor, e.Action, e.Tenant, e.Subject} {
		if strings.Contains(strings.ToLower(v), text) {
			return true
		}
	}
	for _, v := range e.Details {
		if strings.Contains(strings.ToLower(v), text) {
			return true
		}
	}
	return false
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
	Heard    uint64 // the newest Change that is in it
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
