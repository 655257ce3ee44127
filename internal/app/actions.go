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

func (p *Process) buildHooks(context.Context) (err error) {
	if p.hooks, err = hooks.New(p.cfg.Hooks, hook.Deps{
		Logger: p.component("hooks"), Registerer: p.tel.Registry, Gate: p.gate, Deploys: p.tally, Audit: p.state,
		ExternalURL: p.external.String(), Front: p.front,
	}); err != nil {
		return err
	}
	p.run("hooks", p.hooks.Run, nil)
	return nil
}

func (p *Process) buildRemedy(context.Context) error {
	var pages []string
	for _, b := range p.cfg.SLO.BurnAlerts {
		if b.Effect == slo.EffectPage {
			pages = append(pages, b.Name)
		}
	}
	room, err := remedy.New(p.cfg.Remedy, remedy.Deps{
		Logger: p.component("remedy"), Registerer: p.tel.Registry, SLOs: p.slo, Querier: p.engine, Deploys: p.tally, Store: p.state,
		Audit: p.state, Alerts: p.router, PageAlerts: pages, ExternalURL: p.external.String(),
	})
	if err != nil {
		return err
	}
	p.run("remedies", room.Run, nil)
	return nil
}
