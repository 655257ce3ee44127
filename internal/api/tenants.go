package api

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
)

// TenantsResponse lists tenants and what they take.
type TenantsResponse struct {
	Tenants []TenantUsage `json:"tenants" doc:"those that you may see, default first"`
	Unowned []Unowned     `json:"unowned" doc:"what lies on the disk under a name that is no tenant's, or was not when it was stored; told to who may see default"`
}

// TenantUsage is a tenant, what it takes and what it may.
type TenantUsage struct {
	TenantStatus
	Since     time.Time         `json:"since" doc:"when it was opened: usage counts from then"`
	Problem   string            `json:"problem,omitempty" doc:"why it is not served"`
	Problems  TenantProblems    `json:"problems"`
	LastData  *time.Time        `json:"last_data,omitempty" doc:"when something came last, scraped or sent; missing where nothing came since it was opened"`
	Turns     []TenantTurns     `json:"turns" doc:"what of it is worked on now; empty without other tenants"`
	Usage     model.Usage       `json:"usage"`
	Limits    TenantLimits      `json:"limits"`
	Retention map[string]string `json:"retention" doc:"by signal: metrics, logs, spans"`
}

// TenantProblems is how many problems its status has: ask for that as the tenant to see them.
type TenantProblems struct {
	Critical int `json:"critical"`
	Warnings int `json:"warnings"`
}

// TenantTurns are what a tenant has under way of one kind, beside what the other tenants have.
type TenantTurns struct {
	Kind    string `json:"kind" enum:"questions,writes,evaluations"`
	Now     int    `json:"now" doc:"worked on"`
	Waiting int    `json:"waiting" doc:"for their turn"`
	Most    int    `json:"most" doc:"that may be worked on at once"`
}

// TenantLimits are those in force.
type TenantLimits struct {
	MaxSeries    int   `json:"max_series" doc:"active series; 0 is none"`
	MaxBytes     int64 `json:"max_bytes" doc:"of blocks of metrics; 0 is none"`
	MaxSamples   int   `json:"max_samples" doc:"that a query holds in memory"`
	MaxQueries   int   `json:"max_queries" doc:"of PromQL at once"`
	MaxRequests  int   `json:"max_requests" doc:"at once"`
	MaxDiskBytes int64 `json:"max_disk_bytes" doc:"of all stores, beyond which what is sent is refused; 0 is none"`
}

// Unowned is data that no tenant sees as its own.
type Unowned struct {
	Tenant string `json:"tenant" doc:"the name under which it was stored"`
	Where  string `json:"where" doc:"the folder"`
	Logs   uint64 `json:"logs" doc:"records among those of default"`
	Spans  uint64 `json:"spans" doc:"spans among those of default"`
	Cure   string `json:"cure" doc:"what to do about it"`
}

func (a *API) registerTenants() {
	operation.Register(a.ops, operation.Operation{
		ID: "listTenants", Path: "/tenants", Tag: "status", Permission: access.StatusRead, Summary: "The tenants, what each takes and may",
		Served: a.deps.Tenants != nil, Room: "tenants",
	}, func(ctx context.Context, _ *struct{}) (TenantsResponse, error) {
		return a.deps.Tenants.Tenants(ctx), nil
	})
}
