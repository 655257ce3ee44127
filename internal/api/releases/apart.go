package releases

import (
	"context"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Who is bound to namespaces asks the gate about their own services. The verdict is everybody's; what it rests on is shown as far as they see it.

// Owners knows to whom services belong; ownership.Owners does.
type Owners interface {
	// Known is nil where the caller sees a service, and otherwise what it would be if there were none.
	Known(ctx context.Context, service string) error
	// Whole is nil where all that there is of a service is the caller's.
	Whole(ctx context.Context, service string) error
	// Hide takes out of a decision what a scope does not see.
	Hide(ctx context.Context, scope access.Scope, d model.GateDecision) (model.GateDecision, error)
}

func (h *handlers) known(ctx context.Context, service string) error {
	if access.ScopeOf(ctx).All || h.deps.Owners == nil {
		return nil
	}
	return h.deps.Owners.Known(ctx, strings.TrimSpace(service))
}

func (h *handlers) hide(ctx context.Context, d model.GateDecision, err error) (model.GateDecision, error) {
	if err != nil || h.deps.Owners == nil {
		return d, err
	}
	return h.deps.Owners.Hide(ctx, access.ScopeOf(ctx), d)
}

func (h *handlers) decide(ctx context.Context, req model.GateRequest) (model.GateDecision, error) {
	if err := h.known(ctx, req.Service); err != nil {
		return model.GateDecision{}, err
	}
	d, err := h.deps.Gate.Decide(ctx, req)
	return h.hide(ctx, d, err)
}

// mine is nil where a stored decision is about a service that is all the caller's.
func (h *handlers) mine(ctx context.Context, id string) error {
	if access.ScopeOf(ctx).All || h.deps.Owners == nil {
		return nil
	}
	d, err := h.deps.Decisions.Decision(ctx, id)
	if err != nil {
		return err
	}
	return h.deps.Owners.Whole(ctx, d.Request.Service)
}

func (h *handlers) override(ctx context.Context, in *overrideInput) (model.GateDecision, error) {
	if err := h.mine(ctx, in.ID); err != nil {
		return model.GateDecision{}, err
	}
	d, err := h.deps.Gate.Override(ctx, in.ID, in.Body.Actor, in.Body.Reason)
	return h.hide(ctx, d, err)
}

func (h *handlers) replay(ctx context.Context, id string) (gate.Replay, error) {
	if err := h.mine(ctx, id); err != nil {
		return gate.Replay{}, err
	}
	r, err := h.deps.Gate.Replay(ctx, id)
	if err != nil {
		return r, err
	}
	r.Decision, err = h.hide(ctx, r.Decision, nil)
	return r, err
}
