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
// bytes: senders repeat what they kept, and have the same answer again. The memory ends with the process.
type repeats struct {
	seed maphash.Seed
	now  func() time.Time

	mu       sync.Mutex
	answers  map[uint64]answer // to batches that were stored since began
	before   map[uint64]answer // in the window before
	began    time.Time
	underWay map[uint64]chan struct{} // closed when the batch was stored or not
}

func newRepeats(now func() time.Time) *repeats {
	return &repeats{seed: maphash.MakeSeed(), now: now, answers: map[uint64]answer{}, began: now(), underWay: map[uint64]chan struct{}{}}
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

// begin is the answer that the batch had when it was stored, nil when it was not: then
// the caller calls end. It waits for one of the same bytes that is under way.
func (r *repeats) begin(ctx context.Context, key uint64) (answer, error) {
	for {
		r.mu.Lock()
		r.turn()
		had := r.answers[key]
		if had == nil {
			had = r.before[key]
		}
		wait, busy := r.underWay[key]
		if had == nil && !busy {
			r.underWay[key] = make(chan struct{})
		}
		r.mu.Unlock()
		if had != nil || !busy {
			return had, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// end says what a batch was answered of which something was stored; nil when
// nothing was.
func (r *repeats) end(key uint64, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a != nil {
		r.answers[key] = a
	}
	close(r.underWay[key])
	delete(r.underWay, key)
}

// turn begins a new generation when the present one is old or full.
func (r *repeats) turn() {
	age := r.now().Sub(r.began)
	if age < repeatWindow && len(r.answers) < maxRepeats {
		return
	}
	r.before, r.answers, r.began = r.answers, map[uint64]answer{}, r.now()
	if age >= 2*repeatWindow {
		r.before = nil
	}
}
