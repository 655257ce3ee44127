// Package stream is the hand-over between intakes and everything behind them:
// contracts only.
//
// An intake turns a request into model values, has them admitted, and hands
// them to a Sink. A nil error means acknowledged and kept. Embedded
// (stream/local) that is a direct call into the stores and then the
// processors; at scale it is a Kafka topic. Metrics travel as Prometheus
// appends (storage.Appendable), because every intake of theirs speaks it
// already, so they have no method here.
package stream

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Sink takes admitted events. The rules of store.EventWriter hold: nil means durable, the
// slice is the caller's again on return, its records are shared and never changed.
type Sink interface {
	Logs(ctx context.Context, records []model.LogRecord) error
	Spans(ctx context.Context, spans []model.Span) error
}

// LogTap sees log records after they were made durable, in the caller's
// goroutine: it MUST return quickly, MUST NOT keep the slice and cannot fail an acknowledgement.
type LogTap interface {
	TapLogs(records []model.LogRecord)
}

// SpanTap sees spans after they were made durable, under the rules of LogTap.
type SpanTap interface {
	TapSpans(spans []model.Span)
}
