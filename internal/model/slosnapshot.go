package model

import "time"

// SLOSnapshot is everything known about one SLO at one moment: what
// decisions about it (the gate's) rest on.
type SLOSnapshot struct {
	Status      SLOStatus     `json:"status"`
	Environment string        `json:"environment,omitempty"` // "" when the SLO holds in every environment
	LastData    time.Time     `json:"last_data,omitzero"`    // of the newest sample seen; zero when there was none
	Age         time.Duration `json:"age_ns"`                // how much of the window has passed since the first data
	Loaded      bool          `json:"loaded"`                // false while history is still being read after a start
}
