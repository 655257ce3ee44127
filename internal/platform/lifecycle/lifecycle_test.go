package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/platform/lifecycle"
)

type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(s string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, s)
}

func (j *journal) part(name string) lifecycle.Part {
	ready := make(chan struct{})
	return lifecycle.Part{
		Name:  name,
		Ready: ready,
		Run: func(ctx context.Context) error {
			j.add("start " + name)
			close(ready)
			<-ctx.Done()
			j.add("stop " + name)
			return nil
		},
		Close: func() error { j.add("close " + name); return nil },
	}
}

func TestPartsStartInOrderAndStopInReverse(t *testing.T) {
	var j journal
	g := lifecycle.Group{Logger: slog.New(slog.DiscardHandler)}
	g.Add(j.part("store"))
	g.Add(j.part("ingest"))
	ctx, cancel := context.WithCancel(t.Context())
	if err := g.Run(ctx, func() { j.add("ready"); cancel() }); err != nil {
		t.Fatal(err)
	}
	want := []string{"start store", "start ingest", "ready", "stop ingest", "close ingest", "stop store", "close store"}
	if d := cmp.Diff(want, j.lines); d != "" {
		t.Error(d)
	}
}

func TestAFailingPartStopsTheOthersAndIsNamed(t *testing.T) {
	var j journal
	boom := errors.New("boom")
	g := lifecycle.Group{Logger: slog.New(slog.DiscardHandler)}
	g.Add(j.part("store"))
	g.Add(lifecycle.Part{Name: "web", Ready: make(chan struct{}), Run: func(context.Context) error { return boom }})
	g.Add(j.part("never"))
	err := g.Run(t.Context(), func() { t.Error("must not be ready") })
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "run web") {
		t.Errorf("got %v, want boom naming the part", err)
	}
	want := []string{"start store", "close never", "stop store", "close store"}
	if d := cmp.Diff(want, j.lines); d != "" {
		t.Error(d)
	}
}

func TestAPartThatDoesNotStopIsLeftBehindAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		g := lifecycle.Group{Logger: slog.New(slog.DiscardHandler)}
		g.Add(lifecycle.Part{Name: "stuck", StopTimeout: time.Minute, Run: func(context.Context) error { <-release; return nil }})
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		err := g.Run(ctx, cancel)
		if err == nil || !strings.Contains(err.Error(), "stop stuck: still running after 1m0s") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %s, want exactly the time-out", took)
		}
		close(release)
	})
}

func TestCloseClosesWhatNeverRan(t *testing.T) {
	var j journal
	g := lifecycle.Group{Logger: slog.New(slog.DiscardHandler)}
	g.Add(j.part("store"))
	g.Add(j.part("ingest"))
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"close ingest", "close store"}, j.lines); d != "" {
		t.Error(d)
	}
}
