package api

import (
	"context"
	"net/http"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// DecisionsResponse is a page of gate decisions.
type DecisionsResponse struct {
	Decisions []model.GateDecision `json:"decisions" doc:"newest first"`
	Next      string               `json:"next" doc:"pass as before to get the next page; empty at the end"`
}

type gateInput struct {
	Body model.GateRequest
}

type decisionsInput struct {
	Service string `query:"service" maxLength:"200"`
	Verdict string `query:"verdict" enum:"allow,hold,block,insufficient"`
	Limit   int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
	Before  string `query:"before" maxLength:"200" doc:"next of the page before"`
}

type decisionInput struct {
	ID string `path:"id" maxLength:"200"`
}

func (a *API) registerGate() {
	op := func(id, path, summary string) operation {
		return operation{id: id, path: path, tag: "gate", summary: summary, served: a.deps.Decisions != nil, room: "gate decisions"}
	}
	register(a, operation{
		id: "decideGate", method: http.MethodPost, path: "/gate", tag: "gate", summary: "May this version be deployed? 200 for every verdict",
		served: a.deps.Gate != nil, room: "gate decisions",
	},
		func(ctx context.Context, in *gateInput) (model.GateDecision, error) {
			return a.deps.Gate.Decide(ctx, in.Body)
		})
	register(a, op("listDecisions", "/gate/decisions", "Past decisions with their evidence"), a.listDecisions)
	register(a, op("getDecision", "/gate/decisions/{id}", "One decision"),
		func(ctx context.Context, in *decisionInput) (model.GateDecision, error) {
			return a.deps.Decisions.Decision(ctx, in.ID)
		})
}

func (a *API) listDecisions(ctx context.Context, in *decisionsInput) (DecisionsResponse, error) {
	list, next, err := a.deps.Decisions.Decisions(ctx, store.DecisionQuery{
		Service: nameOf(in.Service), Verdict: model.Verdict(in.Verdict), Limit: in.Limit, Before: in.Before,
	})
	return DecisionsResponse{Decisions: list, Next: next}, err
}
