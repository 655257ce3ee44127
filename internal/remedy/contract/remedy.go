package contract

import (
	"time"

	prom "github.com/prometheus/common/model"
)

// Mode says what a remedy does by itself.
type Mode string

// The modes.
const (
	Suggest Mode = "suggest" // it says what it would do
	Approve Mode = "approve" // it asks a person, and does it then
	Auto    Mode = "auto"    // it does it
)

// Head is what a remedy says of itself.
type Head struct {
	// Name is unique over all files.
	Name string `yaml:"name" json:"name"`
	// Description says what it does, for whom is asked to approve it.
	Description string `yaml:"description" json:"description,omitempty"`
	// Owner is whom to ask about it.
	Owner string `yaml:"owner" json:"owner"`
	// Runbook is the name of the runbook that says what a person does.
	Runbook string `yaml:"runbook" json:"runbook"`
	// Mode is suggest, approve or auto.
	Mode Mode `yaml:"mode" json:"mode" enum:"suggest,approve,auto"`
	// DryRun says what would be done, and does nothing.
	DryRun bool `yaml:"dry_run" json:"dry_run"`
}

// Remedy is one contract.
type Remedy struct {
	Head `yaml:",inline"`
	// Trigger says which alerts it is for.
	Trigger Trigger `yaml:"trigger" json:"trigger"`
	// Precondition lists queries that must all hold; one without data does not.
	Precondition []Query `yaml:"precondition" json:"precondition"`
	// Blast bounds how far it reaches.
	Blast Blast `yaml:"blast_radius" json:"blast_radius"`
	// Limits bound how often it acts.
	Limits Limits `yaml:"limits" json:"limits"`
	// Effect is what must be seen afterwards.
	Effect Effect `yaml:"expected_effect" json:"expected_effect"`
	// Verification is what must hold for a while after that.
	Verification *Verification `yaml:"verification" json:"verification,omitempty"`
	// Undo is auto (where the effect does not come) or never.
	Undo string `yaml:"undo" json:"undo" enum:"auto,never"`
	// Freeze says what it waits for.
	Freeze Freeze `yaml:"freeze" json:"freeze"`
	// Action is what is done.
	Action Action `yaml:"action" json:"action"`

	File string `yaml:"-" json:"-"`
	Line int    `yaml:"-" json:"-"`
}

// Trigger says which alerts a remedy is for.
type Trigger struct {
	// Alert is the name of the alert.
	Alert string `yaml:"alert" json:"alert"`
	// Matchers are Alertmanager's; all must hold.
	Matchers []string `yaml:"matchers" json:"matchers,omitempty"`
	// For is how long the alert must have been active.
	For prom.Duration `yaml:"for" json:"for"`
}

// Blast is how far a remedy may reach.
type Blast struct {
	// MaxTargets is how many targets it may be at work on at once.
	MaxTargets int `yaml:"max_targets" json:"max_targets"`
	// MaxPercent is the share of a target's replicas that may change, or be missing, at once.
	MaxPercent float64 `yaml:"max_percent" json:"max_percent"`
	// MinReplicas and MaxReplicas bound how many there may be afterwards; 0 does not.
	MinReplicas int `yaml:"min_replicas" json:"min_replicas,omitempty"`
	MaxReplicas int `yaml:"max_replicas" json:"max_replicas,omitempty"`
}

// Limits are how often a remedy acts, dry runs counted as if they were none.
type Limits struct {
	// PerHour and PerDay count all its targets.
	PerHour int `yaml:"per_hour" json:"per_hour"`
	PerDay  int `yaml:"per_day" json:"per_day"`
	// Cooldown is the time between two actions on one target.
	Cooldown prom.Duration `yaml:"cooldown" json:"cooldown"`
}

// Effect is what must be seen after an action.
type Effect struct {
	// Query must hold.
	Query Query `yaml:"query" json:"query"`
	// Within is the time it has.
	Within prom.Duration `yaml:"within" json:"within"`
}

// Verification must hold for a while after the effect was seen.
type Verification struct {
	Query Query         `yaml:"query" json:"query"`
	For   prom.Duration `yaml:"for" json:"for"`
}

// Freeze says what a remedy waits for.
type Freeze struct {
	// Gate holds it while the newest verdict on the service, of the last hour, is not allow.
	Gate bool `yaml:"gate" json:"gate,omitempty"`
	// Incident holds it while an incident of the service is open.
	Incident bool `yaml:"incident" json:"incident,omitempty"`
	// DeployWithin holds it after a deployment of the service.
	DeployWithin prom.Duration `yaml:"deploy_within" json:"deploy_within,omitempty"`
}

// SetDefaults sets what applies where a file says nothing: the least.
func (r *Remedy) SetDefaults() {
	minutes := func(n int) prom.Duration { return prom.Duration(time.Duration(n) * time.Minute) }
	r.Mode, r.DryRun, r.Undo = Suggest, true, UndoAuto
	r.Blast = Blast{MaxTargets: 1, MaxPercent: 100}
	r.Limits = Limits{PerHour: 2, PerDay: 6, Cooldown: minutes(30)}
	r.Effect.Within = minutes(10)
}

// When something is undone.
const (
	UndoAuto  = "auto"
	UndoNever = "never"
)
