// Package local is the stream of one process: it hands events straight to the
// store and then to the taps.
//
// It does not admit, buffer, order or repeat anything. Data in: admitted
// batches from intakes (stream.Sink). Data out: the same batches to a
// store.EventWriter and, once that has made them durable, to every tap in the caller's
// goroutine.
//
// Invariants: nil is returned only after the store returned nil; a tap sees a
// batch after it is durable and never one that was not stored; at most
// Config.MaxConcurrent batches are on their way, the next wait up to Config.MaxWait and then
// get store.ErrOverloaded; a tap that panics costs its own result only. There are
// no locks and no goroutines here. Start reading at Stream.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	common "github.com/prometheus/common/model"

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
	Writer     store.EventWriter
	LogTaps    []stream.LogTap
	SpanTaps   []stream.SpanTap
}

// Stream implements stream.Sink.
type Stream struct {
	writer   store.EventWriter
	logTaps  []stream.LogTap
	spanTaps []stream.SpanTap
	log      *slog.Logger
	slots    chan struct{}
	maxWait  time.Duration

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
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Stream{
		writer: d.Writer, logTaps: d.LogTaps, spanTaps: d.SpanTaps, log: d.Logger,
		slots: make(chan struct{}, cfg.MaxConcurrent), maxWait: time.Duration(cfg.MaxWait),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_stream_overloaded_total", Help: "Batches refused because too many were being written.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_stream_tap_panics_total", Help: "Panics of processors; the batch was stored all the same.",
		}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "signalbox_stream_append_duration_seconds", Help: "Time from taking a batch to its being durable.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}, []string{"signal"}),
	}
	if d.Registerer != nil {
		for _, c := range []prometheus.Collector{s.refused, s.panics, s.seconds} {
			if err := d.Registerer.Register(c); err != nil {
				return nil, fmt.Errorf("stream: register metrics: %w", err)
			}
		}
	}
	return s, nil
}

// Logs implements stream.Sink.
func (s *Stream) Logs(ctx context.Context, records []model.LogRecord) error {
	err := s.store(ctx, stream.SignalLogs, func() error { return s.writer.AppendLogs(ctx, records) })
	if err != nil {
		return err
	}
	for _, t := range s.logTaps {
		s.tap(func() { t.TapLogs(records) })
	}
	return nil
}

// Spans implements stream.Sink.
func (s *Stream) Spans(ctx context.Context, spans []model.Span) error {
	err := s.store(ctx, stream.SignalSpans, func() error { return s.writer.AppendSpans(ctx, spans) })
	if err != nil {
		return err
	}
	for _, t := range s.spanTaps {
		s.tap(func() { t.TapSpans(spans) })
	}
	return nil
}

func (s *Stream) store(ctx context.Context, signal string, write func() error) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer func() { <-s.slots }()
	start := time.Now()
	if err := write(); err != nil {
		return fmt.Errorf("append %s: %w", signal, err)
	}
	s.seconds.WithLabelValues(signal).Observe(time.Since(start).Seconds())
	return nil
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
