package app

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/alerting/selfquery"
	"github.com/signalbox-project/signalbox/internal/store"
)

// buildSelfQuery asks our own stores what a person would ask.
func (p *Process) buildSelfQuery(context.Context) error {
	lately := func() store.Range {
		now := time.Now()
		return store.Range{Start: now.Add(-5 * time.Minute).UnixNano(), End: now.UnixNano()}
	}
	asker, err := selfquery.New(p.cfg.SelfQuery, selfquery.Deps{
		Logger: p.component("synthetic query"), Registerer: p.tel.Registry,
		Questions: []selfquery.Question{
			{Signal: "metrics", Ask: func(ctx context.Context) error {
				_, err := p.engine.Instant(ctx, "count(up)", time.Now())
				return err
			}},
			{Signal: "logs", Ask: func(ctx context.Context) error {
				for _, err := range p.search.Logs(ctx, store.LogQuery{Range: lately(), Limit: 1}) {
					if err != nil {
						return err
					}
				}
				return nil
			}},
			{Signal: "traces", Ask: func(ctx context.Context) error {
				_, err := p.search.Traces(ctx, store.TraceQuery{Range: lately(), Limit: 1})
				return err
			}},
			{Signal: "slos", Ask: func(ctx context.Context) error {
				_, _, err := p.slo.SLOs(ctx, "")
				return err
			}},
			{Signal: "pages", Ask: func(ctx context.Context) error {
				_, err := p.state.Pages(ctx, store.PageQuery{Limit: 1})
				return err
			}},
		},
	})
	if err != nil {
		return err
	}
	p.run("synthetic queries", asker.Run, nil)
	return nil
}
