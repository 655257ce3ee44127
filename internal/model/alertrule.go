package model

import "time"

// AlertRule is an alerting rule as it was last evaluated.
type AlertRule struct {
	Name, Group, Query string
	Labels             Labels
	For                time.Duration
	State              string // inactive, pending or firing; unknown until it was evaluated once
	Evaluated          time.Time
	Error              string // of the last evaluation
	Active             []RuleAlert
}

// RuleAlert is a pending or firing alert of a rule.
type RuleAlert struct {
	Fingerprint string // as the alert pipeline has it
	Labels      Labels
	Annotations Labels
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
