package app

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/backtest"
	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/report"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// promises are the rooms that compare telemetry with what was promised.
type promises struct {
	catalog  *slo.Catalog
	slo      *slo.Engine
	diagnose *diagnose.Diagnoser
	backtest *backtest.Replayer
	report   *report.Reporter
}

func (p *Process) buildPromises(ctx context.Context) (err error) {
	if p.catalog, err = definition.NewCatalog(p.component("slo"), p.tel.Registry); err != nil {
		return err
	}
	p.catalog.Join(p.force)
	if err := p.firstLoad(p.catalog.Reload(p.cfg.SLOFiles)); err != nil {
		return err
	}
	if p.slo, err = slo.New(p.cfg.SLO, slo.Deps{
		Logger: p.component("slo"), Registerer: p.tel.Registry, Catalog: p.catalog,
		Querier: p.measurements("slo"),
		Results: p.metrics.Quiet(), // its own results must not wake it
		Alerts:  p.sender,
		Records: p.state, Corrections: p.state, Ledgers: p.state,
		Arrivals: p.metrics.Arrivals, Changes: p.tally, ExternalURL: p.external.String(), ExternalLabels: p.cfg.ExternalLabels,
	}); err != nil {
		return err
	}
	p.run("slo", p.slo.Run, nil)
	if err := p.buildPolicies(); err != nil {
		return err
	}
	if p.diagnose, err = diagnose.New(diagnose.Deps{
		Logger: p.component("diagnose"), Querier: p.engine, SLOs: p.slos, Deploys: p.state, Edges: p.topology, Pages: p.state, Alerts: p.router,
		Rules: p.rules, Routing: p.router,
	}); err != nil {
		return err
	}
	if err := p.buildGate(ctx); err != nil {
		return err
	}
	if p.backtest, err = backtest.New(backtest.Deps{
		Logger: p.component("backtest"), Registerer: p.tel.Registry, SLO: p.cfg.SLO,
		SLOQuerier: p.measurements("backtest"), Querier: p.engine,
		Over:     func(wrap func(storage.Queryable) storage.Queryable) backtest.Querier { return p.engine.Over(wrap) },
		Promises: p.catalog, Policies: p.policies, Deploys: p.state, Routing: p.router, Corrections: p.slo, ExternalLabels: p.cfg.ExternalLabels,
		Files: p.filesInForce,
	}); err != nil {
		return err
	}
	p.run("backtest", p.backtest.Run, nil)
	if p.report, err = report.New(report.Deps{
		Logger: p.component("report"), Registerer: p.tel.Registry, SLO: p.cfg.SLO,
		Querier:  p.measurements("report"),
		Promises: p.catalog, Policies: p.policies, Corrections: p.state, Records: p.state, Days: p.state, Retention: p.metrics.Retention(),
	}); err != nil {
		return err
	}
	p.run("report", p.report.Run, nil)
	return nil
}

// measurements answers what promises are made of, for one room.
func (p *Process) measurements(room string) slo.Querier {
	return slo.WithEvents(promexpr.NewEvaluator(p.metrics, time.Duration(p.cfg.Query.Timeout), p.component(room)), p.tally)
}

// filesInForce are those that the configuration in force was made of.
func (p *Process) filesInForce() backtest.Files {
	now := p.force.View()
	return backtest.Files{SLOs: p.catalog.Files(now), Policies: p.policies.Files(now), Rules: p.rules.Files(now)}
}
