package sql

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/signalbox-project/signalbox/internal/access"
)

// shares keep one caller from taking every slot, so that the others' queries do not wait for those of one: with more
// than one slot, nobody's queries take the last.
type shares struct {
	each int64
	mu   sync.Mutex
	of   map[string]*share // by subject, of those who ask now
}

type share struct {
	*semaphore.Weighted
	users int
}

func newShares(slots int) *shares {
	return &shares{each: int64(max(1, slots-1)), of: map[string]*share{}}
}

// take waits for a place in the share of who asks. What Signalbox itself asks, and everybody where nobody says who they are, has no share.
func (s *shares) take(ctx context.Context) (release func(), err error) {
	a := access.From(ctx)
	if a == nil || a.Kind == access.Nobody {
		return func() {}, nil
	}
	s.mu.Lock()
	mine := s.of[a.Subject]
	if mine == nil {
		mine = &share{Weighted: semaphore.NewWeighted(s.each)}
		s.of[a.Subject] = mine
	}
	mine.users++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if mine.users--; mine.users == 0 {
			delete(s.of, a.Subject)
		}
	}
	if err := mine.Acquire(ctx, 1); err != nil {
		leave()
		return nil, err
	}
	return func() { mine.Release(1); leave() }, nil
}
