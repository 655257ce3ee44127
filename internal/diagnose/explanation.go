package diagnose

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall/escalation"
)

// AlertRef names another alert.
type AlertRef struct {
	Fingerprint string       `json:"fingerprint"`
	Alert       string       `json:"alert"`
	Labels      model.Labels `json:"labels"`
	State       string       `json:"state" enum:"firing,pending"`
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
	Cause       *model.Cause      `json:"cause,omitempty" doc:"what most likely made its service fail"`
	Timeline    []TimelineEvent   `json:"timeline" doc:"oldest first"`
	Pages       []model.Page      `json:"pages"`
	SilencedBy  []string          `json:"silenced_by" doc:"IDs"`
	Silences    []inforce.Silence `json:"silences,omitempty" doc:"those of silenced_by, whole"`
	InhibitedBy []string          `json:"inhibited_by" doc:"fingerprints"`
	Inhibitors  []AlertRef        `json:"inhibitors,omitempty" doc:"those of inhibited_by that are known"`
	Flapping    string            `json:"flapping,omitempty" doc:"how often it fired and how long it is held open, for an alert that fires and ends again and again"`
	Receivers   []string          `json:"receivers,omitempty" doc:"that its route leads to"`
	Others      []AlertRef        `json:"others,omitempty" doc:"further alerts of the same name"`
	// Escalation is that of the newest page, or what there would be.
	Escalation *escalation.View `json:"escalation,omitempty" doc:"whom its newest page went to, step by step; without a page whom it would go to"`
}

// TimelineEvent is something that happened.
type TimelineEvent struct {
	Time  time.Time `json:"time"`
	Event string    `json:"event"`
}
