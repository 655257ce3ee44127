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

	Started  time.Time `json:"started,omitzero" doc:"when it began; of one that was reported as started, that report's time if absent"`
	Finished time.Time `json:"finished,omitzero" doc:"when it succeeded or failed; of one whose start is known, the time of the report that says so if absent"`
}

// Follow fills in when d began and ended, from what was recorded of it before
// (the zero Deploy for nothing) and the time of the report.
func (d *Deploy) Follow(before Deploy, now time.Time) {
	if d.Started.IsZero() {
		d.Started = before.Started
	}
	if d.Status == "started" {
		if d.Started.IsZero() {
			d.Started = d.Time
		}
		d.Finished = time.Time{}
		return
	}
	if d.Finished.IsZero() && before.Status == d.Status {
		d.Finished = before.Finished // the same report again
	}
	if d.Finished.IsZero() && !d.Started.IsZero() {
		if d.Finished = d.Time; !d.Time.After(d.Started) { // its time is still that of the start
			d.Finished = now
		}
	}
	d.Started, d.Finished = d.Started.UTC(), d.Finished.UTC()
}

// Took is how long it took; false unless both ends are known.
func (d *Deploy) Took() (time.Duration, bool) {
	if d.Started.IsZero() || d.Finished.IsZero() || d.Finished.Before(d.Started) {
		return 0, false
	}
	return d.Finished.Sub(d.Started), true
}

// Ended is when it ended; its time where that is not known or it goes on.
func (d *Deploy) Ended() time.Time {
	if d.Finished.IsZero() {
		return d.Time
	}
	return d.Finished
}
