// Package config is the one configuration file: signalbox.yml, composed of
// sections that the components own.
//
// It reads, checks and resolves paths; it opens and starts nothing. Data in: the file's text. Data out: a
// Config in which every path is absolute or relative to the working folder, or all
// problems at once, each with file, line, cure and, for a misspelt key, the name
// that was meant (internal/document). Scrape configurations are read by Prometheus' own code.
//
// Invariant: a Config that Load returned without an error is valid as a whole.
// Start reading at Config, then Load.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	promconfig "github.com/prometheus/prometheus/config"

	"github.com/signalbox-project/signalbox/internal/admit"
	"github.com/signalbox-project/signalbox/internal/admit/identifiers"
	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/alerting/flapping"
	"github.com/signalbox-project/signalbox/internal/alerting/router"
	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/alerting/selfquery"
	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/api/mcp"
	"github.com/signalbox-project/signalbox/internal/audit/ship"
	"github.com/signalbox-project/signalbox/internal/auth"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs"
	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/gate/canary"
	"github.com/signalbox-project/signalbox/internal/gate/hooks"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp"
	"github.com/signalbox-project/signalbox/internal/ingest/scrape"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/notify/channels"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/probe"
	"github.com/signalbox-project/signalbox/internal/process/detect"
	"github.com/signalbox-project/signalbox/internal/process/spanmetrics"
	"github.com/signalbox-project/signalbox/internal/process/topology"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/query/search"
	"github.com/signalbox-project/signalbox/internal/query/sql"
	"github.com/signalbox-project/signalbox/internal/remedy"
	"github.com/signalbox-project/signalbox/internal/seal/atrest"
	"github.com/signalbox-project/signalbox/internal/seal/envelope"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/statuspage"
	"github.com/signalbox-project/signalbox/internal/store/auditlog"
	"github.com/signalbox-project/signalbox/internal/store/events"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
	"github.com/signalbox-project/signalbox/internal/stream/local"
)

// Config is signalbox.yml.
type Config struct {
	ExternalLabels   map[string]string `yaml:"external_labels"`   // on everything that leaves this installation
	Global           document.Raw      `yaml:"global"`            // Prometheus' global section: scrape_interval, evaluation_interval, …
	ScrapeConfigs    document.Raw      `yaml:"scrape_configs"`    // Prometheus' own format
	Alerting         document.Raw      `yaml:"alerting"`          // Prometheus' own format: Alertmanagers outside that get every alert too
	RuleFiles        []string          `yaml:"rule_files"`        // globs; Prometheus' own format
	DetectorFiles    []string          `yaml:"detector_files"`    // globs; detectors of sudden change (docs/alerting.md)
	SLOFiles         []string          `yaml:"slo_files"`         // globs; OpenSLO v1
	PolicyFiles      []string          `yaml:"policy_files"`      // globs; error budget policies (docs/gate.md)
	ProbeFiles       []string          `yaml:"probe_files"`       // globs; synthetic probes (docs/probes.md)
	OnCallFiles      []string          `yaml:"oncall_files"`      // globs; people and their on-call schedules (docs/oncall.md)
	CatalogFiles     []string          `yaml:"catalog_files"`     // globs; services, teams and who owns what, Backstage's catalog-info files too (docs/catalog.md)
	RunbookFiles     []string          `yaml:"runbook_files"`     // globs; runbooks in Markdown (docs/runbooks.md)
	RemedyFiles      []string          `yaml:"remedy_files"`      // globs; what may be done about an alert, and under which conditions (docs/remedies.md)
	StatusPageFiles  []string          `yaml:"status_page_files"` // globs; status pages, public and internal (docs/status-pages.md)
	AlertmanagerFile string            `yaml:"alertmanager_file"` // Alertmanager's own format

	Tenants []Tenant `yaml:"tenants"` // list; tenants beside default, which the rest of the file is about (docs/tenants.md)

	Web   front.Config      `yaml:"web"`
	Turns front.TurnsConfig `yaml:"turns"` // how work is divided among tenants (docs/tenants.md)
	// TLS is how every listener is served, in the words of Prometheus' web configuration file (docs/tls.md).
	TLS         certs.Config       `yaml:"tls_server_config"`
	Listeners   certs.Listeners    `yaml:"listeners"`
	Auth        auth.Config        `yaml:"auth"`
	Outgoing    outgoing.Config    `yaml:"outgoing"`
	OTLP        otlp.Config        `yaml:"otlp"`
	Limits      Limits             `yaml:"limits"`
	Privacy     identifiers.Config `yaml:"privacy"` // what identifies people is hashed on the way in (docs/operations.md)
	Masking     mask.Config        `yaml:"masking"` // of logs and spans, by permission, when somebody asks (docs/masking.md); for every tenant
	Seal        envelope.Config    `yaml:"seal"`    // secrets below --storage.path open with a key alone that lies elsewhere
	Storage     atrest.Config      `yaml:"storage"` // how the storage folder is kept
	Stream      local.Config       `yaml:"stream"`
	Metrics     metrics.Config     `yaml:"metrics"`
	Events      events.Config      `yaml:"events"`
	SpanMetrics spanmetrics.Config `yaml:"span_metrics"`
	Topology    topology.Config    `yaml:"topology"`
	Query       promql.Config      `yaml:"query"`
	Search      search.Config      `yaml:"search"`
	SQL         sql.Config         `yaml:"sql"`
	Rules       rules.Config       `yaml:"rules"`
	Routing     router.Config      `yaml:"routing"`
	Detect      detect.Config      `yaml:"detect"`
	SelfQuery   selfquery.Config   `yaml:"self_query"`
	Probes      probe.Config       `yaml:"probes"`
	// InhibitDependents holds back alerts of services that call a failing one.
	InhibitDependents router.DependentsConfig `yaml:"inhibit_dependents"`
	// Flapping holds open alerts that fire and end again and again.
	Flapping flapping.Config   `yaml:"flapping"`
	SLO      slo.Config        `yaml:"slo"`
	Gate     gate.Config       `yaml:"gate"`
	Canary   canary.Config     `yaml:"canary"`
	Hooks    hooks.Config      `yaml:"hooks"`
	Remedy   remedy.Config     `yaml:"remedy"`
	Channels channels.Config   `yaml:"channels"` // what messages reach people through
	Status   statuspage.Config `yaml:"status"`   // how status pages are served (docs/status-pages.md)
	API      api.Config        `yaml:"api"`
	MCP      mcp.Config        `yaml:"mcp"`   // tools for agents (docs/mcp.md)
	Audit    Audit             `yaml:"audit"` // the log of who did and asked what

	// Prometheus is what Prometheus' code made of Global and ScrapeConfigs.
	Prometheus *promconfig.Config `yaml:"-"`
	// File is where the configuration came from; "" for the defaults.
	File string `yaml:"-"`
	// Hash is the SHA-256 of the file's text, as sha256sum prints it; "" for the defaults.
	Hash string `yaml:"-"`
}

// Audit is the log of who did and asked what, and who else gets it.
type Audit struct {
	auditlog.Config `yaml:",inline"`
	// Ship lists receivers of the log: name, and one of otlp (endpoint, protocol, http_config) and syslog (address, tls_config, hostname, facility) (docs/audit.md).
	Ship []ship.Target `yaml:"ship"`
}

func (a Audit) validate() []error { return append(a.Validate(), ship.Validate(a.Ship)...) }

// Limits bound what may enter.
type Limits struct {
	// Memory is what the process may use, in bytes; 0 is GOMEMLIMIT or, where that is not set, 80 % of what control
	// group or machine have, 60 % of RLIMIT_DATA or RLIMIT_AS (docs/operations.md).
	Memory  int64          `yaml:"memory_bytes"`
	Samples samples.Config `yaml:"samples"`
	Events  admit.Config   `yaml:"events"` // log records and spans
}

// minMemory is what an idle process needs, and some room.
const minMemory = 256 << 20

func (l Limits) validate() []error {
	if l.Memory != 0 && l.Memory < minMemory {
		return []error{fmt.Errorf("memory_bytes: must be 0 or at least %d (256 MiB), got %d", minMemory, l.Memory)}
	}
	return nil
}

// Default is what applies without a file.
func Default() Config {
	return Config{
		Web:         front.DefaultConfig(),
		Turns:       front.DefaultTurns(),
		Auth:        auth.DefaultConfig(),
		OTLP:        otlp.DefaultConfig(),
		Limits:      Limits{Samples: samples.DefaultConfig(), Events: admit.DefaultConfig()},
		Stream:      local.DefaultConfig(),
		Metrics:     metrics.DefaultConfig(),
		Events:      events.DefaultConfig(),
		SpanMetrics: spanmetrics.DefaultConfig(),
		Topology:    topology.DefaultConfig(),
		Query:       promql.DefaultConfig(),
		Search:      search.DefaultConfig(),
		SQL:         sql.DefaultConfig(),
		Rules:       rules.DefaultConfig(),
		Routing:     router.DefaultConfig(),
		Detect:      detect.DefaultConfig(),
		SelfQuery:   selfquery.DefaultConfig(),
		Probes:      probe.DefaultConfig(),

		InhibitDependents: router.DefaultDependentsConfig(),
		Flapping:          flapping.DefaultConfig(),
		SLO:               slo.DefaultConfig(),
		Gate:              gate.DefaultConfig(),
		Canary:            canary.DefaultConfig(),
		Hooks:             hooks.DefaultConfig(),
		Remedy:            remedy.DefaultConfig(),
		API:               api.DefaultConfig(),
		Audit:             Audit{Config: auditlog.DefaultConfig()},
	}
}

// Files are how the configuration is found and read.
func Files() document.Files {
	return document.Files{What: "configuration", Setting: "--config.file", MaxBytes: 4 << 20}
}

// Load reads and checks file; "" answers the defaults. The error lists every
// problem found, one a line.
func Load(file string) (Config, error) {
	if file == "" {
		c := Default()
		return c, document.Err(c.prometheus(document.File{}))
	}
	f, problem := Files().Read(file)
	if problem != nil {
		return Default(), document.Err([]document.Problem{*problem})
	}
	c, problems := Parse(f)
	return c, document.Err(problems)
}

// Parse makes a configuration of a file as it was read, and says everything that is wrong with it.
func Parse(f document.File) (Config, []document.Problem) {
	c := Default()
	sum := sha256.Sum256(f.Text)
	c.File, c.Hash = f.Path, hex.EncodeToString(sum[:])
	r, docs := document.Parse(f.Path, f.Text)
	for i, doc := range docs {
		if i > 0 {
			doc.Problem("", "a second YAML document: one file holds one configuration", "join the two, or delete the line `---`")
			continue
		}
		doc.Decode(&c, "")
	}
	for _, s := range c.sections() {
		r.Invalid(s.name, s.validate())
	}
	if r.Errors() == 0 || c.Global != nil || c.ScrapeConfigs != nil || c.Alerting != nil {
		for _, p := range c.prometheus(f) {
			r.Add(p)
		}
	}
	c.resolve(filepath.Dir(f.Path))
	c.tenants(r, f)
	return c, r.Problems()
}

type section struct {
	name     string
	validate func() []error
}

func (c *Config) sections() []section {
	return []section{
		{"web", c.Web.Validate},
		{"turns", c.Turns.Validate},
		{"tls_server_config", c.TLS.Validate},
		{"listeners", c.Listeners.Validate},
		{"auth", c.Auth.Validate},
		{"outgoing", c.Outgoing.Validate},
		{"otlp", c.OTLP.Validate},
		{"limits", c.Limits.validate},
		{"limits.samples", c.Limits.Samples.Validate},
		{"limits.events", c.Limits.Events.Validate},
		{"privacy", c.Privacy.Validate},
		{"masking", c.masking},
		{"seal", c.Seal.Validate},
		{"storage", func() []error { return c.encrypted(c.Storage.Encrypt) }},
		{"stream", c.Stream.Validate},
		{"metrics", c.Metrics.Validate},
		{"events", c.events},
		{"span_metrics", c.SpanMetrics.Validate},
		{"topology", c.Topology.Validate},
		{"query", c.Query.Validate},
		{"search", c.Search.Validate},
		{"sql", c.SQL.Validate},
		{"rules", c.Rules.Validate},
		{"routing", c.Routing.Validate},
		{"detect", c.Detect.Validate},
		{"self_query", c.SelfQuery.Validate},
		{"probes", c.Probes.Validate},
		{"inhibit_dependents", c.InhibitDependents.Validate},
		{"flapping", c.Flapping.Validate},
		{"slo", c.SLO.Validate},
		{"gate", c.Gate.Validate},
		{"hooks", c.hooks},
		{"remedy", c.Remedy.Validate},
		{"canary", c.Canary.Validate},
		{"channels", c.Channels.Validate},
		{"status", c.Status.Validate},
		{"api", c.API.Validate},
		{"audit", c.Audit.validate},
	}
}

// hooks are checked together with authentication: where that is on, no hook serves whoever comes.
func (c *Config) hooks() []error {
	errs := c.Hooks.Validate()
	if c.Auth.Enabled {
		errs = append(errs, c.Hooks.Unproved()...)
	}
	return errs
}

// events are checked together with the keys that they may be encrypted by.
func (c *Config) events() []error {
	return append(c.Events.Validate(), c.encrypted(c.Events.Encrypt)...)
}

// encrypted are the errors of a section that may have something encrypted by the keys of seal.
func (c *Config) encrypted(wanted bool) []error {
	switch {
	case wanted && len(c.Seal.Keys) == 0:
		return []error{errors.New("encrypt: needs a key: make one with: head -c 32 /dev/urandom | base64 > seal.key, and name it: seal: {keys: [{file: seal.key}]}")}
	case wanted && c.Seal.Undo:
		return []error{errors.New("encrypt: contradicts seal.undo, which keeps everything plain: take one of them out")}
	}
	return nil
}

// masking is checked together with what hashes.
func (c *Config) masking() []error {
	errs := c.Masking.Validate()
	if c.Masking.Hashes() && len(c.Privacy.Keys) == 0 {
		errs = append(errs, errors.New("rules: `replace: hash` needs a key: make one with: head -c 32 /dev/urandom | base64 > identifiers.key, and name it: privacy: {keys: [{file: identifiers.key}]}"))
	}
	return errs
}

// defaultGlobal applies where there is no global section: applications are
// scraped every 15 s, where Prometheus' own default is a minute.
const defaultGlobal = "\nglobal: {scrape_interval: 15s, evaluation_interval: 15s}\n"

// prometheus has Prometheus read its own sections.
func (c *Config) prometheus(f document.File) (problems []document.Problem) {
	c.Prometheus, problems = prometheusOf(f, c.Global, c.ScrapeConfigs, c.Alerting)
	return problems
}

func prometheusOf(f document.File, global, jobs, alerting document.Raw) (*promconfig.Config, []document.Problem) {
	text := document.Merge(global, jobs, alerting)
	if global == nil {
		text += defaultGlobal
	}
	p, err := scrape.Load(text, filepath.Dir(f.Path))
	if err != nil {
		names := append(document.NamesOf(promconfig.GlobalConfig{}, promconfig.ScrapeConfig{}, promconfig.AlertingConfig{}),
			"static_configs", "targets", "labels", "file_sd_configs", "files", "dns_sd_configs", "http_sd_configs", "kubernetes_sd_configs")
		problems := document.Foreign{File: document.File{Path: f.Path, Text: []byte(text)}, Names: names}.Problems(err)
		for i, p := range problems {
			if p.Line == 0 {
				problems[i].Message = "global, scrape_configs or alerting: " + p.Message
			}
		}
		return nil, problems
	}
	return p, nil
}

// resolve makes paths relative to the file's folder.
func (c *Config) resolve(dir string) {
	abs := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	lists := [][]string{c.RuleFiles, c.DetectorFiles, c.SLOFiles, c.PolicyFiles, c.ProbeFiles, c.OnCallFiles, c.CatalogFiles, c.RunbookFiles, c.RemedyFiles, c.StatusPageFiles}
	for i := range c.Tenants {
		t := &c.Tenants[i]
		lists = append(lists, t.RuleFiles, t.DetectorFiles, t.SLOFiles, t.PolicyFiles, t.ProbeFiles, t.OnCallFiles, t.CatalogFiles, t.RunbookFiles, t.RemedyFiles, t.StatusPageFiles)
		t.AlertmanagerFile = abs(t.AlertmanagerFile)
	}
	for _, list := range lists {
		for i, p := range list {
			list[i] = abs(p)
		}
	}
	c.AlertmanagerFile = abs(c.AlertmanagerFile)
	keys := [][]*string{c.Auth.Files(), c.TLS.Files(), c.Listeners.Files(), c.Privacy.Files(), c.Seal.Files(), c.Hooks.Files(), c.Remedy.Files(), c.Channels.Files(), ship.Files(c.Audit.Ship)}
	for i := range c.Tenants {
		keys = append(keys, c.Tenants[i].Hooks.Files(), c.Tenants[i].Remedy.Files(), c.Tenants[i].Channels.Files())
	}
	for _, files := range keys {
		for _, p := range files {
			*p = abs(*p)
		}
	}
}
