package diagnose

import (
	"github.com/signalbox-project/signalbox/internal/model"
)

// ServiceSummary is one service at a glance; a nil figure means no data.
type ServiceSummary struct {
	Service    string        `json:"service"`
	Tenant     string        `json:"tenant,omitempty" doc:"of which it is, where several tenants were read"`
	Rate       *float64      `json:"rate" doc:"requests per second"`
	ErrorRatio *float64      `json:"error_ratio" doc:"0 to 1"`
	P95Seconds *float64      `json:"p95_seconds"`
	SLOState   string        `json:"slo_state" enum:"ok,burning,exhausted,insufficient,none" doc:"the worst of its SLOs"`
	Versions   []string      `json:"versions" doc:"running versions, by traffic"`
	LastDeploy *model.Deploy `json:"last_deploy"`
}

// ServiceDetail is everything the service page shows.
type ServiceDetail struct {
	Service    string            `json:"service"`
	Summary    string            `json:"summary"`
	Cause      *model.Cause      `json:"cause,omitempty" doc:"of what is unusual now"`
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
