package model

import (
	"strings"
	"time"
)

// Uncompared begins what Tampered says of a record that could not be compared: whether it was touched is not known then.
const Uncompared = "it was not compared"

// Suspicion is the words under which what Tampered says stands: that nobody could look is no sign that somebody touched it.
func Suspicion(tampered string) string {
	if strings.HasPrefix(tampered, Uncompared) {
		return "not compared"
	}
	return "tampered with"
}

// AuditEntry records who did what; entries are only ever added. Of a query its details say text, cost, rows, status
// and duration.
type AuditEntry struct {
	ID      int64             `json:"id"`
	Time    time.Time         `json:"time"`
	Actor   string            `json:"actor"`
	Action  string            `json:"action" doc:"for example query.promql, gate.decide, deploy.mark, page.ack, login.failed, config.reload"`
	Tenant  string            `json:"tenant,omitempty" doc:"absent where it concerns the installation"`
	Subject string            `json:"subject"`
	Details map[string]string `json:"details,omitempty"`
	// Tampered is not kept: it is found when the entry is read.
	Tampered string `json:"tampered,omitempty" doc:"what is wrong with it, or with what stood before it; absent where it is as it was written"`
}

// AuditVerification says whether the audit log is as it was written.
type AuditVerification struct {
	Intact   bool   `json:"intact"`
	Entries  int64  `json:"entries" doc:"entries that fit the chain, before the first that does not"`
	FirstBad int64  `json:"first_bad,omitempty" doc:"number of the first entry that does not"`
	Fault    string `json:"fault,omitempty" doc:"what is wrong with it"`
	// Faults are all that was found, Fault first; absent where there is none.
	Faults []string `json:"faults,omitempty" doc:"everything that is wrong, up to a bound"`
	// Touched are no faults of the log: it proves them.
	Touched []string `json:"touched,omitempty" doc:"decisions, overrides, keys, corrections and acknowledgements in the database that are not what the log notes of them, up to a bound"`
	Last    int64    `json:"last,omitempty" doc:"number of the newest entry"`
	Hash    string   `json:"hash,omitempty" doc:"hash of the newest entry: whoever keeps it elsewhere can tell later that nothing before was changed"`
}
