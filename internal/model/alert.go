package model

import (
	"strings"
	"time"
)

// Page is one notification that a person or a channel was sent, or was tried to be
// sent: the built-in inbox and the delivery log are made of these.
type Page struct {
	ID          string      `json:"id"`
	DedupKey    string      `json:"dedup_key" doc:"the same for every delivery of the same alert group"`
	Time        time.Time   `json:"time" doc:"first delivery"`
	Updated     time.Time   `json:"updated" doc:"last change"`
	Status      string      `json:"status" enum:"firing,resolved"`
	Severity    string      `json:"severity"`
	Title       string      `json:"title"`
	Summary     string      `json:"summary"`
	Service     string      `json:"service,omitempty"`
	Receiver    string      `json:"receiver"`
	GroupLabels Labels      `json:"group_labels"`
	Alerts      []PageAlert `json:"alerts"`
	Deliveries  []Delivery  `json:"deliveries"`
	AckedBy     string      `json:"acked_by,omitempty"`
	AckedAt     *time.Time  `json:"acked_at,omitempty"`
	ResolvedAt  *time.Time  `json:"resolved_at,omitempty"`
	// Tampered is not kept: it is found when the page is listed.
	Tampered string `json:"tampered,omitempty" doc:"what is wrong with its acknowledgement: it is not what the audit log notes; absent where it is"`
}

// Wakes reports whether a severity wakes somebody: what is less can wait.
func Wakes(severity string) bool {
	switch strings.ToLower(severity) {
	case "critical", "page", "p0", "p1":
		return true
	}
	return false
}

// Labels is a label set in JSON form.
type Labels map[string]string

// OwnLabel begins the labels of alerts that carry another tool's: its routes do not know them.
const OwnLabel = "signalbox_"

// Own is the label of a name as this product means it, whatever other tools call by that name.
func (l Labels) Own(name string) string {
	if v := l[OwnLabel+name]; v != "" {
		return v
	}
	return l[name]
}

// PageAlert is one alert in a page.
type PageAlert struct {
	Fingerprint string     `json:"fingerprint"`
	Labels      Labels     `json:"labels"`
	Annotations Labels     `json:"annotations"`
	StartsAt    time.Time  `json:"starts_at"`
	EndsAt      *time.Time `json:"ends_at,omitempty"`
	Status      string     `json:"status" enum:"firing,resolved"`
}

// Delivery is one attempt to reach a channel.
type Delivery struct {
	Channel string    `json:"channel" doc:"for example inbox, webhook[0], slack[0]"`
	Time    time.Time `json:"time"`
	Status  string    `json:"status" enum:"delivered,failed"`
	Attempt int       `json:"attempt"`
	Error   string    `json:"error,omitempty"`
}
