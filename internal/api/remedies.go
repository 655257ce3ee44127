package api

import (
	"context"

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

func (a *API) registerRemedies() {
	register(a, operation{
		id: "listRemedies", path: "/remedies", tag: "remedies", summary: "Rollbacks, planned, done and declined, with their evidence",
		served: a.deps.Remedies != nil, room: "remedies",
	}, func(ctx context.Context, in *remediesInput) (RemediesResponse, error) {
		list, err := a.deps.Remedies.Remedies(ctx, store.RemedyQuery{
			Service: nameOf(in.Service), State: model.RemedyState(in.State), Open: in.Open, Limit: in.Limit,
		})
		return RemediesResponse{Remedies: list}, err
	})
}
