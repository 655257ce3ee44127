package app

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"runtime/debug"
	"time"

	promconfig "github.com/prometheus/prometheus/config"

	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/api/events"
	"github.com/signalbox-project/signalbox/internal/api/health"
	"github.com/signalbox-project/signalbox/internal/api/incidents"
	"github.com/signalbox-project/signalbox/internal/api/objectives"
	"github.com/signalbox-project/signalbox/internal/api/people"
	"github.com/signalbox-project/signalbox/internal/api/releases"
	"github.com/signalbox-project/signalbox/internal/api/remediation"
	"github.com/signalbox-project/signalbox/internal/audit/witness"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/ownership"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/query/promql"
)

// surfaces are what asks the rooms of a cell over HTTP.
type surfaces struct {
	prom       *promql.API
	federation http.Handler
	api        *api.API
}

func (c *cell) buildSurfaces(context.Context) (err error) {
	c.remember(errors.Join(c.first...))
	c.inForce = document.NewValue(c.force, Loaded{Config: c.cfg, Generation: 1, At: time.Now()}, nil)
	if c.prom, err = c.prometheusAPI(); err != nil {
		return err
	}
	if c.federation, err = c.newFederation(); err != nil {
		return err
	}
	c.api, err = c.ownAPI()
	return err
}

// prometheusAPI is /api/v1.
func (c *cell) prometheusAPI() (*promql.API, error) {
	return promql.NewAPI(c.engine, promql.APIDeps{
		Logger: c.component("api"), Registerer: c.registry, Gatherer: c.gatherer,
		Storage: promql.Shown(c.metrics, c.masks.Value), Targets: c.scraper, Rules: c.rules, Alertmanagers: c.sender, Metadata: c.samples, Write: c.write,
		PrometheusConfig: func() promconfig.Config { return *c.scrape.Value() },
		Flags: map[string]string{
			"config.file": c.opts.ConfigFile, "storage.path": c.dir,
			"web.listen-address": c.opts.ListenAddress, "web.external-url": c.external.String(),
			"otlp.grpc-address": c.opts.OTLPGRPCAddress, "otlp.http-address": c.opts.OTLPHTTPAddress,
			"log.level": c.opts.Log.Level, "log.format": c.opts.Log.Format,
		},
		Build:       promql.Build{Version: c.opts.Version, Revision: revision()},
		ExternalURL: c.external, ListenAddress: c.listeners.web.Addr().String(),
		LastReload: c.lastReload,
	})
}

// newFederation is /federate.
func (c *cell) newFederation() (http.Handler, error) {
	return promql.NewFederation(c.engine, promql.FederationDeps{
		Logger: c.component("api"), Registerer: c.registry, Storage: c.metrics,
		ExternalLabels: func() map[string]string {
			out := c.scraper.Config().GlobalConfig.ExternalLabels.Map()
			maps.Copy(out, c.cfg.ExternalLabels)
			return out
		},
	})
}

// ownAPI is /sb/v1 and /jaeger/api.
func (c *cell) ownAPI() (*api.API, error) {
	engine, err := c.sqlEngine()
	if err != nil {
		return nil, err
	}
	hashes := c.identifiers.Forms
	if c.identifiers.None() {
		hashes = nil
	}
	return api.New(c.cfg.API, api.Deps{
		Identifiers: hashes,
		Logger:      c.component("api"), Registerer: c.registry,
		Status: c, Tenants: c, Audit: c.trail(), Ledger: c.ledger, Hooks: http.HandlerFunc(c.serveHooks),
		Identity: c.identityDeps(),
		Objectives: objectives.Deps{
			SLOs: c.shownSLOs(), Corrections: witness.Corrections{Corrector: c.slo, Kept: c.state.SLOCorrections, Checker: c.notes}, Backtests: c.backtest, Reports: c.report, RuleReviews: c.ruleReview(),
		},
		Events: events.Deps{Filter: c.search, Logs: c.search, Spans: c.search, Tail: c.search.Tail, Traces: c.search, SQL: engine},
		Releases: releases.Deps{
			Deploys: ownership.Deploys{From: c.tally, Owners: c.owners}, Gate: c.gate, GatePolicies: c.bands, Canary: c.canary, Owners: c.owners,
			Decisions: ownership.Decisions{From: c.decisions(), Owners: c.owners}, Remedies: ownership.Remedies{From: c.state, Owners: c.owners}, Remediation: remediation.Deps{Room: c.remediation},
			KeyFault: func(ctx context.Context, id, pem string) string { return c.notes.Check(ctx, evidence.OfKey(id, pem)) },
		},
		Health: health.Deps{
			Services: c.diagnose, Topology: c.topology, Explain: c.diagnose, Causes: c.diagnose, Pages: ownership.Pages{From: witness.Pages{PageStore: c.state, Checker: c.notes}}, PageSummary: c.diagnose, Probes: c.prober, Catalog: c.services, Runbooks: c.runbooks,
		},
		People: people.Deps{
			Incidents: incidents.Deps{Room: c.incidents, StatusPages: c.statusPageDeps()},
			OnCall:    c.oncall, Channels: c.courier, External: c.external, Escalation: c.escalation, Contacts: c.contacts, Sees: c.sees, Heartbeats: c.heartbeats,
		},
	})
}

// Status implements api.StatusReporter.
func (c *cell) Status(ctx context.Context) api.Status {
	problems, channels := c.problemsFor(ctx)
	return api.Status{
		Version: c.opts.Version, Revision: revision(), Started: c.began, UptimeSeconds: time.Since(c.began).Seconds(),
		Roles: []string{"all"}, Demo: c.opts.Demo, ExternalLabels: c.cfg.ExternalLabels, Problems: problems, Channels: channels,
		Config: c.configStatus(), Tenants: c.all.tenantsFor(ctx),
	}
}

// configStatus is the configuration in force.
func (c *cell) configStatus() api.ConfigStatus {
	v, last := c.force.View(), c.last.Load()
	now := c.inForce.In(v)
	return api.ConfigStatus{
		InForce: map[string]int{
			"slos": len(c.catalog.In(v)), "policies": len(c.policies.In(v).Named), "rule_files": len(c.rules.In(v)), "detectors": len(c.detectors.In(v)),
			"probes": len(c.prober.In(v)), "oncall_schedules": len(c.oncall.In(v).Schedules), "catalog_services": len(c.services.In(v).Services), "runbooks": len(c.runbooks.In(v)), "remedies": len(c.contracts.In(v)), "status_pages": len(c.statusPages.In(v)), "scrape_jobs": len(c.scrape.In(v).ScrapeConfigs),
		},
		File: now.Config.File, Hash: now.Config.Hash, Generation: now.Generation, LoadedAt: now.At, ReloadedAt: last.at, ReloadSucceeded: last.err == nil,
	}
}

// problems is what is wrong with the program itself now.
func (c *cell) problems() []model.Problem {
	out := append([]model.Problem{}, c.odd...)
	out = append(out, c.certs.Problems()...)
	out = append(out, c.state.Problems()...)
	out = append(out, c.catalog.Problems()...)
	out = append(out, c.maskedGroups(c.catalog.Definitions())...)
	out = append(out, c.rules.Problems()...)
	out = append(out, c.detectors.Problems()...)
	out = append(out, c.policies.Problems()...)
	out = append(out, c.prober.Problems()...)
	out = append(out, c.oncall.Problems()...)
	out = append(out, c.services.Problems()...)
	out = append(out, c.runbooks.Problems()...)
	out = append(out, c.statusPages.Problems()...)
	out = append(out, c.contracts.Problems()...)
	out = append(out, c.router.Problems()...)
	out = append(out, c.courier.Problems()...)
	out = append(out, c.signing.Problems()...)
	out = append(out, c.notes.Problems()...)
	out = append(out, c.aside.Problems()...)
	out = append(out, c.quotaProblems()...)
	if reason := c.metrics.ReadOnly(); reason != "" {
		out = append(out, model.Problem{Severity: "critical", Message: "metrics store is read-only: " + reason, Cure: "make room on the disk; it resumes by itself"})
	}
	for _, d := range c.metrics.Damages() {
		out = append(out, d.Problem())
	}
	for _, d := range c.events.Damages() {
		out = append(out, d.Problem())
	}
	out = append(out, c.events.Encryption()...)
	if c.tenant == model.DefaultTenant {
		out = append(out, c.all.problemsOfTenants()...)
		out = append(out, problemsOf(c.all.unowned())...)
		out = append(out, c.audit.Problems()...)
		out = append(out, c.shipper.Problems()...)
	}
	if err := c.last.Load().err; err != nil {
		out = append(out, model.Problem{
			Severity: "critical", Message: "the last load of the configuration found errors, what is good is in force: " + err.Error(),
			Cure: "mend the file and reload again (SIGHUP or POST /-/reload)",
		})
	}
	for i := range out {
		out[i].Message = redact.Text(out[i].Message)
	}
	return out
}

// revision is the commit the binary was built from, where the build knows it.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
