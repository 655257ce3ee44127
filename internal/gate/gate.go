// Package gate answers whether a version may be deployed, with its evidence.
//
// It gathers what a deployment concerns (SLOs, dependencies, open pages,
// overrides), applies the budget policies (Decide), signs the decision with all it rests
// on, stores it and writes it to the audit log before it answers. It measures nothing and
// deploys nothing; hooks/ speaks to the places where deployments happen, canary/
// compares two versions, sign/ keeps the key.
//
// In: model.GateRequest, model.SLOSnapshot and policy files. Out:
// model.GateDecision, every verdict with the rules, figures, queries, thresholds
// and times that it rests on; SLOBudgetBand alerts.
//
// Invariants: what cannot be judged is never allowed; the strictest reason
// wins (block, hold, insufficient, allow) unless a person overrode it; an answer that was
// given is stored; a stored decision replays to itself. A Gate is safe for
// concurrent use and takes no lock.
//
// Start reading at decide.go, then record.go.
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
	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Config is the gate section: the default policy, and how overrides work.
type Config struct {
	Policy `yaml:",inline"`
	// OverrideFor is how long a break-glass override lets a version pass.
	OverrideFor prom.Duration `yaml:"override_for"`
	// OverrideReason is how many letters the reason of an override must have.
	OverrideReason int `yaml:"override_reason"`
	// BandsEvery is how often the budget bands are looked at for alerts.
	BandsEvery prom.Duration `yaml:"bands_every"`
}

// DefaultConfig overrides for an hour.
func DefaultConfig() Config {
	return Config{Policy: DefaultPolicy(), OverrideFor: prom.Duration(time.Hour), OverrideReason: 10, BandsEvery: prom.Duration(30 * time.Second)}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	errs := c.Policy.Validate()
	if c.OverrideFor <= 0 {
		errs = append(errs, fmt.Errorf("override_for: must be > 0, got %s", c.OverrideFor))
	}
	if c.OverrideReason < 1 {
		errs = append(errs, fmt.Errorf("override_reason: must be >= 1, got %d", c.OverrideReason))
	}
	if c.BandsEvery <= 0 {
		errs = append(errs, fmt.Errorf("bands_every: must be > 0, got %s", c.BandsEvery))
	}
	return errs
}

// SLOs knows the SLOs; slo.Engine does.
type SLOs interface {
	// Snapshots are the SLOs that a deployment of service to environment
	// ("" means any) concerns.
	Snapshots(ctx context.Context, service, environment string) ([]model.SLOSnapshot, error)
}

// Decisions keeps decisions; store/state does.
type Decisions interface {
	SaveDecision(ctx context.Context, d model.GateDecision) error
	// Decision is one with its envelope; store.ErrNotFound when there is none.
	Decision(ctx context.Context, id string) (model.GateDecision, error)
}

// Overrides keeps overrides; store/state does.
type Overrides interface {
	SaveOverride(ctx context.Context, o model.GateOverride) error
	// Overrides are those of exactly this service, environment and version that
	// have not expired at a time.
	Overrides(ctx context.Context, service, environment, version string, at time.Time) ([]model.GateOverride, error)
}

// Audit keeps the audit log; store/state does.
type Audit interface {
	Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error)
}

// Edges knows who calls whom; process/topology does.
type Edges interface {
	Edges(ctx context.Context, tenant string, r store.Range) ([]model.Edge, error)
}

// Pages knows which pages are open; store/state does.
type Pages interface {
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error)
}

// Deps is what the gate uses. SLOs, Decisions and Key are needed; without one
// of the others its rules have nothing to hold on.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	SLOs       SLOs
	Decisions  Decisions
	Overrides  Overrides
	Audit      Audit
	Edges      Edges
	Pages      Pages
	Changes    Changes
	Causes     Causes
	Key        *sign.Key
	// Policies are those of the policy files; nil means none.
	Policies *Catalog
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Gate decides.
type Gate struct {
	cfg       Config
	deps      Deps
	decisions *prometheus.CounterVec
}

// New makes a gate; it starts nothing.
func New(cfg Config, deps Deps) (*Gate, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if deps.SLOs == nil || deps.Decisions == nil || deps.Key == nil {
		return nil, errors.New("gate: it needs SLOs, a store for decisions and a key")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	g := &Gate{cfg: cfg, deps: deps, decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_gate_decisions_total", Help: "Gate decisions by verdict; error where none could be made or stored.",
	}, []string{"verdict"})}
	if err := instrument.Register(deps.Registerer, "gate", g.decisions); err != nil {
		return nil, err
	}
	return g, nil
}

// requestError marks a mistake of the caller's.
type requestError struct{ error }

// BadRequest tells the API whose fault it is.
func (requestError) BadRequest() {}

func badRequest(format string, args ...any) error { return requestError{fmt.Errorf(format, args...)} }

// set is the policies in force.
func (g *Gate) set() Set {
	if g.deps.Policies == nil {
		return Set{Default: g.cfg.Policy}
	}
	return g.deps.Policies.Set()
}

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
	fail := func(err error) (model.GateDecision, error) {
		return model.GateDecision{}, fmt.Errorf("gate decision for %s: %w", req.Service, err)
	}
	req.Service, req.Environment, req.Version = strings.TrimSpace(req.Service), strings.TrimSpace(req.Environment), strings.TrimSpace(req.Version)
	claimed := req.Actor
	req.Actor = access.SubjectOf(ctx, claimed)
	if req.Service == "" {
		return model.GateDecision{}, badRequest("gate: the request names no service")
	}
	in, err := g.gather(ctx, req)
	if err != nil {
		return fail(err)
	}
	set, in, err := settle(g.set(), in)
	if err != nil {
		return fail(err)
	}
	d := Decide(set, in)
	id, err := uuid.NewV7()
	if err != nil {
		return fail(err)
	}
	d.ID = id.String()
	envelope, err := seal(g.deps.Key, d, set, in)
	if err != nil {
		return fail(err)
	}
	d.Envelope = &envelope
	if err := g.deps.Decisions.SaveDecision(ctx, d); err != nil {
		return fail(err)
	}
	entry := auditEntry(d)
	entry.Actor = claimed // the log knows who it was
	evidence.Note(&entry, evidence.OfDecision(d))
	if err := g.audit(ctx, entry); err != nil {
		return fail(err)
	}
	g.deps.Logger.InfoContext(ctx, "gate decision", "id", d.ID, "service", req.Service, "environment", req.Environment,
		"version", req.Version, "verdict", string(d.Verdict), "summary", d.Summary)
	return d, nil
}

func (g *Gate) audit(ctx context.Context, e model.AuditEntry) error {
	if g.deps.Audit == nil {
		return nil
	}
	if e.Actor == "" {
		e.Actor = "unknown"
	}
	if _, err := g.deps.Audit.Audit(ctx, e); err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}

func auditEntry(d model.GateDecision) model.AuditEntry {
	return model.AuditEntry{
		Time: d.Time, Actor: d.Request.Actor, Action: "gate.decide", Subject: d.ID,
		Details: map[string]string{
			"service": d.Request.Service, "environment": d.Request.Environment, "version": d.Request.Version,
			"critical": strconv.FormatBool(d.Request.Critical), "verdict": string(d.Verdict), "summary": d.Summary,
			"rule": d.Reasons[0].Rule,
		},
	}
}
