package app

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/config"
)

// leaveTimeout is how long requests may go on in a cell that is closed while others run, before they are ended and again
// until they have ended.
const leaveTimeout = 5 * time.Second

// course is how far a cell has come.
type course struct {
	up    chan struct{} // closed once it runs or failed
	quit  chan struct{} // closed to end it alone
	ended chan struct{} // closed once its stores are closed
}

func newCourse() course {
	return course{up: make(chan struct{}), quit: make(chan struct{}), ended: make(chan struct{})}
}

// live runs a cell until ctx ends or the cell is told to quit.
func (c *cell) live(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-c.course.quit:
			cancel()
		case <-ctx.Done():
		}
	})
	isUp := false
	up := func() { isUp = true; close(c.course.up) }
	if err := c.group.Run(ctx, up); err != nil {
		c.stop(err)
	}
	cancel()
	watch.Wait()
	if !isUp {
		close(c.course.up)
	}
	close(c.course.ended)
}

// changeTenants takes over which tenants a configuration names. One that is new is opened; one whose own entry changed,
// or that is not served, is opened anew; one that is not named any more is closed, and its data stays where it is. What
// fails concerns one tenant.
func (p *Process) changeTenants(ctx context.Context, cfg config.Config) error {
	if p.home.home == "" {
		return nil // said by warnOfRestart
	}
	cfg = p.withTenantsOf(cfg)
	p.front.Share(len(cfg.Tenants) + 1)
	was := p.roster.Load()
	named := map[string]bool{}
	var errs []error
	var others []*cell
	for _, t := range cfg.Tenants {
		named[t.Name] = true
		c := was.byName[t.Name]
		switch {
		case c == nil:
			c = p.open(ctx, cfg, t)
			p.log.Info("a tenant was added", "tenant", t.Name, "data", c.dir)
		case c.stopped.Load() != nil || !reflect.DeepEqual(waiting(c.named), waiting(t)):
			c = p.reopen(ctx, cfg, c, t)
		}
		if err := c.stopped.Load(); err != nil {
			errs = append(errs, fmt.Errorf("tenant %s: is not served: %w", t.Name, *err))
		} else if c != was.byName[t.Name] {
			errs = append(errs, c.ofTenant(c.last.Load().err))
		}
		others = append(others, c)
	}
	for _, c := range was.others {
		if !named[c.tenant] {
			c.close()
			p.log.Info("a tenant was taken out; its data stays where it is, and is there again when the tenant is named again", "tenant", c.tenant, "data", c.dir)
		}
	}
	p.roster.Store(rosterOf(p.home, others))
	return errors.Join(errs...)
}

// withTenantsOf is the configuration in force with what a reload takes of tenants; the rest waits for a restart.
func (p *Process) withTenantsOf(cfg config.Config) config.Config {
	now := p.cfg
	now.Tenants, now.File, now.Hash = cfg.Tenants, cfg.File, cfg.Hash
	return now
}

// open makes the cell of a tenant and runs it. One that cannot be opened is stopped.
func (p *Process) open(ctx context.Context, cfg config.Config, t config.Tenant) *cell {
	c := p.newCell(cfg, t)
	if err := build(ctx, c.steps()); err != nil {
		c.stop(errors.Join(err, c.group.Close()))
		return c
	}
	select {
	case p.arriving <- c:
		<-c.course.up
	case <-p.over:
		c.stop(errors.Join(errStopping, c.group.Close()))
	}
	return c
}

// reopen closes a cell and opens it as its tenant is named now, or as it was if that fails.
func (p *Process) reopen(ctx context.Context, cfg config.Config, c *cell, t config.Tenant) *cell {
	ran := c.stopped.Load() == nil
	c.close()
	now := p.open(ctx, cfg, t)
	err := now.stopped.Load()
	if err == nil || !ran {
		return now
	}
	if before := p.open(ctx, cfg, c.named); before.stopped.Load() == nil {
		before.remember(fmt.Errorf("opened as it was before, since with what is new it could not be: %w", *err))
		return before
	}
	return now
}

// close lets those who are in a cell finish, and ends it.
func (c *cell) close() {
	if c.stopped.Load() != nil {
		return
	}
	empty := c.door.close()
	if !within(empty, leaveTimeout) {
		c.door.clear()
		if !within(empty, leaveTimeout) {
			c.log.Warn("requests were still worked on when their tenant was closed")
		}
	}
	close(c.course.quit)
	<-c.course.ended
}

func within(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// waiting is what of a tenant's entry its cell is made of: all but its files, which a reload hands it.
func waiting(t config.Tenant) config.Tenant { return config.Waiting([]config.Tenant{t})[0] }
