package search

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Tail hands acknowledged log records to those who follow them. It is a
// stream.LogTap: it never blocks the intake, and a subscriber that is too slow
// loses records, counted.
type Tail struct {
	buffer  int
	max     int
	dropped prometheus.Counter
	gauge   prometheus.Gauge
	refused prometheus.Counter

	// count is len(subs): without subscribers a tap costs one load.
	count atomic.Int32
	mu    sync.RWMutex
	subs  map[*subscription]struct{}
}

var _ stream.LogTap = (*Tail)(nil)

// subscription is one follower.
type subscription struct {
	tenant  string
	matcher *store.Matcher
	records chan model.LogRecord
	dropped atomic.Uint64
	wake    chan struct{} // holds a token after a drop, so that a drop is told in silence, too
}

// newTail makes a tail without subscribers.
func newTail(cfg Config, reg prometheus.Registerer) (*Tail, error) {
	t := &Tail{
		buffer: cfg.TailBuffer, max: cfg.MaxTails, subs: map[*subscription]struct{}{},
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_tail_dropped_records_total", Help: "Log records not sent to a live tail, by reason.",
			ConstLabels: prometheus.Labels{"reason": "slow_reader"},
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_tail_refused_total", Help: "Live tails refused because as many as allowed were open.",
		}),
		gauge: prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_tail_subscribers", Help: "Open live tails."}),
	}
	if err := instrument.Register(reg, "tail", t.dropped, t.refused, t.gauge); err != nil {
		return nil, err
	}
	return t, nil
}

// TapLogs offers records to all subscribers. It is called by intakes after the
// records were made durable.
func (t *Tail) TapLogs(records []model.LogRecord) {
	if t.count.Load() == 0 {
		return
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for s := range t.subs {
		for i := range records {
			if s.wants(&records[i]) && !s.offer(records[i]) {
				t.dropped.Inc()
			}
		}
	}
}

func (s *subscription) wants(r *model.LogRecord) bool {
	return (s.tenant == "" || r.Resource.Tenant == s.tenant) && s.matcher.Log(r)
}

// offer reports whether there was room.
func (s *subscription) offer(r model.LogRecord) bool {
	select {
	case s.records <- r:
		return true
	default:
	}
	s.dropped.Add(1)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return false
}

// Tail calls event for each record of tenant ("" means all) that matches expr and is
// acknowledged from now on, until ctx is done (it returns nil) or event returns an error
// (it returns that). Records that were dropped because event is too slow are
// reported by a call with their number and without a record. With as many tails
// open as allowed it returns store.ErrOverloaded.
func (t *Tail) Tail(ctx context.Context, tenant string, expr store.Expr, event func(record *model.LogRecord, dropped uint64) error) error {
	s := &subscription{
		tenant: tenant, matcher: store.NewMatcher(narrowed(ctx, expr)),
		records: make(chan model.LogRecord, t.buffer), wake: make(chan struct{}, 1),
	}
	if err := t.add(s); err != nil {
		return err
	}
	defer t.remove(s)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case r := <-s.records:
			if err := event(&r, 0); err != nil {
				return err
			}
		}
		if n := s.dropped.Swap(0); n > 0 {
			if err := event(nil, n); err != nil {
				return err
			}
		}
	}
}

func (t *Tail) add(s *subscription) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.subs) >= t.max {
		t.refused.Inc()
		return fmt.Errorf("%d live tails are open, the most allowed: %w", len(t.subs), store.ErrOverloaded)
	}
	t.subs[s] = struct{}{}
	t.count.Add(1)
	t.gauge.Inc()
	return nil
}

func (t *Tail) remove(s *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.subs, s)
	t.count.Add(-1)
	t.gauge.Dec()
}
