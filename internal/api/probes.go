package api

import (
	"context"
	"slices"

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

func (a *API) registerProbes() {
	register(a, operation{
		id: "listProbes", path: "/probes", tag: "probes", summary: "Synthetic probes with their last result and next run",
		served: a.deps.Probes != nil, room: "probes",
	}, func(ctx context.Context, in *probesInput) (ProbesResponse, error) {
		service := nameOf(in.Service)
		list := slices.DeleteFunc(a.deps.Probes.Probes(ctx), func(s probe.Probe) bool {
			return service != "" && s.Labels["service"] != service || in.State != "" && s.State != in.State
		})
		return ProbesResponse{Probes: list}, nil
	})
}
