// Package executors makes what carries out an action of a remedy.
//
// In: an action on a target, and how the world outside is reached. Out: an action.Executor. It keeps nothing. Start reading at
// Builder.
package executors

import (
	"context"
	"fmt"
	"net/http"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/remedy/action"
	"github.com/signalbox-project/signalbox/internal/remedy/argocd"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/remedy/gitlab"
	"github.com/signalbox-project/signalbox/internal/remedy/kubernetes"
	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
	"github.com/signalbox-project/signalbox/internal/remedy/script"
	"github.com/signalbox-project/signalbox/internal/remedy/webhook"
)

// Builder makes executors.
type Builder struct {
	// Scripts are the programs that may be run.
	Scripts []script.Allowed
	// HTTP replaces the transport, for tests.
	HTTP http.RoundTripper
	// Outgoing guards what is called; nil by the defaults.
	Outgoing *outgoing.Guard
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Build makes the executor of an action.
func (b Builder) Build(a contract.Action) (action.Executor, error) {
	switch {
	case a.Scale != nil:
		return kubernetes.NewScale(a.Scale.Config, a.Scale.Factor, b.HTTP, b.Outgoing), nil
	case a.Restart != nil:
		return kubernetes.NewRestart(*a.Restart, b.HTTP, b.Outgoing), nil
	case a.Rollback != nil:
		return kubernetes.NewRollback(*a.Rollback, b.HTTP, b.Outgoing), nil
	case a.Script != nil:
		return script.New(*a.Script, b.Scripts), nil
	}
	return b.over(a)
}

func (b Builder) over(a contract.Action) (action.Executor, error) {
	var cfg *promconfig.HTTPClientConfig
	switch {
	case a.ArgoCD != nil:
		cfg = a.ArgoCD.HTTP
	case a.GitLab != nil:
		cfg = a.GitLab.HTTP
	case a.Webhook != nil:
		cfg = a.Webhook.HTTP
	default:
		return nil, fmt.Errorf("the action has no kind")
	}
	transport := b.HTTP
	if transport == nil {
		client, err := b.Outgoing.Client(cfg, "remedy")
		if err != nil {
			return nil, fmt.Errorf("http_config: %w", err)
		}
		transport = client.Transport
	}
	now := b.Now
	if now == nil {
		now = time.Now
	}
	switch {
	case a.ArgoCD != nil:
		return argocd.New(*a.ArgoCD, transport), nil
	case a.GitLab != nil:
		return ordered{gitlab.New(*a.GitLab, transport)}, nil
	}
	return ordered{webhook.New(*a.Webhook, transport, now)}, nil
}

// ordered has somebody else's system do it: what comes of the order, nobody here can see.
type ordered struct{ to rollback.Executor }

func (e ordered) order(o action.Order) rollback.Order {
	return rollback.Order{ID: o.ID, Action: o.Remedy, Service: o.Service, Environment: o.Environment, Reason: o.Reason}
}

// Plan implements action.Executor.
func (e ordered) Plan(ctx context.Context, o action.Order) (action.Plan, error) {
	order := e.order(o)
	order.DryRun = true
	text, err := e.to.Rollback(ctx, order)
	return action.Plan{Text: e.to.Name() + ": Signalbox " + text, Calls: []string{text}}, err
}

// Do implements action.Executor.
func (e ordered) Do(ctx context.Context, o action.Order, _ action.Plan) (string, error) {
	return e.to.Rollback(ctx, e.order(o))
}

// Look implements action.Executor.
func (e ordered) Look(context.Context, action.Order, action.Plan) (action.World, error) {
	return action.Unknown, nil
}

// Undo implements action.Executor; no plan asks for it.
func (e ordered) Undo(context.Context, action.Order, action.Plan) (string, error) {
	return "", action.ErrDecline
}
