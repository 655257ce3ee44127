package kind

import (
	"context"
	"sync"

	"github.com/signalbox-project/signalbox/internal/notify"
)

// OneAtATime has messages about one page to one address wait for one another, where the first one makes what the others change. Otherwise two that are sent at
// once, to a person and to a team whose place is the same, would make two. mu guards turns; nobody waits under it.
type OneAtATime struct {
	mu    sync.Mutex
	turns map[about]*turn
}

// about is what one turn is of.
type about struct{ address, dedupKey string }

type turn struct {
	slot chan struct{}
	n    int // who waits for it or has it
}

// NewOneAtATime makes one; it is safe for concurrent use.
func NewOneAtATime() *OneAtATime { return &OneAtATime{turns: map[about]*turn{}} }

// Enter waits until it is the message's turn, or ctx is done; leave ends the turn.
func (o *OneAtATime) Enter(ctx context.Context, m notify.Message) (leave func(), err error) {
	key := about{m.To.Address, m.DedupKey}
	o.mu.Lock()
	t := o.turns[key]
	if t == nil {
		t = &turn{slot: make(chan struct{}, 1)}
		o.turns[key] = t
	}
	t.n++
	o.mu.Unlock()
	select {
	case t.slot <- struct{}{}:
		return func() {
			<-t.slot
			o.gone(key, t)
		}, nil
	case <-ctx.Done():
		o.gone(key, t)
		return nil, ctx.Err()
	}
}

func (o *OneAtATime) gone(key about, t *turn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if t.n--; t.n == 0 {
		delete(o.turns, key)
	}
}
