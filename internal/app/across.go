package app

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/api/events"
	"github.com/signalbox-project/signalbox/internal/api/objectives"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/query/across"
	"github.com/signalbox-project/signalbox/internal/query/promql"
)

// buildAcross makes what answers requests that read several tenants, with the limits of one.
func (p *Process) buildAcross(context.Context) error {
	registry := prometheus.WrapRegistererWith(prometheus.Labels{"tenant": "several"}, prometheus.NewRegistry())
	engine, err := promql.New(p.home.cfg.Query, promql.Deps{Logger: p.component("promql"), Queryable: across.Queryable{Parts: p.parts}})
	if err != nil {
		return err
	}
	prom, err := promql.NewAcross(engine)
	if err != nil {
		return err
	}
	own, err := api.New(p.home.cfg.API, api.Deps{
		Logger: p.component("api"), Registerer: registry,
		Events:     events.Deps{Filter: p.home.search, Logs: across.Events{Parts: p.parts}, Spans: across.Events{Parts: p.parts}, Traces: p.home.search},
		Objectives: objectives.Deps{SLOs: across.SLOs{Parts: p.parts}},
	})
	if err != nil {
		return err
	}
	p.across = http.NewServeMux()
	for _, pattern := range promql.AcrossRoutes() {
		p.across.Handle(pattern, prom)
	}
	for _, path := range []string{
		"/logs", "/logs/histogram", "/logs/fields", "/logs/values",
		"/traces", "/traces/histogram", "/traces/fields", "/traces/values", "/traces/{id}", "/slos",
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
			Metrics: promql.Apart(c.metrics), Logs: c.search, Spans: c.search,
			SLOs: func(ctx context.Context) ([]model.SLOStatus, error) {
				slos, _, err := c.slos.SLOs(ctx, "")
				return slos, err
			},
		})
	}
	return out
}

// serveAcross answers a request that reads several tenants.
func (p *Process) serveAcross(w http.ResponseWriter, r *http.Request, who *access.Access) {
	h, pattern := p.across.Handler(r)
	if pattern == "" {
		http.Error(w, model.TenantHeader+": names several tenants, which this endpoint does not read together: name one", http.StatusBadRequest)
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
