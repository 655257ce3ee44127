package app

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/audit/witness"
	"github.com/signalbox-project/signalbox/internal/backtest"
	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/ownership"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/report"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// budgets are the rooms that compare telemetry with what was promised.
type budgets struct {
	catalog  *slo.Catalog
	slo      *slo.Engine
	owners   *ownership.Owners
	diagnose *diagnose.Diagnoser
	backtest *backtest.Replayer
	report   *report.Reporter
}

func (c *cell) buildBudgets(ctx context.Context) (err error) {
	if c.catalog, err = definition.NewCatalog(c.component("slo"), c.registry); err != nil {
		return err
	}
	c.catalog.Join(c.force)
	if err := c.firstLoad(c.catalog.Reload(c.cfg.SLOFiles)); err != nil {
		return err
	}
	if c.slo, err = slo.New(c.cfg.SLO, slo.Deps{
		Logger: c.component("slo"), Registerer: c.registry, Catalog: c.catalog,
		Querier: c.measurements("slo"),
		Results: c.metrics.Quiet(), // its own results must not wake it
		Alerts:  c.owned(),
		Records: c.state, Corrections: c.state, Ledgers: c.state,
		Asked:    func() []time.Duration { return c.policies.Set().Windows() }, // read before the engine runs
		Arrivals: c.metrics.Arrivals, Changes: slo.Changes{Events: c.tally, Samples: c.metrics.Changes()}, ExternalURL: c.external.String(), ExternalLabels: c.cfg.ExternalLabels,
	}); err != nil {
		return err
	}
	c.run("slo", c.slo.Run, nil)
	if err := c.buildPolicies(); err != nil {
		return err
	}
	if c.owners, err = ownership.New(ownership.Deps{Series: c.metrics, SLOs: c.slo}); err != nil {
		return err
	}
	if c.diagnose, err = diagnose.New(diagnose.Deps{
		Logger: c.component("diagnose"), Querier: c.engine.Over(promql.Apart), SLOs: ownership.NarrowedSLOs{From: c.slos},
		Deploys: ownership.Deploys{From: c.state, Owners: c.owners}, Edges: c.topology, Pages: ownership.Pages{From: c.state}, Alerts: c.router,
		Rules: c.rules, Routing: c.router, Hider: c.owners, Home: c.home, Escalations: c.escalations,
	}); err != nil {
		return err
	}
	if err := c.buildGate(ctx); err != nil {
		return err
	}
	if c.backtest, err = backtest.New(backtest.Deps{
		Logger: c.component("backtest"), Registerer: c.registry, SLO: c.cfg.SLO,
		SLOQuerier: c.measurements("backtest"), Querier: c.engine,
		Over: func(wrap func(storage.Queryable) storage.Queryable) backtest.Querier { return c.engine.Over(wrap) },
		SLOs: c.catalog, Policies: c.policies, Deploys: c.state, Routing: ownedRouting{c.router, c.services}, Corrections: c.slo, ExternalLabels: c.cfg.ExternalLabels,
		Files: c.filesInForce, May: c.mayCount,
	}); err != nil {
		return err
	}
	c.run("backtest", c.backtest.Run, nil)
	if c.report, err = report.New(report.Deps{
		Logger: c.component("report"), Registerer: c.registry, SLO: c.cfg.SLO,
		Querier: c.measurements("report"),
		SLOs:    c.catalog, Policies: c.policies, Corrections: witness.KeptCorrections{Kept: c.state.SLOCorrections, Checker: c.notes}, Records: c.state, Days: c.state, Retention: c.metrics.Retention(), Lateness: c.metrics.OutOfOrderWindow(),
	}); err != nil {
		return err
	}
	c.run("report", c.report.Run, nil)
	return nil
}

// shownSLOs are the SLOs as people see them: with their bands, and with marks on what was touched.
type shownSLOs struct {
	witness.Standing
	histories
}

type histories interface {
	SLOHistory(ctx context.Context, name string, start, end time.Time, step time.Duration) (model.SLOHistory, error)
}

func (c *cell) shownSLOs() shownSLOs {
	return shownSLOs{witness.Standing{SLOReader: c.slos, Kept: c.state.SLOCorrections, Checker: c.notes}, c.slos}
}

// measurements answers what SLOs are made of, for one room.
func (c *cell) measurements(room string) slo.Querier {
	return slo.WithEvents(promexpr.NewEvaluator(c.metrics, time.Duration(c.cfg.Query.Timeout), c.component(room)), c.tally)
}

// filesInForce are those that the configuration in force was made of.
func (c *cell) filesInForce() backtest.Files {
	now := c.force.View()
	return backtest.Files{SLOs: c.catalog.Files(now), Policies: c.policies.Files(now), Rules: c.rules.Files(now)}
}
