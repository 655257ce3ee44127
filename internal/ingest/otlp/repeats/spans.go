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
	underWay      map[*Claim]struct{}
}

// NewSpans knows none.
func NewSpans(now func() time.Time) *Spans {
	return &Spans{now: now, limit: MaxSpans, young: set{}, began: now(), underWay: map[*Claim]struct{}{}}
}

// Claim is the new spans of a request that are about to be stored. They are in the
// newest generation from the beginning, so that one that is stored costs one look-up.
type Claim struct {
	New  []int // which of the request's spans are new
	keys []uint64
	has  set // made of keys when somebody asks
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
	s.turn()
	c = &Claim{New: make([]int, 0, len(keys)), keys: make([]uint64, 0, len(keys)), done: make(chan struct{})}
	for i, k := range keys {
		if s.known(k) { // stored, under way, or twice in this request
			if other := s.holder(k); other != nil {
				s.forget(c, func(int) bool { return false })
				return nil, other
			}
			continue
		}
		s.young[k] = struct{}{}
		c.New, c.keys = append(c.New, i), append(c.keys, k)
	}
	s.underWay[c] = struct{}{}
	return c, nil
}

func (s *Spans) known(k uint64) bool {
	if _, ok := s.young[k]; ok {
		return true
	}
	_, ok := s.before[k]
	return ok
}

// holder is the claim that has a span under way, or nil.
func (s *Spans) holder(k uint64) *Claim {
	for c := range s.underWay {
		if c.has == nil {
			c.has = make(set, len(c.keys))
			for _, k := range c.keys {
				c.has[k] = struct{}{}
			}
		}
		if _, ok := c.has[k]; ok {
			return c
		}
	}
	return nil
}

// End gives the claim up; kept says of each position in Claim.New whether the span was stored.
func (s *Spans) End(c *Claim, kept func(i int) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.underWay, c)
	s.forget(c, kept)
	close(c.done)
}

// forget makes a claim's spans new again that were not kept.
func (s *Spans) forget(c *Claim, kept func(i int) bool) {
	for i, k := range c.keys {
		if !kept(i) {
			delete(s.young, k)
			delete(s.before, k)
		}
	}
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
