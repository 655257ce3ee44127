// Package releases serves what is about deploying: the gate and its decisions, markers of
// deployments, canaries, remedies.
//
// It holds no rule: the rooms behind Deps decide. In: requests. Out: their answers as JSON, and an
// audit entry for each change. Start reading at Deps, then gate.go.
package releases

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/api/remediation"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/bands"
	"github.com/signalbox-project/signalbox/internal/gate/canary"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Deps are the rooms behind it; what is nil answers 404.
type Deps struct {
	Gate         Gate
	GatePolicies GatePolicies
	Canary       Canary
	Decisions    Decisions
	Deploys      Deploys
	Remedies     Remedies
	// Remediation is what is done about alerts.
	Remediation remediation.Deps
	Owners      Owners // nil where everybody sees all
	// KeyFault says what is wrong with a public key of the gate, "" where nothing; nil knows of none.
	KeyFault func(ctx context.Context, id, pem string) string
}

type handlers struct {
	*operation.Registry
	deps Deps
}

// Register adds the operations.
func Register(r *operation.Registry, deps Deps) {
	h := &handlers{Registry: r, deps: deps}
	h.registerDeploys()
	h.registerGate()
	h.registerRemedies()
	remediation.Register(h.Registry, deps.Remediation)
}

// Gate decides whether a version may be deployed and stores the decision.
type Gate interface {
	Decide(ctx context.Context, req model.GateRequest) (model.GateDecision, error)
	// Override lets what a decision stopped pass for a while.
	Override(ctx context.Context, id, actor, reason string) (model.GateDecision, error)
	// Replay decides a stored decision again from what was stored with it.
	Replay(ctx context.Context, id string) (gate.Replay, error)
	// Key is what decisions are verified with.
	Key() (gate.PublicKey, error)
}

// GatePolicies shows the budget policies; gate/bands does.
type GatePolicies interface {
	View(ctx context.Context) (bands.PolicyView, error)
}

// Canary compares two versions of a service; gate/canary does.
type Canary interface {
	Compare(ctx context.Context, req canary.Request) (canary.Result, error)
}

// Decisions remembers what the gate decided; store/state does.
type Decisions interface {
	// Decisions is newest first; next is "" at the end.
	Decisions(ctx context.Context, q store.DecisionQuery) (list []model.GateDecision, next string, err error)
	Decision(ctx context.Context, id string) (model.GateDecision, error)
}

// Deploys keeps deployment markers; store/state does.
type Deploys interface {
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error) // newest first
	AddDeploy(ctx context.Context, d model.Deploy) (model.Deploy, error)
}

// Remedies remembers what was done about breaches; store/state does.
type Remedies interface {
	Remedies(ctx context.Context, q store.RemedyQuery) ([]model.Remedy, error) // newest first
}
