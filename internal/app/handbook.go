package app

import (
	"context"
	"slices"

	"github.com/signalbox-project/signalbox/internal/backtest"
	"github.com/signalbox-project/signalbox/internal/catalog"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
	"github.com/signalbox-project/signalbox/internal/runbook"
	"github.com/signalbox-project/signalbox/internal/store"
)

// handbook is what people wrote of services: whose they are, and what to do.
type handbook struct {
	services *catalog.Room
	runbooks *runbook.Room
}

// buildHandbook makes the catalogue before whatever raises alerts, which get their team of it. What it asks of rooms that are
// built later it asks only for who lists services.
func (c *cell) buildHandbook(ctx context.Context) (err error) {
	if c.runbooks, err = runbook.New(runbook.Deps{Logger: c.component("runbooks"), Registerer: c.registry}); err != nil {
		return err
	}
	c.runbooks.Join(c.force)
	if err := c.firstLoad(c.runbooks.Reload(c.cfg.RunbookFiles)); err != nil {
		return err
	}
	if c.services, err = catalog.New(catalog.Deps{
		Logger: c.component("catalogue"), Registerer: c.registry, Series: c.metrics,
		Edges: func(ctx context.Context, r store.Range) ([]model.Edge, error) {
			return c.topology.Edges(ctx, c.tenant, r)
		},
		HasSLO: func(ctx context.Context, service string) (bool, error) {
			list, _, err := c.shownSLOs().SLOs(ctx, service)
			return len(list) > 0, err
		},
		OnCall: c.isCovered,
		Runbooks: func(service string) (out []catalog.Runbook) {
			for _, b := range c.runbooks.List("", service).Runbooks {
				out = append(out, linkTo(b))
			}
			return out
		},
		Runbook: func(name string) (catalog.Runbook, bool) {
			b, err := c.runbooks.Get(name)
			return linkTo(b), err == nil
		},
	}); err != nil {
		return err
	}
	c.services.Join(c.force)
	if err := c.firstLoad(c.services.Reload(c.cfg.CatalogFiles)); err != nil {
		return err
	}
	if err := c.services.Look(ctx); err != nil {
		c.log.Warn("telemetry cannot be looked at for services yet", "err", err)
	}
	c.run("catalogue", c.services.Run, nil)
	return nil
}

func linkTo(b runbook.Runbook) catalog.Runbook {
	return catalog.Runbook{Name: b.Name, Title: b.Title, URL: "/runbooks/" + b.Name}
}

// owned takes the alerts of this process. Those that others send by /api/v2 stay as they are: their labels are their identity
// for who sends them, and for every other Alertmanager that has them.
func (c *cell) owned() notify.Sender { return catalog.Sender{Room: c.services, Next: c.sender} }

// ownedRouting is where alerts would go that have the team of their service.
type ownedRouting struct {
	backtest.Routing
	services *catalog.Room
}

// Destinations is backtest.Routing's.
func (r ownedRouting) Destinations() func(labels model.Labels) []notify.Destination {
	to := r.Routing.Destinations()
	return func(ls model.Labels) []notify.Destination { return to(r.services.Labelled(ls)) }
}

// owners is the catalogue for who pages.
type owners struct{ services *catalog.Room }

// Owner is escalation.Owners's.
func (o owners) Owner(service, namespace string) (team, policy string) {
	owned, _ := o.services.Owner(service, namespace)
	return owned.Team, owned.Escalation
}

// isCovered says whether somebody is paged for a service: by the escalation policy or the schedule that the catalogue names, and
// without either by the policy that is chosen for it, or a schedule of its team.
func (c *cell) isCovered(service, team, named, schedule string) bool {
	roster := c.oncall.Value()
	if named != "" {
		return slices.ContainsFunc(roster.Policies, func(p policy.EscalationPolicy) bool { return p.Name == named })
	}
	if slices.ContainsFunc(roster.Schedules, func(d oncall.Definition) bool {
		return schedule != "" && d.Name == schedule || schedule == "" && team != "" && d.Team == team
	}) {
		return true
	}
	_, _, chosen := policy.Choose(roster.Policies, model.Labels{"service": service}, service, team)
	return chosen && schedule == ""
}
