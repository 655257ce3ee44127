package api

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
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
	Problems       []model.Problem   `json:"problems" doc:"what is wrong now; empty when all is well"`
}

func (a *API) registerStatus() {
	register(a, operation{
		id: "getStatus", path: "/status", tag: "status", summary: "What this process is and what is wrong with it",
		served: a.deps.Status != nil, room: "status reports",
	}, func(ctx context.Context, _ *struct{}) (Status, error) {
		return a.deps.Status.Status(ctx), nil
	})
}
