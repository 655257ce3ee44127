package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/signalbox-project/signalbox/internal/audit/witness"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/bands"
	"github.com/signalbox-project/signalbox/internal/gate/canary"
	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/ownership"
	"github.com/signalbox-project/signalbox/internal/query/promql"
)

// gates are the rooms that say whether a deployment is safe.
type gates struct {
	policies *gate.Catalog
	slos     *bands.Banded
	gate     *gate.Gate
	bands    *bands.Watch
	canary   *canary.Comparer
	signing  *sign.Key
}

// buildPolicies reads the budget policies, which also say in which band every SLO's budget lies.
func (c *cell) buildPolicies() (err error) {
	if c.policies, err = gate.NewCatalog(c.cfg.Gate.Policy, c.component("gate"), c.registry); err != nil {
		return err
	}
	c.policies.Join(c.force)
	// Unlike other files, a bad policy stops the start: without a last good version nothing says
	// what may be deployed, and the rest of the policies might allow what the bad one forbids.
	if err := c.policies.Reload(c.cfg.PolicyFiles); err != nil {
		return err
	}
	c.slos = bands.With(c.slo, c.policies)
	return nil
}

func (c *cell) buildGate(ctx context.Context) (err error) {
	key, err := sign.Open(filepath.Join(c.dir, "gate"), c.sealer)
	if err != nil {
		return err
	}
	if err := key.Remember(ctx, witness.Keys{KeyStore: c.state, Checker: c.notes}, time.Now()); err != nil {
		c.log.Warn("the gate's public keys are not kept for later", "err", err)
	}
	c.signing = key
	if c.gate, err = gate.New(c.cfg.Gate, gate.Deps{
		Logger: c.component("gate"), Registerer: c.registry, Decisions: c.state, Overrides: c.state, Audit: c.trail(),
		SLOs:  judgedSLOs{from: c.slo, marks: witness.Standing{Kept: c.state.SLOCorrections, Checker: c.notes}},
		Edges: c.topology, Pages: witness.OpenPages{PageLister: c.state, Checker: c.notes}, Changes: c.state, Causes: c.diagnose, Key: key, Policies: c.policies,
	}); err != nil {
		return err
	}
	if c.bands, err = bands.New(c.cfg.Gate, bands.Deps{
		Logger: c.component("gate"), SLOs: ownership.NarrowedSLOs{From: c.slo}, Sender: c.owned(), Policies: c.policies, ExternalURL: c.external.String(),
	}); err != nil {
		return err
	}
	c.run("budget bands", c.bands.Run, nil)
	c.canary, err = canary.New(c.cfg.Canary, canary.Deps{Querier: c.engine.Over(promql.Apart), Audit: c.recorder})
	return err
}

// judgedSLOs are the SLOs as the gate judges them: with marks on corrections that were touched, which may make more of a budget than there is.
type judgedSLOs struct {
	from  gate.SLOs
	marks witness.Standing
}

// Snapshots implements gate.SLOs.
func (j judgedSLOs) Snapshots(ctx context.Context, service, environment string) ([]model.SLOSnapshot, error) {
	list, err := j.from.Snapshots(ctx, service, environment)
	stand := make([]model.SLOStatus, len(list))
	for i, s := range list {
		stand[i] = s.Status
	}
	j.marks.Mark(ctx, stand)
	for i := range stand {
		list[i].Status = stand[i] // a list of this call's own
	}
	return list, err
}
