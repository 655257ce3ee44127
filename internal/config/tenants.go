package config

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/prometheus/common/model"
	promconfig "github.com/prometheus/prometheus/config"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/gate/hooks"
	signals "github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify/channels"
	"github.com/signalbox-project/signalbox/internal/remedy"
	"github.com/signalbox-project/signalbox/internal/statuspage"
)

// MaxTenants bounds the tenants of one process: each has stores, engines and a share of every limit.
const MaxTenants = 32

// Tenant is an entry of tenants: the files that are its own, and what differs from its share of the limits of the file.
type Tenant struct {
	Name             string            `yaml:"name"`              // as in X-Scope-OrgID; also a folder below STORAGE/tenants
	ExternalLabels   map[string]string `yaml:"external_labels"`   // laid over those of the file
	ScrapeConfigs    document.Raw      `yaml:"scrape_configs"`    // as scrape_configs of the file
	RuleFiles        []string          `yaml:"rule_files"`        // as rule_files of the file
	DetectorFiles    []string          `yaml:"detector_files"`    // as detector_files of the file
	SLOFiles         []string          `yaml:"slo_files"`         // as slo_files of the file; a file is of one tenant
	PolicyFiles      []string          `yaml:"policy_files"`      // as policy_files of the file
	ProbeFiles       []string          `yaml:"probe_files"`       // as probe_files of the file
	OnCallFiles      []string          `yaml:"oncall_files"`      // as oncall_files of the file
	CatalogFiles     []string          `yaml:"catalog_files"`     // as catalog_files of the file
	RunbookFiles     []string          `yaml:"runbook_files"`     // as runbook_files of the file
	RemedyFiles      []string          `yaml:"remedy_files"`      // as remedy_files of the file
	StatusPageFiles  []string          `yaml:"status_page_files"` // as status_page_files of the file
	AlertmanagerFile string            `yaml:"alertmanager_file"` // as alertmanager_file of the file
	Retention        TenantRetention   `yaml:"retention"`
	Limits           TenantLimits      `yaml:"limits"`
	Hooks            hooks.Config      `yaml:"hooks"`    // as hooks of the file, below /sb/v1/tenants/NAME/hooks
	Remedy           remedy.Config     `yaml:"remedy"`   // as remedy of the file
	Channels         channels.Config   `yaml:"channels"` // as channels of the file

	// Prometheus is what Prometheus' code made of ScrapeConfigs.
	Prometheus *promconfig.Config `yaml:"-"`
}

// SetDefaults sets what applies where an entry says nothing.
func (t *Tenant) SetDefaults() {
	t.Hooks, t.Remedy = hooks.DefaultConfig(), remedy.DefaultConfig()
}

// TenantRetention is how long a tenant's data is kept; what is 0 is as in the file.
type TenantRetention struct {
	Metrics model.Duration `yaml:"metrics"` // 0 is metrics.retention
	Logs    model.Duration `yaml:"logs"`    // 0 is events.retention.logs
	Spans   model.Duration `yaml:"spans"`   // 0 is events.retention.spans
}

// TenantLimits hold a tenant; what is 0 is an equal share of what the file says.
type TenantLimits struct {
	// MaxSeries bounds its active series; this and the other limits: 0 is an equal share of what the file says.
	MaxSeries int `yaml:"max_series"`
	// MaxBytes bounds the blocks of its metrics on disk, oldest deleted first.
	MaxBytes int64 `yaml:"max_bytes"`
	// MaxDiskBytes bounds the files of all its stores: beyond it what it sends is refused with 429, and from 80 % on it is told. 0 is no
	// bound; a store of metrics takes 64 MiB from the start.
	MaxDiskBytes int64 `yaml:"max_disk_bytes"`
	// MaxSamples bounds what one of its queries may hold in memory.
	MaxSamples int `yaml:"max_samples"`
	// MaxQueries is how many of its PromQL queries, rules included, run at once, and how many of its searches.
	MaxQueries int `yaml:"max_queries"`
	// MaxRequests is how many of its requests are worked on at once, those that send data apart from others.
	MaxRequests int `yaml:"max_requests"`
}

// A name is a folder's on every file system.
var tenantName = regexp.MustCompile(`^[a-zA-Z0-9_-]([a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9_-])?$`)

// validate lists what is wrong with one tenant.
func (t *Tenant) validate() []error {
	var errs []error
	switch {
	case t.Name == signals.DefaultTenant:
		errs = append(errs, fmt.Errorf("name: %s is the tenant of the rest of the file: give this one another name, or move what it has to the top of the file", t.Name))
	case !tenantName.MatchString(t.Name):
		errs = append(errs, fmt.Errorf("name: %q must have 1 to 63 letters, digits or -_. and neither begin nor end with a dot", t.Name))
	}
	for _, err := range t.Hooks.Validate() {
		errs = append(errs, fmt.Errorf("hooks.%w", err))
	}
	for _, err := range t.Remedy.Validate() {
		errs = append(errs, fmt.Errorf("remedy.%w", err))
	}
	for _, err := range t.Channels.Validate() {
		errs = append(errs, fmt.Errorf("channels.%w", err))
	}
	for _, n := range []struct {
		name string
		n    int64
	}{
		{"retention.metrics", int64(t.Retention.Metrics)},
		{"retention.logs", int64(t.Retention.Logs)},
		{"retention.spans", int64(t.Retention.Spans)},
		{"limits.max_series", int64(t.Limits.MaxSeries)},
		{"limits.max_bytes", t.Limits.MaxBytes},
		{"limits.max_disk_bytes", t.Limits.MaxDiskBytes},
		{"limits.max_samples", int64(t.Limits.MaxSamples)},
		{"limits.max_queries", int64(t.Limits.MaxQueries)},
		{"limits.max_requests", int64(t.Limits.MaxRequests)},
	} {
		if n.n < 0 {
			errs = append(errs, fmt.Errorf("%s: must be >= 0; 0 is as in the rest of the file", n.name))
		}
	}
	if most := t.Limits.MaxDiskBytes; most > 0 && most < minDiskBytes {
		errs = append(errs, fmt.Errorf("limits.max_disk_bytes: must be 0 or at least %d (128 MiB), got %d", minDiskBytes, most))
	}
	return errs
}

// minDiskBytes is what the stores of an idle tenant take, and some room.
const minDiskBytes = 128 << 20

// tenants checks the section and has Prometheus read the scrape jobs of each.
func (c *Config) tenants(r *document.Reader, f document.File) {
	if len(c.Tenants) > MaxTenants {
		r.Invalid("", []error{fmt.Errorf("tenants: are %d, more than %d: run a second Signalbox for the others", len(c.Tenants), MaxTenants)})
	}
	names := map[string]bool{}
	owners := map[string]string{}
	own := func(tenant, at string, patterns []string) {
		for i, p := range patterns {
			if owner, taken := owners[p]; taken && owner != tenant {
				r.Invalid("", []error{fmt.Errorf("%sslo_files[%d]: %s belongs to the tenant %s already: an SLO is of one tenant", at, i, p, owner)})
			}
			owners[p] = tenant
		}
	}
	own(signals.DefaultTenant, "", c.SLOFiles)
	for i := range c.Tenants {
		t := &c.Tenants[i]
		at := fmt.Sprintf("tenants[%d]", i)
		errs := t.validate()
		// One folder where a file system does not tell cases apart.
		if folder := strings.ToLower(t.Name); names[folder] {
			errs = append(errs, fmt.Errorf("name: %s is there twice, in whatever case: give each tenant a name of its own", t.Name))
		} else {
			names[folder] = true
		}
		if c.Auth.Enabled {
			errs = append(errs, t.unproved()...)
		}
		r.Invalid(at, errs)
		own(t.Name, at+".", t.SLOFiles)
		if len(errs) == 0 && c.Prometheus != nil {
			for _, p := range t.scrape(c.Global, f) {
				r.Add(p)
			}
			r.Invalid(at, c.Of(*t).problemsOf())
		}
	}
}

func (t *Tenant) unproved() []error {
	var errs []error
	for _, err := range t.Hooks.Unproved() {
		errs = append(errs, fmt.Errorf("hooks.%w", err))
	}
	return errs
}

// Unproved lists the hooks of all tenants that anybody may use, for whoever turned authentication on outside the file.
func (c Config) Unproved() []error {
	var errs []error
	for _, err := range c.Hooks.Unproved() {
		errs = append(errs, fmt.Errorf("hooks.%w", err))
	}
	for i := range c.Tenants {
		for _, err := range c.Tenants[i].unproved() {
			errs = append(errs, fmt.Errorf("tenants[%d].%w", i, err))
		}
	}
	return errs
}

func (t *Tenant) scrape(global document.Raw, f document.File) (problems []document.Problem) {
	t.Prometheus, problems = prometheusOf(f, global, t.ScrapeConfigs, nil)
	return problems
}

// problemsOf are what is wrong with the retention of a tenant beside the settings that it takes from the file.
func (c Config) problemsOf() []error {
	var errs []error
	for _, err := range c.Metrics.Validate() {
		if strings.HasPrefix(err.Error(), "retention: ") {
			errs = append(errs, fmt.Errorf("retention.metrics: %s", strings.TrimPrefix(err.Error(), "retention: ")))
		}
	}
	return errs
}

// Shared is the configuration as it applies to each of n tenants: their limits together are those of the file.
func (c Config) Shared(n int) Config {
	if n <= 1 {
		return c
	}
	share := func(v *int, least int) { *v = max(*v/n, min(least, *v)) }
	bytes := func(v *int64, least int64) { *v = max(*v/int64(n), min(least, *v)) }
	share(&c.Query.MaxConcurrency, 2)
	share(&c.Query.RemoteReadConcurrency, 1)
	share(&c.Search.MaxConcurrent, 1)
	share(&c.Search.MaxTails, 2)
	share(&c.API.MaxInFlight, 4)
	share(&c.API.MaxTails, 2)
	share(&c.OTLP.MaxRequestsInFlight, 4)
	bytes(&c.OTLP.MaxBytesInFlight, int64(c.OTLP.MaxMessageBytes))
	bytes(&c.Events.MaxBytes, 4<<20)
	c.Events.HeadBytes = min(c.Events.HeadBytes, c.Events.MaxBytes/2)
	bytes(&c.Metrics.MaxBytes, 1)
	share(&c.Metrics.MaxSeries, 1000)
	workers := int64(c.SQL.MaxConcurrent)
	share(&c.SQL.MaxConcurrent, 1)
	c.SQL.MemoryBytes = max(min(c.SQL.MemoryBytes, workers*c.SQL.MemoryBytes/int64(n*c.SQL.MaxConcurrent)), 16<<20)
	return c
}

// Of is the configuration of one tenant: settings of the file, its share of the limits, and files, hooks, remedies and channels of its
// own: those of the file act with secrets of the tenant default.
func (c Config) Of(t Tenant) Config {
	c = c.Shared(len(c.Tenants) + 1)
	c.Tenants = nil
	c.RuleFiles, c.DetectorFiles, c.SLOFiles, c.PolicyFiles = t.RuleFiles, t.DetectorFiles, t.SLOFiles, t.PolicyFiles
	c.ProbeFiles, c.OnCallFiles, c.CatalogFiles, c.RunbookFiles = t.ProbeFiles, t.OnCallFiles, t.CatalogFiles, t.RunbookFiles
	c.RemedyFiles = t.RemedyFiles
	c.StatusPageFiles, c.Status = t.StatusPageFiles, statuspage.Config{}
	c.AlertmanagerFile, c.ScrapeConfigs, c.Alerting, c.Prometheus = t.AlertmanagerFile, t.ScrapeConfigs, nil, t.Prometheus
	// An exemplar ring is memory from the start, used or not.
	c.Metrics.MaxExemplars = min(c.Metrics.MaxExemplars, 10_000)
	c.Hooks, c.Remedy, c.Channels = t.Hooks, t.Remedy, t.Channels
	labels := maps.Clone(c.ExternalLabels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, t.ExternalLabels)
	c.ExternalLabels = labels
	over := func(v *model.Duration, own model.Duration) {
		if own > 0 {
			*v = own
		}
	}
	over(&c.Metrics.Retention, t.Retention.Metrics)
	over(&c.Events.Retention.Logs, t.Retention.Logs)
	over(&c.Events.Retention.Spans, t.Retention.Spans)
	set := func(own int, of ...*int) {
		for _, v := range of {
			if own > 0 {
				*v = own
			}
		}
	}
	set(t.Limits.MaxSeries, &c.Metrics.MaxSeries)
	set(t.Limits.MaxSamples, &c.Query.MaxSamples)
	set(t.Limits.MaxQueries, &c.Query.MaxConcurrency, &c.Search.MaxConcurrent)
	set(t.Limits.MaxRequests, &c.API.MaxInFlight, &c.OTLP.MaxRequestsInFlight)
	if t.Limits.MaxBytes > 0 {
		c.Metrics.MaxBytes = t.Limits.MaxBytes
	}
	return c
}

// Waiting is what of tenants waits for a restart: all but their files, which a reload takes.
func Waiting(tenants []Tenant) []Tenant {
	out := make([]Tenant, len(tenants))
	for i, t := range tenants {
		out[i] = Tenant{Name: t.Name, ExternalLabels: t.ExternalLabels, Retention: t.Retention, Limits: t.Limits, Hooks: t.Hooks, Remedy: t.Remedy, Channels: t.Channels}
	}
	return out
}
