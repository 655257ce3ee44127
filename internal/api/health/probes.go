package health

import (
	"context"
	"slices"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/probe"
)

// ProbesResponse lists the synthetic probes with their last results.
type ProbesResponse struct {
	Probes []probe.Probe `json:"probes" doc:"by name"`
}

type probesInput struct {
	Service string `query:"service" maxLength:"200" doc:"only probes with this label service"`
	State   string `query:"state" enum:"pending,up,down,not_run" doc:"only probes in this state"`
}

func (h *handlers) registerProbes() {
	operation.Register(h.Registry, operation.Operation{
		ID: "listProbes", Path: "/probes", Tag: "probes", Permission: access.ProbesRead, Summary: "Synthetic probes with their last result and next run",
		Served: h.deps.Probes != nil, Room: "probes",
	}, func(ctx context.Context, in *probesInput) (ProbesResponse, error) {
		service := operation.NameOf(in.Service)
		list := slices.DeleteFunc(h.deps.Probes.Probes(ctx), func(s probe.Probe) bool {
			return service != "" && s.Labels["service"] != service || in.State != "" && s.State != in.State
		})
		return ProbesResponse{Probes: list}, nil
	})
}
