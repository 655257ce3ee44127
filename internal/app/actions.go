package app

import (
	"context"
	"net/http"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/gate/hooks"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/remedy"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/remedy/engine"
	"github.com/signalbox-project/signalbox/internal/slo"
)

// actions are the rooms that speak to deployment systems.
type actions struct {
	hooks       *hooks.Hooks
	contracts   *document.Catalog[[]contract.Remedy]
	remediation *engine.Engine
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

// tenantHooks is where the hooks of a tenant are, since what calls them cannot always send a header.
const tenantHooks = "/sb/v1/tenants/{tenant}/hooks/"

// mountHooks makes the hooks of each tenant reachable by its name. They prove who calls by means of their own; where there is
// none, or no such tenant, the answer is the same.
func (p *Process) mountHooks(port *front.Port, maxBody int64) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := access.From(r.Context())
		who.Tenant = r.PathValue("tenant")
		c, refusal := p.enter(who)
		if refusal != nil && refusal.Status == http.StatusServiceUnavailable {
			http.Error(w, refusal.Message, refusal.Status)
			return
		}
		if refusal != nil || c.tenant != who.Tenant {
			who.Tenant = ""
			http.NotFound(w, r)
			return
		}
		defer c.door.leave()
		who.Room = c
		own := r.Clone(r.Context())
		_, rest, _ := strings.Cut(r.URL.Path, "/hooks/")
		own.URL.Path, own.URL.RawPath = hooks.Prefix+"/"+rest, ""
		c.serveHooks(w, own)
	})
	for _, method := range []string{"GET", "POST"} {
		port.Mount(method+" "+tenantHooks, front.Mount{Handler: h, Needs: front.Always(access.Open), MaxBody: maxBody})
	}
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
