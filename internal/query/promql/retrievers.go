package promql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// MetadataSource knows type, help and unit of metrics that were pushed, by
// family name. The returned map is the caller's.
type MetadataSource interface {
	Metadata() map[string]metadata.Metadata
}

// pushedPool is the pool under which pushed metadata is listed.
const pushedPool = "pushed"

// fallbackVersion is the Prometheus release where the build does not tell.
const fallbackVersion = "3.15.0"

type pushedKey struct{}

// withPushedMetadata marks a request for metadata. Prometheus knows metadata only as
// something a scrape target has, so for these requests alone a target stands in for
// everything that was pushed; /targets does not show it.
func withPushedMetadata(ctx context.Context) context.Context {
	return context.WithValue(ctx, pushedKey{}, true)
}

func targetsFor(ctx context.Context, d APIDeps) apiv1.TargetRetriever {
	if d.Metadata == nil || ctx.Value(pushedKey{}) == nil {
		return d.Targets
	}
	return pushedTargets{Targets: d.Targets, meta: d.Metadata.Metadata()}
}

type pushedTargets struct {
	Targets
	meta familyMetadata
}

func (p pushedTargets) TargetsActive() map[string][]*scrape.Target {
	out := maps.Clone(p.Targets.TargetsActive())
	if out == nil {
		out = map[string][]*scrape.Target{}
	}
	t := scrape.NewTarget(labels.FromStrings(prommodel.JobLabel, pushedPool), &config.ScrapeConfig{}, nil, nil)
	t.SetMetadataStore(p.meta)
	out[pushedPool] = []*scrape.Target{t}
	return out
}

type familyMetadata map[string]metadata.Metadata

func (f familyMetadata) ListMetadata() []scrape.MetricMetadata {
	out := make([]scrape.MetricMetadata, 0, len(f))
	for name, m := range f {
		out = append(out, scrape.MetricMetadata{MetricFamily: name, Type: m.Type, Help: m.Help, Unit: m.Unit})
	}
	return out
}

func (f familyMetadata) GetMetadata(name string) (scrape.MetricMetadata, bool) {
	m, ok := f[name]
	return scrape.MetricMetadata{MetricFamily: name, Type: m.Type, Help: m.Help, Unit: m.Unit}, ok
}

func (f familyMetadata) SizeMetadata() int   { return 0 }
func (f familyMetadata) LengthMetadata() int { return len(f) }

type noTargets struct{}

func (noTargets) TargetsActive() map[string][]*scrape.Target  { return nil }
func (noTargets) TargetsDropped() map[string][]*scrape.Target { return nil }
func (noTargets) TargetsDroppedCounts() map[string]int        { return map[string]int{} }
func (noTargets) ScrapePools() []string                       { return []string{} }

func (noTargets) ScrapePoolConfig(name string) (*config.ScrapeConfig, error) {
	return nil, fmt.Errorf("scrape pool %q: %w", name, errors.ErrUnsupported)
}

type noRules struct{}

func (noRules) RuleGroups() []*rules.Group           { return nil }
func (noRules) AlertingRules() []*rules.AlertingRule { return nil }

// ourselves is the pipeline in this process, and the Alertmanagers outside if there are any.
type ourselves struct {
	external *url.URL
	outside  apiv1.AlertmanagerRetriever
}

func (o ourselves) Alertmanagers() []*url.URL {
	own := []*url.URL{o.external.JoinPath("/api/v2/alerts")}
	if o.outside == nil {
		return own
	}
	return append(own, o.outside.Alertmanagers()...)
}

func (o ourselves) DroppedAlertmanagers() []*url.URL {
	if o.outside == nil {
		return nil
	}
	return o.outside.DroppedAlertmanagers()
}

type runtimeInfo struct {
	deps  APIDeps
	birth time.Time
}

func newRuntimeInfo(d APIDeps) *runtimeInfo { return &runtimeInfo{deps: d, birth: time.Now().UTC()} }

func (ri *runtimeInfo) build() *apiv1.PrometheusVersion {
	b := ri.deps.Build
	return &apiv1.PrometheusVersion{
		Version: prometheusVersion(), Revision: b.Revision, Branch: "signalbox-" + b.Version, BuildUser: b.User, BuildDate: b.Date,
		GoVersion: runtime.Version(),
	}
}

// prometheusVersion is the release whose API this is: clients (Grafana) choose what
// they may ask for by it. Module v0.315.0 is release 3.15.0.
func prometheusVersion() string {
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		return fallbackVersion
	}
	for _, m := range bi.Deps {
		var n, patch int
		if m.Path != "github.com/prometheus/prometheus" {
			continue
		}
		if _, err := fmt.Sscanf(m.Version, "v0.%d.%d", &n, &patch); err == nil && n >= 300 {
			return fmt.Sprintf("%d.%d.%d", n/100, n%100, patch)
		}
	}
	return fallbackVersion
}

func (ri *runtimeInfo) get() (apiv1.RuntimeInfo, error) {
	info := apiv1.RuntimeInfo{
		StartTime:           ri.birth,
		ServerTime:          time.Now().UTC(),
		ReloadConfigSuccess: true,
		LastConfigTime:      ri.birth,
		GoroutineCount:      runtime.NumGoroutine(),
		GOMAXPROCS:          runtime.GOMAXPROCS(0),
		GOMEMLIMIT:          debug.SetMemoryLimit(-1),
		GOGC:                os.Getenv("GOGC"),
		GODEBUG:             os.Getenv("GODEBUG"),
		StorageRetention:    promDuration(ri.deps.Storage.Retention()),
	}
	if ri.deps.LastReload != nil {
		info.ReloadConfigSuccess, info.LastConfigTime = ri.deps.LastReload()
	}
	var err error
	if info.CWD, err = os.Getwd(); err != nil {
		return info, fmt.Errorf("working folder: %w", err)
	}
	if info.Hostname, err = os.Hostname(); err != nil {
		return info, fmt.Errorf("host name: %w", err)
	}
	mfs, err := ri.deps.Gatherer.Gather()
	if err != nil {
		return info, fmt.Errorf("gather own metrics: %w", err)
	}
	for _, mf := range mfs {
		if mf.GetName() == "prometheus_tsdb_wal_corruptions_total" && len(mf.GetMetric()) > 0 {
			info.CorruptionCount = int64(mf.GetMetric()[0].GetCounter().GetValue())
		}
	}
	return info, nil
}

func promDuration(d time.Duration) string { return prommodel.Duration(d).String() }
