package unittest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	// Samples come in one after the other and may be far apart, so blocks are long.
	blockLength  = 24 * time.Hour
	maxSamples   = 50_000_000
	queryTimeout = 2 * time.Minute
)

// world is what rules see in one test: a store of its own and an engine.
type world struct {
	dir    string
	db     *tsdb.DB
	engine *promql.Engine
	coming []*stream
}

// stream is an input series with what of it has not been stored yet.
type stream struct {
	labels labels.Labels
	values []parser.SequenceValue
	next   int64 // Unix ms of the first of values
	step   int64
}

func newWorld(t *test, subqueryStep time.Duration, o Options) (*world, error) {
	coming, err := streams(t, o.Parser)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "signalbox-test-rules-")
	if err != nil {
		return nil, fmt.Errorf("make a store for the test: %w", err)
	}
	opts := tsdb.DefaultOptions()
	opts.MinBlockDuration, opts.MaxBlockDuration = blockLength.Milliseconds(), blockLength.Milliseconds()
	opts.RetentionDuration = 0
	db, err := tsdb.Open(dir, nil, nil, opts, tsdb.NewDBStats())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a store for the test: %w", err), os.RemoveAll(dir))
	}
	return &world{dir: dir, db: db, coming: coming, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: maxSamples, Timeout: queryTimeout, Parser: o.Parser,
		NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep.Milliseconds() },
		EnableAtModifier:         true, EnableNegativeOffset: true, EnableDelayedNameRemoval: o.DelayedNameRemoval,
	})}, nil
}

// streams reads the input series. One that is written twice counts as written last, as with promtool.
func streams(t *test, p parser.Parser) ([]*stream, error) {
	var out []*stream
	at := map[string]int{}
	for _, s := range t.Series {
		// Values may be folded over several lines.
		metric, values, err := p.ParseSeriesDesc(s.Series + " " + strings.Join(strings.Fields(s.Values), " "))
		if err != nil {
			return nil, fmt.Errorf("input_series %s, values %q: %w", s.Series, s.Values, err)
		}
		one := &stream{labels: metric, values: values, next: t.Start.UnixMilli(), step: time.Duration(t.Interval).Milliseconds()}
		if i, twice := at[metric.String()]; twice {
			out[i] = one
			continue
		}
		at[metric.String()] = len(out)
		out = append(out, one)
	}
	return out, nil
}

// advance stores the samples up to a time, that one too.
func (w *world) advance(ctx context.Context, to time.Time) error {
	app := w.db.AppenderV2(ctx)
	for _, s := range w.coming {
		for ; len(s.values) > 0 && s.next <= to.UnixMilli(); s.next += s.step {
			v := s.values[0]
			s.values = s.values[1:]
			if v.Omitted {
				continue
			}
			if _, err := app.Append(0, s.labels, 0, s.next, v.Value, nil, v.Histogram, storage.AppendV2Options{}); err != nil {
				return errors.Join(fmt.Errorf("input_series %s: %w", s.labels, err), app.Rollback())
			}
		}
	}
	if err := app.Commit(); err != nil {
		return fmt.Errorf("input_series: %w", err)
	}
	return nil
}

// query is the answer of an expression; a scalar is one sample without labels.
func (w *world) query(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	q, err := w.engine.NewInstantQuery(ctx, w.db, nil, expr, at)
	if err != nil {
		return nil, fmt.Errorf("read expression: %w", err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, fmt.Errorf("evaluate expression: %w", res.Err)
	}
	switch v := res.Value.(type) {
	case promql.Vector:
		out := make(promql.Vector, 0, len(v))
		for _, s := range v {
			s.Metric = s.Metric.Copy()
			if s.H != nil {
				s.H = s.H.Copy()
			}
			out = append(out, s)
		}
		return out, nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V}}, nil
	}
	return nil, fmt.Errorf("the result is a %s; only vectors and scalars can be compared with exp_samples", res.Value.Type())
}

func (w *world) close() error {
	return errors.Join(w.engine.Close(), w.db.Close(), os.RemoveAll(w.dir))
}
