package store

import "time"

// AuditTarget is where the audit log is shipped to, and how far that is.
type AuditTarget struct {
	Name    string `json:"name"`
	Kind    string `json:"kind" enum:"otlp/http,otlp/grpc,syslog"`
	Address string `json:"address"`
	Shipped int64  `json:"shipped" doc:"number of the newest entry that it has"`
	Waiting int64  `json:"waiting" doc:"entries that it does not have yet"`
	// LagSeconds is the age of the oldest of those.
	LagSeconds  float64    `json:"lag_seconds" doc:"age of the oldest entry that was tried and is not there"`
	Sent        int64      `json:"sent" doc:"since the start, those that were sent again included"`
	Failures    int64      `json:"failures" doc:"attempts that failed since the start"`
	Refused     int64      `json:"refused" doc:"entries that the receiver refused, since the start"`
	Missed      int64      `json:"missed" doc:"entries that were not in the log any more when their turn came, since the start"`
	LastSuccess *time.Time `json:"last_success,omitempty"`
	LastError   string     `json:"last_error,omitempty" doc:"absent while it works"`
	RetryAt     *time.Time `json:"retry_at,omitempty"`
	Restarted   string     `json:"restarted,omitempty" doc:"why it was sent everything again at this start"`
}
