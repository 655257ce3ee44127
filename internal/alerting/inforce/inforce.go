// Package inforce has the words of what the alert pipeline holds now: alerts, the rules that they
// come from, silences.
//
// It does nothing: internal/alerting/rules and internal/alerting/router make these values of what
// Prometheus' rule manager and Alertmanager hold, internal/diagnose reads them. What is kept (pages,
// deliveries) are words of internal/model, for the store's contract names them.
// Start at ActiveAlert.
package inforce

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// ActiveAlert is an alert as the alert pipeline holds it.
type ActiveAlert struct {
	Fingerprint  string
	Labels       model.Labels
	Annotations  model.Labels
	StartsAt     time.Time
	GeneratorURL string
	SilencedBy   []string // IDs of silences
	InhibitedBy  []string // fingerprints of alerts
	HeldBack     string   // why, when it is for the alert of a service that this one depends on
	Flapping     string   // why it is held open, when it fires and ends again and again
}

// AlertRule is an alerting rule as it was last evaluated.
type AlertRule struct {
	Name, Group, Query string
	Labels             model.Labels
	For                time.Duration
	State              string // inactive, pending or firing; unknown until it was evaluated once
	Evaluated          time.Time
	Error              string // of the last evaluation
	Active             []RuleAlert
}

// RuleAlert is a pending or firing alert of a rule.
type RuleAlert struct {
	Fingerprint string // as the alert pipeline has it
	Labels      model.Labels
	Annotations model.Labels
	State       string // pending or firing
	Since       time.Time
	Value       float64
}

// Silence is what keeps alerts from being delivered for a while.
type Silence struct {
	ID        string    `json:"id"`
	CreatedBy string    `json:"created_by"`
	Comment   string    `json:"comment"`
	EndsAt    time.Time `json:"ends_at"`
}
