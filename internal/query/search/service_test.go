package search

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// reader answers with what it was asked, or not at all.
type reader struct {
	store.LogReader
	store.SpanReader
	field   string
	limit   int
	stuck   bool
	records int
}

func (r *reader) wait(ctx context.Context) error {
	if r.stuck {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (r *reader) Logs(ctx context.Context, q store.LogQuery) iter.Seq2[model.LogRecord, error] {
	r.limit = q.Limit
	return func(yield func(model.LogRecord, error) bool) {
		for range r.records {
			if !yield(model.LogRecord{}, nil) {
				return
			}
		}
		if err := r.wait(ctx); err != nil {
			yield(model.LogRecord{}, err)
		}
	}
}

func (r *reader) LogValues(ctx context.Context, _ store.LogQuery, field string, _ int) ([]store.ValueCount, error) {
	r.field = field
	return nil, r.wait(ctx)
}

func (r *reader) Traces(ctx context.Context, q store.TraceQuery) ([]store.TraceSummary, error) {
	r.limit = q.Limit
	return nil, r.wait(ctx)
}

func serviceOf(t *testing.T, cfg Config, r *reader) *Service {
	t.Helper()
	s, err := New(cfg, Deps{Registerer: prometheus.NewRegistry(), Logs: r, Spans: r})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFieldsAreKnownByAllTheirNames(t *testing.T) {
	r := &reader{}
	if _, err := serviceOf(t, DefaultConfig(), r).LogValues(t.Context(), store.LogQuery{}, "service.name", 1); err != nil || r.field != "service" {
		t.Errorf("asked for %q, %v", r.field, err)
	}
}

func TestLimitsAboveTheLargestAreTheCallersFault(t *testing.T) {
	r := &reader{records: 3}
	s := serviceOf(t, DefaultConfig(), r)
	fault := func(err error) bool {
		var bad interface{ BadRequest() }
		return errors.As(err, &bad) && strings.Contains(err.Error(), "at most")
	}
	for _, err := range s.Logs(t.Context(), store.LogQuery{Limit: 10_002}) {
		if !fault(err) {
			t.Errorf("logs: %v", err)
		}
	}
	if _, err := s.Traces(t.Context(), store.TraceQuery{Limit: 1_502}); !fault(err) {
		t.Errorf("traces: %v", err)
	}
	for _, err := range s.Logs(t.Context(), store.LogQuery{}) {
		if err != nil || r.limit != 10_000 {
			t.Errorf("no limit became %d, %v", r.limit, err)
		}
	}
	if _, err := s.Traces(t.Context(), store.TraceQuery{Limit: 1_001}); err != nil || r.limit != 1_001 {
		t.Errorf("one more than the limit, to see whether there are more: %d, %v", r.limit, err)
	}
}

func TestAQueryEndsWithItsTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serviceOf(t, DefaultConfig(), &reader{stuck: true})
		began := time.Now()
		_, err := s.LogValues(t.Context(), store.LogQuery{}, "x", 1)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 30*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		var last error
		for _, err := range s.Logs(t.Context(), store.LogQuery{}) {
			last = err
		}
		if !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("logs: %v", last)
		}
		for _, query := range []string{"log_values", "logs"} {
			if n := testutil.ToFloat64(s.failed.WithLabelValues(query, "timeout")); n != 1 {
				t.Errorf("%v time-outs of %s are counted", n, query)
			}
		}
	})
}

func TestQueriesBeyondTheAllowedNumberWaitAndAreThenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxConcurrent = 1
		r := &reader{records: 5}
		s := serviceOf(t, cfg, r)
		for _, err := range s.Logs(t.Context(), store.LogQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			// The loop holds the only slot.
			if _, err := s.Traces(t.Context(), store.TraceQuery{}); !errors.Is(err, store.ErrOverloaded) {
				t.Errorf("traces: %v, want ErrOverloaded", err)
			}
			break
		}
		if _, err := s.Traces(t.Context(), store.TraceQuery{}); err != nil {
			t.Errorf("after the loop was broken off: %v", err)
		}
	})
}

func TestABadConfigIsRefusedWhole(t *testing.T) {
	if _, err := New(Config{}, Deps{}); err == nil || strings.Count(err.Error(), "must be > 0") != 6 {
		t.Errorf("got %v", err)
	}
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Errorf("the defaults: %v", errs)
	}
}
