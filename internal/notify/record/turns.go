package record

import (
	"context"
	"sync"
)

// turns lets one at a time of those that name the same key go on; those of different keys do not
// wait for each other. The zero value is ready.
type turns struct {
	mu     sync.Mutex
	queues map[string]*queue
}

// queue is who goes on, or waits to, for one key.
type queue struct {
	turn chan struct{} // holds one token while nobody goes on
	in   int
}

// take waits for its turn and answers how to end it.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	q := t.join(key)
	select {
	case <-q.turn:
		return func() {
			q.turn <- struct{}{}
			t.leave(key, q)
		}, nil
	case <-ctx.Done():
		t.leave(key, q)
		return nil, ctx.Err()
	}
}

func (t *turns) join(key string) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queues[key]
	if q == nil {
		q = &queue{turn: make(chan struct{}, 1)}
		q.turn <- struct{}{}
		if t.queues == nil {
			t.queues = map[string]*queue{}
		}
		t.queues[key] = q
	}
	q.in++
	return q
}

func (t *turns) leave(key string, q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.in--; q.in == 0 {
		delete(t.queues, key)
	}
}
