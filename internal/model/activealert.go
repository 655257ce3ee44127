package model

import "time"

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
