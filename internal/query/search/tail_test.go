package search

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func logOf(tenant, message string) model.LogRecord {
	return model.LogRecord{Time: 1, Message: message, Resource: &model.Resource{Tenant: tenant, Service: "edge"}}
}

func tailOf(t *testing.T, cfg Config) *Tail {
	t.Helper()
	tail, err := newTail(cfg, prometheus.NewRegistry(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tail
}

// follower collects what a tail tells it.
type follower struct {
	mu      sync.Mutex
	got     []string
	dropped uint64
	gate    chan struct{} // if set, each event waits for it
}

func (f *follower) event(r *model.LogRecord, dropped uint64) error {
	if f.gate != nil {
		<-f.gate
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropped += dropped
	if r != nil {
		f.got = append(f.got, r.Message)
	}
	return nil
}

func TestATailGetsItsTenantsMatchingRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := tailOf(t, DefaultConfig())
		tail.TapLogs([]model.LogRecord{logOf("blue", "too early error")})
		ctx, cancel := context.WithCancel(t.Context())
		var blue, all follower
		var wg sync.WaitGroup
		expr, err := filter.Parse("error service:edge")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := tail.Tail(ctx, "blue", expr, blue.event); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := tail.Tail(ctx, "", nil, all.event); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		tail.TapLogs([]model.LogRecord{logOf("blue", "an error"), logOf("red", "an error"), logOf("blue", "fine")})
		synctest.Wait()
		if fmt.Sprint(blue.got) != "[an error]" || len(all.got) != 3 {
			t.Errorf("blue got %v, the other %v", blue.got, all.got)
		}
		if n := testutil.ToFloat64(tail.gauge); n != 2 {
			t.Errorf("%v tails are counted, want 2", n)
		}
		cancel()
		wg.Wait()
		if n := testutil.ToFloat64(tail.gauge); n != 0 || tail.count.Load() != 0 {
			t.Errorf("%v tails are left", n)
		}
	})
}

func TestASlowFollowerLosesRecordsAndIsToldHowMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.TailBuffer = 10
		tail := tailOf(t, cfg)
		ctx, cancel := context.WithCancel(t.Context())
		slow := follower{gate: make(chan struct{})}
		var wg sync.WaitGroup
		wg.Go(func() { _ = tail.Tail(ctx, "", nil, slow.event) })
		synctest.Wait()
		for i := range 100 {
			tail.TapLogs([]model.LogRecord{logOf("t", strconv.Itoa(i))}) // returns although nobody reads
			synctest.Wait()
		}
		close(slow.gate)
		synctest.Wait()
		cancel()
		wg.Wait()
		if len(slow.got) != 11 || slow.dropped != 89 || slow.got[10] != "10" {
			t.Errorf("got %d records (%v), told of %d dropped", len(slow.got), slow.got, slow.dropped)
		}
		if n := testutil.ToFloat64(tail.dropped); n != 89 {
			t.Errorf("%v drops are counted, want 89", n)
		}
	})
}

func TestATailEndsWithItsFollowersError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := tailOf(t, DefaultConfig())
		gone := errors.New("the client is gone")
		var got error
		var wg sync.WaitGroup
		wg.Go(func() {
			got = tail.Tail(t.Context(), "", nil, func(*model.LogRecord, uint64) error { return gone })
		})
		synctest.Wait()
		tail.TapLogs([]model.LogRecord{logOf("t", "x")})
		wg.Wait()
		if !errors.Is(got, gone) {
			t.Errorf("got %v", got)
		}
	})
}

func TestNoMoreTailsThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxTails = 1
		tail := tailOf(t, cfg)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = tail.Tail(ctx, "", nil, (&follower{}).event) })
		synctest.Wait()
		if err := tail.Tail(ctx, "", nil, (&follower{}).event); !errors.Is(err, store.ErrOverloaded) {
			t.Errorf("the second tail: %v, want ErrOverloaded", err)
		}
		cancel()
		wg.Wait()
	})
}
