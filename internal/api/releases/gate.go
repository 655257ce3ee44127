package releases

import (
	"context"
	"net/http"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/bands"
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

type decisionInput struct {
	ID string `path:"id" maxLength:"200"`
}

func (h *handlers) registerGate() {
	op := func(id, path, summary string) operation.Operation {
		return operation.Operation{ID: id, Path: path, Tag: "gate", Permission: access.GateRead, Summary: summary, Served: h.deps.Decisions != nil, Room: "gate decisions"}
	}
	operation.Register(h.Registry, operation.Operation{
		ID: "decideGate", Method: http.MethodPost, Path: "/gate", Tag: "gate", Permission: access.GateAsk, Summary: "May this version be deployed? 200 for every verdict",
		Served: h.deps.Gate != nil, Room: "gate decisions",
	},
		func(ctx context.Context, in *gateInput) (model.GateDecision, error) {
			return h.decide(ctx, in.Body)
		})
	operation.Register(h.Registry, op("listDecisions", "/gate/decisions", "Past decisions with their evidence"), h.listDecisions)
	operation.Register(h.Registry, op("getDecision", "/gate/decisions/{id}", "One decision"),
		func(ctx context.Context, in *decisionInput) (model.GateDecision, error) {
			return h.deps.Decisions.Decision(ctx, in.ID)
		})
	h.registerGateMore()
}

// registerGateMore is what people and auditors do with decisions.
func (h *handlers) registerGateMore() {
	op := func(id, method, path string, p access.Permission, summary string) operation.Operation {
		return operation.Operation{ID: id, Method: method, Path: path, Tag: "gate", Permission: p, Summary: summary, Served: h.deps.Gate != nil, Room: "gate decisions"}
	}
	operation.Register(h.Registry, op("overrideDecision", http.MethodPost, "/gate/decisions/{id}/override", access.GateOverride, "Break glass: let this version pass for a while, with a name and a reason"),
		func(ctx context.Context, in *overrideInput) (model.GateDecision, error) {
			return h.override(ctx, in)
		})
	operation.Register(h.Registry, op("replayDecision", http.MethodPost, "/gate/decisions/{id}/replay", access.GateRead, "Decide again from the stored input and policies"),
		func(ctx context.Context, in *decisionInput) (gate.Replay, error) {
			return h.replay(ctx, in.ID)
		})
	operation.Register(h.Registry, op("getGateKey", "", "/gate/key", access.GateRead, "The public key that decisions are verified with"),
		h.gateKey)
	operation.Register(h.Registry, operation.Operation{
		ID: "getGatePolicies", Path: "/gate/policies", Tag: "gate", Permission: access.GateRead, Summary: "Budget policies, and what they mean now",
		Served: h.deps.GatePolicies != nil, Room: "gate policies",
	}, func(ctx context.Context, _ *operation.NoInput) (bands.PolicyView, error) {
		return h.deps.GatePolicies.View(ctx) // of the SLOs that the caller sees
	})
	operation.Register(h.Registry, operation.Operation{
		ID: "compareCanary", Method: http.MethodPost, Path: "/gate/canary", Tag: "gate", Permission: access.GateAsk, Work: front.Question, Summary: "Is this version worse than that one? 200 for every verdict",
		Served: h.deps.Canary != nil, Room: "canary comparisons",
	}, func(ctx context.Context, in *canaryInput) (canary.Result, error) {
		if err := h.known(ctx, in.Body.Service); err != nil {
			return canary.Result{}, err
		}
		return h.deps.Canary.Compare(ctx, in.Body)
	})
}

func (h *handlers) listDecisions(ctx context.Context, in *decisionsInput) (DecisionsResponse, error) {
	list, next, err := h.deps.Decisions.Decisions(ctx, store.DecisionQuery{
		Service: operation.NameOf(in.Service), Verdict: model.Verdict(in.Verdict), Limit: in.Limit, Before: in.Before,
	})
	return DecisionsResponse{Decisions: list, Next: next}, err
}

// gateKey is the key in use with those of before, each with what is wrong with it.
func (h *handlers) gateKey(ctx context.Context, _ *operation.NoInput) (gate.PublicKey, error) {
	k, err := h.deps.Gate.Key()
	if err != nil || h.deps.KeyFault == nil {
		return k, err
	}
	k.Tampered = h.deps.KeyFault(ctx, k.KeyID, k.PEM)
	for i, old := range k.Former {
		k.Former[i].Tampered = h.deps.KeyFault(ctx, old.KeyID, old.PEM)
	}
	return k, nil
}
