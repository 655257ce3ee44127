package across

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Events reads log records and spans of several tenants. It is a store.LogReader and a store.SpanReader.
type Events struct{ Parts Parts }

// Logs yields the records of all in order of time.
func (e Events) Logs(ctx context.Context, q store.LogQuery) iter.Seq2[model.LogRecord, error] {
	var sources []iter.Seq2[model.LogRecord, error]
	var names []string
	for _, p := range e.Parts(ctx) {
		q.Tenant = p.Tenant
		sources, names = append(sources, p.Logs.Logs(p.Context(ctx), q)), append(names, p.Tenant)
	}
	first := func(a, b *model.LogRecord) bool {
		if q.Oldest {
			return a.Time < b.Time
		}
		return a.Time > b.Time
	}
	return merged(sources, names, first, q.Limit)
}

// merged yields what sources yield in one order, at most limit of it.
func merged[T any](sources []iter.Seq2[T, error], names []string, first func(a, b *T) bool, limit int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		type head struct {
			value T
			next  func() (T, error, bool)
			name  string
		}
		var heads []*head
		var zero T
		for i, s := range sources {
			next, stop := iter.Pull2(s)
			defer stop()
			h := &head{next: next, name: names[i]}
			v, err, ok := next()
			if err != nil {
				yield(zero, fmt.Errorf("tenant %s: %w", h.name, err))
				return
			}
			if h.value = v; ok {
				heads = append(heads, h)
			}
		}
		for n := 0; len(heads) > 0 && (limit <= 0 || n < limit); n++ {
			best := 0
			for i := range heads {
				if first(&heads[i].value, &heads[best].value) {
					best = i
				}
			}
			h := heads[best]
			if !yield(h.value, nil) {
				return
			}
			v, err, ok := h.next()
			if err != nil {
				yield(zero, fmt.Errorf("tenant %s: %w", h.name, err))
				return
			}
			if h.value = v; !ok {
				heads = slices.Delete(heads, best, best+1)
			}
		}
	}
}

// LogHistogram counts the records of all.
func (e Events) LogHistogram(ctx context.Context, q store.LogQuery, step time.Duration, field string) (store.Histogram, error) {
	all, err := each(ctx, e.Parts, func(ctx context.Context, p Part) ([]store.Histogram, error) {
		q.Tenant = p.Tenant
		h, err := p.Logs.LogHistogram(ctx, q, step, field)
		return []store.Histogram{h}, err
	})
	return sumHistograms(all), err
}

// LogValues counts a field's values in the records of all.
func (e Events) LogValues(ctx context.Context, q store.LogQuery, field string, limit int) ([]store.ValueCount, error) {
	all, err := each(ctx, e.Parts, func(ctx context.Context, p Part) ([]store.ValueCount, error) {
		q.Tenant = p.Tenant
		return p.Logs.LogValues(ctx, q, field, allValues)
	})
	return sumCounts(all, limit), err
}

// LogFields lists the fields of all.
func (e Events) LogFields(ctx context.Context, q store.LogQuery, limit int) ([]string, error) {
	all, err := each(ctx, e.Parts, func(ctx context.Context, p Part) ([]string, error) {
		q.Tenant = p.Tenant
		return p.Logs.LogFields(ctx, q, limit)
	})
	return firstOfEach(all, limit), err
}

// Trace is the spans that all have of one trace.
func (e Events) Trace(ctx context.Context, _ string, id model.TraceID, hint store.Range) ([]model.Span, error) {
	spans, err := each(ctx, e.Parts, func(ctx context.Context, p Part) ([]model.Span, error) {
		some, err := p.Spans.Trace(ctx, p.Tenant, id, hint)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		return some, err
	})
	if err == nil && len(spans) == 0 {
		return nil, fmt.Errorf("trace %s: %w", id, store.ErrNotFound)
	}
	slices.SortStableFunc(spans, func(a, b model.Span) int { return cmp.Compare(a.Start, b.Start) })
	return spans, err
}

// Traces lists the traces of all. One that several have is listed for each.
func (e Events) Traces(ctx context.Context, q store.TraceQuery) ([]store.TraceSummary, error) {
	found, err := each(ctx, e.Parts, func(ctx context.Context, p Part) ([]store.TraceSummary, error) {
		q.Tenant = p.Tenant
		some, err := p.Spans.Traces(ctx, q)
		for i := range some {
			some[i].Tenant = p.Tenant
		}
		return some, err
	})
	slices.SortStableFunc(found, func(a, b store.TraceSummary) int {
		if q.Slowest {
			return cmp.Compare(b.Duration, a.Duration)
		}
		return cmp.Compare(b.Start, a.Start)
	})
	return found[:min(len(found), cmp.Or(q.Limit, 20))], err
}

// Spans yields the spans of all, newest first.
func (e Events) Spans(ctx context.Context, q store.TraceQuery) iter.Seq2[model.Span, error] {
	var sources []iter.Seq2[model.Span, error]
	var names []string
	for _, p := range e.Parts(ctx) {
		q.Tenant = p.Tenant
		sources, names = append(sources, p.Spans.Spans(p.Context(ctx), q)), append(names, p.Tenant)
	}
	return merged(sources, names, func(a, b *model.Span) bool { return a.Start > b.Start }, q.Limit)
}

// SpanHistogram counts the spans of all.
func (e Events) SpanHistogram(ctx context.Context, q store.TraceQuery, step time.Duration, field string) (store.Histogram, error) {
	all, err := each(ctx, e.Parts, func(ctx context.Context, p Part) ([]store.Histogram, error) {
		q.Tenant = p.Tenant
		h, err := p.Spans.SpanHistogram(ctx, q, step, field)
		return []store.Histogram{h}, err
	})
	return sumHistograms(all), err
}

// SpanValues counts a field's values in the spans of all.
func (e Events) SpanValues(ctx context.Context, q store.TraceQuery, field string, limit int) ([]store.ValueCount, error) {
	all, err := each(ctx, e.Parts, func(ctx context.Context, p Part) ([]store.ValueCount, error) {
		q.Tenant = p.Tenant
		return p.Spans.SpanValues(ctx, q, field, allValues)
	})
	return sumCounts(all, limit), err
}

// SpanFields lists the fields of the spans of all.
func (e Events) SpanFields(ctx context.Context, q store.TraceQuery, limit int) ([]string, error) {
	all, err := each(ctx, e.Parts, func(ctx context.Context, p Part) ([]string, error) {
		q.Tenant = p.Tenant
		return p.Spans.SpanFields(ctx, q, limit)
	})
	return firstOfEach(all, limit), err
}
