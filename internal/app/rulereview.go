package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/incident"
	"github.com/signalbox-project/signalbox/internal/report/rulereview"
)

// ruleReview makes the room that reviews alerting rules.
func (c *cell) ruleReview() *rulereview.Room {
	return rulereview.New(rulereview.Deps{
		Querier: c.engine, Set: c.rules.Value, Pages: c.state, Deploys: c.tally, Remedies: c.state, Worked: c.worked, Dir: filepath.Dir(c.cfg.File),
		Files: func() []document.File { return c.rules.Files(c.force.View()) },
	})
}

// worked are the pages of incidents on which somebody worked: one has its command, or said or did something there.
func (c *cell) worked(ctx context.Context, from, to time.Time) (map[string]bool, error) {
	out := map[string]bool{}
	for before := ""; ; {
		list, next, err := c.incidents.List(ctx, incident.Query{Start: from, End: to, Before: before, Limit: 200})
		if err != nil {
			return nil, err
		}
		for _, i := range list {
			people := i.Roles.Commander != ""
			for _, n := range i.Notes {
				people = people || n.By != "" && n.By != "signalbox"
			}
			for _, p := range i.Pages.List {
				out[p.ID] = out[p.ID] || people
			}
		}
		if before = next; next == "" {
			return out, nil
		}
	}
}
