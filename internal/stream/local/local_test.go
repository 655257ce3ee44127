package local

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// journal records the order of what happens.
type journal struct {
	steps []string
	err   error
	hold  chan struct{}
}

func (j *journal) AppendLogs(context.Context, []model.LogRecord) error {
	if j.hold != nil {
		<-j.hold
	}
	j.steps = append(j.steps, "store")
	return j.err
}

func (j *journal) AppendSpans(context.Context, []model.Span) error {
	j.steps = append(j.steps, "store")
	return j.err
}
func (j *journal) TapLogs([]model.LogRecord) { j.steps = append(j.steps, "tap") }
func (j *journal) TapSpans([]model.Span)     { j.steps = append(j.steps, "tap") }

type panicking struct{}

func (panicking) TapLogs([]model.LogRecord) { panic("a bug") }

func open(t *testing.T, cfg Config, d Deps) *Stream {
	t.Helper()
	s, err := New(cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTapsSeeABatchAfterItIsStored(t *testing.T) {
	j := &journal{}
	s := open(t, DefaultConfig(), Deps{Writer: j, LogTaps: []stream.LogTap{j}, SpanTaps: []stream.SpanTap{j}})
	if err := errors.Join(s.Logs(t.Context(), nil), s.Spans(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	if got := len(j.steps); got != 4 || j.steps[0] != "store" || j.steps[1] != "tap" || j.steps[2] != "store" || j.steps[3] != "tap" {
		t.Errorf("steps = %v", j.steps)
	}
}

func TestTapsDoNotSeeWhatWasNotStored(t *testing.T) {
	j := &journal{err: store.ErrReadOnly}
	s := open(t, DefaultConfig(), Deps{Writer: j, LogTaps: []stream.LogTap{j}})
	if err := s.Logs(t.Context(), nil); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("err = %v, want read-only", err)
	}
	if len(j.steps) != 1 {
		t.Errorf("steps = %v, want the store's only", j.steps)
	}
}

func TestAPanickingTapDoesNotFailTheAcknowledgement(t *testing.T) {
	j := &journal{}
	s := open(t, DefaultConfig(), Deps{Writer: j, LogTaps: []stream.LogTap{panicking{}, j}})
	if err := s.Logs(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if len(j.steps) != 2 {
		t.Errorf("steps = %v, want store and the second tap", j.steps)
	}
}

func TestABatchBeyondTheLimitIsRefusedAfterItsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{hold: make(chan struct{})}
		s := open(t, Config{MaxConcurrent: 1, MaxWait: common.Duration(2 * time.Second)}, Deps{Writer: j})
		first := make(chan error)
		go func() { first <- s.Logs(t.Context(), nil) }()
		synctest.Wait()
		start := time.Now()
		if err := s.Logs(t.Context(), nil); !errors.Is(err, store.ErrOverloaded) {
			t.Errorf("err = %v, want overloaded", err)
		}
		if waited := time.Since(start); waited != 2*time.Second {
			t.Errorf("waited %s, want 2s", waited)
		}
		close(j.hold)
		if err := <-first; err != nil {
			t.Errorf("the first batch: %v", err)
		}
		if err := s.Logs(t.Context(), nil); err != nil {
			t.Errorf("after the first was done: %v", err)
		}
	})
}

func TestConfigProblemsAreAllNamed(t *testing.T) {
	if errs := (Config{MaxConcurrent: 0, MaxWait: -1}).Validate(); len(errs) != 2 {
		t.Errorf("errs = %v, want two", errs)
	}
}
