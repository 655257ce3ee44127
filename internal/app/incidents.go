package app

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/incident"
	"github.com/signalbox-project/signalbox/internal/incident/signs"
	"github.com/signalbox-project/signalbox/internal/ownership"
)

// buildIncidents makes what pages become, and people work on.
func (c *cell) buildIncidents(context.Context) (err error) {
	if c.incidents, err = incident.New(incident.Deps{
		Logger: c.component("incidents"), Registerer: c.registry, Documents: c.state, Pages: c.state, Edges: c.topology, Owners: c.owners,
		Sources: incident.Sources{
			Deploys: ownership.Deploys{From: c.tally, Owners: c.owners}.Deploys, Decisions: ownership.Decisions{From: c.decisions(), Owners: c.owners}.Decisions,
			Remedies: ownership.Remedies{From: c.state, Owners: c.owners}.Remedies, Audit: c.trail().AuditEntries,
		},
		Signs: everybodys{signs.Finder{Metrics: c.engine, Logs: c.search, Rules: c.watched}},
	}); err != nil {
		return err
	}
	c.onPage(c.incidents.Changed)
	c.run("incidents", c.incidents.Run, nil)
	c.run("incident signs", c.incidents.RunSigns, nil)
	return nil
}

// everybodys finds in all namespaces what nobody is shown masked: what is kept of it is shown to others than who asked.
type everybodys struct{ signs.Finder }

func (e everybodys) Find(ctx context.Context, services []string, environment string, start, now time.Time) (signs.Found, error) {
	ctx = access.With(ctx, &access.Access{Scope: access.Scope{All: true}})
	return e.Finder.Find(ctx, services, environment, start, now)
}

// watched are the expressions of the alerting rules.
func (c *cell) watched() []string {
	var out []string
	for _, r := range c.rules.AlertRules() {
		out = append(out, r.Query)
	}
	return out
}
