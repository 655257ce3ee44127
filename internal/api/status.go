package api

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify/courier"
)

// Status is what this process is.
type Status struct {
	Version        string            `json:"version"`
	Revision       string            `json:"revision"`
	Started        time.Time         `json:"started"`
	UptimeSeconds  float64           `json:"uptime_seconds"`
	Roles          []string          `json:"roles"`
	Demo           bool              `json:"demo"`
	ExternalLabels map[string]string `json:"external_labels"`
	Config         ConfigStatus      `json:"config" doc:"the configuration in force"`
	Tenants        []TenantStatus    `json:"tenants" doc:"the tenants of this process that you may see; one where the configuration names none"`
	Channels       []courier.State   `json:"channels" doc:"channels to people, and how they fare"`
	Problems       []model.Problem   `json:"problems" doc:"what is wrong now; empty when all is well"`
}

// TenantStatus is a tenant of the process.
type TenantStatus struct {
	Name   string `json:"name"`
	Served bool   `json:"served" doc:"false while its stores could not be opened or its parts failed: see the problems of the tenant default"`
	Series uint64 `json:"active_series"`
	// Bytes are of the files, looked at once a minute at most.
	Bytes  map[string]int64 `json:"disk_bytes" doc:"by store: metrics, events, state"`
	AtRest []AtRest         `json:"at_rest" doc:"what encrypts the data on the disk, part by part"`
}

// AtRest is how one part of what is kept lies on the disk.
type AtRest struct {
	Part string `json:"part" enum:"samples,events,state,secrets" doc:"events are logs and spans; state is all that is not named here: alerts, decisions, the audit log"`
	// By names settings, so that who reads it knows where to look.
	By     []string `json:"encrypted_by" doc:"storage.encrypt, events.encrypt, seal.keys; empty where it lies plain, unless the volume below is encrypted, which is not known"`
	Partly bool     `json:"partly" doc:"true while some of it is still kept otherwise than is set: see the problems"`
}

// ConfigStatus is the configuration in force: what every part of the process runs by.
type ConfigStatus struct {
	File       string    `json:"file" doc:"empty for the defaults"`
	Hash       string    `json:"sha256" doc:"of the file as it was read, as sha256sum prints it; empty for the defaults"`
	Generation uint64    `json:"generation" doc:"1 at the start, one more with every reload that was taken"`
	LoadedAt   time.Time `json:"loaded_at"`
	ReloadedAt time.Time `json:"last_reload_at" doc:"when a load was last tried"`
	// InForce is read at one moment: its numbers belong to one generation.
	InForce         map[string]int `json:"in_force" doc:"how many of each kind are in force"`
	ReloadSucceeded bool           `json:"last_reload_successful" doc:"false while the last one found errors: see problems"`
}

func (a *API) registerStatus() {
	operation.Register(a.ops, operation.Operation{
		ID: "getStatus", Path: "/status", Tag: "status", Permission: access.StatusRead, Summary: "What this process is and what is wrong with it",
		Served: a.deps.Status != nil, Room: "status reports",
	}, func(ctx context.Context, _ *struct{}) (Status, error) {
		return a.deps.Status.Status(ctx), nil
	})
}
