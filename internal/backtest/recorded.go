package backtest

import (
	"context"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// maxRecorded bounds the samples that recording rules of one set make.
const maxRecorded = 5_000_000

// recorded is what the recording rules of a set would have recorded, over what
// is stored: metrics that the set records are its own, whatever was stored under their names.
type recorded struct {
	base  storage.Queryable
	mu    sync.RWMutex
	names map[string]bool
	by    map[uint64]*recordedSeries
	order []*recordedSeries // by labels
	size  int
}

type recordedSeries struct {
	labels labels.Labels
	points []promql.FPoint
}

func newRecorded(base storage.Queryable, names []string) *recorded {
	r := &recorded{base: base, names: map[string]bool{}, by: map[uint64]*recordedSeries{}}
	for _, n := range names {
		r.names[n] = true
	}
	return r
}

// add keeps samples of one time; false when there are too many.
func (r *recorded) add(v promql.Vector) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range v {
		if s.H != nil {
			continue
		}
		h := s.Metric.Hash()
		one := r.by[h]
		if one == nil {
			one = &recordedSeries{labels: s.Metric.Copy()}
			r.by[h] = one
			i, _ := slices.BinarySearchFunc(r.order, s.Metric, func(a *recordedSeries, b labels.Labels) int { return labels.Compare(a.labels, b) })
			r.order = slices.Insert(r.order, i, one)
		}
		one.points = append(one.points, promql.FPoint{T: s.T, F: s.F})
		r.size++
	}
	return r.size <= maxRecorded
}

// Querier is storage.Queryable's.
func (r *recorded) Querier(mint, maxt int64) (storage.Querier, error) {
	base, err := r.base.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return &recordedQuerier{Querier: base, r: r}, nil
}

type recordedQuerier struct {
	storage.Querier
	r *recorded
}

// Select is storage.Querier's.
func (q *recordedQuerier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	own := q.r.find(hints, ms)
	if slices.ContainsFunc(ms, func(m *labels.Matcher) bool {
		return m.Name == labels.MetricName && m.Type == labels.MatchEqual && q.r.names[m.Value]
	}) {
		return own
	}
	base := &without{SeriesSet: q.Querier.Select(ctx, true, hints, ms...), names: q.r.names}
	if len(own.series) == 0 {
		return base
	}
	return storage.NewMergeSeriesSet([]storage.SeriesSet{base, own}, 0, storage.ChainedSeriesMerge)
}

func (r *recorded) find(hints *storage.SelectHints, ms []*labels.Matcher) *listSet {
	r.mu.RLock()
	defer r.mu.RUnlock()
	set := &listSet{at: -1}
	for _, one := range r.order {
		if slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return !m.Matches(one.labels.Get(m.Name)) }) {
			continue
		}
		points := one.points
		if hints != nil {
			from, _ := slices.BinarySearchFunc(points, hints.Start, func(p promql.FPoint, t int64) int { return int(p.T - t) })
			to, _ := slices.BinarySearchFunc(points, hints.End+1, func(p promql.FPoint, t int64) int { return int(p.T - t) })
			points = points[from:to]
		}
		if len(points) > 0 {
			set.series = append(set.series, &storage.SeriesEntry{Lset: one.labels, SampleIteratorFn: func(chunkenc.Iterator) chunkenc.Iterator {
				return storage.NewListSeriesIterator(samples(points))
			}})
		}
	}
	return set
}

// samples are points as the iterator of a list wants them.
type samples []promql.FPoint

// Get is storage.Samples'.
func (s samples) Get(i int) chunks.Sample { return sample{s[i].T, s[i].F} }

// Len is storage.Samples'.
func (s samples) Len() int { return len(s) }

type sample struct {
	t int64
	v float64
}

func (s sample) T() int64                      { return s.t }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.v }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

type listSet struct {
	series []storage.Series
	at     int
}

func (s *listSet) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *listSet) At() storage.Series                { return s.series[s.at] }
func (s *listSet) Err() error                        { return nil }
func (s *listSet) Warnings() annotations.Annotations { return nil }

// without leaves metrics out that the set records itself.
type without struct {
	storage.SeriesSet
	names map[string]bool
}

// Next is storage.SeriesSet's.
func (w *without) Next() bool {
	for w.SeriesSet.Next() {
		if !w.names[w.At().Labels().Get(labels.MetricName)] {
			return true
		}
	}
	return false
}
