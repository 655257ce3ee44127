package health

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/front"
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
	operation.TenantInput
}

type servicesInput struct {
	operation.TenantInput
	operation.RangeInput
}

type serviceInput struct {
	operation.TenantInput
	operation.RangeInput
	Name string `path:"name" maxLength:"200"`
}

func (h *handlers) registerServices() {
	op := func(id, path, summary string, served bool) operation.Operation {
		return operation.Operation{ID: id, Path: path, Tag: "services", Permission: access.ServicesRead, Work: front.Question, Summary: summary, Served: served, Room: "services"}
	}
	operation.Register(h.Registry, op("listServices", "/services", "All services at a glance", h.deps.Services != nil), h.listServices)
	operation.Register(h.Registry, op("getService", "/services/{name}", "One service: golden signals, versions, dependencies, SLOs", h.deps.Services != nil), h.getService)
	operation.Register(h.Registry, op("listCauses", "/causes", "What caused what fails now", h.deps.Causes != nil), h.listCauses)
	operation.Register(h.Registry, op("getTopology", "/topology", "Who calls whom", h.deps.Topology != nil), h.getTopology)
}

func (h *handlers) listServices(ctx context.Context, in *servicesInput) (ServicesResponse, error) {
	start, end, err := operation.ParseRange(in.Start, in.End, h.Now())
	if err != nil {
		return ServicesResponse{}, err
	}
	list, err := h.deps.Services.Services(ctx, in.Tenant, start, end)
	return ServicesResponse{Services: list}, err
}

func (h *handlers) getService(ctx context.Context, in *serviceInput) (diagnose.ServiceDetail, error) {
	start, end, err := operation.ParseRange(in.Start, in.End, h.Now())
	if err != nil {
		return diagnose.ServiceDetail{}, err
	}
	return h.deps.Services.Service(ctx, in.Tenant, in.Name, start, end)
}

func (h *handlers) listCauses(ctx context.Context, in *causesInput) (CausesResponse, error) {
	list, summary, err := h.deps.Causes.Causes(ctx, in.Tenant)
	return CausesResponse{Causes: list, Summary: summary}, err
}

func (h *handlers) getTopology(ctx context.Context, in *servicesInput) (TopologyResponse, error) {
	r, err := h.TimeRange(in.RangeInput)
	if err != nil {
		return TopologyResponse{}, err
	}
	edges, err := h.deps.Topology.Edges(ctx, in.Tenant, r)
	return TopologyResponse{Edges: edges}, err
}
