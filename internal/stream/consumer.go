package stream

import (
	"context"
	"errors"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Consumer makes what a stream carries durable; store.EventWriter is one.
//
// The contract, which streamtest checks of every implementation of a stream:
//
//   - At least once: what a Sink answered with nil reaches a Consumer that returned nil, also when one failed
//     or was killed on the way. A Consumer may see a record again and must take it as the same.
//   - A checkpoint follows the flush: a batch is done only when the Consumer has returned nil, which it does
//     after its own fsync. What it had not finished when it died is given to the next one.
//   - Order: records of one partition (in one process: of one sender that waits for its answers) arrive in the
//     order in which they were sent.
//   - Poison: a batch with a record that can never be stored fails with ErrPoison. That record goes to the
//     Aside, named and counted, and the others are stored. Nothing else is ever skipped.
//   - Back-pressure: a Sink whose Consumer is behind answers store.ErrOverloaded within a bounded time
//     and with bounded memory.
//   - Lag: MetricLag says how many records were taken and are not done, and is 0 when all are.
type Consumer interface {
	AppendLogs(ctx context.Context, records []model.LogRecord) error
	AppendSpans(ctx context.Context, spans []model.Span) error
}

// ErrPoison is what a Consumer's error wraps when a record of the batch can never be stored: to try again
// would fail again. A batch that is only too large for the store is divided until it is not.
var ErrPoison = errors.New("can never be stored")

// Dead is a record that went aside. Log or Span is set.
type Dead struct {
	Signal string
	Reason string
	Log    *model.LogRecord
	Span   *model.Span
}

// Aside keeps records that can never be stored, for a person to look at. A nil error means that the record is
// kept. Implementations MUST be safe for concurrent use.
type Aside interface {
	Put(ctx context.Context, d Dead) error
}

// The metrics that every implementation of a stream has, the first two by signal.
const (
	MetricLag        = "signalbox_stream_lag_records"
	MetricPoison     = "signalbox_stream_poison_total"
	MetricOverloaded = "signalbox_stream_overloaded_total"
)
