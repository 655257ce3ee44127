package otlp

import (
	"context"
	"hash/maphash"
	"sync"
	"time"
)

const (
	// repeatWindow is how long a batch is remembered at least: as long as the
	// Collector tries to send one (retry_on_failure.max_elapsed_time).
	repeatWindow = 5 * time.Minute
	// maxRepeats bounds how many batches one generation remembers; with more the
	// window is shorter.
	maxRepeats = 50_000
)

const reasonRepeat = "repeated_batch"

// repeats knows the batches of spans and logs that were stored a short while ago, so
// that one whose answer was lost and that is sent again counts once. A batch is its
// bytes: senders repeat what they kept. The memory ends with the process.
type repeats struct {
	seed maphash.Seed
	now  func() time.Time

	mu       sync.Mutex
	stored   map[uint64]struct{} // since began
	before   map[uint64]struct{} // in the window before
	began    time.Time
	underWay map[uint64]chan struct{} // closed when the batch was stored or not
}

func newRepeats(now func() time.Time) *repeats {
	return &repeats{seed: maphash.MakeSeed(), now: now, stored: map[uint64]struct{}{}, began: now(), underWay: map[uint64]chan struct{}{}}
}

// key is one batch of one tenant.
func (r *repeats) key(q request) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	_, _ = h.WriteString(q.signal)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(q.tenant)
	_ = h.WriteByte(0)
	_, _ = h.Write(q.body)
	return h.Sum64()
}

// begin reports whether the batch is stored already; it waits for one of the same
// bytes that is under way. Unless it is, the caller calls end.
func (r *repeats) begin(ctx context.Context, key uint64) (stored bool, err error) {
	for {
		r.mu.Lock()
		r.turn()
		_, now := r.stored[key]
		_, then := r.before[key]
		wait, busy := r.underWay[key]
		if !now && !then && !busy {
			r.underWay[key] = make(chan struct{})
		}
		r.mu.Unlock()
		if now || then || !busy {
			return now || then, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// end says what became of a batch.
func (r *repeats) end(key uint64, stored bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stored {
		r.stored[key] = struct{}{}
	}
	close(r.underWay[key])
	delete(r.underWay, key)
}

// turn begins a new generation when the present one is old or full.
func (r *repeats) turn() {
	age := r.now().Sub(r.began)
	if age < repeatWindow && len(r.stored) < maxRepeats {
		return
	}
	r.before, r.stored, r.began = r.stored, map[uint64]struct{}{}, r.now()
	if age >= 2*repeatWindow {
		r.before = nil
	}
}
