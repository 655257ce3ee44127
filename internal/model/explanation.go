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

// AlertRef names another alert.
type AlertRef struct {
	Fingerprint string `json:"fingerprint"`
	Alert       string `json:"alert"`
	Labels      Labels `json:"labels"`
	State       string `json:"state" enum:"firing,pending"`
}

// Explanation answers "why was I paged?", and "why was I not?".
type Explanation struct {
	Alert       string            `json:"alert"`
	Fingerprint string            `json:"fingerprint,omitempty" doc:"of the alert explained; absent when a rule has none"`
	State       string            `json:"state" enum:"firing,pending,inactive,resolved" doc:"resolved: it fired and is known from a page"`
	Summary     string            `json:"summary"`
	Labels      map[string]string `json:"labels"`
	Severity    string            `json:"severity"`
	Query       string            `json:"query" doc:"PromQL"`
	Condition   string            `json:"condition,omitempty" doc:"what its value must do, for example: > 1 for 5 m"`
	Value       *float64          `json:"value" doc:"now; of an inactive rule the one closest to its condition"`
	Threshold   *float64          `json:"threshold"`
	ActiveSince *time.Time        `json:"active_since"`
	Cause       *Cause            `json:"cause,omitempty" doc:"what most likely made its service fail"`
	Timeline    []TimelineEvent   `json:"timeline" doc:"oldest first"`
	Pages       []Page            `json:"pages"`
	SilencedBy  []string          `json:"silenced_by" doc:"IDs"`
	Silences    []Silence         `json:"silences,omitempty" doc:"those of silenced_by, whole"`
	InhibitedBy []string          `json:"inhibited_by" doc:"fingerprints"`
	Inhibitors  []AlertRef        `json:"inhibitors,omitempty" doc:"those of inhibited_by that are known"`
	Receivers   []string          `json:"receivers,omitempty" doc:"that its route leads to"`
	Others      []AlertRef        `json:"others,omitempty" doc:"further alerts of the same name"`
}

// TimelineEvent is something that happened.
type TimelineEvent struct {
	Time  time.Time `json:"time"`
	Event string    `json:"event"`
}
