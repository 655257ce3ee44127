package router

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/alertmanager/alert"
)

// copyRunning copies the files of a folder in which somebody writes: one that is renamed
// meanwhile is as if the kill had come before it was written.
func copyRunning(t *testing.T, to, from string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(from, e.Name()))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A notification that is under way when the process is told to stop is finished and
// noted: cut off, it would be sent once more by the next run.
func TestAStopFinishesWhatIsUnderWay(t *testing.T) {
	arrived, answer := make(chan struct{}), make(chan struct{})
	h := newHook(t, func(n int) bool {
		if n == 1 {
			close(arrived)
			<-answer
		}
		return false
	})
	dir := t.TempDir()
	f := start(t, dir, webhookConfig(h.URL))
	send(t, f.Router, burn())
	<-arrived
	p, stopped := f.current.Load(), make(chan struct{})
	go func() {
		f.stop()
		close(stopped)
	}()
	for p.underway.begin() { // until the end has begun
		p.underway.busy.Done()
		runtime.Gosched()
		if isClosed(stopped) {
			break
		}
	}
	close(answer)
	<-stopped
	h.await(t, "delivered", delivered)
	g := start(t, dir, webhookConfig(h.URL))
	send(t, g.Router, burn("service", "other"))
	if c := h.await(t, "the next", delivered); c.body["groupKey"] != `{}:{service="other"}` {
		t.Errorf("delivered again: %v", c.body["groupKey"])
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// The stage lets an end wait for what was noted late.
func TestTheEndOfAPipelineWaitsForItsNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, noted := make(chan struct{}), false
		u := &underway{next: stageFunc(func(ctx context.Context) error {
			<-ctx.Done()
			<-release
			noted = true
			return nil
		})}
		ctx, cut := context.WithCancel(t.Context())
		go func() { _, _, _ = u.Exec(ctx, nil) }()
		synctest.Wait()
		began, ended := time.Now(), make(chan time.Duration)
		go func() {
			u.end(cut)
			ended <- time.Since(began)
		}()
		time.Sleep(finish)
		synctest.Wait()
		if ctx.Err() == nil {
			t.Fatal("a notification that hangs is not cut off")
		}
		select {
		case <-ended:
			t.Fatal("ended before the notification was noted")
		default:
		}
		late := make(chan error)
		go func() {
			_, _, err := u.Exec(ctx, nil)
			late <- err
		}()
		if err := <-late; !errors.Is(err, context.Canceled) {
			t.Errorf("one that begins late: %v", err)
		}
		close(release)
		if took := <-ended; !noted || took != finish {
			t.Errorf("noted %v, ended after %s", noted, took)
		}
	})
}

type stageFunc func(ctx context.Context) error

func (f stageFunc) Exec(ctx context.Context, _ *slog.Logger, alerts ...*alert.Alert) (context.Context, []*alert.Alert, error) {
	return ctx, alerts, f(ctx)
}
