package app

import (
	"context"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/alerting/outside"
	"github.com/signalbox-project/signalbox/internal/alerting/router"
	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/process/detect"
)

// alerts are the detectors and rules that raise alerts and the pipeline that
// delivers them.
type alerts struct {
	router    *router.Router
	sender    *outside.Sender // the router, and Alertmanagers outside
	rules     *rules.Rules
	detectors *detect.Detectors
}

func (p *Process) buildAlerting(context.Context) (err error) {
	if p.router, err = router.New(router.Deps{
		Logger: p.component("alerting"), Registerer: p.tel.Registry,
		Dir: filepath.Join(p.opts.StoragePath, "alerting"), ConfigFile: p.cfg.AlertmanagerFile,
		ExternalURL: p.external, Config: p.cfg.Routing, Build: router.Build{Version: p.opts.Version, Revision: revision()}, Pages: p.state, Dependents: p.cfg.InhibitDependents, Topology: p.topology, Querier: p.engine,
	}); err != nil {
		return err
	}
	p.router.Join(p.force)
	p.run("alert pipeline", p.router.Run, func() error { p.router.Close(); return nil })
	if p.sender, err = outside.New(outside.Deps{
		Logger: p.component("outside alertmanagers"), Registerer: p.tel.Registry, Next: p.router, ExternalLabels: p.cfg.ExternalLabels,
	}); err != nil {
		return err
	}
	p.run("outside alertmanagers", p.sender.Run, nil)
	if p.rules, err = rules.New(p.cfg.Rules, rules.Deps{
		Logger: p.component("rules"), Registerer: p.tel.Registry, Engine: p.engine.PromQL(), Store: p.metrics,
		Sender: p.sender, ExternalURL: p.external, ExternalLabels: p.cfg.ExternalLabels,
		Parser: p.engine.Parser(), Features: p.engine.Features(),
	}); err != nil {
		return err
	}
	p.rules.Join(p.force)
	if err := p.firstLoad(p.rules.Reload(p.cfg.RuleFiles)); err != nil {
		return err
	}
	p.run("rules", p.rules.Run, nil)
	if p.detectors, err = detect.New(p.cfg.Detect, detect.Deps{
		Logger: p.component("detect"), Registerer: p.tel.Registry, Querier: p.engine, Appendable: p.samples.For("derived"),
	}); err != nil {
		return err
	}
	p.detectors.Join(p.force)
	if err := p.firstLoad(p.detectors.Reload(p.cfg.DetectorFiles)); err != nil {
		return err
	}
	p.run("detectors", p.detectors.Run, nil)
	return nil
}
