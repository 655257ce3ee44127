package metrics

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/store"
)

func putSeries(app storage.AppenderV2, n int, at time.Time) error {
	_, err := app.Append(0, labels.FromStrings("__name__", "many", "n", fmt.Sprint(n)), 0, at.UnixMilli(), 1, nil, nil, storage.AOptions{})
	return errors.Join(err, app.Commit())
}

// Series that are active go on when there is no room for new ones, in the same
// batch, too; what rules and SLOs compute is always taken.
func TestNewSeriesAreRefusedWhenThereAreTooMany(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxSeries = 3
	s, err := Open(cfg, Deps{Dir: t.TempDir(), Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ctx, now := context.Background(), time.Now()
	for n := range 3 {
		if err := putSeries(s.AppenderV2(ctx), n, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := putSeries(s.AppenderV2(ctx), 3, now); !errors.Is(err, store.ErrSeriesLimit) {
		t.Errorf("the fourth series: %v", err)
	}
	if err := putSeries(s.Acknowledged().AppenderV2(ctx), 4, now); !errors.Is(err, store.ErrSeriesLimit) {
		t.Errorf("the fifth series: %v", err)
	}
	if err := putSeries(s.AppenderV2(ctx), 1, now.Add(time.Second)); err != nil {
		t.Errorf("an active series: %v", err)
	}
	if err := putSeries(s.Quiet().AppenderV2(ctx), 5, now); err != nil {
		t.Errorf("a result: %v", err)
	}
	if n := testutil.ToFloat64(s.room.refused); n != 2 {
		t.Errorf("%v refused", n)
	}
	if n, _ := count(t, s, "many"); n != 5 {
		t.Errorf("%d samples, want 5", n)
	}
}

func TestNoNewSeriesWhileTheMemoryIsTight(t *testing.T) {
	r := newRoom(DefaultConfig(), 1<<30, 1)
	if want := uint64(1<<30) * 45 / 100 / 2048; r.maxSeries != want {
		t.Errorf("%d series in 1 GiB, want %d", r.maxSeries, want)
	}
	for _, step := range []struct {
		percent int64
		tight   bool
	}{{60, false}, {76, true}, {72, true}, {69, false}, {72, false}} {
		r.live = func() int64 { return step.percent << 30 / 100 }
		r.look()
		if err := r.crowded(1); errors.Is(err, store.ErrSeriesLimit) != step.tight {
			t.Errorf("%d %% in use: %v", step.percent, err)
		}
	}
	unlimited := newRoom(DefaultConfig(), 0, 1)
	unlimited.look()
	if err := unlimited.crowded(1 << 40); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

func TestOfSeveralStoresTheOneThatFillsTheMemoryIsRefused(t *testing.T) {
	r := newRoom(DefaultConfig(), 1<<30, 4)
	if want := uint64(1<<30) * 45 / 100 / 2048 / 4; r.maxSeries != want {
		t.Errorf("%d series, want a quarter, %d", r.maxSeries, want)
	}
	r.live = func() int64 { return 1 << 30 }
	r.look()
	if err := r.crowded(r.maxSeries/2 + 1); !errors.Is(err, store.ErrSeriesLimit) {
		t.Error("more than half of the share is taken while the memory is full")
	}
	if err := r.crowded(r.maxSeries / 2); err != nil {
		t.Errorf("a store that is not to blame is refused: %v", err)
	}
}
