// Package turns divides work that is done at once among tenants.
//
// A Queue has places. Each tenant has one that nobody else can take, so who has nothing under way never waits, whatever
// others do. The other places are common: one tenant takes half of them at most, and where somebody waits they are
// handed out in turn, one to each tenant that waits, first come first served within it. How long and how many may
// wait is bounded.
//
// In: the names of tenants. Out: leave to begin, or why not. mu guards everything; nobody holds it while waiting. No
// goroutine is started. Start reading at Queue.Enter.
package turns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Why somebody got no turn.
var (
	// ErrFull says that as many of the tenant's wait as may.
	ErrFull = errors.New("as many wait as may")
	// ErrLate says that no place became free in time.
	ErrLate = errors.New("no place became free in time")
)

// Limits of a Queue.
type Limits struct {
	Common  int           // places beside the one that each tenant has
	Waiting int           // of one tenant at most; 0 is no bound
	Wait    time.Duration // at most; 0 is as long as the context lasts
}

// Queue hands out places. A nil Queue has a place for everybody.
type Queue struct {
	limits Limits
	most   int // of the common places, for one tenant

	mu     sync.Mutex
	common int // places taken
	lines  map[string]*line
	ring   []*line // lines in which somebody waits; the first has the next turn
}

// line is one tenant; it is there while it holds a place.
type line struct {
	tenant  string
	held    int
	waiting []chan struct{} // closed when it is its turn
}

// New makes a Queue in which nobody is.
func New(l Limits) *Queue {
	return &Queue{limits: l, most: max(1, l.Common/2), lines: map[string]*line{}}
}

// Enter waits for a tenant's turn. Who gets a place leaves it once with leave, which may be called more than once.
func (q *Queue) Enter(ctx context.Context, tenant string) (leave func(), err error) {
	if q == nil {
		return func() {}, nil
	}
	q.mu.Lock()
	l := q.lines[tenant]
	if l == nil {
		l = &line{tenant: tenant}
		q.lines[tenant] = l
	}
	switch {
	case q.free(l):
		q.take(l)
		q.mu.Unlock()
	case q.limits.Waiting > 0 && len(l.waiting) >= q.limits.Waiting:
		n := len(l.waiting)
		q.mu.Unlock()
		return nil, fmt.Errorf("%d of the tenant %s wait already: %w", n, tenant, ErrFull)
	default:
		turn := make(chan struct{})
		if l.waiting = append(l.waiting, turn); len(l.waiting) == 1 {
			q.ring = append(q.ring, l)
		}
		q.mu.Unlock()
		if err := q.wait(ctx, l, turn); err != nil {
			return nil, err
		}
	}
	var once sync.Once
	return func() { once.Do(func() { q.leave(l) }) }, nil
}

// wait lasts until it is somebody's turn, or they give up.
func (q *Queue) wait(ctx context.Context, l *line, turn chan struct{}) (err error) {
	var late <-chan time.Time
	if q.limits.Wait > 0 {
		timer := time.NewTimer(q.limits.Wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-late:
		err = fmt.Errorf("waited %s: %w", q.limits.Wait, ErrLate)
	}
	q.mu.Lock()
	at := slices.Index(l.waiting, turn)
	if at >= 0 {
		if l.waiting = slices.Delete(l.waiting, at, at+1); len(l.waiting) == 0 {
			q.ring = slices.DeleteFunc(q.ring, func(o *line) bool { return o == l })
		}
	}
	q.mu.Unlock()
	if at < 0 { // its turn came in the same moment
		q.leave(l)
	}
	return err
}

// free says whether a line may have one more place; mu is held.
func (q *Queue) free(l *line) bool {
	return l.held == 0 || q.common < q.limits.Common && l.held-1 < q.most
}

func (q *Queue) take(l *line) {
	if l.held++; l.held > 1 {
		q.common++
	}
}

func (q *Queue) leave(l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.held--; l.held > 0 {
		q.common--
	}
	for q.next() {
	}
	if l.held == 0 {
		delete(q.lines, l.tenant) // nobody waits in it either: they would have got its own place
	}
}

// next gives one place to the first line that may have it, which goes behind the others; mu is held.
func (q *Queue) next() bool {
	at := slices.IndexFunc(q.ring, q.free)
	if at < 0 {
		return false
	}
	l := q.ring[at]
	turn := l.waiting[0]
	l.waiting = l.waiting[1:]
	q.ring = slices.Delete(q.ring, at, at+1)
	if len(l.waiting) > 0 {
		q.ring = append(q.ring, l)
	}
	q.take(l)
	close(turn)
	return true
}

// Most is how many places one tenant has at most.
func (q *Queue) Most() int { return 1 + min(q.most, q.limits.Common) }

// Count is what a tenant has under way, and waiting.
func (q *Queue) Count(tenant string) (held, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.lines[tenant]; l != nil {
		return l.held, len(l.waiting)
	}
	return 0, 0
}
