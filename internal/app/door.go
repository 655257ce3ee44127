package app

import (
	"context"
	"sync"
)

// door counts who is in a cell, so that it is closed behind the last of them. Once shut nobody comes in any more.
type door struct {
	mu     sync.Mutex
	shut   bool
	in     int
	empty  chan struct{} // closed when the door is shut and the last has left
	leaves map[*context.CancelFunc]struct{}
}

// enter lets a request in; every one that came in leaves once.
func (d *door) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return false
	}
	d.in++
	return true
}

func (d *door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.in--; d.shut && d.in == 0 {
		close(d.empty)
	}
}

// close shuts the door; the channel is closed once nobody is in.
func (d *door) close() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		return d.empty
	}
	d.shut, d.empty = true, make(chan struct{})
	if d.in == 0 {
		close(d.empty)
	}
	return d.empty
}

// hold gives who is in a context that ends when those who are in are asked to leave.
func (d *door) hold(ctx context.Context) (_ context.Context, release func()) {
	ctx, cancel := context.WithCancel(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.leaves == nil {
		d.leaves = map[*context.CancelFunc]struct{}{}
	}
	d.leaves[&cancel] = struct{}{}
	return ctx, func() {
		cancel()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.leaves, &cancel)
	}
}

// clear asks all who are in to leave.
func (d *door) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for cancel := range d.leaves {
		(*cancel)()
	}
}
