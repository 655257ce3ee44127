package scan

import (
	"cmp"
	"container/heap"
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// ref is where a matching row is.
type ref struct {
	time int64
	unit int32
	row  int32
}

// latest keeps the n newest (or oldest) rows it is offered. It is safe for
// concurrent use.
type latest struct {
	n      int
	oldest bool

	mu   sync.Mutex
	heap refHeap
	// bound is the worst time kept once n rows are: what is no better need not be offered.
	bound atomic.Int64
}

func newLatest(n int, oldest bool) *latest {
	l := &latest{n: n, oldest: oldest, heap: refHeap{oldest: oldest}}
	l.bound.Store(math.MinInt64)
	if oldest {
		l.bound.Store(math.MaxInt64)
	}
	return l
}

// wants reports whether a row of time t would be kept.
func (l *latest) wants(t int64) bool {
	if l.oldest {
		return t < l.bound.Load()
	}
	return t > l.bound.Load()
}

func (l *latest) offer(batch []ref) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range batch {
		switch {
		case len(l.heap.refs) < l.n:
			heap.Push(&l.heap, r)
		case l.wants(r.time):
			l.heap.refs[0] = r
			heap.Fix(&l.heap, 0)
		default:
			continue
		}
		if len(l.heap.refs) == l.n {
			l.bound.Store(l.heap.refs[0].time)
		}
	}
}

// sorted ends the collection and gives the rows, best first.
func (l *latest) sorted() []ref {
	refs := l.heap.refs
	slices.SortFunc(refs, func(a, b ref) int {
		by := cmp.Compare(b.time, a.time)
		if l.oldest {
			by = -by
		}
		return cmp.Or(by, cmp.Compare(a.unit, b.unit), cmp.Compare(a.row, b.row))
	})
	return refs
}

// refHeap has the worst row on top.
type refHeap struct {
	refs   []ref
	oldest bool
}

func (h *refHeap) Len() int { return len(h.refs) }
func (h *refHeap) Less(i, j int) bool {
	if h.oldest {
		return h.refs[i].time > h.refs[j].time
	}
	return h.refs[i].time < h.refs[j].time
}
func (h *refHeap) Swap(i, j int) { h.refs[i], h.refs[j] = h.refs[j], h.refs[i] }
func (h *refHeap) Push(x any)    { h.refs = append(h.refs, x.(ref)) }
func (h *refHeap) Pop() any {
	last := len(h.refs) - 1
	x := h.refs[last]
	h.refs = h.refs[:last]
	return x
}

// latestVisitor offers one unit's rows.
type latestVisitor struct {
	to    *latest
	unit  int32
	batch []ref
}

func (v *latestVisitor) Block(t *match.Table, b *match.Block) error {
	c, err := t.Load(part.ColTimestamp, b.RowAt(0))
	if err != nil {
		return err
	}
	b.Each(func(i int) { v.add(c.IntAt(c.At(b.RowAt(i))), int32(b.RowAt(i))) })
	v.flush()
	return nil
}

func (v *latestVisitor) Row(u *match.Unit, i int) {
	if u.Logs != nil {
		v.add(u.Logs.Time[i], int32(i))
	} else {
		v.add(u.Spans.Start[i], int32(i))
	}
	if len(v.batch) >= part.BlockRows {
		v.flush()
	}
}

func (v *latestVisitor) add(t int64, row int32) {
	if v.to.wants(t) {
		v.batch = append(v.batch, ref{time: t, unit: v.unit, row: row})
	}
}

func (v *latestVisitor) flush() {
	if len(v.batch) > 0 {
		v.to.offer(v.batch)
		v.batch = v.batch[:0]
	}
}

// latestRefs finds the n newest (oldest) matching rows. units are in order of
// time, so the search ends at the first that cannot have a better one.
func latestRefs(ctx context.Context, q *match.Query, v *part.View, units []match.Unit, n int, oldest bool) ([]ref, error) {
	keep := newLatest(n, oldest)
	wanting := q.Wanting(keep.wants)
	err := run(ctx, v, units, func(ctx context.Context, i int, u *match.Unit) error {
		best := u.Max
		if oldest {
			best = u.Min
		}
		if !keep.wants(best) {
			return errStop
		}
		visit := &latestVisitor{to: keep, unit: int32(i)}
		err := wanting.Scan(ctx, u, visit)
		visit.flush()
		return err
	})
	return keep.sorted(), err
}

// chunkRows is how many rows a query without (or with a large) limit collects at a time.
const chunkRows = 16384

// inOrder calls yield with the matching rows in order of time, in batches, until
// limit (0: all), an error, or yield returns false.
func inOrder(ctx context.Context, q *match.Query, v *part.View, limit int, oldest bool, yield func(units []match.Unit, batch []ref) (bool, error)) error {
	n := chunkRows
	if limit > 0 {
		n = min(n, limit)
	}
	rest := q.Within(q.Range)
	for done := 0; ; {
		units := unitsOf(v, rest.Range, oldest)
		refs, err := latestRefs(ctx, rest, v, units, n, oldest)
		if err != nil || len(refs) == 0 {
			return err
		}
		last := len(refs) < n || limit > 0 && done+len(refs) >= limit
		if !last {
			// Go on behind the last time that is surely complete.
			edge := refs[len(refs)-1].time
			whole := slices.IndexFunc(refs, func(r ref) bool { return r.time == edge })
			if whole == 0 {
				n *= 2 // more than n rows at one instant
				continue
			}
			refs = refs[:whole]
			rest = rest.Within(behind(rest.Range, edge, oldest))
		}
		if more, err := yield(units, refs); err != nil || !more || last {
			return err
		}
		done += len(refs)
	}
}

// behind is what remains of r when everything before (newest first: after)
// edge is done; edge itself is not.
func behind(r store.Range, edge int64, oldest bool) store.Range {
	if r == (store.Range{}) {
		r = store.Range{Start: math.MinInt64, End: math.MaxInt64}
	}
	if oldest {
		r.Start = edge
	} else {
		r.End = edge + 1
	}
	return r
}
