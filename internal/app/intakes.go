package app

import (
	"context"
	"net"

	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp"
	"github.com/signalbox-project/signalbox/internal/ingest/pagerduty"
	"github.com/signalbox-project/signalbox/internal/ingest/promwrite"
	"github.com/signalbox-project/signalbox/internal/ingest/scrape"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/ownership"
)

// intakes are the ways in.
type intakes struct {
	otlp    *otlp.Server
	write   *promwrite.Handler
	scraper *scrape.Scraper
	paging  *pagerduty.Intake
}

func (c *cell) buildIntakes(context.Context) (err error) {
	if c.write, err = promwrite.New(promwrite.Deps{
		Logger: c.component("remote write"), Registerer: c.registry,
		Admission: c.samples.Acknowledged(), Exemplars: c.samples.Exemplars(c.metrics), Counter: c.ledger, Home: c.home,
	}); err != nil {
		return err
	}
	if c.scraper, err = scrape.New(scrape.Deps{
		Logger: c.component("scrape"), Registerer: c.registry, Appendable: c.samples.For("scrape"), Counter: c.ledger, Features: c.engine.Features(), Dial: c.dialToScrape, Discovery: c.outgoing.Options(),
	}); err != nil {
		return err
	}
	if err := c.buildScrape(); err != nil {
		return err
	}
	c.run("scraping", c.scraper.Run, nil)
	if c.paging, err = pagerduty.New(pagerduty.Deps{
		Registerer: c.registry, Sender: c.sender, Documents: c.state, Pages: c.state, Deploys: ownership.Deploys{From: c.tally, Owners: c.owners}, Record: c.recordChange,
	}); err != nil {
		return err
	}
	cfg := c.cfg.OTLP
	cfg.GRPCAddress, cfg.HTTPAddress = "", "" // the flags decide
	cfg.BodyTimeout = c.cfg.Web.BodyTimeout
	deps := otlp.Deps{
		Logger: c.component("otlp"), Registerer: c.registry, Home: c.home,
		Sink: c.stream, Admitter: c.admitter, Appendable: c.samples.Acknowledged().For("otlp"), Ledger: c.ledger, AppendableCounts: true,
	}
	if c.tenant != model.DefaultTenant {
		if c.otlp, err = otlp.New(cfg, deps); err != nil {
			return err
		}
		c.run("otlp", c.otlp.Run, nil)
		return nil
	}
	// It listens for all tenants, so the process runs it once all can take what comes.
	deps.Of = func(ctx context.Context) *otlp.Server { return c.all.cellOf(ctx).otlp }
	deps.HTTP, deps.HTTPListener = c.front.Port("otlp"), c.listeners.http
	deps.Way = otlp.Way{Enter: c.front.Enter, Turn: c.front.Turn}
	deps.GRPCTLS, deps.HTTPTLS = c.certs.TLS(certs.OTLPGRPC, "h2"), c.certs.TLS(certs.OTLPHTTP, "h2", "http/1.1")
	deps.GRPCListener = c.front.Listener("otlp grpc", c.listeners.grpc)
	if c.otlp, err = otlp.New(cfg, deps); err != nil {
		return err
	}
	c.run("own telemetry", func(ctx context.Context) error { return c.tel.Feed(ctx, c.stream) }, nil)
	return nil
}

// mountPaging makes PagerDuty's events welcome.
func (p *Process) mountPaging(port *front.Port) {
	pagerduty.Server{
		Enter: p.front.Enter, Of: func(ctx context.Context) *pagerduty.Intake { return p.cellOf(ctx).paging }, Logger: p.component("pagerduty intake"),
	}.Mount(port)
}

// dialToScrape reaches ourselves without the network, whatever the web listener demands of clients.
func (c *cell) dialToScrape(ctx context.Context, network, address string) (net.Conn, error) {
	if address == ownTarget && c.tenant == model.DefaultTenant { // what is there is about all tenants
		return c.inner.Dial(ctx)
	}
	return c.outgoing.DialContext(ctx, network, address)
}
