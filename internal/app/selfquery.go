package app

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/alerting/selfquery"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// buildSelfQuery asks our own stores what a person would ask.
func (c *cell) buildSelfQuery(context.Context) error {
	if c.tenant != model.DefaultTenant {
		return nil // the same program answers for all: asked once, it has proved itself
	}
	lately := func() store.Range {
		now := time.Now()
		return store.Range{Start: now.Add(-5 * time.Minute).UnixNano(), End: now.UnixNano()}
	}
	asker, err := selfquery.New(c.cfg.SelfQuery, selfquery.Deps{
		Logger: c.component("synthetic query"), Registerer: c.registry,
		Questions: []selfquery.Question{
			{Signal: "metrics", Ask: func(ctx context.Context) error {
				_, err := c.engine.Instant(ctx, "count(up)", time.Now())
				return err
			}},
			{Signal: "logs", Ask: func(ctx context.Context) error {
				for _, err := range c.search.Logs(ctx, store.LogQuery{Range: lately(), Limit: 1}) {
					if err != nil {
						return err
					}
				}
				return nil
			}},
			{Signal: "traces", Ask: func(ctx context.Context) error {
				_, err := c.search.Traces(ctx, store.TraceQuery{Range: lately(), Limit: 1})
				return err
			}},
			{Signal: "slos", Ask: func(ctx context.Context) error {
				_, _, err := c.slo.SLOs(ctx, "")
				return err
			}},
			{Signal: "pages", Ask: func(ctx context.Context) error {
				_, err := c.state.Pages(ctx, store.PageQuery{Limit: 1})
				return err
			}},
		},
	})
	if err != nil {
		return err
	}
	c.run("synthetic queries", asker.Run, nil)
	return nil
}
