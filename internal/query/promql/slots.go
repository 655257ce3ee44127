package promql

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/access"
)

// slots bounds the running queries. Prometheus' own tracker also logs them
// to a mapped file, and panics where that cannot be made.
type slots struct {
	free   chan int
	leaves []func() // by slot: what gives its turn back
	turn   func(context.Context) (leave func(), err error)
}

func newSlots(n int, turn func(context.Context) (func(), error)) *slots {
	s := &slots{free: make(chan int, n), leaves: make([]func(), n), turn: turn}
	for i := range n {
		s.free <- i
	}
	return s
}

// GetMaxConcurrent implements promql.QueryTracker.
func (s *slots) GetMaxConcurrent() int { return cap(s.free) }

// Insert implements promql.QueryTracker.
func (s *slots) Insert(ctx context.Context, _ string) (slot int, err error) {
	select {
	case slot = <-s.free:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if s.turn != nil && access.From(ctx) == nil {
		if s.leaves[slot], err = s.turn(ctx); err != nil {
			s.leaves[slot] = nil
			s.free <- slot
			return 0, err
		}
	}
	return slot, nil
}

// Delete implements promql.QueryTracker.
func (s *slots) Delete(slot int) {
	if leave := s.leaves[slot]; leave != nil {
		s.leaves[slot] = nil
		leave()
	}
	s.free <- slot
}

// Close implements promql.QueryTracker.
func (s *slots) Close() error { return nil }
