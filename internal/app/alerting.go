package app

import (
	"context"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/alerting/flapping"
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

func (c *cell) buildAlerting(context.Context) (err error) {
	c.sayOfLinks()
	damper, err := flapping.New(c.cfg.Flapping, c.component("alerting"), c.registry)
	if err != nil {
		return err
	}
	if c.router, err = router.New(router.Deps{
		Logger: c.component("alerting"), Registerer: c.registry,
		Dir: filepath.Join(c.dir, "alerting"), ConfigFile: c.cfg.AlertmanagerFile,
		ExternalURL: c.external, Config: c.cfg.Routing, Build: router.Build{Version: c.opts.Version, Revision: revision()}, Pages: c.state, Documents: c.state, Dependents: c.cfg.InhibitDependents, Topology: c.topology, Querier: c.engine, Clients: c.outgoing.Options(), Acknowledge: c.ackLinks(), Damp: damper.Damp,
	}); err != nil {
		return err
	}
	c.router.Join(c.force)
	c.run("alert pipeline", c.router.Run, func() error { c.router.Close(); return nil })
	if c.sender, err = outside.New(outside.Deps{
		Logger: c.component("outside alertmanagers"), Registerer: c.registry, Next: c.router, ExternalLabels: c.cfg.ExternalLabels, Outgoing: c.outgoing,
	}); err != nil {
		return err
	}
	c.run("outside alertmanagers", c.sender.Run, nil)
	if c.rules, err = rules.New(c.cfg.Rules, rules.Deps{
		Logger: c.component("rules"), Registerer: c.registry, Engine: c.engine.PromQL(), Store: c.metrics,
		Sender: c.owned(), Labelled: c.services.WithTeam, ExternalURL: c.external, ExternalLabels: c.cfg.ExternalLabels,
		Parser: c.engine.Parser(), Features: c.engine.Features(),
	}); err != nil {
		return err
	}
	c.rules.Join(c.force)
	if err := c.firstLoad(c.rules.Reload(c.cfg.RuleFiles)); err != nil {
		return err
	}
	c.run("rules", c.rules.Run, nil)
	if c.detectors, err = detect.New(c.cfg.Detect, detect.Deps{
		Logger: c.component("detect"), Registerer: c.registry, Querier: c.engine, Appendable: c.samples.For("derived"),
	}); err != nil {
		return err
	}
	c.detectors.Join(c.force)
	if err := c.firstLoad(c.detectors.Reload(c.cfg.DetectorFiles)); err != nil {
		return err
	}
	c.run("detectors", c.detectors.Run, nil)
	return nil
}
