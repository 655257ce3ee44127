package api

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/model"
)

// ServicesResponse lists services.
type ServicesResponse struct {
	Services []diagnose.ServiceSummary `json:"services"`
}

// TopologyResponse lists who calls whom.
type TopologyResponse struct {
	Edges []model.Edge `json:"edges"`
}

// CausesResponse is what caused what fails now.
type CausesResponse struct {
	Causes  []cause.Group `json:"causes" doc:"those of most SLOs first; what fails of the same cause is folded under it"`
	Summary string        `json:"summary" doc:"one sentence; empty while no SLO burns"`
}

type causesInput struct {
	TenantInput
}

type servicesInput struct {
	TenantInput
	RangeInput
}

type serviceInput struct {
	TenantInput
	RangeInput
	Name string `path:"name" maxLength:"200"`
}

func (a *API) registerServices() {
	op := func(id, path, summary string, served bool) operation {
		return operation{id: id, path: path, tag: "services", summary: summary, served: served, room: "services"}
	}
	register(a, op("listServices", "/services", "All services at a glance", a.deps.Services != nil), a.listServices)
	register(a, op("getService", "/services/{name}", "One service: golden signals, versions, dependencies, SLOs", a.deps.Services != nil), a.getService)
	register(a, op("listCauses", "/causes", "What caused what fails now", a.deps.Causes != nil), a.listCauses)
	register(a, op("getTopology", "/topology", "Who calls whom", a.deps.Topology != nil), a.getTopology)
}

func (a *API) listServices(ctx context.Context, in *servicesInput) (ServicesResponse, error) {
	start, end, err := parseRange(in.Start, in.End, a.now())
	if err != nil {
		return ServicesResponse{}, err
	}
	list, err := a.deps.Services.Services(ctx, in.Tenant, start, end)
	return ServicesResponse{Services: list}, err
}

func (a *API) getService(ctx context.Context, in *serviceInput) (diagnose.ServiceDetail, error) {
	start, end, err := parseRange(in.Start, in.End, a.now())
	if err != nil {
		return diagnose.ServiceDetail{}, err
	}
	return a.deps.Services.Service(ctx, in.Tenant, in.Name, start, end)
}

func (a *API) listCauses(ctx context.Context, in *causesInput) (CausesResponse, error) {
	list, summary, err := a.deps.Causes.Causes(ctx, in.Tenant)
	return CausesResponse{Causes: list, Summary: summary}, err
}

func (a *API) getTopology(ctx context.Context, in *servicesInput) (TopologyResponse, error) {
	r, err := a.timeRange(in.RangeInput)
	if err != nil {
		return TopologyResponse{}, err
	}
	edges, err := a.deps.Topology.Edges(ctx, in.Tenant, r)
	return TopologyResponse{Edges: edges}, err
}
