package app

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/incident"
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
	}); err != nil {
		return err
	}
	c.onPage(c.incidents.Changed)
	c.run("incidents", c.incidents.Run, nil)
	return nil
}
