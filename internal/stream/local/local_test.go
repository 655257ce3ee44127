package local

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/stream"
	"github.com/signalbox-project/signalbox/internal/stream/streamtest"
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

func TestTheStreamOfOneProcessKeepsTheContract(t *testing.T) {
	streamtest.Run(t, func(t *testing.T, s streamtest.Setup) streamtest.Opened {
		cfg := Config{MaxConcurrent: s.MaxConcurrent, MaxWait: common.Duration(s.MaxWait)}
		return streamtest.Opened{Sink: open(t, cfg, Deps{Registerer: s.Registerer, Writer: s.Consumer, Aside: s.Aside})}
	})
}

// Taps see what was stored, and not what went aside.
func TestTapsDoNotSeePoison(t *testing.T) {
	seen := &tapped{}
	s := open(t, DefaultConfig(), Deps{Writer: poisonous{}, Aside: file(t), LogTaps: []stream.LogTap{seen}, SpanTaps: []stream.SpanTap{seen}})
	batch := []model.LogRecord{{Message: "a"}, {Message: "poison"}, {Message: "b"}}
	if err := errors.Join(s.Logs(t.Context(), batch), s.Spans(t.Context(), []model.Span{{Name: "poison"}, {Name: "c"}})); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen.names, " "); got != "a b c" {
		t.Errorf("taps saw %q", got)
	}
	if batch[1].Message != "poison" {
		t.Error("the sender's batch was changed")
	}
}

func TestWithoutAnAsideTheSenderIsToldOfPoison(t *testing.T) {
	s := open(t, DefaultConfig(), Deps{Writer: poisonous{}})
	if err := s.Logs(t.Context(), []model.LogRecord{{Message: "a"}, {Message: "poison"}}); !errors.Is(err, stream.ErrPoison) {
		t.Error(err)
	}
}

func TestWhatWentAsideIsNamedUntilItIsLookedAt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "stream")
	f, err := OpenAside(dir)
	if err != nil || len(f.Problems()) != 0 {
		t.Fatal(err, f.Problems())
	}
	put := func() error {
		return f.Put(t.Context(), stream.Dead{Signal: "logs", Reason: "too long", Log: &model.LogRecord{Message: "hello"}})
	}
	if err := errors.Join(put(), put()); err != nil {
		t.Fatal(err)
	}
	if f, err = OpenAside(dir); err != nil { // after a restart
		t.Fatal(err)
	}
	if p := f.Problems(); len(p) != 1 || !strings.Contains(p[0].Message, "2 log records") || !strings.Contains(p[0].Message, f.path) {
		t.Errorf("%+v", p)
	}
	text, err := os.ReadFile(f.path)
	if err != nil || strings.Count(string(text), `"reason":"too long"`) != 2 || !strings.Contains(string(text), "hello") {
		t.Errorf("%s %v", text, err)
	}
	if err := os.Remove(f.path); err != nil || len(f.Problems()) != 0 {
		t.Errorf("%v: named although the file is gone", err)
	}
	if err := put(); err != nil || !strings.Contains(f.Problems()[0].Message, "1 log records") {
		t.Errorf("%v %v", err, f.Problems())
	}
	f.max = 10
	if err := put(); err == nil || !strings.Contains(err.Error(), "is full") {
		t.Errorf("beyond its bound: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "x"), 0o750); err != nil {
		t.Fatal(err)
	}
	f.path = filepath.Join(dir, "x")
	if err := put(); err == nil {
		t.Error("a folder took a record")
	}
}

func file(t *testing.T) *AsideFile {
	t.Helper()
	f, err := OpenAside(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// poisonous takes no batch with poison in it.
type poisonous struct{}

func (poisonous) AppendLogs(_ context.Context, records []model.LogRecord) error {
	for _, r := range records {
		if r.Message == "poison" {
			return stream.ErrPoison
		}
	}
	return nil
}

func (poisonous) AppendSpans(_ context.Context, spans []model.Span) error {
	for _, s := range spans {
		if s.Name == "poison" {
			return stream.ErrPoison
		}
	}
	return nil
}

type tapped struct{ names []string }

func (t *tapped) TapLogs(records []model.LogRecord) {
	for _, r := range records {
		t.names = append(t.names, r.Message)
	}
}

func (t *tapped) TapSpans(spans []model.Span) {
	for _, s := range spans {
		t.names = append(t.names, s.Name)
	}
}
