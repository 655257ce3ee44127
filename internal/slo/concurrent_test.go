package slo_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/notify"
)

// Everybody may ask while SLOs are judged, while definitions change and composites are linked anew: run with -race.
func TestAnswersAreGivenWhileSLOsAreJudgedAndReloaded(t *testing.T) {
	docs := [2]string{
		availability("99.5") + "---\n" + composite,
		strings.NewReplacer("displayName: Edge answers", "displayName: Edge still answers", "compositeWeight: 3", "compositeWeight: 2").Replace(availability("99.5") + "---\n" + composite),
	}
	w := newWorld(t, docs[0])
	w.settle()
	name := w.catalog.Definitions()[0].Name
	start := w.now
	w.traffic(time.Hour, time.Minute, 98, 2)
	end := w.now
	w.now = start
	w.gauge(time.Hour, time.Minute, 90)
	file := filepath.Join(t.TempDir(), "slo.yaml")
	var asking sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, slo := range []string{name, "edge-all", "edge-all-fresh"} {
					if _, err := w.engine.SLOHistory(context.Background(), slo, start, end, 10*time.Minute); err != nil {
						t.Error(err)
					}
					_, _ = w.engine.SLO(context.Background(), slo)
				}
				if _, err := w.engine.Snapshots(context.Background(), "edge", ""); err != nil {
					t.Error(err)
				}
				if _, _, err := w.engine.SLOs(context.Background(), ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 40 {
		w.now = start.Add(time.Duration(i) * 90 * time.Second)
		if err := os.WriteFile(file, []byte(docs[i%2]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := w.catalog.Reload([]string{file}); err != nil {
			t.Fatal(err)
		}
		w.settle()
	}
	close(done)
	asking.Wait()
}

// asker is a pipeline that asks the engine how things stand before it answers.
type asker struct {
	*world
	asked int
}

func (a *asker) Send(ctx context.Context, alerts ...notify.Alert) error {
	a.asked++
	if _, err := a.engine.Snapshots(ctx, "edge", ""); err != nil {
		a.t.Error(err)
	}
	_, _ = a.engine.SLO(ctx, "anything")
	return a.world.Send(ctx, alerts...)
}

// The pipeline writes to a disk before it answers. Whoever asks the engine meanwhile must not wait for that: a lock that
// is held over it would never be given back here.
func TestNoLockIsHeldWhileAlertsAreHandedOver(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	a := &asker{world: w}
	w.pipeline = a
	w.start()
	w.settle()
	w.traffic(2*time.Hour, time.Minute, 0, 100)
	w.settle()
	if a.asked == 0 || len(w.sent) == 0 {
		t.Fatal("nothing was sent")
	}
	before := a.asked
	if err := w.catalog.Reload(nil); err != nil { // SLOs that are gone have their alerts resolved
		t.Fatal(err)
	}
	w.settle()
	if last := w.sent[len(w.sent)-1]; a.asked == before || last.EndsAt.After(w.now) {
		t.Errorf("the last that was sent is %v", last)
	}
}
