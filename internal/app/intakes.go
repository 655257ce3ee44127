package app

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp"
	"github.com/signalbox-project/signalbox/internal/ingest/promwrite"
	"github.com/signalbox-project/signalbox/internal/ingest/scrape"
)

// intakes are the ways in.
type intakes struct {
	otlp    *otlp.Server
	write   *promwrite.Handler
	scraper *scrape.Scraper
}

func (p *Process) buildIntakes(context.Context) (err error) {
	if p.write, err = promwrite.New(promwrite.Deps{
		Logger: p.component("remote write"), Registerer: p.tel.Registry,
		Admission: p.samples.Acknowledged(), Exemplars: p.metrics, Counter: p.ledger,
	}); err != nil {
		return err
	}
	if p.scraper, err = scrape.New(scrape.Deps{
		Logger: p.component("scrape"), Registerer: p.tel.Registry, Appendable: p.samples.For("scrape"), Features: p.engine.Features(),
	}); err != nil {
		return err
	}
	if err := p.buildScrape(); err != nil {
		return err
	}
	p.run("scraping", p.scraper.Run, nil)
	cfg := p.cfg.OTLP
	cfg.GRPCAddress, cfg.HTTPAddress = "", "" // the flags decide
	cfg.BodyTimeout = p.cfg.Web.BodyTimeout
	if p.otlp, err = otlp.New(cfg, otlp.Deps{
		Logger: p.component("otlp"), Registerer: p.tel.Registry,
		Sink: p.stream, Admitter: p.admitter, Appendable: p.samples.Acknowledged().For("otlp"), Ledger: p.ledger, AppendableCounts: true,
		HTTP: p.front.Port("otlp"), Enter: p.front.Enter, GRPCListener: p.front.Listener("otlp grpc", p.listeners.grpc), HTTPListener: p.listeners.http,
	}); err != nil {
		return err
	}
	p.run("otlp", p.otlp.Run, nil)
	p.run("own telemetry", func(ctx context.Context) error { return p.tel.Feed(ctx, p.stream) }, nil)
	return nil
}
