package api

import (
	"context"
	"net/http"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/canary"
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

// OverrideRequest says who lets a stopped deployment pass, and why.
type OverrideRequest struct {
	Actor  string `json:"actor" minLength:"1" maxLength:"200" doc:"who answers for it"`
	Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"at least gate.override_reason letters"`
}

type overrideInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body OverrideRequest
}

type canaryInput struct {
	Body canary.Request
}

type noInput struct{}

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
	a.registerGateMore()
}

// registerGateMore is what people and auditors do with decisions.
func (a *API) registerGateMore() {
	op := func(id, method, path, summary string) operation {
		return operation{id: id, method: method, path: path, tag: "gate", summary: summary, served: a.deps.Gate != nil, room: "gate decisions"}
	}
	register(a, op("overrideDecision", http.MethodPost, "/gate/decisions/{id}/override", "Break glass: let this version pass for a while, with a name and a reason"),
		func(ctx context.Context, in *overrideInput) (model.GateDecision, error) {
			return a.deps.Gate.Override(ctx, in.ID, in.Body.Actor, in.Body.Reason)
		})
	register(a, op("replayDecision", http.MethodPost, "/gate/decisions/{id}/replay", "Decide again from the stored input and policies"),
		func(ctx context.Context, in *decisionInput) (gate.Replay, error) {
			return a.deps.Gate.Replay(ctx, in.ID)
		})
	register(a, op("getGateKey", "", "/gate/key", "The public key that decisions are verified with"),
		func(context.Context, *noInput) (gate.PublicKey, error) { return a.deps.Gate.Key() })
	register(a, operation{
		id: "getGatePolicies", path: "/gate/policies", tag: "gate", summary: "Budget policies, and what they mean now",
		served: a.deps.GatePolicies != nil, room: "gate policies",
	}, func(ctx context.Context, _ *noInput) (gate.PolicyView, error) { return a.deps.GatePolicies.View(ctx) })
	register(a, operation{
		id: "compareCanary", method: http.MethodPost, path: "/gate/canary", tag: "gate", summary: "Is this version worse than that one? 200 for every verdict",
		served: a.deps.Canary != nil, room: "canary comparisons",
	}, func(ctx context.Context, in *canaryInput) (canary.Result, error) {
		return a.deps.Canary.Compare(ctx, in.Body)
	})
}

func (a *API) listDecisions(ctx context.Context, in *decisionsInput) (DecisionsResponse, error) {
	list, next, err := a.deps.Decisions.Decisions(ctx, store.DecisionQuery{
		Service: nameOf(in.Service), Verdict: model.Verdict(in.Verdict), Limit: in.Limit, Before: in.Before,
	})
	return DecisionsResponse{Decisions: list, Next: next}, err
}
