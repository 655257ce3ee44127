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

func (p *Process) buildProcessors(context.Context) (err error) {
	limits := p.cfg.Limits.Events
	limits.MaxAge = max(p.cfg.Events.Retention.Logs, p.cfg.Events.Retention.Spans)
	if p.admitter, err = admit.New(limits, admit.Deps{Registerer: p.tel.Registry}); err != nil {
		return err
	}
	derived := p.samples.For("derived")
	if p.spanMetrics, err = spanmetrics.New(p.cfg.SpanMetrics, spanmetrics.Deps{
		Logger: p.component("span metrics"), Registerer: p.tel.Registry, Appendable: derived,
	}); err != nil {
		return err
	}
	p.run("span metrics", p.spanMetrics.Run, nil)
	if p.topology, err = topology.New(p.cfg.Topology, topology.Deps{
		Logger: p.component("topology"), Registerer: p.tel.Registry, Appendable: derived, Querier: p.engine,
	}); err != nil {
		return err
	}
	p.run("topology", p.topology.Run, nil)
	if p.search, err = search.New(p.cfg.Search, search.Deps{
		Logger: p.component("search"), Registerer: p.tel.Registry, Logs: p.events, Spans: p.events,
	}); err != nil {
		return err
	}
	if p.aside, err = local.OpenAside(filepath.Join(p.opts.StoragePath, "stream")); err != nil {
		return err
	}
	p.stream, err = local.New(p.cfg.Stream, local.Deps{
		Logger: p.component("stream"), Registerer: p.tel.Registry, Writer: p.events, Aside: p.aside,
		LogTaps:  []stream.LogTap{p.search, p.tally},
		SpanTaps: []stream.SpanTap{p.spanMetrics, p.topology, p.tally},
	})
	return err
}
