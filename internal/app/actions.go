package app

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/gate/hooks"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/remedy"
	"github.com/signalbox-project/signalbox/internal/slo"
)

// actions are the rooms that speak to deployment systems.
type actions struct {
	hooks *hooks.Hooks
}

func (c *cell) buildHooks(context.Context) (err error) {
	if c.hooks, err = hooks.New(c.cfg.Hooks, hook.Deps{
		Logger: c.component("hooks"), Registerer: c.registry, Gate: c.gate, Deploys: c.tally, Audit: c.recorder,
		ExternalURL: c.external.String(), Front: c.front, Certs: c.certs, Outgoing: c.outgoing,
	}); err != nil {
		return err
	}
	c.run("hooks", c.hooks.Run, nil)
	return nil
}

func (c *cell) buildRemedy(context.Context) error {
	var pages []string
	for _, b := range c.cfg.SLO.BurnAlerts {
		if b.Effect == slo.EffectPage {
			pages = append(pages, b.Name)
		}
	}
	room, err := remedy.New(c.cfg.Remedy, remedy.Deps{
		Logger: c.component("remedy"), Registerer: c.registry, SLOs: c.slo, Querier: c.engine, Deploys: c.tally, Store: c.state,
		Audit: c.recorder, Alerts: c.router, PageAlerts: pages, ExternalURL: c.external.String(), Outgoing: c.outgoing,
	})
	if err != nil {
		return err
	}
	c.run("remedies", room.Run, nil)
	return nil
}
