package app

import (
	"context"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/admit"
	"github.com/signalbox-project/signalbox/internal/process/spanmetrics"
	"github.com/signalbox-project/signalbox/internal/process/topology"
	"github.com/signalbox-project/signalbox/internal/query/search"
	"github.com/signalbox-project/signalbox/internal/stream"
	"github.com/signalbox-project/signalbox/internal/stream/local"
)

// processors see events on their way: admission before the stream, taps after it.
type processors struct {
	admitter    *admit.Policy
	stream      *local.Stream
	aside       *local.AsideFile // what can never be stored
	spanMetrics *spanmetrics.Processor
	topology    *topology.Processor
	search      *search.Service
}

func (c *cell) buildProcessors(context.Context) (err error) {
	limits := c.cfg.Limits.Events
	limits.MaxAge = max(c.cfg.Events.Retention.Logs, c.cfg.Events.Retention.Spans)
	if c.admitter, err = admit.New(limits, admit.Deps{Registerer: c.registry, Identifiers: c.identifiers}); err != nil {
		return err
	}
	derived := c.samples.For("derived")
	if c.spanMetrics, err = spanmetrics.New(c.cfg.SpanMetrics, spanmetrics.Deps{
		Logger: c.component("span metrics"), Registerer: c.registry, Appendable: derived, Home: c.home, Masks: c.masks.Value,
	}); err != nil {
		return err
	}
	c.run("span metrics", c.spanMetrics.Run, nil)
	if c.topology, err = topology.New(c.cfg.Topology, topology.Deps{
		Logger: c.component("topology"), Registerer: c.registry, Appendable: derived, Querier: c.engine, Home: c.home,
	}); err != nil {
		return err
	}
	c.run("topology", c.topology.Run, nil)
	if c.search, err = search.New(c.cfg.Search, search.Deps{
		Logger: c.component("search"), Registerer: c.registry, Logs: c.events, Spans: c.events, Masks: c.masks.Value,
	}); err != nil {
		return err
	}
	if c.aside, err = local.OpenAside(filepath.Join(c.dir, "stream")); err != nil {
		return err
	}
	c.stream, err = local.New(c.cfg.Stream, local.Deps{
		Logger: c.component("stream"), Registerer: c.registry, Writer: c.events, Aside: c.aside,
		LogTaps:  []stream.LogTap{c.search, c.tally},
		SpanTaps: []stream.SpanTap{c.spanMetrics, c.topology, c.tally},
	})
	return err
}
