package app

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/statuspages"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs"
	"github.com/signalbox-project/signalbox/internal/incident"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/statuspage"
	"github.com/signalbox-project/signalbox/internal/statuspage/public"
	"github.com/signalbox-project/signalbox/internal/store"
)

// announcing is what a tenant tells those who use its services.
type announcing struct {
	statusPages *statuspage.Room
	sites       *public.Sites
}

// buildStatusPages makes the pages, after the rooms whose figures they show.
func (c *cell) buildStatusPages(context.Context) (err error) {
	if c.statusPages, err = statuspage.New(statuspage.Deps{
		Logger: c.component("status pages"), Registerer: c.registry, Documents: c.state,
		Sources: statuspage.Sources{
			Incidents: c.liveIncidents, SLODays: c.report.Days, ProbeDays: c.probeDays, SLOsOf: c.slosOf, Services: c.servicesOf,
		},
	}); err != nil {
		return err
	}
	c.statusPages.Join(c.force)
	if err := c.firstLoad(c.statusPages.Reload(c.cfg.StatusPageFiles)); err != nil {
		return err
	}
	c.sites = public.NewSites(c.statusPages, c.external, c.statusPath, time.Now)
	c.run("status pages", c.statusPages.Run, nil)
	return nil
}

func (c *cell) statusPath(page string) string {
	return public.Deps{Default: model.DefaultTenant}.Path(c.tenant, page)
}

func (c *cell) statusPageDeps() statuspages.Deps {
	return statuspages.Deps{Room: c.statusPages, Path: c.statusPath}
}

// liveIncidents are those that are open or mitigated.
func (c *cell) liveIncidents(ctx context.Context) (out []statuspage.Incident, err error) {
	for _, status := range []incident.Status{incident.Open, incident.Mitigated} {
		list, _, err := c.incidents.List(ctx, incident.Query{Status: status, Limit: 500})
		if err != nil {
			return nil, err
		}
		for _, i := range list {
			out = append(out, statuspage.Incident{ID: i.ID, Severity: i.Severity, Services: i.Services, Started: i.Times.Detected})
		}
	}
	return out, nil
}

// slosOf are the SLOs of a service, but for parts of others.
func (c *cell) slosOf(service string) (out []string) {
	for _, d := range c.catalog.Definitions() {
		if d.Service == service && d.PartOf == "" {
			out = append(out, d.Name)
		}
	}
	return out
}

// servicesOf are the services of the catalogue's files that are of some tiers.
func (c *cell) servicesOf(tiers []int) (out []statuspage.Service) {
	for _, s := range c.services.Value().Services {
		if !slices.Contains(tiers, s.Tier) {
			continue
		}
		names := s.Telemetry
		if len(names) == 0 {
			names = []string{s.Name}
		}
		out = append(out, statuspage.Service{Name: s.Name, Title: cmp.Or(s.Title, s.Name), Names: names})
	}
	return out
}

// probeDays counts the runs of a probe. What is older than the samples has no data.
func (c *cell) probeDays(ctx context.Context, name string, first time.Time, days int) ([]ledger.Cell, error) {
	const day = 24 * time.Hour
	for _, p := range c.prober.Value() {
		if p.Name != name {
			continue
		}
		out := make([]ledger.Cell, days)
		q := c.measurements("status pages")
		// A day's samples stand before its end: [1d] at midnight, but for that moment itself.
		last := first.Add(time.Duration(days)*day - time.Millisecond)
		runs, err := indicator.Points(ctx, q, fmt.Sprintf("count_over_time(probe_success{job=\"probe\",probe=%q}[1d])", name), first.Add(day-time.Millisecond), last, day)
		if err != nil {
			return nil, err
		}
		good, err := indicator.Points(ctx, q, fmt.Sprintf("sum_over_time(probe_success{job=\"probe\",probe=%q}[1d])", name), first.Add(day-time.Millisecond), last, day)
		if err != nil {
			return nil, err
		}
		for i := range out {
			at := first.Add(time.Duration(i+1)*day - time.Millisecond).UnixMilli()
			out[i] = ledger.Cell{Bad: runs[at] - good[at], Total: runs[at], Minutes: min(runs[at]*p.Interval.Minutes(), day.Minutes())}
		}
		return out, nil
	}
	return nil, fmt.Errorf("probe %s: %w", name, store.ErrNotFound)
}

// mountStatusPages makes the pages of all tenants reachable, and opens the listener of their own where one is configured.
func (p *Process) mountStatusPages(web *front.Port) error {
	deps := public.Deps{
		Logger: p.component("status pages"), Tenants: p.names, Default: model.DefaultTenant,
		Of: func(tenant string) (*public.Sites, func(), bool) {
			c, refusal := p.enter(&access.Access{Tenant: tenant})
			if refusal != nil {
				return nil, nil, false
			}
			return c.sites, c.door.leave, true
		},
		Caller: func(r *http.Request) *public.Sites {
			if c := p.cellOf(r.Context()); c != nil {
				return c.sites
			}
			return nil
		},
	}
	public.New(deps, false).Mount(web)
	address := p.cfg.Status.ListenAddress
	if address == "" {
		return nil
	}
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s (status.listen_address): %w; stop the other program or choose another address", address, reason(err))
	}
	port := p.front.Port("status")
	public.New(deps, true).Mount(port)
	p.addresses.Status = reachable(ln)
	p.run("status pages", func(ctx context.Context) error {
		return port.Serve(ctx, ln, front.Serving{TLS: p.certs.TLS(certs.Web, "h2", "http/1.1"), Drain: drainTimeout})
	}, func() error {
		_ = ln.Close() // closed by Serve, where that ran
		return nil
	})
	return nil
}
