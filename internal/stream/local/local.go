// Package local is the stream of one process: it hands events straight to the
// store and then to the taps.
//
// It does not admit, buffer, order or repeat anything. Data in: admitted
// batches from intakes (stream.Sink). Data out: the same batches to a
// stream.Consumer and, once that has made them durable, to every tap in the caller's
// goroutine; a record that can never be stored to a stream.Aside.
//
// Invariants: the contract at stream.Consumer, which streamtest checks; nil is returned only after the store
// returned nil; a tap sees a batch after it is durable and never what was not stored; at most
// Config.MaxConcurrent batches are on their way, the next wait up to Config.MaxWait and then
// get store.ErrOverloaded; a tap that panics costs its own result only. There are
// no locks and no goroutines here. Start reading at Stream.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Config is the section `stream`.
type Config struct {
	// MaxConcurrent bounds the batches being written at once.
	MaxConcurrent int `yaml:"max_concurrent"`
	// MaxWait is how long a batch waits for its turn before it is refused.
	MaxWait common.Duration `yaml:"max_wait"`
}

// DefaultConfig suits one machine.
func DefaultConfig() Config {
	return Config{MaxConcurrent: 64, MaxWait: common.Duration(time.Second)}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	var errs []error
	if c.MaxConcurrent <= 0 {
		errs = append(errs, fmt.Errorf("max_concurrent: must be > 0, got %d", c.MaxConcurrent))
	}
	if c.MaxWait < 0 {
		errs = append(errs, fmt.Errorf("max_wait: must be >= 0, got %s", c.MaxWait))
	}
	return errs
}

// Deps is what the stream needs.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil registers nothing
	Writer     stream.Consumer
	Aside      stream.Aside // nil gives the error to the sender instead
	LogTaps    []stream.LogTap
	SpanTaps   []stream.SpanTap
}

// Stream implements stream.Sink.
type Stream struct {
	writer   stream.Consumer
	aside    stream.Aside
	logTaps  []stream.LogTap
	spanTaps []stream.SpanTap
	log      *slog.Logger
	slots    chan struct{}
	maxWait  time.Duration

	lag     *prometheus.GaugeVec
	poison  *prometheus.CounterVec
	refused prometheus.Counter
	panics  prometheus.Counter
	seconds *prometheus.HistogramVec
}

// New connects the writer and the taps.
func New(cfg Config, d Deps) (*Stream, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	if d.Writer == nil {
		return nil, errors.New("stream: a writer must be given")
	}
	d.Logger = instrument.Logger(d.Logger)
	s := &Stream{
		writer: d.Writer, aside: d.Aside, logTaps: d.LogTaps, spanTaps: d.SpanTaps, log: d.Logger,
		slots: make(chan struct{}, cfg.MaxConcurrent), maxWait: time.Duration(cfg.MaxWait),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: stream.MetricLag, Help: "Records that were taken and are not durable yet.",
		}, []string{"signal"}),
		poison: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: stream.MetricPoison, Help: "Records that can never be stored and were put aside.",
		}, []string{"signal"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: stream.MetricOverloaded, Help: "Batches refused because too many were being written.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_stream_tap_panics_total", Help: "Panics of processors; the batch was stored all the same.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "signalbox_stream_append_duration_seconds", Help: "Time from taking a batch to its being durable.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}, []string{"signal"}),
	}
	if err := instrument.Register(d.Registerer, "stream", s.lag, s.poison, s.refused, s.panics, s.seconds); err != nil {
		return nil, err
	}
	return s, nil
}

// Logs implements stream.Sink.
func (s *Stream) Logs(ctx context.Context, records []model.LogRecord) error {
	stored, err := take(ctx, s, stream.SignalLogs, records, s.writer.AppendLogs, func(r *model.LogRecord) stream.Dead { return stream.Dead{Log: r} })
	if err != nil {
		return err
	}
	for _, t := range s.logTaps {
		s.tap(func() { t.TapLogs(stored) })
	}
	return nil
}

// Spans implements stream.Sink.
func (s *Stream) Spans(ctx context.Context, spans []model.Span) error {
	stored, err := take(ctx, s, stream.SignalSpans, spans, s.writer.AppendSpans, func(r *model.Span) stream.Dead { return stream.Dead{Span: r} })
	if err != nil {
		return err
	}
	for _, t := range s.spanTaps {
		s.tap(func() { t.TapSpans(stored) })
	}
	return nil
}

// take has a batch stored and answers what of it was: all but what went aside.
func take[T any](ctx context.Context, s *Stream, signal string, batch []T, write func(context.Context, []T) error, dead func(*T) stream.Dead) ([]T, error) {
	lag := s.lag.WithLabelValues(signal)
	lag.Add(float64(len(batch)))
	defer lag.Sub(float64(len(batch)))
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer func() { <-s.slots }()
	start := time.Now()
	stored, err := divide(ctx, s, signal, batch, write, dead)
	if err != nil {
		return nil, fmt.Errorf("append %s: %w", signal, err)
	}
	s.seconds.WithLabelValues(signal).Observe(time.Since(start).Seconds())
	return stored, nil
}

// divide stores a batch. One that has poison in it is halved until the record stands alone, which goes aside.
func divide[T any](ctx context.Context, s *Stream, signal string, batch []T, write func(context.Context, []T) error, dead func(*T) stream.Dead) ([]T, error) {
	err := write(ctx, batch)
	switch {
	case err == nil:
		return batch, nil
	case s.aside == nil || !errors.Is(err, stream.ErrPoison) || len(batch) == 0:
		return nil, err
	case len(batch) == 1:
		d := dead(&batch[0])
		d.Signal, d.Reason = signal, err.Error()
		if failed := s.aside.Put(ctx, d); failed != nil {
			return nil, errors.Join(err, fmt.Errorf("put it aside: %w", failed))
		}
		s.poison.WithLabelValues(signal).Inc()
		s.log.Error("a record can never be stored and was put aside", "signal", signal, "reason", d.Reason)
		return nil, nil
	}
	half := len(batch) / 2
	first, err := divide(ctx, s, signal, batch[:half], write, dead)
	if err != nil {
		return nil, err
	}
	second, err := divide(ctx, s, signal, batch[half:], write, dead)
	if err != nil {
		return nil, err
	}
	return slices.Concat(first, second), nil
}

// enter waits for a slot; the fast path costs no timer.
func (s *Stream) enter(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	timeout := time.NewTimer(s.maxWait)
	defer timeout.Stop()
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		s.refused.Inc()
		return fmt.Errorf("%d batches are being written: %w", cap(s.slots), store.ErrOverloaded)
	}
}

func (s *Stream) tap(call func()) {
	defer func() {
		if p := recover(); p != nil {
			s.panics.Inc()
			s.log.Error("processor panicked", "panic", p)
		}
	}()
	call()
}
