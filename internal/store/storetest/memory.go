package storetest

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Memory is the event store's contract in the plainest form: two slices and
// loops over them. Engines are compared with it, and it stands in for one in
// tests of other rooms. It is safe for concurrent use.
type Memory struct {
	mu    sync.RWMutex
	logs  []model.LogRecord
	spans []model.Span
}

var _ EventStore = (*Memory)(nil)

// AppendLogs keeps copies of the records.
func (m *Memory) AppendLogs(_ context.Context, records []model.LogRecord) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.logs = append(m.logs, records...)
	return nil
}

// AppendSpans keeps copies of the spans.
func (m *Memory) AppendSpans(_ context.Context, spans []model.Span) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spans = append(m.spans, spans...)
	return nil
}

func inRange(r store.Range, t int64) bool { return r == store.Range{} || r.Contains(t) }

func (m *Memory) matchingLogs(q store.LogQuery) (out []model.LogRecord) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	match := store.NewMatcher(q.Expr)
	for i := range m.logs {
		r := &m.logs[i]
		if inRange(q.Range, r.Time) && (q.Tenant == "" || r.Resource.Tenant == q.Tenant) && match.Log(r) {
			out = append(out, *r)
		}
	}
	return out
}

func (m *Memory) matchingSpans(q store.TraceQuery) (out []model.Span) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	match := store.NewMatcher(q.Expr)
	for i := range m.spans {
		s := &m.spans[i]
		if inRange(q.Range, s.Start) && (q.Tenant == "" || s.Resource.Tenant == q.Tenant) && match.Span(s) {
			out = append(out, *s)
		}
	}
	return out
}

// Logs is store.LogReader's.
func (m *Memory) Logs(ctx context.Context, q store.LogQuery) iter.Seq2[model.LogRecord, error] {
	return func(yield func(model.LogRecord, error) bool) {
		list := m.matchingLogs(q)
		slices.SortStableFunc(list, func(a, b model.LogRecord) int {
			if q.Oldest {
				return cmp.Compare(a.Time, b.Time)
			}
			return cmp.Compare(b.Time, a.Time)
		})
		yieldUpTo(ctx, list, q.Limit, yield)
	}
}

func yieldUpTo[T any](ctx context.Context, list []T, limit int, yield func(T, error) bool) {
	var zero T
	if err := ctx.Err(); err != nil {
		yield(zero, err)
		return
	}
	for i, v := range list {
		if limit > 0 && i >= limit || !yield(v, nil) {
			return
		}
		if err := ctx.Err(); err != nil {
			yield(zero, err)
			return
		}
	}
}

// Spans is store.SpanReader's.
func (m *Memory) Spans(ctx context.Context, q store.TraceQuery) iter.Seq2[model.Span, error] {
	return func(yield func(model.Span, error) bool) {
		list := m.matchingSpans(q)
		slices.SortStableFunc(list, func(a, b model.Span) int { return cmp.Compare(b.Start, a.Start) })
		yieldUpTo(ctx, list, traceLimit(q), yield)
	}
}

func traceLimit(q store.TraceQuery) int {
	if q.Limit <= 0 {
		return 20
	}
	return q.Limit
}

// point is what histograms and value counts look at.
type point struct {
	time  int64
	value string
}

func (m *Memory) logPoints(q store.LogQuery, field string) (out []point) {
	for _, r := range m.matchingLogs(q) {
		out = append(out, point{r.Time, store.LogField(&r, field)})
	}
	return out
}

func (m *Memory) spanPoints(q store.TraceQuery, field string) (out []point) {
	for _, s := range m.matchingSpans(q) {
		out = append(out, point{s.Start, store.SpanField(&s, field)})
	}
	return out
}

func histogram(points []point, r store.Range, step time.Duration, field string) store.Histogram {
	h := store.Histogram{Start: r.Start - mod(r.Start, int64(step)), Step: int64(step)}
	buckets := int((r.End-1-h.Start)/h.Step) + 1
	at := map[string]int{}
	for _, p := range points {
		v := p.value
		if field == "" {
			v = ""
		}
		k, ok := at[v]
		if !ok {
			k = len(h.Series)
			at[v] = k
			h.Series = append(h.Series, store.HistogramSeries{Value: v, Counts: make([]uint64, buckets)})
		}
		h.Series[k].Counts[(p.time-h.Start)/h.Step]++
	}
	return h
}

func mod(a, b int64) int64 {
	if a%b < 0 {
		return a%b + b
	}
	return a % b
}

func valueCounts(points []point, limit int) []store.ValueCount {
	n := map[string]uint64{}
	for _, p := range points {
		if p.value != "" {
			n[p.value]++
		}
	}
	out := []store.ValueCount{}
	for v, c := range n {
		out = append(out, store.ValueCount{Value: v, Count: c})
	}
	slices.SortFunc(out, func(a, b store.ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

// LogHistogram is store.LogReader's.
func (m *Memory) LogHistogram(_ context.Context, q store.LogQuery, step time.Duration, field string) (store.Histogram, error) {
	return histogram(m.logPoints(q, field), q.Range, step, field), nil
}

// SpanHistogram is store.SpanReader's.
func (m *Memory) SpanHistogram(_ context.Context, q store.TraceQuery, step time.Duration, field string) (store.Histogram, error) {
	return histogram(m.spanPoints(q, field), q.Range, step, field), nil
}

// LogValues is store.LogReader's.
func (m *Memory) LogValues(_ context.Context, q store.LogQuery, field string, limit int) ([]store.ValueCount, error) {
	return valueCounts(m.logPoints(q, field), limit), nil
}

// SpanValues is store.SpanReader's.
func (m *Memory) SpanValues(_ context.Context, q store.TraceQuery, field string, limit int) ([]store.ValueCount, error) {
	return valueCounts(m.spanPoints(q, field), limit), nil
}

// LogFields is store.LogReader's.
func (m *Memory) LogFields(_ context.Context, q store.LogQuery, limit int) ([]string, error) {
	f := newFieldList(store.LogFieldNames())
	for _, r := range m.matchingLogs(q) {
		f.add(func(name string) string { return store.LogField(&r, name) }, r.Attrs, r.Resource.Attrs)
	}
	return f.list(limit), nil
}

// SpanFields is store.SpanReader's.
func (m *Memory) SpanFields(_ context.Context, q store.TraceQuery, limit int) ([]string, error) {
	f := newFieldList(store.SpanFieldNames())
	for _, s := range m.matchingSpans(q) {
		f.add(func(name string) string { return store.SpanField(&s, name) }, s.Attrs, s.Resource.Attrs)
		store.EachInner(s.Events, s.Links, func(_ bool, key string, _ model.Value) { f.keys[key]++ })
	}
	return f.list(limit), nil
}

type fieldList struct {
	names []string
	seen  map[string]bool
	keys  map[string]int
}

func newFieldList(names []string) *fieldList {
	names = slices.DeleteFunc(names, func(n string) bool { return n == "timestamp" || n == "message" })
	return &fieldList{names: names, seen: map[string]bool{}, keys: map[string]int{}}
}

func (f *fieldList) add(value func(name string) string, lists ...model.Attrs) {
	for _, n := range f.names {
		f.seen[n] = f.seen[n] || value(n) != ""
	}
	for _, list := range lists {
		for _, a := range list {
			f.keys[a.Key]++
		}
	}
}

func (f *fieldList) list(limit int) []string {
	out := []string{}
	for _, n := range f.names {
		if f.seen[n] {
			out = append(out, n)
		}
	}
	own := len(out)
	for k := range f.keys {
		out = append(out, k)
	}
	slices.SortFunc(out[own:], func(a, b string) int { return cmp.Or(cmp.Compare(f.keys[b], f.keys[a]), cmp.Compare(a, b)) })
	for i := range out[own:] {
		out[own+i] = store.AttrField(out[own+i])
	}
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

// Trace is store.SpanReader's.
func (m *Memory) Trace(_ context.Context, tenant string, id model.TraceID, _ store.Range) ([]model.Span, error) {
	if id.IsZero() {
		return nil, store.ErrNotFound
	}
	out := m.matchingSpans(store.TraceQuery{Tenant: tenant, Expr: store.Compare{Field: "trace_id", Value: id.String()}})
	if len(out) == 0 {
		return nil, store.ErrNotFound
	}
	slices.SortStableFunc(out, func(a, b model.Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.Duration, a.Duration))
	})
	return out, nil
}

// Traces is store.SpanReader's.
func (m *Memory) Traces(ctx context.Context, q store.TraceQuery) ([]store.TraceSummary, error) {
	out := []store.TraceSummary{}
	matched := map[model.TraceID][]model.Span{}
	for _, s := range m.matchingSpans(q) {
		if !s.TraceID.IsZero() {
			matched[s.TraceID] = append(matched[s.TraceID], s)
		}
	}
	for id, hits := range matched {
		spans, err := m.Trace(ctx, q.Tenant, id, store.Range{})
		if err != nil {
			return nil, err
		}
		sum := summary(spans)
		sum.Matched = hits[:min(len(hits), 3)]
		out = append(out, sum)
	}
	slices.SortFunc(out, func(a, b store.TraceSummary) int {
		by := cmp.Compare(b.Start, a.Start)
		if q.Slowest {
			by = cmp.Compare(b.Duration, a.Duration)
		}
		return cmp.Or(by, slices.Compare(a.TraceID[:], b.TraceID[:]))
	})
	return out[:min(len(out), traceLimit(q))], nil
}

// summary expects spans ordered by start.
func summary(spans []model.Span) store.TraceSummary {
	s := store.TraceSummary{TraceID: spans[0].TraceID, Start: spans[0].Start, Spans: len(spans)}
	root, end, at := 0, spans[0].End(), map[string]int{}
	for i := range spans {
		end = max(end, spans[i].End())
		if spans[i].ParentID.IsZero() && !spans[root].ParentID.IsZero() {
			root = i
		}
		name := spans[i].Resource.Service
		k, ok := at[name]
		if !ok {
			k = len(s.Services)
			at[name] = k
			s.Services = append(s.Services, store.ServiceCount{Service: name})
		}
		s.Services[k].Spans++
		if spans[i].Status == model.StatusError {
			s.Errors++
			s.Services[k].Errors++
		}
	}
	s.RootService, s.RootName, s.Duration = spans[root].Resource.Service, spans[root].Name, end-s.Start
	slices.SortFunc(s.Services, func(a, b store.ServiceCount) int {
		return cmp.Or(cmp.Compare(b.Spans, a.Spans), cmp.Compare(a.Service, b.Service))
	})
	return s
}
