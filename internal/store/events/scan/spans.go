package scan

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// defaultTraces is the limit of a store.TraceQuery without one.
const defaultTraces = 20

func spanQuery(q store.TraceQuery) *match.Query {
	return match.New(part.Spans, q.Tenant, q.Range, q.Expr)
}

func limitOf(q store.TraceQuery) int {
	if q.Limit <= 0 {
		return defaultTraces
	}
	return q.Limit
}

func headSpan(u *match.Unit, i int) model.Span { return u.Spans.Span(i) }

// Spans is store.SpanReader's.
func (s *Scanner) Spans(ctx context.Context, tq store.TraceQuery) iter.Seq2[model.Span, error] {
	return func(yield func(model.Span, error) bool) {
		rows(ctx, s.source, spanQuery(tq), limitOf(tq), false, yield, headSpan, fetchSpans)
	}
}

// SpanHistogram is store.SpanReader's.
func (s *Scanner) SpanHistogram(ctx context.Context, q store.TraceQuery, step time.Duration, field string) (store.Histogram, error) {
	return s.histogram(ctx, spanQuery(q), step, field)
}

// SpanValues is store.SpanReader's.
func (s *Scanner) SpanValues(ctx context.Context, q store.TraceQuery, field string, limit int) ([]store.ValueCount, error) {
	return s.values(ctx, spanQuery(q), field, limit)
}

// SpanFields is store.SpanReader's.
func (s *Scanner) SpanFields(ctx context.Context, q store.TraceQuery, limit int) ([]string, error) {
	return s.fields(ctx, spanQuery(q), limit)
}

// Trace is store.SpanReader's. Spans outside of hint may be among the result.
func (s *Scanner) Trace(ctx context.Context, tenant string, id model.TraceID, hint store.Range) ([]model.Span, error) {
	if id.IsZero() {
		return nil, fmt.Errorf("trace without id: %w", store.ErrNotFound)
	}
	v := s.source.View(part.Spans, hint)
	defer v.Release()
	units := unitsOf(v, hint, false)
	expr := store.Compare{Field: "trace_id", Value: id.String()}
	q := match.New(part.Spans, tenant, store.Range{}, expr)
	var mu sync.Mutex
	var refs []ref
	err := run(ctx, v, units, func(ctx context.Context, i int, u *match.Unit) error {
		found := &refVisitor{unit: int32(i)}
		if err := q.Scan(ctx, u, found); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		refs = append(refs, found.refs...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	spans, err := fetch(ctx, v, units, refs, headSpan, fetchSpans)
	if err != nil {
		return nil, err
	}
	if len(spans) == 0 {
		return nil, fmt.Errorf("trace %s: %w", id, store.ErrNotFound)
	}
	slices.SortStableFunc(spans, func(a, b model.Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.Duration, a.Duration))
	})
	return spans, nil
}

// refVisitor collects all rows of a unit.
type refVisitor struct {
	unit int32
	refs []ref
}

func (v *refVisitor) Block(_ *match.Table, b *match.Block) error {
	b.Each(func(i int) { v.refs = append(v.refs, ref{unit: v.unit, row: int32(b.RowAt(i))}) })
	return nil
}

func (v *refVisitor) Row(_ *match.Unit, i int) {
	v.refs = append(v.refs, ref{unit: v.unit, row: int32(i)})
}
