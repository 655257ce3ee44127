package app

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/cost"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/lifecycle"
)

// tenants are the cells beside home. What one of them cannot open or run stops that one alone.
type tenants struct {
	roster   atomic.Pointer[roster]
	arriving chan *cell    // those that are to run
	over     chan struct{} // closed when none can arrive any more
	across   *http.ServeMux
	before   atomic.Pointer[[]api.Unowned] // what was stored under a name before it was a tenant's
}

// roster is which cells there are beside home. It is replaced whole.
type roster struct {
	others []*cell // in the order of the configuration
	byName map[string]*cell
}

func rosterOf(home *cell, others []*cell) *roster {
	r := &roster{others: others, byName: map[string]*cell{home.tenant: home}}
	for _, c := range others {
		r.byName[c.tenant] = c
	}
	return r
}

// tenantsFolder is where the stores of tenants other than default are.
const tenantsFolder = "tenants"

// stopTenants is how long all cells together may take to stop.
const stopTenants = time.Minute

// newHome is the cell of the tenant default, which has the paths, flags and metric names of a process without tenants.
func (p *Process) newHome() *cell {
	c := &cell{
		base:   p.base,
		own:    own{tenant: model.DefaultTenant, dir: p.data, registry: cost.NewMeter(p.tel.Registry), opened: p.began, gatherer: p.tel.Registry, course: newCourse()},
		forced: forced{force: document.NewForce()},
	}
	if n := len(p.cfg.Tenants) + 1; n > 1 {
		c.home, c.sharing = model.DefaultTenant, n
		c.cfg = fit(p.cfg.Shared(n), p.memory/int64(n))
	}
	return c
}

// newCell is the cell of a tenant that a configuration names. Its metrics have its name as a label.
func (p *Process) newCell(cfg config.Config, t config.Tenant) *cell {
	registry := prometheus.NewRegistry()
	c := &cell{
		base: p.base,
		own: own{
			tenant: t.Name, home: model.Home(t.Name), dir: filepath.Join(p.data, tenantsFolder, t.Name),
			registry: cost.NewMeter(prometheus.WrapRegistererWith(prometheus.Labels{"tenant": t.Name}, registry)), opened: time.Now(), gatherer: registry,
			named: t, course: newCourse(),
		},
		forced: forced{force: document.NewForce()},
	}
	c.sharing = len(cfg.Tenants) + 1
	c.cfg = fit(cfg.Of(t), p.memory/int64(c.sharing))
	// Not to our own store, which those of default read.
	c.log = p.tel.Console.With("tenant", t.Name)
	c.group = &lifecycle.Group{Logger: c.log}
	return c
}

// names are those of all tenants.
func (p *Process) names() []string {
	out := []string{model.DefaultTenant}
	for _, c := range p.others() {
		out = append(out, c.tenant)
	}
	return out
}

// others are the cells beside home, those that do not run included.
func (p *Process) others() []*cell {
	if r := p.roster.Load(); r != nil {
		return r.others
	}
	return nil
}

// cells are those that run, home first.
func (p *Process) cells() []*cell {
	out := []*cell{p.home}
	for _, c := range p.others() {
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
	p.arriving, p.over = make(chan *cell), make(chan struct{})
	var others []*cell
	for _, t := range p.cfg.Tenants {
		c := p.newCell(p.cfg, t)
		others = append(others, c)
		if err := build(ctx, c.steps()); err != nil {
			c.stop(errors.Join(err, c.group.Close()))
		}
	}
	p.roster.Store(rosterOf(p.home, others))
	if p.home.home != "" {
		p.run("rows of before tenants", p.lookBefore, nil)
	}
	if err := instrument.Register(p.tel.Registry, "tenants", servedMetric{p}, cost.Collector{Tenants: p.costs}); err != nil {
		return err
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
			for _, c := range p.others() {
				if !ran && c.stopped.Load() == nil {
					errs = append(errs, c.ofTenant(c.group.Close()))
				}
			}
			return errors.Join(errs...)
		},
	})
	return nil
}

// runTenants runs every cell, and those that arrive, until ctx ends. ready is closed once each that is there runs or failed.
func (p *Process) runTenants(ctx context.Context, ready chan<- struct{}) {
	var all sync.WaitGroup
	defer all.Wait()
	defer close(p.over)
	for _, c := range p.cells()[1:] {
		all.Go(func() { c.live(ctx) })
	}
	for _, c := range p.cells()[1:] {
		<-c.course.up
	}
	close(ready)
	for {
		select {
		case c := <-p.arriving:
			all.Go(func() { c.live(ctx) })
		case <-ctx.Done():
			return
		}
	}
}

// servedMetric says of every tenant beside default whether it is served.
type servedMetric struct{ p *Process }

var servedDesc = prometheus.NewDesc("signalbox_tenant_served",
	"1 while the tenant is served; 0 if its stores could not be opened or one of its parts failed.", []string{"tenant"}, nil)

// Describe implements prometheus.Collector.
func (servedMetric) Describe(out chan<- *prometheus.Desc) { out <- servedDesc }

// Collect implements prometheus.Collector.
func (m servedMetric) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.p.others() {
		served := 1.0
		if c.stopped.Load() != nil {
			served = 0
		}
		out <- prometheus.MustNewConstMetric(servedDesc, prometheus.GaugeValue, served, c.tenant)
	}
}

// stop says that the tenant is not served any more, and why.
func (c *cell) stop(err error) {
	c.stopped.Store(&err)
	c.tel.Logger.Error("a tenant is not served; the others are", "tenant", c.tenant, "err", err)
}

// admit refuses tenants that are not served here, and keeps the cell of the others open until the request ended.
func (p *Process) admit(a *access.Access, info front.MountInfo) (release func(), refusal *front.Refusal) {
	leave, refusal := p.admitted(a)
	if refusal != nil || p.opts.Hooks.Admit == nil {
		return leave, refusal
	}
	then, refusal := p.opts.Hooks.Admit(a, info)
	if refusal != nil {
		leave()
		return nil, refusal
	}
	return func() {
		if then != nil {
			then()
		}
		leave()
	}, nil
}

func (p *Process) admitted(a *access.Access) (leave func(), refusal *front.Refusal) {
	if len(a.Across) > 0 {
		return p.admitAcross(a)
	}
	c, refusal := p.enter(a)
	if refusal != nil {
		return nil, refusal
	}
	a.Room = c
	return c.door.leave, nil
}

// enter is the cell of a request, in which it is from now on, or why it is refused.
func (p *Process) enter(a *access.Access) (*cell, *front.Refusal) {
	c, known := p.roster.Load().byName[tenantOf(a)]
	switch {
	case !known && p.home.home == "" && a.Kind == access.Nobody:
		c = p.home // a name in a column, no boundary
	case !known:
		return nil, front.NoSuchTenant(a.Tenant)
	case c.stopped.Load() != nil:
		return nil, &front.Refusal{
			Status: http.StatusServiceUnavailable, Reason: "tenant_down", RetryAfter: 30,
			Message: "the tenant " + c.tenant + " is not served now; the log of Signalbox and the status of the tenant default say why",
		}
	}
	if refusal := c.refuses(a); refusal != nil {
		return nil, refusal
	}
	if !c.door.enter() {
		return nil, &front.Refusal{
			Status: http.StatusServiceUnavailable, Reason: "tenant_changes", RetryAfter: 5,
			Message: "the tenant " + c.tenant + " is being opened anew or taken out by a reload; send the request again",
		}
	}
	return c, nil
}

func tenantOf(a *access.Access) string {
	if a == nil || a.Tenant == "" {
		return model.DefaultTenant
	}
	return a.Tenant
}

// cellOf is the cell of a request, as it was admitted: a tenant that is taken out meanwhile does not become another.
func (p *Process) cellOf(ctx context.Context) *cell {
	if a := access.From(ctx); a != nil {
		if len(a.Across) > 0 {
			return nil // no one of them
		}
		if c, ok := a.Room.(*cell); ok {
			return c
		}
	}
	return p.home
}

// dispatch answers with the handler of the request's tenant. Handlers find the tenant in its header, whatever was sent.
func (p *Process) dispatch(of func(*cell) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who := access.From(r.Context()); who != nil && len(who.Across) > 0 {
			p.serveAcross(w, r, who)
			return
		}
		c := p.cellOf(r.Context())
		if c.home != "" {
			r.Header.Set(model.TenantHeader, c.tenant)
		}
		ctx, release := c.door.hold(r.Context())
		defer release()
		of(c).ServeHTTP(w, r.WithContext(ctx))
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
