// Package detect finds sudden changes, drops, rises and deteriorations, without
// a threshold that somebody had to know.
//
// It watches the series of PromQL expressions that detector files name, and
// writes for each how far its value is from what was to be expected; it raises no alert
// itself: ordinary rules do, on signalbox_detector_score, so that backtests, graphs and
// routing need to know nothing of it. The method stands at judge (baseline.go).
//
// Data in: detector files, and the metrics store through a Querier. Data out:
// the series signalbox_detector_… through a storage.AppendableV2.
//
// Everything is read from the store, so a restart changes nothing: the recent
// past is read once at the start (with the scores written before, which say what was outside
// the band) and then kept up with one value per step; earlier seasons are read again
// every few minutes, so that data that comes late counts. Where there is too little to judge,
// signalbox_detector_ready is 0 and the score ends with a staleness marker.
//
// Invariants: evaluations do not overlap; per detector at most Config.MaxSeries
// series are kept, 12 KiB each. mu guards the set of detectors and is not held while the
// store is asked. Start reading at Evaluate, then judge.
package detect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
)

// refreshEvery is how often earlier seasons and the recent past are read again.
const refreshEvery = 5 * time.Minute

// Config is the section `detect`.
type Config struct {
	// Interval is how often every detector is evaluated.
	Interval common.Duration `yaml:"interval"`
	// MaxSeries bounds the series that one detector watches; more are counted and left out.
	MaxSeries int `yaml:"max_series"`
}

// DefaultConfig evaluates every 30 s.
func DefaultConfig() Config {
	return Config{Interval: common.Duration(30 * time.Second), MaxSeries: 100}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	var errs []error
	if c.Interval < common.Duration(5*time.Second) || c.Interval > common.Duration(5*time.Minute) {
		errs = append(errs, fmt.Errorf("interval: must be between 5s and 5m, got %s", c.Interval))
	}
	if c.MaxSeries < 1 || c.MaxSeries > 10_000 {
		errs = append(errs, fmt.Errorf("max_series: must be between 1 and 10000, got %d", c.MaxSeries))
	}
	return errs
}

// Querier evaluates PromQL, NaN values included; query/promql does.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
	Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error)
}

// Deps is what detectors need.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil registers nothing
	Querier    Querier
	Appendable storage.AppendableV2
}

// Detectors watches series.
type Detectors struct {
	*document.Catalog[[]Definition] // those in force

	cfg  Config
	log  *slog.Logger
	deps Deps

	mu   sync.Mutex
	list []*detector

	evaluating sync.Mutex
	seconds    prometheus.Histogram
	last       prometheus.Gauge
	failures   *prometheus.CounterVec
	series     *prometheus.GaugeVec
}

// detector is a definition with what is known of its series; only Evaluate
// touches the latter.
type detector struct {
	def       Definition
	watched   map[string]*watched // by labels
	refreshed time.Time
	failing   bool
}

// New makes detectors without any; nothing is evaluated until Run.
func New(cfg Config, deps Deps) (*Detectors, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("detect: %w", err)
	}
	if deps.Querier == nil || deps.Appendable == nil {
		return nil, errors.New("detect: a querier and an appendable must be given")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	d := &Detectors{
		cfg: cfg, log: deps.Logger, deps: deps,
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "signalbox_detect_evaluation_seconds", Help: "How long one evaluation of all detectors took.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "signalbox_detect_last_evaluation_timestamp_seconds", Help: "Unix time of the last evaluation of all detectors.",
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_detect_failures_total", Help: "Evaluations of one detector that failed, by reason: query or write.",
		}, []string{"detector", "reason"}),
		series: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "signalbox_detect_series",
			Help: "Series of a detector by state: judged, or why not (no_value, short_past, few_seasons, few_events, always_zero, series_limit).",
		}, []string{"detector", "state"}),
	}
	if err := instrument.Register(deps.Registerer, "detector", d.seconds, d.last, d.failures, d.series); err != nil {
		return nil, err
	}
	var err error
	d.Catalog, err = newCatalog(deps, d.apply)
	return d, err
}

// apply has the detectors be evaluated. What did not change keeps what it knows.
func (d *Detectors) apply(defs []Definition) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.list
	d.list = nil
	for _, def := range defs {
		next := &detector{def: def, watched: map[string]*watched{}}
		for _, o := range old {
			if o.def.same(def) {
				next = o
			}
		}
		d.list = append(d.list, next)
	}
	for _, o := range old {
		if !slices.ContainsFunc(d.list, func(n *detector) bool { return n.def.Name == o.def.Name }) {
			d.series.DeletePartialMatch(prometheus.Labels{"detector": o.def.Name})
		}
	}
	return nil
}

// Run evaluates every interval until ctx is done.
func (d *Detectors) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Duration(d.cfg.Interval))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			d.Evaluate(ctx, time.Now())
		}
	}
}

// Evaluate judges every series of every detector at now and writes the result.
// Times MUST grow from call to call. A detector that fails is logged and counted
// and does not keep the others from being evaluated.
func (d *Detectors) Evaluate(ctx context.Context, now time.Time) {
	d.evaluating.Lock()
	defer d.evaluating.Unlock()
	d.mu.Lock()
	list := slices.Clone(d.list)
	d.mu.Unlock()
	began := time.Now()
	for _, one := range list {
		err := d.evaluate(ctx, one, now)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !one.failing:
			d.log.Error("a detector cannot be evaluated, will go on trying", "detector", one.def.Name, "err", err)
		case err == nil && one.failing:
			d.log.Info("a detector is evaluated again", "detector", one.def.Name)
		}
		one.failing = err != nil
	}
	d.seconds.Observe(time.Since(began).Seconds())
	d.last.Set(float64(now.UnixMilli()) / 1000)
}
