// Package selfquery asks our own stores what a person would ask, again and
// again, and writes down whether and how fast they answer.
//
// It raises no alert (the rule SyntheticQueryFailing does) and judges no answer's
// content: data may rightly be missing. Data in: questions, one for each signal. Data out: the
// metrics signalbox_synthetic_query_…, which our own scrape job stores.
//
// Invariants: a question has Config.Timeout, those of one round are asked one
// after the other, and rounds do not overlap. Start reading at Ask.
package selfquery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Config is the section `self_query`.
type Config struct {
	Interval common.Duration `yaml:"interval"` // between rounds
	Timeout  common.Duration `yaml:"timeout"`  // of one question
}

// DefaultConfig asks every 30 s.
func DefaultConfig() Config {
	return Config{Interval: common.Duration(30 * time.Second), Timeout: common.Duration(5 * time.Second)}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	var errs []error
	if c.Interval < common.Duration(time.Second) {
		errs = append(errs, fmt.Errorf("interval: must be at least 1s, got %s", c.Interval))
	}
	if c.Timeout <= 0 || c.Timeout > c.Interval {
		errs = append(errs, fmt.Errorf("timeout: must be > 0 and at most interval (%s), got %s", c.Interval, c.Timeout))
	}
	return errs
}

// Question is what is asked about one signal.
type Question struct {
	Signal string // metrics, logs, traces, slos, pages
	Ask    func(ctx context.Context) error
}

// Deps is what an Asker needs.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil registers nothing
	Questions  []Question
}

// Asker asks.
type Asker struct {
	cfg     Config
	log     *slog.Logger
	ask     []Question
	failing map[string]bool

	success *prometheus.GaugeVec
	seconds *prometheus.HistogramVec
}

// New asks nothing; Run does.
func New(cfg Config, d Deps) (*Asker, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("self query: %w", err)
	}
	d.Logger = instrument.Logger(d.Logger)
	a := &Asker{
		cfg: cfg, log: d.Logger, ask: d.Questions, failing: map[string]bool{},
		success: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "signalbox_synthetic_query_success", Help: "1 if the last question that we asked ourselves about a signal was answered, 0 if not.",
		}, []string{"signal"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "signalbox_synthetic_query_seconds", Help: "How long our own questions about a signal took, answered or not.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"signal"}),
	}
	if err := instrument.Register(d.Registerer, "synthetic query", a.success, a.seconds); err != nil {
		return nil, err
	}
	return a, nil
}

// Run asks every interval until ctx is done.
func (a *Asker) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Duration(a.cfg.Interval))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			a.Ask(ctx)
		}
	}
}

// Ask asks every question once. A change from answered to not, or back, is logged.
func (a *Asker) Ask(ctx context.Context) {
	for _, q := range a.ask {
		began := time.Now()
		inner, cancel := context.WithTimeout(ctx, time.Duration(a.cfg.Timeout))
		err := q.Ask(inner)
		cancel()
		if ctx.Err() != nil {
			return // we are being stopped, which says nothing about the stores
		}
		a.seconds.WithLabelValues(q.Signal).Observe(time.Since(began).Seconds())
		switch {
		case err != nil && !a.failing[q.Signal]:
			a.log.Error("our own question was not answered, will go on asking", "signal", q.Signal, "err", err)
		case err == nil && a.failing[q.Signal]:
			a.log.Info("our own question is answered again", "signal", q.Signal)
		}
		a.failing[q.Signal] = err != nil
		value := 1.0
		if err != nil {
			value = 0
		}
		a.success.WithLabelValues(q.Signal).Set(value)
	}
}
