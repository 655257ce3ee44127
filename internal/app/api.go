package app

import (
	"context"
	"maps"
	"net/http"
	"runtime/debug"
	"time"

	promconfig "github.com/prometheus/prometheus/config"

	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/api/events"
	"github.com/signalbox-project/signalbox/internal/api/health"
	"github.com/signalbox-project/signalbox/internal/api/objectives"
	"github.com/signalbox-project/signalbox/internal/api/releases"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/query/promql"
)

// prometheusAPI is /api/v1.
func (p *Process) prometheusAPI() (*promql.API, error) {
	return promql.NewAPI(p.engine, promql.APIDeps{
		Logger: p.component("api"), Registerer: p.tel.Registry, Gatherer: p.tel.Registry,
		Storage: p.metrics, Targets: p.scraper, Rules: p.rules, Alertmanagers: p.sender, Metadata: p.samples, Write: p.write,
		PrometheusConfig: func() promconfig.Config { return *p.scrape.Value() },
		Flags: map[string]string{
			"config.file": p.opts.ConfigFile, "storage.path": p.opts.StoragePath,
			"web.listen-address": p.opts.ListenAddress, "web.external-url": p.external.String(),
			"otlp.grpc-address": p.opts.OTLPGRPCAddress, "otlp.http-address": p.opts.OTLPHTTPAddress,
			"log.level": p.opts.Log.Level, "log.format": p.opts.Log.Format,
		},
		Build:       promql.Build{Version: p.opts.Version, Revision: revision()},
		ExternalURL: p.external, ListenAddress: p.listeners.web.Addr().String(),
		LastReload: p.lastReload,
	})
}

// federation is /federate.
func (p *Process) federation() (http.Handler, error) {
	return promql.NewFederation(p.engine, promql.FederationDeps{
		Logger: p.component("api"), Registerer: p.tel.Registry, Storage: p.metrics,
		ExternalLabels: func() map[string]string {
			out := p.scraper.Config().GlobalConfig.ExternalLabels.Map()
			maps.Copy(out, p.cfg.ExternalLabels)
			return out
		},
	})
}

// ownAPI is /sb/v1 and /jaeger/api.
func (p *Process) ownAPI() (*api.API, error) {
	engine, err := p.sqlEngine()
	if err != nil {
		return nil, err
	}
	return api.New(p.cfg.API, api.Deps{
		Logger: p.component("api"), Registerer: p.tel.Registry,
		Status: p, Audit: p.state, Ledger: p.ledger, Hooks: p.hooks.Handler(),
		Objectives: objectives.Deps{SLOs: p.slos, Corrections: p.slo, Backtests: p.backtest, Reports: p.report},
		Events:     events.Deps{Filter: p.search, Logs: p.search, Spans: p.search, Tail: p.search.Tail, Traces: p.search, SQL: engine},
		Releases: releases.Deps{
			Deploys: p.tally, Gate: p.gate, GatePolicies: p.bands, Canary: p.canary, Decisions: p.state, Remedies: p.state,
		},
		Health: health.Deps{
			Services: p.diagnose, Topology: p.topology, Explain: p.diagnose, Causes: p.diagnose, Pages: p.state, PageSummary: p.diagnose, Probes: p.prober,
		},
	})
}

// Status implements api.StatusReporter.
func (p *Process) Status(context.Context) api.Status {
	return api.Status{
		Version: p.opts.Version, Revision: revision(), Started: p.began, UptimeSeconds: time.Since(p.began).Seconds(),
		Roles: []string{"all"}, Demo: p.opts.Demo, ExternalLabels: p.cfg.ExternalLabels, Problems: p.problems(),
		Config: p.configStatus(),
	}
}

// configStatus is the configuration in force.
func (p *Process) configStatus() api.ConfigStatus {
	v, last := p.force.View(), p.last.Load()
	now := p.inForce.In(v)
	return api.ConfigStatus{
		InForce: map[string]int{
			"slos": len(p.catalog.In(v)), "policies": len(p.policies.In(v).Named), "rule_files": len(p.rules.In(v)), "detectors": len(p.detectors.In(v)),
			"probes": len(p.prober.In(v)), "scrape_jobs": len(p.scrape.In(v).ScrapeConfigs),
		},
		File: now.Config.File, Hash: now.Config.Hash, Generation: now.Generation, LoadedAt: now.At, ReloadedAt: last.at, ReloadSucceeded: last.err == nil,
	}
}

// problems is what is wrong with the program itself now.
func (p *Process) problems() []model.Problem {
	out := append([]model.Problem{}, p.odd...)
	out = append(out, p.state.Problems()...)
	out = append(out, p.catalog.Problems()...)
	out = append(out, p.rules.Problems()...)
	out = append(out, p.detectors.Problems()...)
	out = append(out, p.policies.Problems()...)
	out = append(out, p.prober.Problems()...)
	out = append(out, p.router.Problems()...)
	out = append(out, p.signing.Problems()...)
	out = append(out, p.aside.Problems()...)
	if reason := p.metrics.ReadOnly(); reason != "" {
		out = append(out, model.Problem{Severity: "critical", Message: "metrics store is read-only: " + reason, Cure: "make room on the disk; it resumes by itself"})
	}
	for _, d := range p.metrics.Damages() {
		out = append(out, d.Problem())
	}
	for _, d := range p.events.Damages() {
		out = append(out, d.Problem())
	}
	if err := p.last.Load().err; err != nil {
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
