package promwrite

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/zeebo/xxh3"

	"github.com/signalbox-project/signalbox/internal/access"
)

// key stands for a series as one sender writes it: a keyed hash of its tenant and of the
// bytes of its labels. With 128 bits two series never meet by accident, and by
// intent only for who knows the seed.
type key = xxh3.Uint128

// known is a series that was admitted before, so that its labels need not be
// read and judged again.
type known struct {
	labels labels.Labels // with the tenant's
	ref    atomic.Uint64 // the store's last reference; a stale one is found out by the store
}

// keepKnown is how long an unused series is remembered: once to twice this long.
const keepKnown = 15 * time.Minute

const shards = 64

// knownSeries remembers the series that were sent in the last while. It is safe
// for concurrent use; a shard's lock is not held while anything else is called.
type knownSeries struct {
	seed   uint64
	shards [shards]knownShard
}

// knownShard is two generations: what is asked for moves to the young one, and the
// old one is forgotten when the young one becomes old.
type knownShard struct {
	mu         sync.RWMutex
	young, old map[key]*known
	turned     time.Time
}

func newKnownSeries() *knownSeries {
	s := &knownSeries{seed: maphash.Comparable(maphash.MakeSeed(), 0)}
	for i := range s.shards {
		s.shards[i].young = map[key]*known{}
	}
	return s
}

// seedFor separates the tenants, and senders that are bound to different namespaces: what names no namespace is another
// series for each of them.
func (s *knownSeries) seedFor(tenant string, scope access.Scope) uint64 {
	return s.seed ^ xxh3.HashStringSeed(tenant+scope.Key(), s.seed)
}

func (s *knownSeries) get(k key) *known {
	sh := &s.shards[k.Lo%shards]
	sh.mu.RLock()
	e, ok := sh.young[k]
	if !ok {
		e, ok = sh.old[k]
		sh.mu.RUnlock()
		if !ok {
			return nil
		}
		sh.mu.Lock()
		sh.young[k] = e
		sh.mu.Unlock()
		return e
	}
	sh.mu.RUnlock()
	return e
}

func (s *knownSeries) put(k key, ls labels.Labels, ref storage.SeriesRef, now time.Time) {
	e := &known{labels: ls}
	e.ref.Store(uint64(ref))
	sh := &s.shards[k.Lo%shards]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if now.Sub(sh.turned) >= keepKnown {
		sh.old, sh.young, sh.turned = sh.young, map[key]*known{}, now
	}
	sh.young[k] = e
}
