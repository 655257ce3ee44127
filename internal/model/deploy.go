package model

import "time"

// Deploy is a deployment marker.
type Deploy struct {
	ID          string            `json:"id,omitempty" readOnly:"true"`
	Time        time.Time         `json:"time,omitzero" doc:"when it happened; now if absent"`
	Service     string            `json:"service" minLength:"1" maxLength:"200"`
	Environment string            `json:"environment,omitempty" maxLength:"200"`
	Region      string            `json:"region,omitempty" maxLength:"200"`
	Version     string            `json:"version" minLength:"1" maxLength:"200"`
	Kind        string            `json:"kind,omitempty" enum:"deploy,rollback,config,remediation" default:"deploy"`
	Status      string            `json:"status,omitempty" enum:"started,succeeded,failed" default:"succeeded"`
	Actor       string            `json:"actor,omitempty" maxLength:"200" doc:"who or what deployed"`
	Link        string            `json:"link,omitempty" maxLength:"2000" doc:"pipeline or change request"`
	Message     string            `json:"message,omitempty" maxLength:"4000"`
	Labels      map[string]string `json:"labels,omitempty"`
}
