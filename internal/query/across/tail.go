package across

import (
	"context"
	"fmt"
	"sync"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// TailEvent takes a record, or how many were dropped.
type TailEvent = func(record *model.LogRecord, dropped uint64) error

// Tail follows the records of all, in the order in which they arrive. It ends for all when one of them ends.
func (e Events) Tail(ctx context.Context, _ string, expr store.Expr, event TailEvent) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex // one event at a time
	var first error
	one := func(record *model.LogRecord, dropped uint64) error {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return event(record, dropped)
	}
	var all sync.WaitGroup
	for _, p := range e.Parts(ctx) {
		all.Go(func() {
			defer cancel()
			err := p.Tail(p.Context(ctx), p.Tenant, expr, one)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && ctx.Err() == nil && first == nil {
				first = fmt.Errorf("tenant %s: %w", p.Tenant, err)
			}
		})
	}
	all.Wait()
	return first
}
