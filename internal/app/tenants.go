package app

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/lifecycle"
)

// tenants are the cells beside home. What one of them cannot open or run stops that one alone.
type tenants struct {
	others []*cell // in the order of the configuration
	byName map[string]*cell
}

// tenantsFolder is where the stores of tenants other than default are.
const tenantsFolder = "tenants"

// stopTenants is how long all cells together may take to stop.
const stopTenants = time.Minute

// newHome is the cell of the tenant default, which has the paths, flags and metric names of a process without tenants.
func (p *Process) newHome() *cell {
	c := &cell{
		base:   p.base,
		own:    own{tenant: model.DefaultTenant, dir: p.opts.StoragePath, registry: p.tel.Registry, gatherer: p.tel.Registry},
		forced: forced{force: document.NewForce()},
	}
	if n := len(p.cfg.Tenants) + 1; n > 1 {
		c.home, c.sharing = model.DefaultTenant, n
		c.cfg = fit(p.cfg.Shared(n), p.memory/int64(n))
	}
	return c
}

// newCell is the cell of a tenant that the configuration names. Its metrics have its name as a label.
func (p *Process) newCell(t config.Tenant) *cell {
	registry := prometheus.NewRegistry()
	c := &cell{
		base: p.base,
		own: own{
			tenant: t.Name, home: model.Home(t.Name), dir: filepath.Join(p.opts.StoragePath, tenantsFolder, t.Name),
			registry: prometheus.WrapRegistererWith(prometheus.Labels{"tenant": t.Name}, registry), gatherer: registry,
		},
		forced: forced{force: document.NewForce()},
	}
	c.sharing = len(p.cfg.Tenants) + 1
	c.cfg = fit(p.cfg.Of(t), p.memory/int64(c.sharing))
	// Not to our own store, which those of default read.
	c.log = p.tel.Console.With("tenant", t.Name)
	c.group = &lifecycle.Group{Logger: c.log}
	return c
}

// names are those of all tenants.
func (p *Process) names() []string {
	out := []string{model.DefaultTenant}
	for _, t := range p.cfg.Tenants {
		out = append(out, t.Name)
	}
	return out
}

// cells are those that run, home first.
func (p *Process) cells() []*cell {
	out := []*cell{p.home}
	for _, c := range p.others {
		if c.stopped.Load() == nil {
			out = append(out, c)
		}
	}
	return out
}

// configOf is what a configuration says for a tenant.
func (p *Process) configOf(cfg config.Config, tenant string) (own config.Config, known bool) {
	if tenant == model.DefaultTenant {
		return cfg, true
	}
	for _, t := range cfg.Tenants {
		if t.Name == tenant {
			return cfg.Of(t), true
		}
	}
	return config.Config{}, false
}

// buildTenants makes a cell for each tenant of the configuration.
func (p *Process) buildTenants(ctx context.Context) error {
	p.byName = map[string]*cell{model.DefaultTenant: p.home}
	for _, t := range p.cfg.Tenants {
		c := p.newCell(t)
		p.others, p.byName[t.Name] = append(p.others, c), c
		p.tel.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signalbox_tenant_served", Help: "1 while the tenant is served; 0 if its stores could not be opened or one of its parts failed.",
			ConstLabels: prometheus.Labels{"tenant": t.Name},
		}, c.served))
		if err := build(ctx, c.steps()); err != nil {
			c.stop(errors.Join(err, c.group.Close()))
		}
	}
	if len(p.others) == 0 {
		return nil
	}
	ready, ran := make(chan struct{}), false
	p.group.Add(lifecycle.Part{
		Name: "tenants", StopTimeout: stopTenants, Ready: ready,
		Run: func(ctx context.Context) error {
			ran = true
			p.runTenants(ctx, ready)
			return nil
		},
		Close: func() error {
			var errs []error
			for _, c := range p.others {
				if !ran && c.stopped.Load() == nil {
					errs = append(errs, c.ofTenant(c.group.Close()))
				}
			}
			return errors.Join(errs...)
		},
	})
	return nil
}

// runTenants runs every cell until ctx ends. ready is closed once each runs or failed.
func (p *Process) runTenants(ctx context.Context, ready chan<- struct{}) {
	var starting, running sync.WaitGroup
	for _, c := range p.cells()[1:] {
		started := sync.OnceFunc(starting.Done)
		starting.Add(1)
		running.Go(func() {
			defer started()
			if err := c.group.Run(ctx, started); err != nil {
				c.stop(err)
			}
		})
	}
	starting.Wait()
	close(ready)
	running.Wait()
	<-ctx.Done()
}

func (c *cell) served() float64 {
	if c.stopped.Load() == nil {
		return 1
	}
	return 0
}

// stop says that the tenant is not served any more, and why.
func (c *cell) stop(err error) {
	c.stopped.Store(&err)
	c.tel.Logger.Error("a tenant is not served; the others are", "tenant", c.tenant, "err", err)
}

// admit refuses tenants that are not served here.
func (p *Process) admit(a *access.Access, info front.MountInfo) (release func(), refusal *front.Refusal) {
	if refusal := p.unserved(a); refusal != nil {
		return nil, refusal
	}
	if p.opts.Hooks.Admit == nil {
		return nil, nil
	}
	return p.opts.Hooks.Admit(a, info)
}

// unserved is why a tenant is refused, nil if it is not.
func (p *Process) unserved(a *access.Access) *front.Refusal {
	c, known := p.byName[tenantOf(a)]
	switch {
	case !known && len(p.others) == 0 && a.Kind == access.Nobody:
		return nil // a name in a column, no boundary
	case !known:
		return front.NoSuchTenant(a.Tenant)
	case c.stopped.Load() != nil:
		return &front.Refusal{
			Status: http.StatusServiceUnavailable, Reason: "tenant_down", RetryAfter: 30,
			Message: "the tenant " + c.tenant + " is not served now; the log of Signalbox and the status of the tenant default say why",
		}
	}
	return nil
}

func tenantOf(a *access.Access) string {
	if a == nil || a.Tenant == "" {
		return model.DefaultTenant
	}
	return a.Tenant
}

// cellOf is the cell of a request that was admitted.
func (p *Process) cellOf(ctx context.Context) *cell {
	if c := p.byName[tenantOf(access.From(ctx))]; c != nil {
		return c
	}
	return p.home
}

// dispatch answers with the handler of the request's tenant. Handlers find the tenant in its header, whatever was sent.
func (p *Process) dispatch(of func(*cell) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := p.cellOf(r.Context())
		if c.home != "" {
			r.Header.Set(model.TenantHeader, c.tenant)
		}
		of(c).ServeHTTP(w, r)
	})
}

// gather collects what somebody may see of the program's own metrics: those of all tenants for default.
func (p *Process) gather(ctx context.Context) prometheus.Gatherer {
	if c := p.cellOf(ctx); c != p.home {
		return c.gatherer
	}
	all := prometheus.Gatherers{}
	for _, c := range p.cells() {
		all = append(all, c.gatherer)
	}
	return all
}

// ofProcess keeps what concerns the whole process to the tenant default.
func (p *Process) ofProcess(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p.cellOf(r.Context()) != p.home {
			writeText(w, http.StatusForbidden, "this concerns the whole process: ask as the tenant "+model.DefaultTenant+"\n")
			return
		}
		next(w, r)
	}
}
