package oidc

import (
	"context"
	"sync"
	"time"
)

// remembered is something of a provider that is fetched when it is first needed and kept: while it can't be fetched
// again, what was there goes on to count until it is stale.
type remembered[T any] struct {
	fetch func(context.Context) (T, error)
	now   func() time.Time
	fresh time.Duration // after which it is fetched again, beside the work
	stale time.Duration // after which it counts no longer
	pause time.Duration // between two fetches, so that failures and nonsense don't become questions to the provider

	loading sync.Mutex // held while fetching, so that one does

	mu      sync.Mutex
	value   T
	at      time.Time // when the value came
	tried   time.Time
	failure error
}

// get is the value: at once if there is one that counts.
func (r *remembered[T]) get(ctx context.Context) (T, error) {
	r.mu.Lock()
	value, age := r.value, r.now().Sub(r.at)
	r.mu.Unlock()
	switch {
	case age < r.fresh:
		return value, nil
	case age < r.stale:
		if r.loading.TryLock() {
			go func() {
				defer r.loading.Unlock()
				r.load(context.WithoutCancel(ctx))
			}()
		}
		return value, nil
	}
	r.renew(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now().Sub(r.at) < r.stale {
		return r.value, nil
	}
	return r.value, r.failure
}

// renew fetches now, unless that was done a moment ago, and returns when it is done.
func (r *remembered[T]) renew(ctx context.Context) {
	r.loading.Lock()
	defer r.loading.Unlock()
	r.load(context.WithoutCancel(ctx)) // for everybody, also if this caller goes away
}

func (r *remembered[T]) load(ctx context.Context) {
	r.mu.Lock()
	wait := !r.tried.IsZero() && r.now().Sub(r.tried) < r.pause
	if !wait {
		r.tried = r.now()
	}
	r.mu.Unlock()
	if wait {
		return
	}
	value, err := r.fetch(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure = err; err == nil {
		r.value, r.at = value, r.now()
	}
}
