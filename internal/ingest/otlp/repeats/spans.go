package repeats

import (
	"context"
	"sync"
	"time"
)

type set map[uint64]struct{}

// Spans are the spans that were stored.
type Spans struct {
	now   func() time.Time
	limit int

	mu            sync.Mutex
	young, before set
	began         time.Time
	underWay      map[uint64]*Claim
}

// NewSpans knows none.
func NewSpans(now func() time.Time) *Spans {
	return &Spans{now: now, limit: MaxSpans, young: set{}, began: now(), underWay: map[uint64]*Claim{}}
}

// Claim is the new spans of a request that are about to be stored.
type Claim struct {
	New  []int // which of the request's spans are new
	keys []uint64
	done chan struct{}
}

// Begin claims the spans that are new; the caller calls End. It waits while another request has one of
// them under way, holding none itself meanwhile.
func (s *Spans) Begin(ctx context.Context, keys []uint64) (*Claim, error) {
	for {
		c, wait := s.claim(keys)
		if wait == nil {
			return c, nil
		}
		select {
		case <-wait.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// claim claims, or answers whom to wait for.
func (s *Spans) claim(keys []uint64) (c, wait *Claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		if other := s.underWay[k]; other != nil {
			return nil, other
		}
	}
	s.turn()
	c = &Claim{New: make([]int, 0, len(keys)), keys: make([]uint64, 0, len(keys)), done: make(chan struct{})}
	for i, k := range keys {
		if s.underWay[k] != nil || s.stored(k) { // twice in this request, or before it
			continue
		}
		s.underWay[k] = c
		c.New, c.keys = append(c.New, i), append(c.keys, k)
	}
	return c, nil
}

func (s *Spans) stored(k uint64) bool {
	if _, ok := s.young[k]; ok {
		return true
	}
	_, ok := s.before[k]
	return ok
}

// End gives the claim up; kept says of each position in Claim.New whether the span was stored.
func (s *Spans) End(c *Claim, kept func(i int) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range c.keys {
		delete(s.underWay, k)
		if kept(i) {
			s.young[k] = struct{}{}
		}
	}
	close(c.done)
}

// turn begins a new generation when the present one is old or full.
func (s *Spans) turn() {
	age := s.now().Sub(s.began)
	if age < Window && len(s.young) < s.limit {
		return
	}
	s.before, s.young, s.began = s.young, set{}, s.now()
	if age >= 2*Window {
		s.before = nil
	}
}
