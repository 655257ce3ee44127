package scan

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

const (
	// traceSlack is how far outside of a query's range spans of its traces are
	// looked for.
	traceSlack = int64(time.Hour)
	// maxTraces bounds the traces that one query compares.
	maxTraces = 500_000
	// maxMatched is how many matching spans a summary shows.
	maxMatched = 3
)

// found is a trace with at least one matching span.
type found struct {
	id      model.TraceID
	newest  int64 // latest start of a matching span
	matched []ref // at most maxMatched, in order of discovery
	summary *store.TraceSummary
}

// traceSearch answers one Traces.
type traceSearch struct {
	q     *match.Query
	view  *part.View
	units []match.Unit // of the range and the slack around it
	limit int

	mu     sync.Mutex
	traces map[model.TraceID]*found
}

// Traces is store.SpanReader's. Of a trace, spans more than an hour outside of
// the range do not count. With Slowest, at most 500,000 traces are compared.
func (s *Scanner) Traces(ctx context.Context, tq store.TraceQuery) ([]store.TraceSummary, error) {
	around := widen(tq.Range)
	v := s.source.View(part.Spans, around)
	defer v.Release()
	t := &traceSearch{
		q: spanQuery(tq), view: v, units: unitsOf(v, around, false), limit: limitOf(tq), traces: map[model.TraceID]*found{},
	}
	var best []*found
	var err error
	if tq.Slowest {
		best, err = t.slowest(ctx)
	} else {
		best, err = t.newest(ctx)
	}
	if err != nil {
		return nil, err
	}
	return t.results(ctx, best)
}

func widen(r store.Range) store.Range {
	if r == (store.Range{}) {
		return r
	}
	out := store.Range{Start: math.MinInt64, End: math.MaxInt64}
	if r.Start > math.MinInt64+traceSlack {
		out.Start = r.Start - traceSlack
	}
	if r.End < math.MaxInt64-traceSlack {
		out.End = r.End + traceSlack
	}
	return out
}

// matches adds the traces of u's matching spans.
func (t *traceSearch) matches(ctx context.Context, i int, u *match.Unit) error {
	if t.q.Range != (store.Range{}) && (u.Min >= t.q.Range.End || u.Max < t.q.Range.Start) {
		return nil
	}
	v := &traceVisitor{unit: int32(i), traces: map[model.TraceID]*found{}}
	if err := t.q.Scan(ctx, u, v); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, f := range v.traces {
		have, ok := t.traces[id]
		switch {
		case ok:
			have.newest = max(have.newest, f.newest)
			have.matched = append(have.matched, f.matched[:min(len(f.matched), maxMatched-len(have.matched))]...)
		case len(t.traces) < maxTraces:
			t.traces[id] = f
		}
	}
	return nil
}

// traceVisitor collects the traces of one unit.
type traceVisitor struct {
	unit   int32
	traces map[model.TraceID]*found
	last   *found
}

func (v *traceVisitor) add(id model.TraceID, start int64, row int) {
	if id.IsZero() {
		return
	}
	f := v.last
	if f == nil || f.id != id {
		if f = v.traces[id]; f == nil {
			f = &found{id: id, newest: math.MinInt64}
			v.traces[id] = f
		}
		v.last = f
	}
	f.newest = max(f.newest, start)
	if len(f.matched) < maxMatched {
		f.matched = append(f.matched, ref{time: start, unit: v.unit, row: int32(row)})
	}
}

func (v *traceVisitor) Block(t *match.Table, b *match.Block) error {
	ids, err := t.Load(part.ColTraceID, b.RowAt(0))
	if err != nil {
		return err
	}
	times, err := t.Load(part.ColTimestamp, b.RowAt(0))
	if err != nil {
		return err
	}
	b.Each(func(i int) {
		row := b.RowAt(i)
		v.add(model.TraceID(ids.FixedAt(ids.At(row))), times.IntAt(times.At(row)), row)
	})
	return nil
}

func (v *traceVisitor) Row(u *match.Unit, i int) { v.add(u.Spans.TraceID[i], u.Spans.Start[i], i) }

// newest finds the traces that started last. A trace starts no later than any
// of its matching spans; so units are searched newest first, and the search ends
// when no unit and no trace left can beat the worst one kept.
func (t *traceSearch) newest(ctx context.Context) ([]*found, error) {
	var best []*found // summarized, latest start first
	for from := 0; from < len(t.units); from += workers {
		if len(best) == t.limit && best[t.limit-1].summary.Start >= t.units[from].Max {
			break
		}
		err := run(ctx, t.view, t.units[from:min(from+workers, len(t.units))], func(ctx context.Context, i int, u *match.Unit) error {
			return t.matches(ctx, from+i, u)
		})
		if err != nil {
			return nil, err
		}
		if best, err = t.keepNewest(ctx, best); err != nil {
			return nil, err
		}
	}
	return best, nil
}

// keepNewest summarizes those new traces that may belong to the best and
// forgets the others.
func (t *traceSearch) keepNewest(ctx context.Context, best []*found) ([]*found, error) {
	var fresh []*found
	for _, f := range t.traces {
		if f.summary == nil {
			fresh = append(fresh, f)
		}
	}
	slices.SortFunc(fresh, func(a, b *found) int { return cmp.Compare(b.newest, a.newest) })
	for len(fresh) > 0 {
		if len(best) == t.limit && best[t.limit-1].summary.Start >= fresh[0].newest {
			break
		}
		batch := fresh[:min(len(fresh), t.limit)]
		fresh = fresh[len(batch):]
		if err := t.summarize(ctx, batch); err != nil {
			return nil, err
		}
		for _, f := range batch {
			if f.summary != nil {
				best = append(best, f)
			}
		}
		slices.SortFunc(best, func(a, b *found) int {
			return cmp.Or(cmp.Compare(b.summary.Start, a.summary.Start), slices.Compare(a.id[:], b.id[:]))
		})
		best = best[:min(len(best), t.limit)]
	}
	// What was not kept cannot come back: a further match of it is older still, and
	// a trace's start does not depend on the matches seen.
	clear(t.traces)
	for _, f := range best {
		t.traces[f.id] = f
	}
	return best, nil
}

// slowest finds the traces that took longest.
func (t *traceSearch) slowest(ctx context.Context) ([]*found, error) {
	if err := run(ctx, t.view, t.units, t.matches); err != nil {
		return nil, err
	}
	extents, err := t.extents(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]*found, 0, len(t.traces))
	for _, f := range t.traces {
		if e, ok := extents[f.id]; ok && e.end >= e.start {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b *found) int {
		ea, eb := extents[a.id], extents[b.id]
		return cmp.Or(cmp.Compare(eb.end-eb.start, ea.end-ea.start), slices.Compare(a.id[:], b.id[:]))
	})
	list = list[:min(len(list), t.limit)]
	return list, t.summarize(ctx, list)
}

// extent is the time from a trace's first start to its last end.
type extent struct{ start, end int64 }

// extents are those of all traces found.
func (t *traceSearch) extents(ctx context.Context) (map[model.TraceID]*extent, error) {
	out := make(map[model.TraceID]*extent, len(t.traces))
	for id := range t.traces {
		out[id] = &extent{start: math.MaxInt64, end: math.MinInt64}
	}
	q := t.q.All()
	var mu sync.Mutex
	err := run(ctx, t.view, t.units, func(ctx context.Context, _ int, u *match.Unit) error {
		v := &extentVisitor{wanted: out, own: map[model.TraceID]*extent{}}
		if err := q.Scan(ctx, u, v); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for id, e := range v.own {
			have := out[id]
			have.start, have.end = min(have.start, e.start), max(have.end, e.end)
		}
		return nil
	})
	return out, err
}

// extentVisitor widens the extents of the wanted traces, read-only in wanted.
type extentVisitor struct {
	wanted map[model.TraceID]*extent
	own    map[model.TraceID]*extent
	id     model.TraceID
	last   *extent
}

func (v *extentVisitor) add(id model.TraceID, start, duration int64) {
	if id != v.id || v.last == nil {
		v.id, v.last = id, v.own[id]
		if v.last == nil {
			if _, ok := v.wanted[id]; !ok {
				return
			}
			v.last = &extent{start: start, end: start}
			v.own[id] = v.last
		}
	}
	v.last.start, v.last.end = min(v.last.start, start), max(v.last.end, start+duration)
}

func (v *extentVisitor) Block(t *match.Table, b *match.Block) error {
	var cols [3]*match.Column
	for i, name := range [...]string{part.ColTraceID, part.ColTimestamp, part.ColDuration} {
		var err error
		if cols[i], err = t.Load(name, b.RowAt(0)); err != nil {
			return err
		}
	}
	b.Each(func(i int) {
		row := b.RowAt(i)
		v.add(model.TraceID(cols[0].FixedAt(cols[0].At(row))), cols[1].IntAt(cols[1].At(row)), cols[2].IntAt(cols[2].At(row)))
	})
	return nil
}

func (v *extentVisitor) Row(u *match.Unit, i int) {
	v.add(u.Spans.TraceID[i], u.Spans.Start[i], u.Spans.Duration[i])
}
