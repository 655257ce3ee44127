package search

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/mask"
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
	masks   func() *mask.Rules // nil for none

	// count is len(subs): without subscribers a tap costs one load.
	count atomic.Int32
	mu    sync.RWMutex
	subs  map[*subscription]struct{}
}

var _ stream.LogTap = (*Tail)(nil)

// subscription is one follower.
type subscription struct {
	tenant  string
	matcher *store.Matcher // asked of records as they are shown
	shows   func(*mask.Rules) (shown, error)

	mu      sync.Mutex
	now     shown
	records chan model.LogRecord
	dropped atomic.Uint64
	wake    chan struct{} // holds a token after a drop, so that a drop is told in silence, too
}

// newTail makes a tail without subscribers.
func newTail(cfg Config, reg prometheus.Registerer, masks func() *mask.Rules) (*Tail, error) {
	t := &Tail{
		buffer: cfg.TailBuffer, max: cfg.MaxTails, masks: masks, subs: map[*subscription]struct{}{},
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
		now := s.shown(t.rules())
		m := now.view.Masker()
		for i := range records {
			if !s.wants(&records[i]) || !now.may.Log(&records[i]) {
				continue
			}
			r := m.Log(records[i])
			if (m == nil || s.matcher.Log(&r)) && !s.offer(r) {
				t.dropped.Inc()
			}
		}
	}
}

// rules are what is masked now.
func (t *Tail) rules() *mask.Rules {
	if t.masks == nil {
		return nil
	}
	return t.masks()
}

func (s *subscription) wants(r *model.LogRecord) bool {
	return s.tenant == "" || r.Resource.Tenant == s.tenant
}

// shown is what a follower is shown by rules.
type shown struct {
	rules *mask.Rules
	view  *mask.View
	may   *store.Matcher // what of the records that are there they may be shown, and may match
}

// shown is by the rules in force. A filter that they refuse by now finds nothing.
func (s *subscription) shown(rules *mask.Rules) shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.rules != rules {
		next, err := s.shows(rules)
		if err != nil {
			next = shown{rules: rules, may: store.NewMatcher(store.Or{})}
		}
		s.now = next
	}
	return s.now
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
	shows := func(rules *mask.Rules) (shown, error) {
		v := rules.For(ctx)
		f, err := v.Filter(mask.Logs, expr)
		return shown{rules, v, store.NewMatcher(narrowed(ctx, f.Expr))}, err
	}
	now, err := shows(t.rules())
	if err != nil {
		return err
	}
	s := &subscription{
		tenant: tenant, matcher: store.NewMatcher(expr), shows: shows, now: now,
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
