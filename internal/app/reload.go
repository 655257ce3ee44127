package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/alerting/router"
	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/catalog"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/probe"
	"github.com/signalbox-project/signalbox/internal/process/detect"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/runbook"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/statuspage"
)

// reloads is how the configuration is replaced.
type reloads struct {
	reloadMu sync.Mutex // one reload at a time, whoever asks
	ended    bool       // by reloadMu: the process stops, nothing is replaced any more

	successful, succeeded, generation prometheus.Gauge
}

// Loaded is a configuration in force.
type Loaded struct {
	Config     config.Config
	Generation uint64 // 1 at the start, one more with every reload that was taken
	At         time.Time
}

// attempt is how a load of the configuration went.
type attempt struct {
	at  time.Time
	err error
}

// CheckFiles checks every file that a configuration names, for every tenant, without any effect.
func CheckFiles(cfg config.Config) []document.Problem {
	problems := checkFiles(cfg)
	for _, t := range cfg.Tenants {
		problems = append(problems, checkFiles(cfg.Of(t))...)
	}
	return problems
}

func checkFiles(cfg config.Config) []document.Problem {
	_, inRules := rules.LoadFiles(cfg.RuleFiles, promql.NewParser(cfg.Query))
	_, inDetectors := detect.Load(cfg.DetectorFiles)
	_, inSLOs := definition.Load(cfg.SLOFiles)
	_, inPolicies := gate.LoadPolicies(cfg.PolicyFiles, cfg.Gate.Policy)
	_, inProbes := probe.Load(cfg.ProbeFiles)
	_, inOnCall := oncall.Load(cfg.OnCallFiles)
	_, inCatalog := catalog.Load(cfg.CatalogFiles)
	_, inRunbooks := runbook.Load(cfg.RunbookFiles)
	_, inRemedies := contract.Load(cfg.RemedyFiles)
	_, inStatusPages := statuspage.Load(cfg.StatusPageFiles)
	return slices.Concat(inRules, inDetectors, router.Check(cfg.AlertmanagerFile), inSLOs, inPolicies, inProbes, inOnCall, inCatalog, inRunbooks, inRemedies, inStatusPages)
}

// buildReload registers the outcome's metrics and reloads on a hang-up.
func (p *Process) buildReload(context.Context) error {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	p.successful = gauge("signalbox_config_last_reload_successful", "1 if the last load of the configuration succeeded.")
	p.succeeded = gauge("signalbox_config_last_reload_success_timestamp_seconds", "Unix time of the last successful load.")
	p.generation = gauge("signalbox_config_generation", "How many times a configuration was put into force since the start.")
	p.tel.Registry.MustRegister(p.successful, p.succeeded, p.generation)
	p.generation.Set(1)
	var errs []error
	for _, c := range p.cells() {
		errs = append(errs, c.ofTenant(c.last.Load().err))
	}
	p.measure(errors.Join(errs...))
	p.run("reload on SIGHUP", func(ctx context.Context) error {
		for {
			select {
			case <-p.opts.Hangup:
				_ = p.reload(ctx) // logged and remembered there
			case <-ctx.Done():
				// What is being replaced is replaced whole before its parts stop, and nothing after.
				p.reloadMu.Lock()
				defer p.reloadMu.Unlock()
				p.ended = true
				return nil
			}
		}
	}, nil)
	return nil
}

// firstLoad takes the errors of files at the start as at a reload: they are logged and stay on the status
// page, and the rest runs. A process that dies while a bad file lies there must come back to page.
func (c *cell) firstLoad(err error) error {
	var load *document.LoadError
	if !errors.As(err, &load) {
		return err
	}
	c.log.Error("files that the configuration names have errors and are not taken", "err", err)
	c.first = append(c.first, err)
	return nil
}

func (p *Process) handleReload(w http.ResponseWriter, r *http.Request) {
	err := p.reload(context.WithoutCancel(r.Context())) // whoever asked may leave
	switch {
	case errors.Is(err, errStopping):
		writeText(w, http.StatusServiceUnavailable, err.Error()+"\n")
	case err != nil:
		writeText(w, http.StatusInternalServerError, redact.Text(err.Error())+"\n")
	default:
		writeText(w, http.StatusOK, "reloaded\n")
	}
}

var errStopping = errors.New("the process stops; nothing was reloaded")

// reload reads the configuration again. An error in it changes nothing; one in a file that
// it names leaves the last good version of that file in force.
func (p *Process) reload(ctx context.Context) error {
	p.reloadMu.Lock()
	defer p.reloadMu.Unlock()
	if p.ended {
		return errStopping
	}
	taken, err := p.loadAndApply(ctx)
	p.measure(err)
	switch {
	case !taken:
		p.log.Error("reload failed, the last good configuration is in force", "err", err)
	case err != nil:
		p.log.Error("configuration reloaded, but files that it names have errors and are not taken", "err", err)
	default:
		p.log.Info("configuration reloaded", "file", p.opts.ConfigFile)
	}
	return err
}

// measure tells the metrics how a load went.
func (r *reloads) measure(err error) {
	if err != nil {
		r.successful.Set(0)
		return
	}
	r.successful.Set(1)
	r.succeeded.SetToCurrentTime()
}

// remember keeps how a load went for a tenant.
func (c *cell) remember(err error) { c.last.Store(&attempt{time.Now(), err}) }

func (c *cell) lastReload() (ok bool, at time.Time) {
	last := c.last.Load()
	return last.err == nil, last.at
}

// ofTenant names the tenant that an error is about, unless it is default.
func (c *cell) ofTenant(err error) error {
	if err == nil || c.tenant == model.DefaultTenant {
		return err
	}
	return fmt.Errorf("tenant %s: %w", c.tenant, err)
}

// loadAndApply reads everything once, and then puts it into force together, or nothing, tenant by tenant: what one
// cannot take over holds no other up. A file that has an error names itself and holds nothing else up: its last good
// version is what is put into force.
func (p *Process) loadAndApply(ctx context.Context) (taken bool, err error) {
	cfg, err := config.Load(p.opts.ConfigFile)
	if err == nil && p.cfg.Auth.Enabled {
		err = errors.Join(cfg.Unproved()...) // the flag turns it on, too
	}
	if err != nil {
		p.home.remember(err) // whoever reads the status of default mends the file
		return false, err
	}
	var errs []error
	for _, c := range p.cells() {
		own, known := p.configOf(cfg, c.tenant)
		if !known {
			continue // is taken out below
		}
		one, err := c.load(own)
		c.remember(err)
		taken = taken || one && c == p.home
		errs = append(errs, c.ofTenant(err))
	}
	errs = append(errs, p.changeTenants(ctx, cfg))
	p.generation.Set(float64(p.home.inForce.Value().Generation))
	p.warnOfRestart(cfg)
	return taken, errors.Join(errs...)
}

// load puts a configuration into force for the tenant, or nothing.
func (c *cell) load(cfg config.Config) (taken bool, err error) {
	changes, err := c.prepare(cfg)
	if err != nil {
		return false, err
	}
	now := Loaded{Config: c.withWhatWaits(cfg), Generation: c.inForce.Value().Generation + 1, At: time.Now()}
	changes = append(changes, c.inForce.Prepare(now))
	if err := c.force.Commit(changes...); err != nil {
		return false, fmt.Errorf("nothing was changed: %w", err)
	}
	return true, document.Wrong(changes...)
}

// prepare reads what a configuration names for the tenant, without any effect.
func (c *cell) prepare(cfg config.Config) ([]document.Change, error) {
	scrape, err := c.scrapeConfig(cfg)
	if err != nil {
		return nil, err
	}
	masks, err := masksOf(cfg)
	if err != nil {
		return nil, err
	}
	return []document.Change{
		c.scrape.Prepare(scrape),
		c.masks.Prepare(masks),
		c.rules.Prepare(cfg.RuleFiles),
		c.detectors.Prepare(cfg.DetectorFiles),
		c.router.Prepare(cfg.AlertmanagerFile),
		c.prober.Prepare(cfg.ProbeFiles),
		c.oncall.Prepare(cfg.OnCallFiles),
		c.services.Prepare(cfg.CatalogFiles),
		c.runbooks.Prepare(cfg.RunbookFiles),
		c.contracts.Prepare(cfg.RemedyFiles),
		c.statusPages.Prepare(cfg.StatusPageFiles),
		c.catalog.Prepare(cfg.SLOFiles),
		c.policies.Prepare(cfg.PolicyFiles),
	}, nil
}

// withWhatWaits is one value of what a reload takes and of what waits for a restart.
func (c *cell) withWhatWaits(cfg config.Config) config.Config {
	now := c.cfg
	now.Global, now.ScrapeConfigs, now.Alerting, now.Prometheus, now.File, now.Hash = cfg.Global, cfg.ScrapeConfigs, cfg.Alerting, cfg.Prometheus, cfg.File, cfg.Hash
	now.RuleFiles, now.DetectorFiles, now.SLOFiles, now.PolicyFiles = cfg.RuleFiles, cfg.DetectorFiles, cfg.SLOFiles, cfg.PolicyFiles
	now.ProbeFiles, now.OnCallFiles, now.CatalogFiles, now.RunbookFiles = cfg.ProbeFiles, cfg.OnCallFiles, cfg.CatalogFiles, cfg.RunbookFiles
	now.StatusPageFiles, now.RemedyFiles = cfg.StatusPageFiles, cfg.RemedyFiles
	now.AlertmanagerFile, now.Masking = cfg.AlertmanagerFile, cfg.Masking
	return now
}

// warnOfRestart names sections that changed and take effect at the next start.
func (p *Process) warnOfRestart(cfg config.Config) {
	was, now := reflect.ValueOf(p.cfg), reflect.ValueOf(fit(cfg, p.memory))
	for i := range was.NumField() {
		f := was.Type().Field(i)
		switch f.Name {
		case "Global", "ScrapeConfigs", "Alerting", "RuleFiles", "DetectorFiles", "SLOFiles", "PolicyFiles", "ProbeFiles", "OnCallFiles", "CatalogFiles", "RunbookFiles", "StatusPageFiles", "AlertmanagerFile", "Masking", "Prometheus", "File", "Hash":
			continue
		}
		if f.Name == "Tenants" && (p.home.home != "" || len(cfg.Tenants) == 0) {
			continue
		}
		if !reflect.DeepEqual(was.Field(i).Interface(), now.Field(i).Interface()) {
			p.log.Warn("a changed section takes effect after a restart", "section", f.Tag.Get("yaml"))
		}
	}
}
