package promexpr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Lookback is how old a sample may be and still count as current.
const Lookback = 5 * time.Minute

// maxSamples bounds what one evaluation holds in memory at once.
const maxSamples = 20_000_000

// Evaluator evaluates expressions, the anchored and smoothed modifiers included.
type Evaluator struct {
	engine *promql.Engine
	store  storage.Queryable
}

// NewEvaluator makes an evaluator over a store; timeout ends an evaluation that
// runs longer.
func NewEvaluator(store storage.Queryable, timeout time.Duration, logger *slog.Logger) *Evaluator {
	logger = instrument.Logger(logger)
	return &Evaluator{store: store, engine: promql.NewEngine(promql.EngineOpts{
		Logger: logger, MaxSamples: maxSamples, Timeout: timeout, LookbackDelta: Lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true, EnableNegativeOffset: true, Parser: newParser(),
	})}
}

// Instant evaluates expr at t. NaN values are left out: they are no data.
func (e *Evaluator) Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error) {
	q, err := e.engine.NewInstantQuery(ctx, e.store, nil, expr, t)
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
		if math.IsNaN(v.V) {
			return nil, nil
		}
		return []model.Sample{{Time: t, Value: v.V}}, nil
	case promql.Vector:
		out := make([]model.Sample, 0, len(v))
		for _, s := range v {
			if s.H != nil {
				return nil, fmt.Errorf("query %s: %w", expr, errHistogram)
			}
			if !math.IsNaN(s.F) {
				out = append(out, model.Sample{Labels: toLabels(s.Metric), Time: t, Value: s.F})
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("query %s: %w", expr, errNotAVector)
}

// Range evaluates expr from start to end, both included. NaN values are left out.
func (e *Evaluator) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	q, err := e.engine.NewRangeQuery(ctx, e.store, nil, expr, start, end, step)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, res.Err)
	}
	matrix, ok := res.Value.(promql.Matrix)
	if !ok {
		return nil, fmt.Errorf("query %s: %w", expr, errNotAVector)
	}
	out := make([]model.Series, 0, len(matrix))
	for _, s := range matrix {
		if len(s.Histograms) > 0 {
			return nil, fmt.Errorf("query %s: %w", expr, errHistogram)
		}
		points := make([]model.Point, 0, len(s.Floats))
		for _, p := range s.Floats {
			if !math.IsNaN(p.F) {
				points = append(points, model.Point{Time: time.UnixMilli(p.T).UTC(), Value: p.F})
			}
		}
		if len(points) > 0 {
			out = append(out, model.Series{Labels: toLabels(s.Metric), Points: points})
		}
	}
	return out, nil
}

var (
	errNotAVector = errors.New("it must answer an instant vector or a scalar")
	errHistogram  = errors.New("it answers native histograms, and numbers are counted; count observations with histogram_count(…), those within a limit with histogram_fraction(0, limit, …) * histogram_count(…)")
)

// Stored reports whether anything is stored under a metric's name, however old,
// and whether that is native histograms.
func (e *Evaluator) Stored(ctx context.Context, metric string) (found, histograms bool, err error) {
	q, err := e.store.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return false, false, fmt.Errorf("look for metric %s: %w", metric, err)
	}
	defer q.Close()
	hints := &storage.SelectHints{Start: math.MinInt64, End: math.MaxInt64, Limit: 1}
	set := q.Select(ctx, false, hints, labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, metric))
	if !set.Next() {
		return false, false, set.Err()
	}
	switch set.At().Iterator(nil).Next() {
	case chunkenc.ValHistogram, chunkenc.ValFloatHistogram:
		histograms = true
	}
	return true, histograms, nil
}

func toLabels(ls labels.Labels) model.Labels {
	out := make(model.Labels, ls.Len())
	ls.Range(func(l labels.Label) { out[l.Name] = l.Value })
	return out
}
