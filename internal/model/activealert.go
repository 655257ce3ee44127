package model

import "time"

// ServiceSlice is a service's traffic cut by one value of version, route or
// ActiveAlert is an alert as the alert pipeline holds it.
type ActiveAlert struct {
	Fingerprint  string
	Labels       Labels
	Annotations  Labels
	StartsAt     time.Time
	GeneratorURL string
	SilencedBy   []string // IDs of silences
	InhibitedBy  []string // fingerprints of alerts
	HeldBack     string   // why, when it is for the alert of a service that this one depends on
}
