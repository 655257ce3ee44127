package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promconfig "github.com/prometheus/prometheus/config"

	"github.com/signalbox-project/signalbox/internal/alerting/router"
	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/probe"
	"github.com/signalbox-project/signalbox/internal/process/detect"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

// reloads remembers how the last reload went.
type reloads struct {
	reloadMu sync.Mutex
	at       time.Time
	failure  error
	inForce  atomic.Pointer[config.Config]

	successful prometheus.Gauge
	succeeded  prometheus.Gauge
}

// CheckFiles checks every file that a configuration names, without any effect.
func CheckFiles(cfg config.Config) error {
	var errs []error
	if _, err := rules.Check(cfg.RuleFiles, promql.NewParser(cfg.Query)); err != nil {
		errs = append(errs, err)
	}
	if _, err := detect.Load(cfg.DetectorFiles); err != nil {
		errs = append(errs, err)
	}
	if _, err := router.LoadConfig(cfg.AlertmanagerFile); err != nil {
		errs = append(errs, err)
	}
	_, problems := definition.Load(cfg.SLOFiles)
	for _, p := range problems {
		if !p.Warning {
			errs = append(errs, p)
		}
	}
	_, bad := gate.LoadPolicies(cfg.PolicyFiles, cfg.Gate.Policy)
	for _, p := range bad {
		errs = append(errs, p)
	}
	_, wrong := probe.Load(cfg.ProbeFiles)
	for _, p := range wrong {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// buildReload registers the outcome's metrics and reloads on a hang-up.
func (p *Process) buildReload(context.Context) error {
	p.successful = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_config_last_reload_successful", Help: "1 if the last load of the configuration succeeded.",
	})
	p.succeeded = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_config_last_reload_success_timestamp_seconds", Help: "Unix time of the last successful load.",
	})
	p.tel.Registry.MustRegister(p.successful, p.succeeded)
	p.takeInForce(p.cfg)
	p.remember(nil)
	p.run("reload on SIGHUP", func(ctx context.Context) error {
		for {
			select {
			case <-p.opts.Hangup:
				_ = p.reload() // logged and remembered there
			case <-ctx.Done():
				return nil
			}
		}
	}, nil)
	return nil
}

func (p *Process) handleReload(w http.ResponseWriter, _ *http.Request) {
	if err := p.reload(); err != nil {
		writeText(w, http.StatusInternalServerError, redact.Text(err.Error())+"\n")
		return
	}
	writeText(w, http.StatusOK, "reloaded\n")
}

// reload reads the configuration again. An error in it changes nothing; one in a file that
// it names leaves the last good version of that file in force.
func (p *Process) reload() error {
	p.reloadMu.Lock()
	defer p.reloadMu.Unlock()
	err := p.loadAndApply()
	p.remember(err)
	if err != nil {
		p.log.Error("reload failed, the last good configuration is in force", "err", err)
		return err
	}
	p.log.Info("configuration reloaded", "file", p.opts.ConfigFile)
	return nil
}

func (p *Process) remember(err error) {
	p.at, p.failure = time.Now(), err
	if err != nil {
		p.successful.Set(0)
		return
	}
	p.successful.Set(1)
	p.succeeded.SetToCurrentTime()
}

func (p *Process) lastReload() (ok bool, at time.Time) {
	p.reloadMu.Lock()
	defer p.reloadMu.Unlock()
	return p.failure == nil, p.at
}

func (p *Process) failedReload() error {
	p.reloadMu.Lock()
	defer p.reloadMu.Unlock()
	return p.failure
}

// loadAndApply reads everything once, and then puts into force what is good. A file that has an error names
// itself and holds nothing else up: its last good version stays in force, or that of its kind.
func (p *Process) loadAndApply() error {
	cfg, err := config.Load(p.opts.ConfigFile)
	if err != nil {
		return err
	}
	slos, policies := p.catalog.Prepare(cfg.SLOFiles), p.policies.Prepare(cfg.PolicyFiles)
	slos.Commit()
	policies.Commit()
	p.takeInForce(cfg)
	p.warnOfRestart(cfg)
	return errors.Join(
		slos.Err(),
		policies.Err(),
		p.applyScrape(cfg),
		p.rules.Load(cfg.RuleFiles),
		p.detectors.Load(cfg.DetectorFiles),
		p.router.Reload(cfg.AlertmanagerFile),
		p.prober.Reload(cfg.ProbeFiles),
	)
}

// takeInForce makes one value of what a reload takes and of what waits for a restart.
func (p *Process) takeInForce(cfg config.Config) {
	now := p.cfg
	now.Global, now.ScrapeConfigs, now.Prometheus, now.File, now.Hash = cfg.Global, cfg.ScrapeConfigs, cfg.Prometheus, cfg.File, cfg.Hash
	now.RuleFiles, now.DetectorFiles, now.SLOFiles, now.PolicyFiles, now.ProbeFiles = cfg.RuleFiles, cfg.DetectorFiles, cfg.SLOFiles, cfg.PolicyFiles, cfg.ProbeFiles
	now.AlertmanagerFile = cfg.AlertmanagerFile
	p.inForce.Store(&now)
}

// warnOfRestart names sections that changed and take effect at the next start.
func (p *Process) warnOfRestart(cfg config.Config) {
	was, now := reflect.ValueOf(p.cfg), reflect.ValueOf(fit(cfg, p.memory))
	for i := range was.NumField() {
		f := was.Type().Field(i)
		switch f.Name {
		case "Global", "ScrapeConfigs", "Alerting", "RuleFiles", "DetectorFiles", "SLOFiles", "PolicyFiles", "ProbeFiles", "AlertmanagerFile", "Prometheus", "File", "Hash":
			continue
		}
		if !reflect.DeepEqual(was.Field(i).Interface(), now.Field(i).Interface()) {
			p.log.Warn("a changed section takes effect after a restart", "section", f.Tag.Get("yaml"))
		}
	}
}

// applyScrape scrapes what the configuration says, and ourselves.
func (p *Process) applyScrape(cfg config.Config) error {
	own, err := p.ownScrape()
	if err != nil {
		return err
	}
	for _, job := range cfg.Prometheus.ScrapeConfigs {
		if job.JobName == own.JobName {
			return p.scraper.Apply(cfg.Prometheus)
		}
	}
	withOwn := *cfg.Prometheus
	withOwn.ScrapeConfigs = append(append([]*promconfig.ScrapeConfig{}, withOwn.ScrapeConfigs...), own)
	return p.scraper.Apply(&withOwn)
}

// ownScrape is the job that brings our own metrics into our own store.
func (p *Process) ownScrape() (*promconfig.ScrapeConfig, error) {
	text := fmt.Sprintf("scrape_configs: [{job_name: signalbox, scrape_interval: 15s, static_configs: [{targets: [%q], labels: {service: signalbox}}]}]",
		p.addresses.Web[len("http://"):])
	c, err := promconfig.Load(text, p.log)
	if err != nil {
		return nil, fmt.Errorf("own scrape job: %w", err)
	}
	return c.ScrapeConfigs[0], nil
}
