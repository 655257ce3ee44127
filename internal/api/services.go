package api

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/model"
)

// ServicesResponse lists services.
type ServicesResponse struct {
	Services []ServiceSummary `json:"services"`
}

// ServiceSummary is one service at a glance; a nil figure means no data.
type ServiceSummary struct {
	Service    string        `json:"service"`
	Rate       *float64      `json:"rate" doc:"requests per second"`
	ErrorRatio *float64      `json:"error_ratio" doc:"0 to 1"`
	P95Seconds *float64      `json:"p95_seconds"`
	SLOState   string        `json:"slo_state" enum:"ok,burning,exhausted,insufficient,none" doc:"the worst of its promises"`
	Versions   []string      `json:"versions" doc:"running versions, by traffic"`
	LastDeploy *model.Deploy `json:"last_deploy"`
}

// ServiceDetail is everything the service page shows.
type ServiceDetail struct {
	Service    string            `json:"service"`
	Summary    string            `json:"summary"`
	Rate       *float64          `json:"rate" doc:"requests per second"`
	ErrorRatio *float64          `json:"error_ratio" doc:"0 to 1"`
	P50Seconds *float64          `json:"p50_seconds"`
	P95Seconds *float64          `json:"p95_seconds"`
	P99Seconds *float64          `json:"p99_seconds"`
	Versions   []ServiceSlice    `json:"versions"`
	Routes     []ServiceSlice    `json:"routes"`
	Regions    []ServiceSlice    `json:"regions"`
	DependsOn  []model.Edge      `json:"depends_on"`
	UsedBy     []model.Edge      `json:"used_by"`
	SLOs       []model.SLOStatus `json:"slos"`
	Deploys    []model.Deploy    `json:"deploys" doc:"newest first"`
	Queries    ServiceQueries    `json:"queries"`
}

// ServiceSlice is a service's traffic cut by one value of version, route or
// region.
type ServiceSlice struct {
	Value      string   `json:"value"`
	Rate       *float64 `json:"rate"`
	ErrorRatio *float64 `json:"error_ratio"`
	P95Seconds *float64 `json:"p95_seconds"`
}

// ServiceQueries are the PromQL expressions behind a service's golden signals.
type ServiceQueries struct {
	Rate       string `json:"rate"`
	Errors     string `json:"errors"`
	P50        string `json:"p50"`
	P95        string `json:"p95"`
	P99        string `json:"p99"`
	Saturation string `json:"saturation"`
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

func (a *API) getService(ctx context.Context, in *serviceInput) (ServiceDetail, error) {
	start, end, err := parseRange(in.Start, in.End, a.now())
	if err != nil {
		return ServiceDetail{}, err
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
