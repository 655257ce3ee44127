// Package cumulative keeps counters and histograms in memory and appends them
// to a metrics store as Prometheus series.
//
// It does not know what is counted: processors (span metrics, topology) own the
// keys and add to the values. Data in: Group values, changed under the Set's
// lock. Data out: samples, exemplars and staleness markers to a
// storage.AppendableV2.
//
// A new group starts with a zero sample one interval before its first value, so
// that rate() and increase() see the first events and a restart of the process is a counter
// reset even if the new total is larger than the old. Groups that changed are
// written at every flush, the others every Heartbeat, and one that is idle for
// IdleTimeout ends with a staleness marker and is forgotten. A failed flush
// loses nothing: the values are cumulative and written by the next.
//
// Invariants: values of a group only grow. The Set's lock guards groups and
// values and is never held while the store works; flushes do not overlap. Start reading at
// Set.Flush.
package cumulative

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Config says how often series are written.
type Config struct {
	Interval    common.Duration `yaml:"interval"`     // between flushes
	Heartbeat   common.Duration `yaml:"heartbeat"`    // between samples of a series that does not change
	IdleTimeout common.Duration `yaml:"idle_timeout"` // after which a series ends
}

// DefaultConfig is quick enough for alerts and stays well below PromQL's
// lookback.
func DefaultConfig() Config {
	return Config{
		Interval:    common.Duration(time.Second),
		Heartbeat:   common.Duration(15 * time.Second),
		IdleTimeout: common.Duration(time.Hour),
	}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	var errs []error
	if c.Interval < common.Duration(100*time.Millisecond) || c.Interval > common.Duration(time.Minute) {
		errs = append(errs, fmt.Errorf("interval: must be between 100ms and 1m, got %s", c.Interval))
	}
	if c.Heartbeat < c.Interval || c.Heartbeat > common.Duration(2*time.Minute) {
		errs = append(errs, fmt.Errorf("heartbeat: must be between interval (%s) and 2m, got %s", c.Interval, c.Heartbeat))
	}
	if c.IdleTimeout < c.Heartbeat {
		errs = append(errs, fmt.Errorf("idle_timeout: must be at least heartbeat (%s), got %s", c.Heartbeat, c.IdleTimeout))
	}
	return errs
}

// Series is one series of a group.
type Series struct {
	Labels labels.Labels
	Family string // the metric family's name, for metadata
	Meta   metadata.Metadata
}

// Exemplar is one observation with its trace.
type Exemplar struct {
	TraceID model.TraceID
	SpanID  model.SpanID
	Value   float64
}

// Group is series that change together, a histogram for example.
type Group struct {
	series    []Series
	refs      []storage.SeriesRef // the flusher's
	values    []float64
	exemplars []Exemplar // by series; a zero TraceID means none
	dirty     bool
	changed   int64 // ms of the last flush that wrote a change
	written   int64 // ms of the last sample
	born      bool
}

// Add adds v ≥ 0 to the i-th series.
func (g *Group) Add(i int, v float64) {
	g.values[i] += v
	g.dirty = true
}

// Exemplify gives the i-th series an exemplar for the next flush; the first of
// an interval stays.
func (g *Group) Exemplify(i int, e Exemplar) {
	if g.exemplars[i].TraceID.IsZero() {
		g.exemplars[i] = e
	}
}

// Deps is what a set needs.
type Deps struct {
	Name       string // of the set, for the label of its own metrics
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil registers nothing
	Appendable storage.AppendableV2
}

// Set is the groups of one processor by key. Get, Put, Len and the groups'
// methods need its lock.
type Set[K comparable] struct {
	sync.Mutex
	cfg    Config
	app    storage.AppendableV2
	log    *slog.Logger
	groups map[K]*Group

	flushing sync.Mutex
	batch    []copied[K]
	failing  bool

	samples, failures prometheus.Counter
	refused           prometheus.Counter
	flushed           prometheus.Gauge
}

// New makes an empty set.
func New[K comparable](cfg Config, d Deps) (*Set[K], error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, err
	}
	if d.Appendable == nil {
		return nil, errors.New("an appendable must be given")
	}
	d.Logger = instrument.Logger(d.Logger)
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: prometheus.Labels{"set": d.Name}})
	}
	s := &Set[K]{
		cfg: cfg, app: d.Appendable, log: d.Logger, groups: map[K]*Group{},
		samples:  counter("signalbox_cumulative_samples_total", "Samples that were written for series made by a processor."),
		failures: counter("signalbox_cumulative_flush_failures_total", "Flushes that failed as a whole; the next one writes the same values."),
		refused:  counter("signalbox_cumulative_samples_refused_total", "Samples that the metrics store refused one by one."),
	}
	size := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signalbox_cumulative_groups", Help: "Groups of series that a processor keeps in memory.",
		ConstLabels: prometheus.Labels{"set": d.Name},
	}, func() float64 {
		s.Lock()
		defer s.Unlock()
		return float64(len(s.groups))
	})
	s.flushed = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_cumulative_last_flush_timestamp_seconds", Help: "Unix time of the last flush that left nothing unwritten.",
		ConstLabels: prometheus.Labels{"set": d.Name},
	})
	if err := instrument.Register(d.Registerer, "cumulative", s.samples, s.failures, s.refused, s.flushed, size); err != nil {
		return nil, err
	}
	return s, nil
}

// Get is the key's group, or nil.
func (s *Set[K]) Get(key K) *Group { return s.groups[key] }

// Len is the number of groups.
func (s *Set[K]) Len() int { return len(s.groups) }

// Put adds a group of series, all zero.
func (s *Set[K]) Put(key K, series []Series) *Group {
	g := &Group{
		series: series, refs: make([]storage.SeriesRef, len(series)),
		values: make([]float64, len(series)), exemplars: make([]Exemplar, len(series)),
	}
	s.groups[key] = g
	return g
}

// Run flushes every interval until ctx is done, and once more then. onFlush,
// which may be nil, is called before each flush with its time.
func (s *Set[K]) Run(ctx context.Context, onFlush func(time.Time)) error {
	tick := time.NewTicker(time.Duration(s.cfg.Interval))
	defer tick.Stop()
	for done := false; !done; {
		var now time.Time
		select {
		case <-ctx.Done():
			done, now = true, time.Now()
		case now = <-tick.C:
		}
		if onFlush != nil {
			onFlush(now)
		}
		s.report(s.Flush(context.WithoutCancel(ctx), now))
	}
	return nil
}

// report logs a failing store once, and once that it works again.
func (s *Set[K]) report(err error) {
	switch {
	case err != nil && !s.failing:
		s.log.Error("series of a processor cannot be written, will go on trying", "err", err)
	case err == nil && s.failing:
		s.log.Info("series of a processor are written again")
	}
	s.failing = err != nil
}

// copied is a group's state at a flush.
type copied[K comparable] struct {
	key       K
	group     *Group
	values    []float64
	exemplars []Exemplar
	dirty     bool
	idle      bool
}

// Flush writes what is due at now. It MUST be called with times that grow.
func (s *Set[K]) Flush(ctx context.Context, now time.Time) error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	t := now.UnixMilli()
	s.collect(t)
	if len(s.batch) == 0 {
		s.flushed.Set(now.Sub(time.Unix(0, 0)).Seconds())
		return nil
	}
	app := s.app.AppenderV2(ctx)
	written := 0
	for i := range s.batch {
		n, err := s.append(app, &s.batch[i], t)
		if err != nil {
			s.failures.Inc()
			s.settle(t, false)
			return errors.Join(err, app.Rollback())
		}
		written += n
	}
	if err := app.Commit(); err != nil {
		s.failures.Inc()
		s.settle(t, false)
		return fmt.Errorf("commit series: %w", err)
	}
	s.samples.Add(float64(written))
	s.settle(t, true)
	s.flushed.Set(now.Sub(time.Unix(0, 0)).Seconds())
	return nil
}

// collect copies the groups that are due, so that the lock is free while the
// store works.
func (s *Set[K]) collect(t int64) {
	s.Lock()
	defer s.Unlock()
	s.batch = s.batch[:0]
	heartbeat, idle := time.Duration(s.cfg.Heartbeat).Milliseconds(), time.Duration(s.cfg.IdleTimeout).Milliseconds()
	for key, g := range s.groups {
		switch {
		case g.dirty:
			s.batch = append(s.batch, copied[K]{
				key: key, group: g, dirty: true,
				values: append([]float64(nil), g.values...), exemplars: append([]Exemplar(nil), g.exemplars...),
			})
			g.dirty = false
			clear(g.exemplars)
		case g.born && t-g.changed >= idle:
			s.batch = append(s.batch, copied[K]{key: key, group: g, idle: true})
		case g.born && t-g.written >= heartbeat:
			s.batch = append(s.batch, copied[K]{key: key, group: g, values: append([]float64(nil), g.values...)})
		}
	}
}

// settle notes what was written, or gives back what was not.
func (s *Set[K]) settle(t int64, ok bool) {
	s.Lock()
	defer s.Unlock()
	for i := range s.batch {
		c := &s.batch[i]
		g := c.group
		switch {
		case !ok && c.dirty:
			g.dirty = true
			for i, e := range c.exemplars {
				g.Exemplify(i, e)
			}
		case !ok:
		case c.idle && !g.dirty:
			delete(s.groups, c.key)
		case c.idle: // it woke up while its end was written: the next sample goes on
			g.written = t
		default:
			g.born, g.written = true, t
			if c.dirty {
				g.changed = t
			}
		}
	}
	clear(s.batch)
}

// append writes one group; the error ends the flush.
func (s *Set[K]) append(app storage.AppenderV2, c *copied[K], t int64) (n int, err error) {
	g := c.group
	start := t - time.Duration(s.cfg.Interval).Milliseconds()
	for i := range g.series {
		if !g.born {
			if err := s.sample(app, g, i, start, start, 0, nil); err != nil {
				return n, err
			}
		}
		v := math.Float64frombits(value.StaleNaN)
		if !c.idle {
			v = c.values[i]
		}
		var ex []exemplar.Exemplar
		if c.exemplars != nil && !c.exemplars[i].TraceID.IsZero() {
			ex = []exemplar.Exemplar{c.exemplars[i].at(t)}
		}
		if err := s.sample(app, g, i, 0, t, v, ex); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (e Exemplar) at(t int64) exemplar.Exemplar {
	ls := labels.FromStrings("trace_id", e.TraceID.String(), "span_id", e.SpanID.String())
	return exemplar.Exemplar{Labels: ls, Value: e.Value, Ts: t, HasTs: true}
}

func (s *Set[K]) sample(app storage.AppenderV2, g *Group, i int, st, t int64, v float64, ex []exemplar.Exemplar) error {
	d := &g.series[i]
	ref, err := app.Append(g.refs[i], d.Labels, st, t, v, nil, nil, storage.AOptions{MetricFamilyName: d.Family, Metadata: d.Meta, Exemplars: ex})
	var partial *storage.AppendPartialError
	switch {
	case err == nil || errors.As(err, &partial):
		g.refs[i] = ref
		return nil
	case errors.Is(err, store.ErrOverloaded), errors.Is(err, store.ErrReadOnly), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("append %s: %w", d.Family, err)
	}
	s.refused.Inc()
	s.log.Debug("sample of a processor refused", "series", d.Labels.String(), "err", err)
	return nil
}
