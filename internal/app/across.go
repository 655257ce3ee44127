package app

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/api/events"
	"github.com/signalbox-project/signalbox/internal/api/health"
	"github.com/signalbox-project/signalbox/internal/api/objectives"
	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/query/across"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/store"
)

// buildAcross makes what answers requests that read several tenants, with the limits of one.
func (p *Process) buildAcross(context.Context) error {
	registry := prometheus.WrapRegistererWith(prometheus.Labels{"tenant": "several"}, prometheus.NewRegistry())
	engine, err := promql.New(p.home.cfg.Query, promql.Deps{Logger: p.component("promql"), Queryable: across.Queryable{Parts: p.parts}})
	if err != nil {
		return err
	}
	series := across.Queryable{Parts: p.parts}
	prom, err := promql.NewAcross(engine, series)
	if err != nil {
		return err
	}
	federation, err := promql.NewFederation(engine, promql.FederationDeps{Logger: p.component("api"), Registerer: registry, Storage: series})
	if err != nil {
		return err
	}
	records := across.Events{Parts: p.parts}
	own, err := api.New(p.home.cfg.API, api.Deps{
		Logger: p.component("api"), Registerer: registry,
		Events:     events.Deps{Filter: p.home.search, Logs: records, Spans: records, Tail: records, Traces: p.home.search},
		Objectives: objectives.Deps{SLOs: across.SLOs{Parts: p.parts}},
		Health:     health.Deps{Services: servicesAcross{}},
	})
	if err != nil {
		return err
	}
	p.across = http.NewServeMux()
	for _, pattern := range promql.AcrossRoutes() {
		p.across.Handle(pattern, prom)
	}
	p.across.Handle("GET "+promql.FederationPath, federation)
	for _, path := range []string{
		"/logs", "/logs/tail", "/logs/histogram", "/logs/fields", "/logs/values",
		"/traces", "/traces/histogram", "/traces/fields", "/traces/values", "/traces/{id}", "/slos", "/services",
	} {
		p.across.Handle("GET /sb/v1"+path, own.Handler())
	}
	return nil
}

// parts are the tenants that a request reads, each asked as its caller may.
func (p *Process) parts(ctx context.Context) (out []across.Part) {
	for _, who := range access.From(ctx).Across {
		c, ok := who.Room.(*cell)
		if !ok {
			continue // never admitted
		}
		out = append(out, across.Part{
			Tenant:  c.tenant,
			Context: func(ctx context.Context) context.Context { return access.With(ctx, who) },
			Metrics: promql.Apart(c.metrics), Exemplars: promql.ApartExemplars(promql.Shown(c.metrics, c.masks.Value)), Logs: c.search, Spans: c.search, Tail: c.search.Tail.Tail,
			SLOs: func(ctx context.Context) ([]model.SLOStatus, error) {
				slos, _, err := c.shownSLOs().SLOs(ctx, "")
				return slos, err
			},
		})
	}
	return out
}

// servicesAcross lists the services of several tenants; of one alone it tells nothing, since a name may be there twice.
type servicesAcross struct{}

// Services are those of all, tenant by tenant.
func (servicesAcross) Services(ctx context.Context, _ string, start, end time.Time) (out []diagnose.ServiceSummary, err error) {
	out = []diagnose.ServiceSummary{}
	for _, who := range access.From(ctx).Across {
		c, ok := who.Room.(*cell)
		if !ok {
			continue // never admitted
		}
		some, err := c.diagnose.Services(access.With(ctx, who), c.tenant, start, end)
		if err != nil {
			return nil, c.ofTenant(err)
		}
		for i := range some {
			some[i].Tenant = c.tenant
		}
		out = append(out, some...)
	}
	return out, nil
}

// Service implements what one tenant answers.
func (servicesAcross) Service(context.Context, string, string, time.Time, time.Time) (diagnose.ServiceDetail, error) {
	return diagnose.ServiceDetail{}, fmt.Errorf("one service is asked of one tenant: %w", store.ErrNotFound)
}

// serveAcross answers a request that reads several tenants.
func (p *Process) serveAcross(w http.ResponseWriter, r *http.Request, who *access.Access) {
	h, pattern := p.across.Handler(r)
	if pattern == "" {
		message := "names several tenants, which this endpoint does not read together: name one"
		if r.URL.Path == "/api/v1/metadata" {
			message = "names several tenants, whose metrics may differ in type and unit under one name: name one"
		}
		http.Error(w, model.TenantHeader+": "+message, http.StatusBadRequest)
		return
	}
	// What each tenant hides is hidden where it is read; here are only rows that the caller may see.
	seen := *who
	seen.Scope = access.Scope{All: true}
	ctx := access.With(r.Context(), &seen)
	for _, one := range who.Across {
		if c, ok := one.Room.(*cell); ok {
			held, release := c.door.hold(ctx)
			defer release()
			ctx = held
		}
	}
	r = r.Clone(ctx)
	r.Header.Del(model.TenantHeader)
	h.ServeHTTP(w, r)
}

// admitAcross lets a request into every tenant that it reads, or into none.
func (p *Process) admitAcross(a *access.Access) (leave func(), refusal *front.Refusal) {
	var in []*cell
	leave = func() {
		for _, c := range in {
			c.door.leave()
		}
	}
	for _, one := range a.Across {
		c, refusal := p.enter(one)
		if refusal == nil && c.home == "" {
			c.door.leave()
			refusal = &front.Refusal{
				Status: http.StatusBadRequest, Reason: "tenant",
				Message: model.TenantHeader + ": names several tenants, and this server keeps none apart: name one, or name them under tenants: in the configuration",
			}
		}
		if refusal != nil {
			leave()
			return nil, refusal
		}
		one.Room = c
		in = append(in, c)
	}
	return leave, nil
}
