package api

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/model"
)

// ServicesResponse lists services.
type ServicesResponse struct {
	Services []model.ServiceSummary `json:"services"`
}

// TopologyResponse lists who calls whom.
type TopologyResponse struct {
	Edges []model.Edge `json:"edges"`
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
	register(a, op("getService", "/services/{name}", "One service: golden signals, versions, dependencies, promises", a.deps.Services != nil), a.getService)
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

func (a *API) getService(ctx context.Context, in *serviceInput) (model.ServiceDetail, error) {
	start, end, err := parseRange(in.Start, in.End, a.now())
	if err != nil {
		return model.ServiceDetail{}, err
	}
	return a.deps.Services.Service(ctx, in.Tenant, in.Name, start, end)
}

func (a *API) getTopology(ctx context.Context, in *servicesInput) (TopologyResponse, error) {
	r, err := a.timeRange(in.RangeInput)
	if err != nil {
		return TopologyResponse{}, err
	}
	edges, err := a.deps.Topology.Edges(ctx, in.Tenant, r)
	return TopologyResponse{Edges: edges}, err
}
