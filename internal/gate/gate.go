// Package gate answers whether a version may be deployed, with its evidence.
//
// It asks for the promises that a deployment concerns, applies a policy (Decide),
// stores the decision and writes it to the audit log before it answers. It measures
// nothing, deploys nothing, and does not remember anything itself.
//
// In: model.GateRequest and model.SLOSnapshot. Out: model.GateDecision, every
// verdict with the rules, figures, queries, thresholds and times that it rests
// on.
//
// Invariants: what cannot be judged is never allowed; the strictest reason
// wins (block, hold, insufficient, allow); an answer that was given is stored. A Gate is safe
// for concurrent use and takes no lock.
//
// Start reading at decide.go.
package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/model"
)

// SLOs knows the promises; slo.Engine does.
type SLOs interface {
	// Snapshots are the promises that a deployment of service to environment
	// ("" means any) concerns.
	Snapshots(ctx context.Context, service, environment string) ([]model.SLOSnapshot, error)
}

// Decisions keeps decisions; store/state does.
type Decisions interface {
	SaveDecision(ctx context.Context, d model.GateDecision) error
}

// Audit keeps the audit log; store/state does.
type Audit interface {
	Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error)
}

// Deps is what the gate uses. SLOs and Decisions are needed.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	SLOs       SLOs
	Decisions  Decisions
	Audit      Audit
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Gate decides.
type Gate struct {
	policy    Policy
	deps      Deps
	decisions *prometheus.CounterVec
}

// New makes a gate; it starts nothing.
func New(policy Policy, deps Deps) (*Gate, error) {
	if errs := policy.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if deps.SLOs == nil || deps.Decisions == nil {
		return nil, errors.New("gate: it needs SLOs and a store for decisions")
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	g := &Gate{policy: policy, deps: deps, decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_gate_decisions_total", Help: "Gate decisions by verdict; error where none could be made or stored.",
	}, []string{"verdict"})}
	if deps.Registerer != nil {
		if err := deps.Registerer.Register(g.decisions); err != nil {
			return nil, fmt.Errorf("register gate metrics: %w", err)
		}
	}
	return g, nil
}

// requestError marks a mistake of the caller's.
type requestError struct{ error }

// BadRequest tells the API whose fault it is.
func (requestError) BadRequest() {}

// Decide answers a request. The decision is stored before it is returned: an
// error means that there is none, and a pipeline must not go on.
func (g *Gate) Decide(ctx context.Context, req model.GateRequest) (model.GateDecision, error) {
	d, err := g.decide(ctx, req)
	if err != nil {
		g.decisions.WithLabelValues("error").Inc()
		return model.GateDecision{}, err
	}
	g.decisions.WithLabelValues(string(d.Verdict)).Inc()
	return d, nil
}

func (g *Gate) decide(ctx context.Context, req model.GateRequest) (model.GateDecision, error) {
	req.Service = strings.TrimSpace(req.Service)
	if req.Service == "" {
		return model.GateDecision{}, requestError{errors.New("gate: the request names no service")}
	}
	promises, err := g.deps.SLOs.Snapshots(ctx, req.Service, req.Environment)
	if err != nil {
		return model.GateDecision{}, fmt.Errorf("gate decision for %s: %w", req.Service, err)
	}
	d := Decide(Set{Default: g.policy}, Input{Request: req, Time: g.deps.Now(), Promises: promises})
	id, err := uuid.NewV7()
	if err != nil {
		return model.GateDecision{}, fmt.Errorf("gate decision for %s: %w", req.Service, err)
	}
	d.ID = id.String()
	if err := g.deps.Decisions.SaveDecision(ctx, d); err != nil {
		return model.GateDecision{}, fmt.Errorf("gate decision for %s: %w", req.Service, err)
	}
	if g.deps.Audit != nil {
		if _, err := g.deps.Audit.Audit(ctx, auditEntry(d)); err != nil {
			return model.GateDecision{}, fmt.Errorf("gate decision %s: %w", d.ID, err)
		}
	}
	g.deps.Logger.InfoContext(ctx, "gate decision", "id", d.ID, "service", req.Service, "environment", req.Environment,
		"version", req.Version, "verdict", string(d.Verdict), "summary", d.Summary)
	return d, nil
}

func auditEntry(d model.GateDecision) model.AuditEntry {
	actor := d.Request.Actor
	if actor == "" {
		actor = "unknown"
	}
	return model.AuditEntry{
		Time: d.Time, Actor: actor, Action: "gate.decide", Subject: d.ID,
		Details: map[string]string{
			"service": d.Request.Service, "environment": d.Request.Environment, "version": d.Request.Version,
			"critical": strconv.FormatBool(d.Request.Critical), "verdict": string(d.Verdict), "summary": d.Summary,
		},
	}
}
