package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

const (
	// workers is how many goroutines one query uses: with more, few concurrent
	// queries would take all cores from ingestion.
	workers = 2
	// maxDistinct bounds the distinct values that one query counts.
	maxDistinct = 200_000
)

// Scanner reads events from a source of views. It is safe for concurrent use
// and implements store.LogReader and store.SpanReader.
type Scanner struct {
	source  part.Source
	rollups *rollupCache
}

var (
	_ store.LogReader  = (*Scanner)(nil)
	_ store.SpanReader = (*Scanner)(nil)
)

// New makes a scanner; it starts nothing.
func New(source part.Source) *Scanner {
	return &Scanner{source: source, rollups: newRollupCache()}
}

// InvalidError is the error of a question that cannot be answered as it was
// asked.
type InvalidError struct{ msg string }

// Error says what is wrong and what may be asked.
func (e *InvalidError) Error() string { return e.msg }

// BadRequest marks the error as the caller's fault.
func (e *InvalidError) BadRequest() {}

// unitsOf lists what of a view overlaps r, newest first; oldest first on demand.
func unitsOf(v *part.View, r store.Range, oldest bool) []match.Unit {
	var out []match.Unit
	for _, p := range v.Parts {
		out = append(out, match.Unit{Part: p, Min: p.MinTime, Max: p.MaxTime})
	}
	for _, h := range v.Logs {
		out = append(out, match.Unit{Logs: h, Min: h.MinTime, Max: h.MaxTime})
	}
	for _, h := range v.Spans {
		out = append(out, match.Unit{Spans: h, Min: h.MinTime, Max: h.MaxTime})
	}
	whole := r == store.Range{}
	out = slices.DeleteFunc(out, func(u match.Unit) bool {
		return u.Min > u.Max || !whole && (u.Min >= r.End || u.Max < r.Start)
	})
	slices.SortFunc(out, func(a, b match.Unit) int {
		if oldest {
			return cmp.Compare(a.Min, b.Min)
		}
		return cmp.Compare(b.Max, a.Max)
	})
	return out
}

// errStop says that no further unit is needed; those being read are finished.
var errStop = errors.New("stop")

// run calls f for each unit in order from a few goroutines, until one returns
// errStop or ctx is done. Other errors are the unit's: a part that cannot be read is reported to
// the view and left out.
func run(ctx context.Context, v *part.View, units []match.Unit, f func(ctx context.Context, i int, u *match.Unit) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var next atomic.Int64
	var stopped atomic.Bool
	work := func() {
		for !stopped.Load() {
			i := int(next.Add(1)) - 1
			if i >= len(units) {
				return
			}
			err := guarded(ctx, i, &units[i], f)
			switch {
			case err == nil:
			case errors.Is(err, errStop) || ctx.Err() != nil:
				stopped.Store(true)
			default:
				v.Damaged(units[i].Part, err)
			}
		}
	}
	var wg sync.WaitGroup
	for range min(workers, len(units)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return ctx.Err()
}

// guarded turns a panic of a decoder over damaged bytes into an error.
func guarded(ctx context.Context, i int, u *match.Unit, f func(ctx context.Context, i int, u *match.Unit) error) (err error) {
	if u.Part == nil {
		return f(ctx, i, u) // no foreign decoder works here: let a bug be seen
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read %s: %v\n%s", u.Part.Path(), r, debug.Stack())
		}
	}()
	return f(ctx, i, u)
}
