// Package promql answers PromQL: Prometheus' own engine, and Prometheus' own
// HTTP API whole.
//
// Engine evaluates expressions, for rooms inside the program as plain model
// values (Instant, Range) and for rules through PromQL. API mounts every /api/v1 path of Prometheus
// over the engine, the metrics store, the scrape targets and the rules; what
// has no engine here (targets without scraping, rules without rule files) answers as
// empty, never as an error. The package stores nothing and decides nothing.
//
// In: expressions. Out: samples and series, or Prometheus' JSON. Everything is
// safe for concurrent use; the only state is the semaphore of running queries.
//
// Start reading at New, then NewAPI.
package promql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/features"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
)

// subqueryStep is the resolution of a subquery that names none, Unix ms; it is
// Prometheus' default evaluation interval.
const subqueryStep = int64(time.Minute / time.Millisecond)

// Deps is what the engine is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Queryable  storage.Queryable
	// Turn is waited for by each query that nobody sent, as those of rules are: what is sent had its turn when it came in. Nil is none.
	Turn func(context.Context) (leave func(), err error)
}

// Engine evaluates expressions over one store.
type Engine struct {
	cfg    Config
	engine *promql.Engine
	query  storage.Queryable
	parser parser.Parser

	features features.Collector
}

// New makes an engine; it starts nothing.
func New(cfg Config, deps Deps) (*Engine, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	deps.Logger = instrument.Logger(deps.Logger)
	p, f := NewParser(cfg), features.NewRegistry()
	p.RegisterFeatures(f)
	return &Engine{
		cfg:    cfg,
		query:  deps.Queryable,
		parser: p, features: f,
		engine: promql.NewEngine(promql.EngineOpts{
			Logger:                   deps.Logger,
			Reg:                      deps.Registerer,
			MaxSamples:               cfg.MaxSamples,
			Timeout:                  time.Duration(cfg.Timeout),
			ActiveQueryTracker:       newSlots(cfg.MaxConcurrency, deps.Turn),
			LookbackDelta:            time.Duration(cfg.Lookback),
			NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep },
			EnableAtModifier:         true,
			EnableNegativeOffset:     true,
			EnablePerStepStats:       true,
			EnableDelayedNameRemoval: cfg.DelaysNameRemoval(),
			FeatureRegistry:          f,
			Parser:                   p,
		}),
	}, nil
}

// Over is the engine over another store, which is made of its own.
func (e *Engine) Over(wrap func(storage.Queryable) storage.Queryable) *Engine {
	other := *e
	other.query = wrap(e.query)
	return &other
}

// PromQL is the engine itself, for Prometheus' rules manager.
func (e *Engine) PromQL() *promql.Engine { return e.engine }

// Parser is the engine's, for rooms that read the same expressions.
func (e *Engine) Parser() parser.Parser { return e.parser }

// Features collects what /api/v1/features says.
func (e *Engine) Features() features.Collector { return e.features }

// Instant evaluates expr at t. A scalar is one sample without labels; an empty answer is
// not an error. Native histograms are (take histogram_quantile or
// histogram_count of them).
func (e *Engine) Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error) {
	q, err := e.engine.NewInstantQuery(ctx, e.query, nil, expr, t)
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
		return []model.Sample{{Time: time.UnixMilli(v.T), Value: v.V}}, nil
	case promql.Vector:
		out := make([]model.Sample, 0, len(v))
		for _, s := range v {
			if s.H != nil {
				return nil, histogramError(expr)
			}
			out = append(out, model.Sample{Labels: labelMap(s.Metric), Time: time.UnixMilli(s.T), Value: s.F})
		}
		return out, nil
	}
	return nil, fmt.Errorf("query %s: want an instant vector or a scalar, got a %s", expr, res.Value.Type())
}

// Range evaluates expr at start, start+step, … up to and including end.
func (e *Engine) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	q, err := e.engine.NewRangeQuery(ctx, e.query, nil, expr, start, end, step)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	m, err := res.Matrix()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	out := make([]model.Series, 0, len(m))
	for _, s := range m {
		if len(s.Histograms) > 0 {
			return nil, histogramError(expr)
		}
		series := model.Series{Labels: labelMap(s.Metric), Points: make([]model.Point, len(s.Floats))}
		for i, p := range s.Floats {
			series.Points[i] = model.Point{Time: time.UnixMilli(p.T), Value: p.F}
		}
		out = append(out, series)
	}
	return out, nil
}

func histogramError(expr string) error {
	return fmt.Errorf("query %s: answers native histograms; take histogram_quantile(), histogram_count() or histogram_sum() of them", expr)
}

func labelMap(ls labels.Labels) model.Labels {
	m := make(model.Labels, ls.Len())
	ls.Range(func(l labels.Label) { m[l.Name] = l.Value })
	return m
}
