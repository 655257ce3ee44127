package hook

import (
	"sync"
	"time"
)

const (
	replayMemory = 24 * time.Hour
	replayMax    = 20_000
)

// Replay remembers deliveries, so that one which was recorded and sent again
// does nothing. It holds the newest 20,000 of a day. Its zero value is ready.
type Replay struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

// First reports whether none of keys was seen, and remembers all of them.
func (r *Replay) First(now time.Time, keys ...string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range keys {
		if at, ok := r.seen[k]; ok && now.Sub(at) < replayMemory {
			return false
		}
	}
	if r.seen == nil || len(r.seen)+len(keys) > replayMax {
		r.forget(now)
	}
	for _, k := range keys {
		r.seen[k] = now
	}
	return true
}

// forget drops what is old, and the older half when that is not enough.
func (r *Replay) forget(now time.Time) {
	kept := map[string]time.Time{}
	for _, limit := range []time.Duration{replayMemory, replayMemory / 4, replayMemory / 64} {
		clear(kept)
		for k, at := range r.seen {
			if now.Sub(at) < limit {
				kept[k] = at
			}
		}
		if len(kept) <= replayMax/2 {
			break
		}
	}
	if len(kept) > replayMax/2 {
		clear(kept) // a flood of signed deliveries within minutes
	}
	r.seen = kept
}

// Forget lets keys come again: what they asked for could not be done.
func (r *Replay) Forget(keys ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range keys {
		delete(r.seen, k)
	}
}
