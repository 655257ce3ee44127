package search

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// Deps are what a Service works with.
type Deps struct {
	Logger     *slog.Logger          // nil means none
	Registerer prometheus.Registerer // nil means none
	Logs       store.LogReader
	Spans      store.SpanReader
	// Masks are the rules in force of what is masked for whom; nil for none.
	Masks func() *mask.Rules
}

// Service answers questions about logs and spans within limits: the readers'
// methods with field names in any of their spellings, bounded in time, number and size, and measured. It
// is a store.LogReader and a store.SpanReader itself, safe for concurrent use, and needs
// no Run.
type Service struct {
	*Tail
	cfg     Config
	logs    store.LogReader
	spans   store.SpanReader
	masks   func() *mask.Rules
	slots   chan struct{}
	seconds *prometheus.HistogramVec
	failed  *prometheus.CounterVec
}

var (
	_ store.LogReader  = (*Service)(nil)
	_ store.SpanReader = (*Service)(nil)
)

// New makes a service; it starts nothing.
func New(cfg Config, deps Deps) (*Service, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, err
	}
	if deps.Logs == nil || deps.Spans == nil {
		return nil, errors.New("search needs a reader of logs and one of spans")
	}
	tail, err := newTail(cfg, deps.Registerer, deps.Masks)
	if err != nil {
		return nil, err
	}
	s := &Service{
		Tail: tail, cfg: cfg, logs: deps.Logs, spans: deps.Spans, masks: deps.Masks, slots: make(chan struct{}, cfg.MaxConcurrent),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "signalbox_search_duration_seconds", Help: "Time to answer a question about logs or spans, by kind of question.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"query"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_search_failed_total", Help: "Questions about logs or spans without an answer, by kind of question and reason.",
		}, []string{"query", "reason"}),
	}
	if err := instrument.Register(deps.Registerer, "search", s.seconds, s.failed); err != nil {
		return nil, err
	}
	return s, nil
}

// ParseFilter reads the filter language; see filter.Parse.
func (s *Service) ParseFilter(text string) (store.Expr, error) { return filter.Parse(text) }

// ExplainTrace says in one sentence where a trace's time went; see ExplainTrace.
func (s *Service) ExplainTrace(spans []model.Span) string { return ExplainTrace(spans) }

// LimitError is the error of a limit above the largest allowed.
type LimitError struct {
	Limit, Max int
	What       string
}

// Error says what is allowed.
func (e *LimitError) Error() string {
	return fmt.Sprintf("limit %d: at most %d %s may be asked for", e.Limit, e.Max, e.What)
}

// BadRequest marks the error as the caller's fault.
func (e *LimitError) BadRequest() {}

// Largest is the limit that may be asked for.
func (e *LimitError) Largest() int { return e.Max }

// checkLimit lets one more than the largest limit pass: that is how callers
// learn whether there are more.
func checkLimit(limit, most int, what string) error {
	if limit > most+1 {
		return &LimitError{Limit: limit, Max: most, What: what}
	}
	return nil
}

// begin takes a slot and sets the time-out. end gives both back and takes the outcome.
func (s *Service) begin(ctx context.Context, query string) (inner context.Context, end func(error), err error) {
	began := time.Now()
	inner, cancel := context.WithTimeout(ctx, time.Duration(s.cfg.Timeout))
	select {
	case s.slots <- struct{}{}:
	case <-inner.Done():
		cancel()
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		s.failed.WithLabelValues(query, "overloaded").Inc()
		return nil, nil, fmt.Errorf("no query finished within %s: %w", s.cfg.Timeout, store.ErrOverloaded)
	}
	return inner, func(err error) {
		<-s.slots
		cancel()
		s.seconds.WithLabelValues(query).Observe(time.Since(began).Seconds())
		if reason := reasonOf(err); reason != "" {
			s.failed.WithLabelValues(query, reason).Inc()
		}
	}, nil
}

func reasonOf(err error) string {
	switch {
	case err == nil || errors.Is(err, store.ErrNotFound):
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "error"
}

// ask runs a question that has one answer.
func ask[T any](s *Service, ctx context.Context, query string, f func(ctx context.Context) (T, error)) (T, error) {
	inner, end, err := s.begin(ctx, query)
	if err != nil {
		var zero T
		return zero, err
	}
	answer, err := f(inner)
	end(err)
	return answer, err
}

// follow runs a question that has a sequence of answers.
func follow[T any](s *Service, ctx context.Context, query string, limit error, f func(ctx context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		if limit != nil {
			yield(zero, limit)
			return
		}
		inner, end, err := s.begin(ctx, query)
		if err != nil {
			yield(zero, err)
			return
		}
		defer func() { end(err) }()
		var v T
		for v, err = range f(inner) {
			if !yield(v, err) {
				return
			}
		}
	}
}

// Logs is store.LogReader's, within the time-out and for at most MaxLogs records. A limit of
// 0 means that most.
func (s *Service) Logs(ctx context.Context, q store.LogQuery) iter.Seq2[model.LogRecord, error] {
	v := s.view(ctx)
	f, err := v.Filter(mask.Logs, q.Expr)
	if err == nil {
		err = checkLimit(q.Limit, s.cfg.MaxLogs, "log records")
	}
	if q.Limit <= 0 {
		q.Limit = s.cfg.MaxLogs
	}
	return follow(s, ctx, "logs", err, func(ctx context.Context) iter.Seq2[model.LogRecord, error] { return s.shownLogs(ctx, v, q, f) })
}

// LogHistogram is store.LogReader's.
func (s *Service) LogHistogram(ctx context.Context, q store.LogQuery, step time.Duration, field string) (store.Histogram, error) {
	return ask(s, ctx, "log_histogram", func(ctx context.Context) (store.Histogram, error) {
		return s.logHistogram(ctx, q, step, store.CanonicalField(field))
	})
}

// LogValues is store.LogReader's.
func (s *Service) LogValues(ctx context.Context, q store.LogQuery, field string, limit int) ([]store.ValueCount, error) {
	return ask(s, ctx, "log_values", func(ctx context.Context) ([]store.ValueCount, error) {
		return s.logValues(ctx, q, store.CanonicalField(field), limit)
	})
}

// LogFields is store.LogReader's. Of a filter it leaves out what depends on masked values.
func (s *Service) LogFields(ctx context.Context, q store.LogQuery, limit int) ([]string, error) {
	f, err := s.view(ctx).Filter(mask.Logs, q.Expr)
	if err != nil {
		return nil, err
	}
	q.Expr = narrowed(ctx, f.Blind)
	return ask(s, ctx, "log_fields", func(ctx context.Context) ([]string, error) { return s.logs.LogFields(ctx, q, limit) })
}

// Trace is store.SpanReader's.
func (s *Service) Trace(ctx context.Context, tenant string, id model.TraceID, hint store.Range) ([]model.Span, error) {
	return ask(s, ctx, "trace", func(ctx context.Context) ([]model.Span, error) {
		spans, err := s.spans.Trace(ctx, tenant, id, hint)
		if err == nil {
			spans, err = visible(access.ScopeOf(ctx), id, spans)
		}
		if err != nil {
			return nil, err
		}
		return s.view(ctx).Spans(spans), nil
	})
}

// Traces is store.SpanReader's, for at most MaxTraces traces.
func (s *Service) Traces(ctx context.Context, q store.TraceQuery) ([]store.TraceSummary, error) {
	if err := checkLimit(q.Limit, s.cfg.MaxTraces, "traces"); err != nil {
		return nil, err
	}
	return ask(s, ctx, "traces", func(ctx context.Context) ([]store.TraceSummary, error) { return s.traces(ctx, q) })
}

// Spans is store.SpanReader's, for at most MaxLogs spans.
func (s *Service) Spans(ctx context.Context, q store.TraceQuery) iter.Seq2[model.Span, error] {
	v := s.view(ctx)
	f, err := v.Filter(mask.Spans, q.Expr)
	if err == nil {
		err = checkLimit(q.Limit, s.cfg.MaxLogs, "spans")
	}
	if q.Limit <= 0 {
		q.Limit = traceLimit
	}
	return follow(s, ctx, "spans", err, func(ctx context.Context) iter.Seq2[model.Span, error] { return s.shownSpans(ctx, v, q, f, q.Limit) })
}

// SpanHistogram is store.SpanReader's.
func (s *Service) SpanHistogram(ctx context.Context, q store.TraceQuery, step time.Duration, field string) (store.Histogram, error) {
	return ask(s, ctx, "span_histogram", func(ctx context.Context) (store.Histogram, error) {
		return s.spanHistogram(ctx, q, step, store.CanonicalField(field))
	})
}

// SpanValues is store.SpanReader's.
func (s *Service) SpanValues(ctx context.Context, q store.TraceQuery, field string, limit int) ([]store.ValueCount, error) {
	return ask(s, ctx, "span_values", func(ctx context.Context) ([]store.ValueCount, error) {
		return s.spanValues(ctx, q, store.CanonicalField(field), limit)
	})
}

// SpanFields is store.SpanReader's. Of a filter it leaves out what depends on masked values.
func (s *Service) SpanFields(ctx context.Context, q store.TraceQuery, limit int) ([]string, error) {
	f, err := s.view(ctx).Filter(mask.Spans, q.Expr)
	if err != nil {
		return nil, err
	}
	q.Expr = narrowed(ctx, f.Blind)
	return ask(s, ctx, "span_fields", func(ctx context.Context) ([]string, error) { return s.spans.SpanFields(ctx, q, limit) })
}
