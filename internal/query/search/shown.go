package search

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// A caller from whom values are masked is answered as if the store held what they are shown. Where the engine cannot tell
// (a word that is searched may stand in what is masked), it is asked for more, and what it finds is shown, and then matched and counted here.

// view is what the caller of ctx is shown; nil for everything.
func (s *Service) view(ctx context.Context) *mask.View {
	if s.masks == nil {
		return nil
	}
	return s.masks().For(ctx)
}

// matching yields what a filter finds of records as they are shown: those that find finds for as many, or all.
func matching[T any](f mask.Filter, limit int, find func(e store.Expr, limit int) iter.Seq2[T, error], show func(T) T, match func(*store.Matcher, *T) bool, e store.Expr) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ask, n := limit, 0
		var m *store.Matcher
		if !f.Exact {
			ask, m = 0, store.NewMatcher(e)
		}
		for r, err := range find(f.Expr, ask) {
			if err != nil {
				yield(r, err)
				return
			}
			r = show(r)
			if m != nil && !match(m, &r) {
				continue
			}
			if n++; !yield(r, nil) || limit > 0 && n == limit {
				return
			}
		}
	}
}

// shownLogs is the records that a query finds as they are shown; without a limit all of them.
func (s *Service) shownLogs(ctx context.Context, v *mask.View, q store.LogQuery, f mask.Filter) iter.Seq2[model.LogRecord, error] {
	find := func(e store.Expr, limit int) iter.Seq2[model.LogRecord, error] {
		ask := q
		ask.Expr, ask.Limit = narrowed(ctx, e), limit
		return s.logs.Logs(ctx, ask)
	}
	return matching(f, q.Limit, find, v.Masker().Log, (*store.Matcher).Log, q.Expr)
}

// shownSpans is the spans that a query finds as they are shown; of limit 0 all of them.
func (s *Service) shownSpans(ctx context.Context, v *mask.View, q store.TraceQuery, f mask.Filter, limit int) iter.Seq2[model.Span, error] {
	find := func(e store.Expr, limit int) iter.Seq2[model.Span, error] {
		ask := q
		ask.Expr, ask.Limit = narrowed(ctx, e), limit
		if limit == 0 {
			ask.Limit = math.MaxInt32
		}
		return s.spans.Spans(ctx, ask)
	}
	return matching(f, limit, find, v.Masker().Span, (*store.Matcher).Span, q.Expr)
}

// point is what counts look at.
type point struct {
	time  int64
	value string
}

// points yields what is counted of records, each with one field.
func points[T any](records iter.Seq2[T, error], of func(*T) point) iter.Seq2[point, error] {
	return func(yield func(point, error) bool) {
		for r, err := range records {
			if err != nil {
				yield(point{}, err)
				return
			}
			if !yield(of(&r), nil) {
				return
			}
		}
	}
}

func logPoint(field string) func(*model.LogRecord) point {
	return func(r *model.LogRecord) point { return point{r.Time, store.LogField(r, field)} }
}

func spanPoint(field string) func(*model.Span) point {
	return func(p *model.Span) point { return point{p.Start, store.SpanField(p, field)} }
}

// maxSeries bounds the values of a histogram as the engine does; the rest is counted as otherSeries.
const (
	maxSeries   = 200
	otherSeries = "other"
)

// histogramOf counts points into a histogram over r, beside what is in it.
func histogramOf(h store.Histogram, r store.Range, list iter.Seq2[point, error]) (store.Histogram, error) {
	buckets, at := int((r.End-1-h.Start)/h.Step)+1, map[string]int{}
	for i, s := range h.Series {
		at[s.Value] = i
	}
	for p, err := range list {
		if err != nil {
			return store.Histogram{}, err
		}
		k, ok := at[p.value]
		if !ok && len(h.Series) >= maxSeries {
			p.value = otherSeries
			k, ok = at[p.value]
		}
		if !ok {
			k = len(h.Series)
			at[p.value] = k
			h.Series = append(h.Series, store.HistogramSeries{Value: p.value, Counts: make([]uint64, buckets)})
		}
		if i := (p.time - h.Start) / h.Step; i >= 0 && int(i) < buckets {
			h.Series[k].Counts[i]++
		}
	}
	slices.SortFunc(h.Series, func(a, b store.HistogramSeries) int { return cmp.Compare(a.Value, b.Value) })
	return h, nil
}

// maxDistinct bounds the values that are told apart.
const maxDistinct = 100_000

func valuesOf(list iter.Seq2[point, error], limit int) ([]store.ValueCount, error) {
	n := map[string]uint64{}
	for p, err := range list {
		if err != nil {
			return nil, err
		}
		if _, known := n[p.value]; p.value != "" && (known || len(n) < maxDistinct) {
			n[p.value]++
		}
	}
	return store.TopValues(n, limit), nil
}

// counted is a question that counts: with a filter that the engine answers for a field that it may tell of, or not.
type counted struct {
	view   *mask.View
	filter mask.Filter
	engine bool
	plain  bool // the field is shown as it is
}

// asked is what the engine may count by itself.
func (c counted) asked() store.Expr {
	switch {
	case c.engine:
		return c.filter.Expr
	case c.plain:
		return c.filter.Sure
	}
	return store.Or{} // of nothing: the grid
}

// rest is what must be shown, and then matched and counted here, beside what the engine counts.
func (c counted) rest() mask.Filter {
	if !c.plain {
		return c.filter
	}
	return mask.Filter{Expr: store.And{Exprs: []store.Expr{c.filter.Expr, store.Not{Expr: c.filter.Sure}}}}
}

// counting prepares a question that counts a field.
func (s *Service) counting(ctx context.Context, kind mask.Kind, e store.Expr, field string) (counted, error) {
	v := s.view(ctx)
	if err := v.Refuse(kind, field); err != nil {
		return counted{}, err
	}
	f, err := v.Filter(kind, e)
	plain := field == "" || v.Plain(kind, field)
	return counted{v, f, f.Exact && plain, plain}, err
}

func (s *Service) logHistogram(ctx context.Context, q store.LogQuery, step time.Duration, field string) (store.Histogram, error) {
	c, err := s.counting(ctx, mask.Logs, q.Expr, field)
	if err != nil {
		return store.Histogram{}, err
	}
	ask := q
	ask.Expr = narrowed(ctx, c.asked())
	h, err := s.logs.LogHistogram(ctx, ask, step, field)
	if err != nil || c.engine {
		return h, err
	}
	q.Limit = 0
	return histogramOf(h, q.Range, points(s.shownLogs(ctx, c.view, q, c.rest()), logPoint(field)))
}

func (s *Service) spanHistogram(ctx context.Context, q store.TraceQuery, step time.Duration, field string) (store.Histogram, error) {
	c, err := s.counting(ctx, mask.Spans, q.Expr, field)
	if err != nil {
		return store.Histogram{}, err
	}
	ask := q
	ask.Expr = narrowed(ctx, c.asked())
	h, err := s.spans.SpanHistogram(ctx, ask, step, field)
	if err != nil || c.engine {
		return h, err
	}
	return histogramOf(h, q.Range, points(s.shownSpans(ctx, c.view, q, c.rest(), 0), spanPoint(field)))
}

func (s *Service) logValues(ctx context.Context, q store.LogQuery, field string, limit int) ([]store.ValueCount, error) {
	c, err := s.counting(ctx, mask.Logs, q.Expr, field)
	if err != nil {
		return nil, err
	}
	ask := q
	if ask.Expr = narrowed(ctx, c.filter.Expr); c.engine || field == "" {
		return s.logs.LogValues(ctx, ask, field, limit)
	}
	q.Limit = 0
	return valuesOf(points(s.shownLogs(ctx, c.view, q, c.filter), logPoint(field)), limit)
}

func (s *Service) spanValues(ctx context.Context, q store.TraceQuery, field string, limit int) ([]store.ValueCount, error) {
	c, err := s.counting(ctx, mask.Spans, q.Expr, field)
	if err != nil {
		return nil, err
	}
	ask := q
	if ask.Expr = narrowed(ctx, c.filter.Expr); c.engine || field == "" {
		return s.spans.SpanValues(ctx, ask, field, limit)
	}
	if !c.filter.Exact {
		return valuesOf(points(s.shownSpans(ctx, c.view, q, c.filter, 0), spanPoint(field)), limit)
	}
	// Names of operations are asked for with every page of traces: the engine counts them, and what is shown alike is counted together.
	found, err := s.spans.SpanValues(ctx, ask, field, 0)
	n := map[string]uint64{}
	for _, f := range found {
		n[c.view.Text(field, f.Value)] += f.Count
	}
	return store.TopValues(n, limit), err
}

func (s *Service) traces(ctx context.Context, q store.TraceQuery) ([]store.TraceSummary, error) {
	v := s.view(ctx)
	f, err := v.Filter(mask.Spans, q.Expr)
	if err != nil {
		return nil, err
	}
	if !f.Exact {
		return s.shownTraces(ctx, v, q, f)
	}
	q.Expr = narrowed(ctx, f.Expr)
	found, err := s.spans.Traces(ctx, q)
	if err != nil {
		return nil, err
	}
	if found, err = s.summariesApart(ctx, q.Tenant, found); v == nil || err != nil {
		return found, err
	}
	for i := range found {
		found[i].RootName = v.Text("name", found[i].RootName)
		found[i].Matched = v.Spans(found[i].Matched)
	}
	return found, nil
}

const (
	// maxMatched is how many of a trace's spans a list names.
	maxMatched = 3
	// maxTraces bounds the traces that are looked at for one list; traceSlack is how far from a span the others of its trace are looked for.
	maxTraces  = 20_000
	traceSlack = int64(time.Hour)
	// traceLimit is how many traces are listed where no number is asked for.
	traceLimit = 20
)

// shownTraces lists traces of which a span matches as it is shown. Spans come newest first: once enough traces began after the
// span that is next, none that is not known yet can be newer.
func (s *Service) shownTraces(ctx context.Context, v *mask.View, q store.TraceQuery, f mask.Filter) ([]store.TraceSummary, error) {
	limit := cmp.Or(max(q.Limit, 0), traceLimit)
	known, list, check := map[model.TraceID]*store.TraceSummary{}, []*store.TraceSummary{}, limit
	for p, err := range s.shownSpans(ctx, v, q, f, 0) {
		if err != nil {
			return nil, err
		}
		if !q.Slowest && len(list) >= check {
			sortTraces(list, false)
			if list[limit-1].Start > p.Start {
				break
			}
			check = len(list) + len(list)/2 + 1
		}
		if one, ok := known[p.TraceID]; ok {
			if one != nil && len(one.Matched) < maxMatched {
				one.Matched = append(one.Matched, p)
			}
			continue
		}
		if p.TraceID.IsZero() || len(known) == maxTraces {
			continue
		}
		one, err := s.shownTrace(ctx, v, q.Tenant, &p)
		if errors.Is(err, store.ErrNotFound) {
			known[p.TraceID] = nil // retention was quicker
			continue
		}
		if err != nil {
			return nil, err
		}
		known[p.TraceID], list = one, append(list, one)
	}
	sortTraces(list, q.Slowest)
	out := []store.TraceSummary{}
	for _, one := range list[:min(len(list), limit)] {
		out = append(out, *one)
	}
	return out, nil
}

func sortTraces(list []*store.TraceSummary, slowest bool) {
	slices.SortFunc(list, func(a, b *store.TraceSummary) int {
		by := cmp.Compare(b.Start, a.Start)
		if slowest {
			by = cmp.Compare(b.Duration, a.Duration)
		}
		return cmp.Or(by, slices.Compare(a.TraceID[:], b.TraceID[:]))
	})
}

// shownTrace summarises the trace of a span.
func (s *Service) shownTrace(ctx context.Context, v *mask.View, tenant string, p *model.Span) (*store.TraceSummary, error) {
	scope := access.ScopeOf(ctx)
	spans, err := s.spans.Trace(ctx, tenant, p.TraceID, store.Range{Start: p.Start - traceSlack, End: p.Start + traceSlack})
	if err == nil {
		spans, err = visible(scope, p.TraceID, spans)
	}
	if err != nil {
		return nil, err
	}
	spans = v.Spans(spans)
	one := store.TraceSummary{TraceID: p.TraceID, Start: spans[0].Start, Matched: []model.Span{*p}}
	end := spans[0].End()
	for i := range spans {
		one.Start, end = min(one.Start, spans[i].Start), max(end, spans[i].End())
	}
	one.Duration = end - one.Start
	one = summaryApart(scope, one, spans)
	return &one, nil
}
