// Package streamtest is the contract of a stream as tests: an implementation of stream.Sink and
// what feeds a stream.Consumer behind it passes Run, in one process as over a broker.
//
// It holds no product code. In: a function that opens the implementation on a consumer of the suite. Out:
// failing tests. The suite's consumer keeps what it was given in two steps, taken and flushed, so that a
// crash between the two loses the first. Start reading at Run.
package streamtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Setup is what the suite gives an implementation.
type Setup struct {
	Consumer   stream.Consumer
	Aside      stream.Aside
	Registerer prometheus.Registerer
	// MaxConcurrent and MaxWait are to bound what is on its way, and how long a sender waits.
	MaxConcurrent int
	MaxWait       time.Duration
}

// Opened is an implementation that runs.
type Opened struct {
	Sink stream.Sink
	// Settle waits until all that was acknowledged was consumed; nil where the acknowledgement itself says so.
	Settle func()
	Close  func()
}

// Open starts an implementation. A second call in one test is the process after it died, on the same
// data: nothing was closed in order.
type Open func(t *testing.T, s Setup) Opened

// Run checks an implementation of a stream against the contract at stream.Consumer.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"what is acknowledged arrives, in order":               arrivesInOrder,
		"a failure is tried again and nothing is lost":         survivesFailures,
		"what was not flushed at a crash comes again":          survivesACrash,
		"nothing is done before the flush, and lag says so":    waitsForTheFlush,
		"poison goes aside and is named":                       putsPoisonAside,
		"an aside that fails keeps the record with its sender": keepsWhatCannotGoAside,
		"a slow consumer pushes back":                          pushesBack,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

func arrivesInOrder(t *testing.T, open Open) {
	c := &consumer{}
	s := started(t, open, Setup{Consumer: c, Aside: &aside{}})
	var senders sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			for n := range 50 {
				s.send(t, log(sender, n))
			}
		})
	}
	senders.Wait()
	if err := s.Sink.Spans(t.Context(), []model.Span{{Name: "span"}}); err != nil {
		t.Error(err)
	}
	s.settle()
	for sender := range 4 {
		want := 0
		for _, n := range c.of(sender) {
			if n > want || n < want-1 { // a repeat of the one before is allowed
				t.Fatalf("sender %d: record %d after %d", sender, n, want-1)
			}
			want = n + 1
		}
		if want != 50 {
			t.Errorf("sender %d: %d of 50 records arrived", sender, want)
		}
	}
	if c.spans != 1 {
		t.Errorf("%d spans arrived", c.spans)
	}
	s.want(t, stream.MetricLag, 0)
}

func survivesFailures(t *testing.T, open Open) {
	c := &consumer{fail: func(call int) error {
		if call%3 == 1 {
			return fmt.Errorf("attempt %d: %w", call, store.ErrReadOnly)
		}
		return nil
	}}
	a := &aside{}
	s := started(t, open, Setup{Consumer: c, Aside: a})
	for n := range 30 {
		s.send(t, log(0, n))
	}
	s.settle()
	if got := distinct(c.of(0)); got != 30 {
		t.Errorf("%d of 30 records arrived", got)
	}
	if a.count() != 0 {
		t.Errorf("%d records went aside though they can be stored", a.count())
	}
	s.want(t, stream.MetricPoison, 0)
}

func survivesACrash(t *testing.T, open Open) {
	crash := errors.New("killed between append and flush")
	first := &consumer{fail: func(call int) error {
		if call == 2 {
			return crash
		}
		return nil
	}}
	s := started(t, open, Setup{Consumer: first, Aside: &aside{}})
	s.send(t, log(0, 0))
	err := s.Sink.Logs(t.Context(), []model.LogRecord{log(0, 1)})
	second := &consumer{flushed: first.flushed} // what was only taken is gone
	again := started(t, open, Setup{Consumer: second, Aside: &aside{}})
	if err != nil { // not acknowledged: it is its sender's, who sends it again
		again.send(t, log(0, 1))
	}
	again.settle()
	if got := distinct(second.of(0)); got != 2 {
		t.Errorf("%d of 2 records are there after the crash", got)
	}
}

func waitsForTheFlush(t *testing.T, open Open) {
	c := &consumer{entered: make(chan struct{}, 1), hold: make(chan struct{})}
	s := started(t, open, Setup{Consumer: c, Aside: &aside{}})
	done := make(chan error, 1)
	go func() { done <- s.Sink.Logs(t.Context(), []model.LogRecord{log(0, 0), log(0, 1)}) }()
	<-c.entered
	s.want(t, stream.MetricLag, 2)
	if s.Settle == nil {
		select {
		case err := <-done:
			t.Errorf("acknowledged before the flush: %v", err)
		default:
		}
	}
	close(c.hold)
	if err := <-done; err != nil {
		t.Error(err)
	}
	s.settle()
	s.want(t, stream.MetricLag, 0)
}

func putsPoisonAside(t *testing.T, open Open) {
	c := &consumer{poison: func(r model.LogRecord) bool { return strings.Contains(r.Message, "poison") }, most: 4}
	a := &aside{}
	s := started(t, open, Setup{Consumer: c, Aside: a})
	batch := []model.LogRecord{log(0, 0), log(0, 1), {Message: "poison a"}, log(0, 2), log(0, 3), log(0, 4), {Message: "poison b"}, log(0, 5)}
	s.send(t, batch...)
	s.settle()
	if got := c.of(0); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("records %v arrived, want all six in order", got)
	}
	var names []string
	for _, d := range a.dead {
		if d.Log == nil || d.Span != nil || d.Signal != stream.SignalLogs || !strings.Contains(d.Reason, "poison") {
			t.Errorf("aside: %+v, want the record, its signal and the reason", d)
			continue
		}
		names = append(names, d.Log.Message)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"poison a", "poison b"}) {
		t.Errorf("aside are %v", names)
	}
	s.want(t, stream.MetricPoison, 2)
	s.want(t, stream.MetricLag, 0)
}

func keepsWhatCannotGoAside(t *testing.T, open Open) {
	c := &consumer{poison: func(r model.LogRecord) bool { return r.Message == "poison" }}
	a := &aside{err: errors.New("no room")}
	s := started(t, open, Setup{Consumer: c, Aside: a})
	err := s.Sink.Logs(t.Context(), []model.LogRecord{{Message: "poison"}})
	if s.Settle == nil && (!errors.Is(err, stream.ErrPoison) || !strings.Contains(err.Error(), "no room")) {
		t.Errorf("%v, want both errors", err)
	}
	s.want(t, stream.MetricPoison, 0)
}

func pushesBack(t *testing.T, open Open) {
	c := &consumer{entered: make(chan struct{}, 1), hold: make(chan struct{})}
	s := started(t, open, Setup{Consumer: c, Aside: &aside{}, MaxConcurrent: 1, MaxWait: time.Millisecond})
	first := make(chan error, 1)
	go func() { first <- s.Sink.Logs(t.Context(), []model.LogRecord{log(0, 0)}) }()
	<-c.entered
	refused := 0
	for range 100 {
		if err := s.Sink.Logs(t.Context(), []model.LogRecord{log(1, 0)}); errors.Is(err, store.ErrOverloaded) {
			refused++
			break
		}
	}
	if refused == 0 {
		t.Error("a hundred batches behind one that is held, and none refused")
	}
	if got := s.value(t, stream.MetricOverloaded); got < 1 {
		t.Errorf("%s is %g", stream.MetricOverloaded, got)
	}
	close(c.hold)
	if err := <-first; err != nil {
		t.Error(err)
	}
	s.send(t, log(0, 1))
	s.settle()
	if got := distinct(c.of(0)); got != 2 {
		t.Errorf("%d of 2 records arrived", got)
	}
	if err := s.Sink.Logs(canceled(t), []model.LogRecord{log(2, 0)}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a sender that left: %v", err)
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
