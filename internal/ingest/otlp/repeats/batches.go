// Package repeats knows what was stored a short while ago, so that telemetry whose answer was lost and
// that is sent again counts once.
//
// Spans are known one by one, since a Collector that tries again may draw the
// borders of its batches anew. Logs are known by whole batches, since two equal lines are two events.
// A hash of 64 bits, keyed by a seed of this process, stands for each; the memory is
// bounded and ends with the process.
//
// In: hashes. Out: what is new. Locks are leaves and are not held while anything is stored. Start
// reading at Spans.Begin.
package repeats

import (
	"context"
	"sync"
	"time"
)

const (
	// Window is how long something is remembered at least: as long as the
	// Collector tries to send (retry_on_failure.max_elapsed_time).
	Window = 5 * time.Minute
	// MaxBatches bounds what one of two generations remembers; with more the window
	// is shorter.
	MaxBatches = 50_000
	// MaxSpans bounds it for spans, of which one takes up to 20 bytes.
	MaxSpans = 1 << 20
)

// Batches are the batches that were stored, with their answers.
type Batches[A any] struct {
	now func() time.Time

	mu            sync.Mutex
	young, before map[uint64]A
	began         time.Time
	underWay      map[uint64]chan struct{} // closed when the batch was stored or not
}

// NewBatches knows none.
func NewBatches[A any](now func() time.Time) *Batches[A] {
	return &Batches[A]{now: now, young: map[uint64]A{}, began: now(), underWay: map[uint64]chan struct{}{}}
}

// Begin is the answer that the batch had when it was stored; known is false when it was not: then
// the caller calls End. It waits for one of the same key that is under way.
func (b *Batches[A]) Begin(ctx context.Context, key uint64) (had A, known bool, err error) {
	for {
		b.mu.Lock()
		b.turn()
		if had, known = b.young[key]; !known {
			had, known = b.before[key]
		}
		wait, busy := b.underWay[key]
		if !known && !busy {
			b.underWay[key] = make(chan struct{})
		}
		b.mu.Unlock()
		if known || !busy {
			return had, known, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return had, false, ctx.Err()
		}
	}
}

// End says what a batch was answered, if something of it was stored.
func (b *Batches[A]) End(key uint64, a A, stored bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if stored {
		b.young[key] = a
	}
	close(b.underWay[key])
	delete(b.underWay, key)
}

// turn begins a new generation when the present one is old or full.
func (b *Batches[A]) turn() {
	age := b.now().Sub(b.began)
	if age < Window && len(b.young) < MaxBatches {
		return
	}
	b.before, b.young, b.began = b.young, map[uint64]A{}, b.now()
	if age >= 2*Window {
		b.before = nil
	}
}
