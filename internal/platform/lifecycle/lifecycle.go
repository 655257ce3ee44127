// Package lifecycle starts the parts of a process in order and stops them in
// the opposite order, each step named and bounded in time.
//
// It knows nothing of what the parts do. Parts are added sinks first; Run
// starts them in that order, so that what a source feeds is there before
// it, and on the way down cancels the last one first and waits for it before
// it touches the next, so that a source drains into a live sink.
//
// Invariant: a part's context ends only after every part added later has
// returned or has used up its time. Start reading at Group.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// DefaultStopTimeout is how long a part may take to return once its context
// ended.
const DefaultStopTimeout = 10 * time.Second

// Part is one step of a process.
type Part struct {
	Name string
	// Run blocks until ctx is done and then returns nil; any earlier return is
	// a failure that stops the whole group. Nil means that the part has nothing to
	// run, only to close.
	Run func(ctx context.Context) error
	// Ready, if not nil, holds back the parts after this one until the channel
	// is closed.
	Ready <-chan struct{}
	// Close, if not nil, is called after Run returned, also when Run timed out
	// or was never started.
	Close func() error
	// StopTimeout replaces DefaultStopTimeout when positive.
	StopTimeout time.Duration
}

// Group is an ordered set of parts. It is not safe for concurrent use.
type Group struct {
	Logger *slog.Logger
	parts  []Part
}

// Add appends a part.
func (g *Group) Add(p Part) { g.parts = append(g.parts, p) }

// Close closes every part, last first, without having run any: for when a
// later part could not be made.
func (g *Group) Close() error {
	var errs []error
	for i := len(g.parts) - 1; i >= 0; i-- {
		errs = append(errs, g.stop(neverStarted(g.parts[i])))
	}
	return errors.Join(errs...)
}

func neverStarted(p Part) *running {
	done := make(chan struct{})
	close(done)
	return &running{Part: p, cancel: func() {}, done: done}
}

type running struct {
	Part
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// Run starts every part, calls ready once all are, and blocks until ctx ends or a part fails.
// It then stops them and joins what went wrong on the way, the cause first.
func (g *Group) Run(ctx context.Context, ready func()) error {
	failed := make(chan *running, len(g.parts))
	var up []*running
	cause := func() error {
		for _, p := range g.parts {
			r := start(ctx, p, failed)
			up = append(up, r)
			if err := awaitReady(ctx, r, failed); err != nil || ctx.Err() != nil {
				return err
			}
		}
		ready()
		select {
		case <-ctx.Done():
			return nil
		case r := <-failed:
			return r.failure()
		}
	}()
	errs := []error{cause}
	for _, p := range g.parts[len(up):] {
		up = append(up, neverStarted(p))
	}
	for i := len(up) - 1; i >= 0; i-- {
		errs = append(errs, g.stop(up[i]))
	}
	return errors.Join(errs...)
}

// start detaches the part from ctx's end: only stop may end it, in its turn.
func start(ctx context.Context, p Part, failed chan<- *running) *running {
	r := &running{Part: p, done: make(chan struct{})}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if p.Run == nil {
		close(r.done)
		return r
	}
	go func() {
		r.err = p.Run(ctx)
		close(r.done)
		if ctx.Err() == nil {
			failed <- r
		}
	}()
	return r
}

func awaitReady(ctx context.Context, r *running, failed <-chan *running) error {
	if r.Ready == nil {
		return nil
	}
	select {
	case <-r.Ready:
		return nil
	case <-ctx.Done():
		return nil
	case f := <-failed:
		return f.failure()
	}
}

func (r *running) failure() error {
	if r.err == nil {
		return fmt.Errorf("%s stopped by itself", r.Name)
	}
	return fmt.Errorf("run %s: %w", r.Name, r.err)
}

func (g *Group) stop(r *running) error {
	began := time.Now()
	limit := r.StopTimeout
	if limit <= 0 {
		limit = DefaultStopTimeout
	}
	r.cancel()
	var errs []error
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-r.done:
	case <-timer.C:
		errs = append(errs, fmt.Errorf("stop %s: still running after %s", r.Name, limit))
	}
	if r.Close != nil {
		if err := r.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", r.Name, err))
		}
	}
	g.Logger.Debug("part stopped", "part", r.Name, "took", time.Since(began))
	return errors.Join(errs...)
}
