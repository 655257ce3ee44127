package releases

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// RemediesResponse lists what was done, or not done, about breaches.
type RemediesResponse struct {
	Remedies []model.Remedy `json:"remedies" doc:"the newest breach first"`
}

type remediesInput struct {
	Service string `query:"service" maxLength:"200"`
	State   string `query:"state" enum:"watching,declined,executing,verifying,planned,recovered,unhelpful,failed,ended"`
	Open    bool   `query:"open" doc:"only those that may still change"`
	Limit   int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

func (h *handlers) registerRemedies() {
	operation.Register(h.Registry, operation.Operation{
		ID: "listRemedies", Path: "/remedies", Tag: "remedies", Permission: access.RemediesRead, Summary: "Rollbacks, planned, done and declined, with their evidence",
		Served: h.deps.Remedies != nil, Room: "remedies",
	}, func(ctx context.Context, in *remediesInput) (RemediesResponse, error) {
		list, err := h.deps.Remedies.Remedies(ctx, store.RemedyQuery{
			Service: operation.NameOf(in.Service), State: model.RemedyState(in.State), Open: in.Open, Limit: in.Limit,
		})
		return RemediesResponse{Remedies: list}, err
	})
}
