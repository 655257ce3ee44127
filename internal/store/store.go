package store

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// ErrReadOnly is returned by writers that stopped accepting data because the
// disk is nearly full or not writable; they resume by themselves. Intakes
// answer 503 with Retry-After.
var ErrReadOnly = errors.New("store is read-only")

// ErrOverloaded is returned by writers whose buffers are full. Intakes answer
// 429 with Retry-After.
var ErrOverloaded = errors.New("store is overloaded")

// ErrSeriesLimit is returned for a sample whose series would be one too many. The rest of
// its batch may be stored; intakes answer 429 with Retry-After.
var ErrSeriesLimit = errors.New("too many active series")

// ErrNotFound is returned where a single thing was asked for and is not there.
var ErrNotFound = errors.New("not found")

// Range is a half-open span of time [Start, End) in Unix ns.
type Range struct{ Start, End int64 }

// RangeOf converts times.
func RangeOf(start, end time.Time) Range {
	return Range{Start: start.UnixNano(), End: end.UnixNano()}
}

// Contains reports whether t lies within.
func (r Range) Contains(t int64) bool { return t >= r.Start && t < r.End }

// EventWriter takes events that were admitted.
//
// A nil error means that all of them are durable: they survive kill -9 and are
// visible to every reader from then on. After an error none of them need be kept, and the
// caller may send the whole batch again. Implementations MUST be safe for
// concurrent use and MUST NOT keep or change the slice itself after returning; records'
// strings, Attrs and *Resource may be kept and are never changed by the caller.
type EventWriter interface {
	AppendLogs(ctx context.Context, records []model.LogRecord) error
	AppendSpans(ctx context.Context, spans []model.Span) error
}

// LogQuery selects log records.
type LogQuery struct {
	Tenant string // "" means every tenant
	Range  Range  // the zero Range means all time
	Expr   Expr   // nil means all
	Limit  int    // 0 means no limit
	// Oldest asks for ascending order; by default the newest come first.
	Oldest bool
}

// LogReader answers questions about log records. Every method sees records
// from the moment AppendLogs returned, sealed or not, each exactly once.
type LogReader interface {
	// Logs yields matching records in order of time (ties in no fixed
	// order). The records are the caller's. It ends with the context's error when
	// that is done; breaking off the loop frees everything.
	Logs(ctx context.Context, q LogQuery) iter.Seq2[model.LogRecord, error]
	// LogHistogram counts matching records by bucket and by the values of field
	// ("level" or any other identity field; "" counts all as one).
	// Limit and Oldest are ignored.
	LogHistogram(ctx context.Context, q LogQuery, step time.Duration, field string) (Histogram, error)
	// LogValues counts the values of a field among matching records, most
	// frequent first, at most limit of them.
	LogValues(ctx context.Context, q LogQuery, field string, limit int) ([]ValueCount, error)
	// LogFields lists the field names seen in range, identity fields first,
	// then attributes in order of frequency, at most limit, each name once.
	LogFields(ctx context.Context, q LogQuery, limit int) ([]string, error)
}

// Histogram counts by time and value; Buckets[i] starts at Start + i × Step.
// Every series has the same length.
type Histogram struct {
	Start  int64 // Unix ns, a multiple of Step
	Step   int64 // ns
	Series []HistogramSeries
}

// HistogramSeries is one value's counts.
type HistogramSeries struct {
	Value  string
	Counts []uint64
}

// ValueCount is how often a value was seen.
type ValueCount struct {
	Value string `json:"value"`
	Count uint64 `json:"count"`
}

// TopValues are the most frequent of the values, the first of the alphabet first among equals; limit 0 is all.
func TopValues(n map[string]uint64, limit int) []ValueCount {
	out := make([]ValueCount, 0, len(n))
	for v, c := range n {
		out = append(out, ValueCount{Value: v, Count: c})
	}
	slices.SortFunc(out, func(a, b ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

// TraceQuery selects traces: those of which at least one span in range matches Expr.
type TraceQuery struct {
	Tenant string
	Range  Range // the zero Range means all time
	Expr   Expr
	Limit  int // 0 means 20
	// Slowest orders by duration, longest first; by default the newest come
	// first.
	Slowest bool
}

// TraceSummary is one trace in a result list. Root* are those of the root span or, where it
// is missing, of the earliest span.
type TraceSummary struct {
	Tenant      string // "" but in a list of several tenants' traces
	TraceID     model.TraceID
	RootService string
	RootName    string
	Start       int64 // Unix ns, of the earliest span
	Duration    int64 // ns, earliest start to latest end
	Spans       int
	Errors      int
	Services    []ServiceCount // by number of spans, most first
	Matched     []model.Span   // the matching spans, at most 3
}

// ServiceCount is how many spans of a trace a service has.
type ServiceCount struct {
	Service string `json:"service"`
	Spans   int    `json:"spans"`
	Errors  int    `json:"errors"`
}

// SpanReader answers questions about spans, with the visibility of LogReader.
type SpanReader interface {
	// Trace is all spans of one trace ordered by start, each exactly once. hint
	// bounds the search where it is known; the zero Range means anywhere.
	// ErrNotFound when there are none.
	Trace(ctx context.Context, tenant string, id model.TraceID, hint Range) ([]model.Span, error)
	// Traces lists traces.
	Traces(ctx context.Context, q TraceQuery) ([]TraceSummary, error)
	// Spans yields matching spans, newest first.
	Spans(ctx context.Context, q TraceQuery) iter.Seq2[model.Span, error]
	// SpanHistogram counts matching spans as LogHistogram counts records.
	SpanHistogram(ctx context.Context, q TraceQuery, step time.Duration, field string) (Histogram, error)
	// SpanValues counts a field's values as LogValues does.
	SpanValues(ctx context.Context, q TraceQuery, field string, limit int) ([]ValueCount, error)
	// SpanFields lists field names as LogFields does.
	SpanFields(ctx context.Context, q TraceQuery, limit int) ([]string, error)
}
