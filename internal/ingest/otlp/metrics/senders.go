package metrics

import (
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

const (
	// maxSenderSeries bounds the series that are watched; beyond it watching
	// begins anew.
	maxSenderSeries = 50_000
	// warnEvery is how often a collision is logged.
	warnEvery = time.Minute
)

const collisionWarning = "two senders without service.instance.id write the same series, which mixes their counters: " +
	"set service.instance.id (OTEL_RESOURCE_ATTRIBUTES), or k8s.pod.uid or host.name with process.pid, in each"

// senders notices that several processes write one series: each has a start time
// of its own, so that the series' start time goes back and forth. Series with an
// instance are not watched.
type senders struct {
	log   *slog.Logger
	count prometheus.Counter
	now   func() time.Time

	mu     sync.Mutex
	starts map[uint64]int64 // the newest start time of each series, Unix ms
	logged time.Time
}

func newSenders(log *slog.Logger, count prometheus.Counter) *senders {
	return &senders{log: log, count: count, now: time.Now, starts: map[uint64]int64{}}
}

// see takes note of a stored sample; collides says that somebody else writes its
// series.
func (s *senders) see(ls labels.Labels, start int64) (collides bool) {
	if s == nil || start == 0 || ls.Get(prommodel.InstanceLabel) != "" {
		return false
	}
	key := ls.Hash()
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known := s.starts[key]
	switch {
	case !known && len(s.starts) >= maxSenderSeries:
		clear(s.starts)
		fallthrough
	case !known || start > before:
		s.starts[key] = start
		return false
	case start == before:
		return false
	}
	s.count.Inc()
	if now := s.now(); now.Sub(s.logged) >= warnEvery {
		s.logged = now
		s.log.Warn("two senders write the same series", "metric", ls.Get(prommodel.MetricNameLabel), "job", ls.Get(prommodel.JobLabel),
			"cure", "set service.instance.id in each sender")
	}
	return true
}
