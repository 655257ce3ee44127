package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/canary"
	"github.com/signalbox-project/signalbox/internal/gate/sign"
)

// gates are the rooms that say whether a deployment is safe.
type gates struct {
	policies *gate.Catalog
	slos     *gate.Banded
	gate     *gate.Gate
	bands    *gate.Bands
	canary   *canary.Comparer
	signing  *sign.Key
}

// buildPolicies reads the budget policies, which also say in which band every SLO's budget lies.
func (p *Process) buildPolicies() (err error) {
	if p.policies, err = gate.NewCatalog(p.cfg.Gate.Policy, p.component("gate"), p.tel.Registry); err != nil {
		return err
	}
	p.policies.Join(p.force)
	// Unlike other files, a bad policy stops the start: without a last good version nothing says
	// what may be deployed, and the rest of the policies might allow what the bad one forbids.
	if err := p.policies.Reload(p.cfg.PolicyFiles); err != nil {
		return err
	}
	p.slos = gate.WithBands(p.slo, p.policies)
	return nil
}

func (p *Process) buildGate(ctx context.Context) (err error) {
	key, err := sign.Open(filepath.Join(p.opts.StoragePath, "gate"))
	if err != nil {
		return err
	}
	if err := key.Remember(ctx, p.state, time.Now()); err != nil {
		p.log.Warn("the gate's public keys are not kept for later", "err", err)
	}
	p.signing = key
	if p.gate, err = gate.New(p.cfg.Gate, gate.Deps{
		Logger: p.component("gate"), Registerer: p.tel.Registry, SLOs: p.slo, Decisions: p.state, Overrides: p.state, Audit: p.state,
		Edges: p.topology, Pages: p.state, Changes: p.state, Causes: p.diagnose, Key: key, Policies: p.policies,
	}); err != nil {
		return err
	}
	if p.bands, err = gate.NewBands(p.cfg.Gate, gate.BandsDeps{
		Logger: p.component("gate"), SLOs: p.slo, Sender: p.sender, Policies: p.policies, ExternalURL: p.external.String(),
	}); err != nil {
		return err
	}
	p.run("budget bands", p.bands.Run, nil)
	p.canary, err = canary.New(p.cfg.Canary, canary.Deps{Querier: p.engine, Audit: p.state})
	return err
}
