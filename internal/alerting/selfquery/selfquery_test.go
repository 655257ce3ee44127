package selfquery

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// success reads the gauge by signal.
func success(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "signalbox_synthetic_query_success" {
			for _, m := range f.Metric {
				out[m.Label[0].GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	return out
}

func TestEveryThirtySecondsEachSignalIsAskedAndAHangingOneFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		var broken atomic.Bool
		var asked atomic.Int32
		a, err := New(DefaultConfig(), Deps{Registerer: reg, Questions: []Question{
			{"metrics", func(context.Context) error { asked.Add(1); return nil }},
			{"logs", func(context.Context) error {
				if broken.Load() {
					return errors.New("disk gone")
				}
				return nil
			}},
			{"traces", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		<-time.After(36 * time.Second)
		synctest.Wait()
		if got := success(t, reg); asked.Load() != 1 || got["metrics"] != 1 || got["logs"] != 1 || got["traces"] != 0 {
			t.Errorf("asked %d times, %v", asked.Load(), got)
		}
		broken.Store(true)
		<-time.After(30 * time.Second)
		synctest.Wait()
		if got := success(t, reg); asked.Load() != 2 || got["logs"] != 0 {
			t.Errorf("asked %d times, %v", asked.Load(), got)
		}
		broken.Store(false)
		<-time.After(30 * time.Second)
		synctest.Wait()
		if got := success(t, reg); got["logs"] != 1 {
			t.Errorf("answered again: %v", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
