package streamtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// attempts bounds how often a sender of the suite sends a batch that is not acknowledged.
const attempts = 1000

// run is an implementation under test with its metrics.
type run struct {
	Opened
	registry *prometheus.Registry
}

func started(t *testing.T, open Open, s Setup) *run {
	t.Helper()
	r := &run{registry: prometheus.NewRegistry()}
	s.Registerer = r.registry
	if s.MaxConcurrent == 0 {
		s.MaxConcurrent, s.MaxWait = 8, time.Minute
	}
	r.Opened = open(t, s)
	if r.Close != nil {
		t.Cleanup(r.Close)
	}
	return r
}

func (r *run) settle() {
	if r.Settle != nil {
		r.Settle()
	}
}

// send sends a batch until it is acknowledged, as every sender does.
func (r *run) send(t *testing.T, batch ...model.LogRecord) {
	var err error
	for range attempts {
		if err = r.Sink.Logs(t.Context(), batch); err == nil {
			return
		}
	}
	t.Errorf("not acknowledged in %d attempts: %v", attempts, err)
}

// value is the sum of a metric over its labels.
func (r *run) value(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return sum
}

func (r *run) want(t *testing.T, name string, want float64) {
	t.Helper()
	if got := r.value(t, name); got != want {
		t.Errorf("%s is %g, want %g", name, got, want)
	}
}

// log is the n-th record of a sender.
func log(sender, n int) model.LogRecord {
	return model.LogRecord{Message: fmt.Sprintf("%d/%d", sender, n)}
}

// consumer is a store of the suite.
type consumer struct {
	fail    func(call int) error       // between append and flush
	poison  func(model.LogRecord) bool // can never be stored
	most    int                        // records of a batch; 0 is no limit
	entered chan struct{}              // told of each batch that is taken
	hold    chan struct{}              // held until it is closed

	mu      sync.Mutex
	calls   int
	flushed []model.LogRecord
	spans   int
}

// AppendLogs implements stream.Consumer.
func (c *consumer) AppendLogs(ctx context.Context, records []model.LogRecord) error {
	c.mu.Lock()
	c.calls++
	call := c.calls
	c.mu.Unlock()
	if c.entered != nil {
		select {
		case c.entered <- struct{}{}:
		default:
		}
	}
	if c.hold != nil {
		select {
		case <-c.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if c.most > 0 && len(records) > c.most {
		return fmt.Errorf("a batch of %d is too large: %w", len(records), stream.ErrPoison)
	}
	for _, r := range records {
		if c.poison != nil && c.poison(r) {
			return fmt.Errorf("it is poison: %w", stream.ErrPoison)
		}
	}
	if c.fail != nil {
		if err := c.fail(call); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushed = append(c.flushed, records...)
	return nil
}

// AppendSpans implements stream.Consumer.
func (c *consumer) AppendSpans(_ context.Context, spans []model.Span) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans += len(spans)
	return nil
}

// of are the numbers of a sender's records in the order of their arrival.
func (c *consumer) of(sender int) (out []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.flushed {
		var from, n int
		if _, err := fmt.Sscanf(r.Message, "%d/%d", &from, &n); err == nil && from == sender {
			out = append(out, n)
		}
	}
	return out
}

func distinct(numbers []int) int {
	seen := map[int]bool{}
	for _, n := range numbers {
		seen[n] = true
	}
	return len(seen)
}

// aside is a stream.Aside of the suite.
type aside struct {
	err error

	mu   sync.Mutex
	dead []stream.Dead
}

// Put implements stream.Aside.
func (a *aside) Put(_ context.Context, d stream.Dead) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	if d.Log == nil && d.Span == nil {
		return errors.New("a record without a record")
	}
	// The record is the sender's again when the batch is answered.
	if d.Log != nil {
		kept := *d.Log
		d.Log = &kept
	}
	a.dead = append(a.dead, d)
	return nil
}

func (a *aside) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.dead)
}
