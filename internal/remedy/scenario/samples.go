package scenario

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/signalbox-project/signalbox/internal/model"
)

// samples answers PromQL from values that steps set. Each stands every 15 s, as if it were scraped, until another replaces it.
type samples struct {
	engine *promql.Engine
	series map[string]*series
}

type series struct {
	labels labels.Labels
	from   []moment
}

type moment struct {
	at    int64 // ms
	value float64
	none  bool
}

func newSamples() *samples {
	return &samples{series: map[string]*series{}, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1_000_000, Timeout: time.Minute, LookbackDelta: time.Minute, EnableAtModifier: true, Parser: newParser(),
	})}
}

func newParser() parser.Parser { return parser.NewParser(parser.Options{}) }

func metric(text string) (labels.Labels, error) {
	ls, err := newParser().ParseMetric(text)
	if err != nil {
		return ls, fmt.Errorf("%q: %w", text, err)
	}
	return ls, nil
}

func (s *samples) set(text, value string, at time.Time) error {
	ls, err := metric(text)
	if err != nil {
		return err
	}
	m := moment{at: at.UnixMilli(), none: value == "none"}
	if !m.none {
		if m.value, err = strconv.ParseFloat(value, 64); err != nil {
			return fmt.Errorf("series %s: %q is no number, and not none", text, value)
		}
	}
	one := s.series[ls.String()]
	if one == nil {
		one = &series{labels: ls}
		s.series[ls.String()] = one
	}
	one.from = append(one.from, m)
	return nil
}

// Instant implements contract.Querier.
func (s *samples) Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error) {
	q, err := s.engine.NewInstantQuery(ctx, s, nil, expr, t)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, res.Err)
	}
	switch v := res.Value.(type) {
	case promql.Scalar:
		return []model.Sample{{Time: t, Value: v.V}}, nil
	case promql.Vector:
		out := make([]model.Sample, 0, len(v))
		for _, one := range v {
			out = append(out, model.Sample{Labels: one.Metric.Map(), Time: t, Value: one.F})
		}
		return out, nil
	}
	return nil, fmt.Errorf("query %s: it answers no moment", expr)
}

// Querier implements storage.Queryable.
func (s *samples) Querier(from, to int64) (storage.Querier, error) {
	return querier{storage.NoopQuerier(), s, from, to}, nil
}

type querier struct {
	storage.Querier
	of       *samples
	from, to int64
}

// Select implements storage.Querier.
func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var set found
	for _, one := range q.of.series {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(one.labels.Get(m.Name)) }) {
			set.list = append(set.list, storage.NewListSeries(one.labels, one.between(q.from, q.to)))
		}
	}
	slices.SortFunc(set.list, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &set
}

// between are the samples of a time, as a scrape every 15 s finds them.
func (s *series) between(from, to int64) (out []chunks.Sample) {
	step := every.Milliseconds()
	for i, m := range s.from {
		end := to + 1
		if i+1 < len(s.from) {
			end = min(end, s.from[i+1].at)
		}
		at := m.at
		if at < from {
			at += (from - at + step - 1) / step * step
		}
		for ; at < end && !m.none; at += step {
			out = append(out, sample{at, m.value})
		}
	}
	return out
}

type sample struct {
	at    int64
	value float64
}

func (s sample) T() int64                      { return s.at }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

// found is a storage.SeriesSet.
type found struct {
	list []storage.Series
	next int
}

// Next implements storage.SeriesSet.
func (f *found) Next() bool { f.next++; return f.next <= len(f.list) }

// At implements storage.SeriesSet.
func (f *found) At() storage.Series { return f.list[f.next-1] }

// Err implements storage.SeriesSet.
func (f *found) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (f *found) Warnings() annotations.Annotations { return nil }
