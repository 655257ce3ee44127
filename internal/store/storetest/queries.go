package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// The number of random filters per suite and the depth of their nesting.
const (
	filters     = 160
	filterDepth = 3
)

func logsFilters(t *testing.T, s EventStore) {
	g := newGenerator(8)
	m := fill(t, s, g, 2400)
	for range filters {
		q := store.LogQuery{Expr: g.expr(filterDepth), Tenant: pick(g, "", "default")}
		if g.IntN(3) == 0 {
			q.Range = g.someRange()
		}
		times := func(r store.LogReader) (out []int64) {
			for _, rec := range collect(t, r.Logs(t.Context(), q)) {
				out = append(out, rec.Time)
			}
			return out
		}
		same(t, fmt.Sprintf("times of %#v", q), times(m), times(s))
	}
}

func (g *generator) someRange() store.Range {
	start := eventEpoch + int64(g.IntN(3000))*1e9
	return store.Range{Start: start, End: start + int64(1+g.IntN(1500))*1e9}
}

func spansFilters(t *testing.T, s EventStore) {
	g := newGenerator(9)
	m := fill(t, s, g, 2400)
	for range filters {
		q := store.TraceQuery{Expr: g.expr(filterDepth), Tenant: pick(g, "", "default"), Limit: 5000}
		if g.IntN(3) == 0 {
			q.Range = g.someRange()
		}
		starts := func(r store.SpanReader) (out []int64) {
			for _, span := range collect(t, r.Spans(t.Context(), q)) {
				out = append(out, span.Start)
			}
			return out
		}
		same(t, fmt.Sprintf("starts of %#v", q), starts(m), starts(s))
	}
}

// someExpr is nil half of the time.
func (g *generator) someExpr() store.Expr {
	if g.IntN(2) == 0 {
		return nil
	}
	return g.expr(1)
}

func sortSeries(h store.Histogram) store.Histogram {
	slices.SortFunc(h.Series, func(a, b store.HistogramSeries) int { return cmp.Compare(a.Value, b.Value) })
	return h
}

func logsCounts(t *testing.T, s EventStore) {
	g := newGenerator(10)
	m := fill(t, s, g, 2400)
	for range 60 {
		r := pick(g, g.someRange(), store.Range{Start: eventEpoch - int64(time.Hour), End: eventEpoch + int64(3*time.Hour)})
		q := store.LogQuery{Expr: g.someExpr(), Tenant: pick(g, "", "default"), Range: r}
		field, step := pick(g, "", "level", "service", g.field()), pick(g, time.Minute, 5*time.Minute, 7*time.Second)
		what := fmt.Sprintf("%s per %s of %#v", field, step, q)
		want, _ := m.LogHistogram(t.Context(), q, step, field)
		if len(want.Series) <= 50 {
			got, err := s.LogHistogram(t.Context(), q, step, field)
			noError(t, err)
			same(t, "histogram: "+what, sortSeries(want), sortSeries(got))
		}
		if field != "" {
			wantValues, _ := m.LogValues(t.Context(), q, field, 5)
			values, err := s.LogValues(t.Context(), q, field, 5)
			noError(t, err)
			same(t, "values: "+what, wantValues, values)
		}
		wantFields, _ := m.LogFields(t.Context(), q, 12)
		fields, err := s.LogFields(t.Context(), q, 12)
		noError(t, err)
		same(t, "fields: "+what, wantFields, fields)
	}
}

func spansCounts(t *testing.T, s EventStore) {
	g := newGenerator(11)
	m := fill(t, s, g, 2400)
	for range 60 {
		r := pick(g, g.someRange(), store.Range{Start: eventEpoch - int64(time.Hour), End: eventEpoch + int64(3*time.Hour)})
		q := store.TraceQuery{Expr: g.someExpr(), Tenant: pick(g, "", "default"), Range: r}
		field, step := pick(g, "", "status", "service", g.field()), pick(g, time.Minute, 5*time.Minute, 7*time.Second)
		what := fmt.Sprintf("%s per %s of %#v", field, step, q)
		want, _ := m.SpanHistogram(t.Context(), q, step, field)
		if len(want.Series) <= 50 {
			got, err := s.SpanHistogram(t.Context(), q, step, field)
			noError(t, err)
			same(t, "histogram: "+what, sortSeries(want), sortSeries(got))
		}
		if field != "" {
			wantValues, _ := m.SpanValues(t.Context(), q, field, 5)
			values, err := s.SpanValues(t.Context(), q, field, 5)
			noError(t, err)
			same(t, "values: "+what, wantValues, values)
		}
		wantFields, _ := m.SpanFields(t.Context(), q, 12)
		fields, err := s.SpanFields(t.Context(), q, 12)
		noError(t, err)
		same(t, "fields: "+what, wantFields, fields)
	}
}

func traceScattered(t *testing.T, s EventStore) {
	m := fill(t, s, newGenerator(12), 800)
	ids := map[model.TraceID]bool{}
	for _, span := range collect(t, m.Spans(t.Context(), store.TraceQuery{Limit: 1000})) {
		ids[span.TraceID] = true
	}
	for id := range ids {
		want, err := m.Trace(t.Context(), "", id, store.Range{})
		noError(t, err)
		got, err := s.Trace(t.Context(), "", id, store.Range{})
		noError(t, err)
		same(t, "trace "+id.String(), mapped(want, normalSpan), mapped(got, normalSpan))
		hint := store.Range{Start: want[0].Start, End: want[len(want)-1].Start + 1}
		got, err = s.Trace(t.Context(), "", id, hint)
		noError(t, err)
		same(t, "trace with hint "+id.String(), mapped(want, normalSpan), mapped(got, normalSpan))
	}
}

func tracesListed(t *testing.T, s EventStore) {
	g := newGenerator(13)
	m := fill(t, s, g, 1600)
	whole := store.Range{Start: eventEpoch - int64(time.Hour), End: eventEpoch + int64(3*time.Hour)}
	for range 80 {
		q := store.TraceQuery{Expr: g.someExpr(), Tenant: pick(g, "", "default"), Range: whole, Limit: pick(g, 0, 1, 5, 50, 1000), Slowest: g.IntN(2) == 0}
		if g.IntN(3) == 0 {
			q.Range = g.someRange()
		}
		want, _ := m.Traces(t.Context(), q)
		got, err := s.Traces(t.Context(), q)
		noError(t, err)
		match := store.NewMatcher(q.Expr)
		for i := range got {
			checkMatched(t, &got[i], match, i < len(want) && len(want[i].Matched) == len(got[i].Matched))
			got[i].Matched = nil
		}
		for i := range want {
			want[i].Matched = nil
		}
		same(t, fmt.Sprintf("%#v", q), want, got)
	}
}

// checkMatched checks the matching spans that a summary shows: which of them is
// not fixed.
func checkMatched(t *testing.T, s *store.TraceSummary, match *store.Matcher, asMany bool) {
	t.Helper()
	if !asMany {
		t.Fatalf("trace %s shows %d matching spans, not as many as the definition", s.TraceID, len(s.Matched))
	}
	for i := range s.Matched {
		if span := &s.Matched[i]; span.TraceID != s.TraceID || !match.Span(span) {
			t.Fatalf("trace %s shows a span that does not match: %+v", s.TraceID, span)
		}
	}
}
