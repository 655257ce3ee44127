package incident

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// joinWithin is how long after an incident's last page one of a dependent service belongs to it.
	joinWithin = 30 * time.Minute
	// burst is how quickly pages of one region follow one another when the region fails, and maxBurst how long that counts.
	burst, maxBurst = 2 * time.Minute, 15 * time.Minute
	// callsWithin is how far back calls make a dependency, and maxHops how many may lie between.
	callsWithin, maxHops = time.Hour, 4
	minCalls             = 10
)

// belongs is the live incident that a page belongs to, and why; nil where it is something of its own.
func (t *taking) belongs(ctx context.Context, s sighting) (*kept, string, error) {
	for _, rule := range []func(context.Context, *kept, sighting) (string, error){sameGroup, sameService, t.dependent, sameRegion} {
		// The newest first: of two that fit it is what people work on now.
		for i := len(t.live) - 1; i >= 0; i-- {
			why, err := rule(ctx, t.live[i], s)
			if err != nil {
				return nil, "", err
			}
			if why != "" {
				return t.live[i], why, nil
			}
		}
	}
	return nil, "", nil
}

func sameGroup(_ context.Context, k *kept, s sighting) (string, error) {
	if slices.ContainsFunc(k.Pages.List, func(p Page) bool { return p.DedupKey == s.DedupKey }) {
		return "its alert group paged before", nil
	}
	return "", nil
}

func sameService(_ context.Context, k *kept, s sighting) (string, error) {
	if s.Service != "" && sameEnvironment(s.environment, k.Environment) && slices.Contains(k.Services, s.Service) {
		return "it is about " + s.Service + ", too", nil
	}
	return "", nil
}

// sameEnvironment is true also where one does not say which: an SLO over all environments is about each of them.
func sameEnvironment(a, b string) bool { return a == b || a == "" || b == "" }

// dependent says whether the page's service calls one of the incident's, or is called by one.
func (t *taking) dependent(ctx context.Context, k *kept, s sighting) (string, error) {
	if t.room.deps.Edges == nil || s.Service == "" || !sameEnvironment(s.environment, k.Environment) || s.Time.Sub(k.lastPage()) > joinWithin {
		return "", nil
	}
	if t.calls == nil {
		now := t.now
		edges, err := t.room.deps.Edges.Edges(ctx, model.DefaultTenant, store.RangeOf(now.Add(-callsWithin), now))
		if err != nil { // an incident too many is better than none
			t.room.log.WarnContext(ctx, "who calls whom is not known: pages of dependent services open incidents of their own", "err", err)
		}
		t.calls = callsOf(edges)
	}
	for _, other := range k.Services {
		switch {
		case t.calls.reaches(s.Service, other):
			return s.Service + " depends on " + other, nil
		case t.calls.reaches(other, s.Service):
			return other + " depends on " + s.Service, nil
		}
	}
	return "", nil
}

func sameRegion(_ context.Context, k *kept, s sighting) (string, error) {
	gap := s.Time.Sub(k.lastPage())
	if s.Region == "" || k.Origin.By != signalbox || s.Region != k.Region || s.environment != k.Environment || gap > burst || gap < -burst || s.Time.Sub(k.Times.Detected) > maxBurst {
		return "", nil
	}
	return fmt.Sprintf("the region %s paged for several services at once", s.Region), nil
}

// lastPage is when its newest page came; when it was opened where it has none.
func (k *kept) lastPage() time.Time {
	last := k.Times.Detected
	for _, p := range k.Pages.List {
		if p.Time.After(last) {
			last = p.Time
		}
	}
	return last
}

// calls is who calls whom often enough.
type calls struct{ of map[string][]string }

func callsOf(edges []model.Edge) *calls {
	sum := map[[2]string]uint64{}
	for _, e := range edges {
		if e.Client != e.Server {
			sum[[2]string{e.Client, e.Server}] += e.Calls
		}
	}
	c := &calls{of: map[string][]string{}}
	for pair, n := range sum {
		if n >= minCalls {
			c.of[pair[0]] = append(c.of[pair[0]], pair[1])
		}
	}
	return c
}

// reaches says whether one service calls another, directly or through a few.
func (c *calls) reaches(from, to string) bool {
	seen, next := map[string]bool{from: true}, []string{from}
	for range maxHops {
		var after []string
		for _, n := range next {
			for _, callee := range c.of[n] {
				if callee == to {
					return true
				}
				if !seen[callee] {
					seen[callee] = true
					after = append(after, callee)
				}
			}
		}
		next = after
	}
	return false
}
