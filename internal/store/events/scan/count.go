package scan

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// maxBuckets bounds a histogram's length.
const maxBuckets = 50_000

// gridOf lays buckets over r.
func gridOf(r store.Range, step time.Duration) (grid, error) {
	if step <= 0 {
		return grid{}, &InvalidError{"the histogram's step must be above 0"}
	}
	if r.End <= r.Start {
		return grid{}, &InvalidError{"the histogram needs a time range that ends after its start"}
	}
	g := grid{step: int64(step)}
	g.start = r.Start - r.Start%g.step
	if r.Start%g.step < 0 {
		g.start -= g.step
	}
	width := uint64(r.End-1) - uint64(g.start)
	n := width / uint64(g.step)
	if n >= maxBuckets || width > math.MaxInt64 || g.start > r.Start { // the last: it ran over
		return grid{}, &InvalidError{fmt.Sprintf("the histogram would have more than %d buckets: use a longer step or a shorter range", maxBuckets)}
	}
	g.buckets = int(n) + 1
	return g, nil
}

// histogram counts matching rows by bucket and by a field's values.
func (s *Scanner) histogram(ctx context.Context, q *match.Query, step time.Duration, field string) (store.Histogram, error) {
	g, err := gridOf(q.Range, step)
	if err != nil {
		return store.Histogram{}, err
	}
	v := s.source.View(q.Signal, q.Range)
	defer v.Release()
	total := newSeries(field, g)
	var mu sync.Mutex
	byMinute := g.step%minute == 0
	err = run(ctx, v, unitsOf(v, q.Range, false), func(ctx context.Context, _ int, u *match.Unit) error {
		one := newSeries(field, g)
		rolled := byMinute && useRollups(q, u, field)
		if rolled {
			err := s.eachRollup(q, u.Part, func(row *rollupRow, r part.Rollup) {
				// A part's first minute may begin before the range, its rows do not.
				bucket := max(g.of(r.Minute*minute), 0)
				one.add(one.slots.Of(row.text(field)), bucket, uint64(r.Count))
			})
			rolled = err == nil // else the rows answer
		}
		if !rolled {
			one = newSeries(field, g)
			if err := q.Scan(ctx, u, one); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		total.merge(one)
		return nil
	})
	return total.histogram(), err
}

// values counts a field's values among matching rows.
func (s *Scanner) values(ctx context.Context, q *match.Query, field string, limit int) ([]store.ValueCount, error) {
	if field == "" {
		return nil, &InvalidError{"name the field whose values are wanted"}
	}
	v := s.source.View(q.Signal, q.Range)
	defer v.Release()
	total := newCounts(field, maxDistinct)
	var mu sync.Mutex
	err := run(ctx, v, unitsOf(v, q.Range, false), func(ctx context.Context, _ int, u *match.Unit) error {
		one := newCounts(field, maxDistinct)
		rolled := useRollups(q, u, field)
		if rolled {
			err := s.eachRollup(q, u.Part, func(row *rollupRow, r part.Rollup) {
				one.add(one.slots.Of(row.text(field)), uint64(r.Count))
			})
			rolled = err == nil
		}
		if !rolled {
			one = newCounts(field, maxDistinct)
			if err := q.Scan(ctx, u, one); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		total.merge(one)
		return nil
	})
	return total.top(limit), err
}
