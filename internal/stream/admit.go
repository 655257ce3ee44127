package stream

import "github.com/signalbox-project/signalbox/internal/model"

// Refusal says why some records of one batch were not taken: Reason is a short
// fixed word for counters (too_old, too_large, …), Message explains the first of
// them to the sender.
type Refusal struct {
	Reason  string
	Message string
	Count   int
}

// Admitter decides what of a batch may enter and in which shape: it repairs,
// truncates and masks in place, drops what is refused by moving the rest forward, and
// returns the kept part of the same slice. The caller MUST own the records and their resources,
// and each resource of a batch must be shared by that batch only.
// Implementations MUST be safe for concurrent use.
type Admitter interface {
	AdmitLogs(records []model.LogRecord) ([]model.LogRecord, []Refusal)
	AdmitSpans(spans []model.Span) ([]model.Span, []Refusal)
}

// Counter keeps the conservation ledger: everything received is stored or
// refused for a reason. An intake calls Received together with what became of the
// records, once that is known. signal is logs, spans or metrics (whose unit is the sample).
// Implementations MUST be safe for concurrent use.
type Counter interface {
	Received(signal, protocol string, n int)
	Stored(signal string, n int)
	Refused(signal, reason string, n int)
}

// The ledger's signals.
const (
	SignalLogs    = "logs"
	SignalSpans   = "spans"
	SignalMetrics = "metrics"
)
