package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	prommodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Topology knows which service calls which; process/topology does.
type Topology interface {
	Edges(ctx context.Context, tenant string, r store.Range) ([]model.Edge, error)
}

// Querier evaluates an instant PromQL query; query/promql does.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
}

// DependentsConfig is the section `inhibit_dependents`: while a service fails,
// the alerts of the services that call it are held back.
//
// An alert (the target) is held back while another (the source) fires if all of this holds:
// the source is one of Sources with one of Severities, and the target one of Targets; the
// target's service calls the source's, directly or through at most MaxHops calls, each made at least MinCalls times in Window;
// failed calls explain the target, see MinExplained;
// the source began before the target or at most StartsWithin after it; the target is not
// more severe; where both name a region or an env they name the same; and somebody is told
// of the source: it is neither silenced nor inhibited. Everything else goes out.
type DependentsConfig struct {
	// Enabled turns it on.
	Enabled bool `yaml:"enabled"`
	// Severities are those a source must have one of.
	Severities []string `yaml:"source_severities"`
	// Sources are the names of alerts that explain others'; * stands for any characters.
	Sources []string `yaml:"source_alerts"`
	// Targets are the names of alerts that may be held back; * stands for any characters.
	Targets []string `yaml:"target_alerts"`
	// MaxHops bounds how many calls may lie between the two services.
	MaxHops int `yaml:"max_hops"`
	// StartsWithin is how long after the target the source may begin: who is called more
	// often notices sooner.
	StartsWithin prommodel.Duration `yaml:"starts_within"`
	// Linger is how long after the source ended targets stay held back: their
	// windows empty later.
	Linger prommodel.Duration `yaml:"linger"`
	// Window is how far back calls count.
	Window prommodel.Duration `yaml:"window"`
	// MinCalls is how many calls make a dependency.
	MinCalls uint64 `yaml:"min_calls"`
	// MinExplained is the share of a service's failed requests in Window that its failed calls to
	// the next service must make up, at each call between target and source; else the target has
	// another cause. 0 asks for none; alerts about latency need none.
	MinExplained float64 `yaml:"min_explained"`
}

// DefaultDependentsConfig holds back alerts about errors and latency only: what
// failing calls explain. An alert about a disk, a pod or a backlog has causes of its own.
func DefaultDependentsConfig() DependentsConfig {
	return DependentsConfig{
		Enabled:    true,
		Severities: []string{"critical"},
		Sources: []string{
			"SLOBurnRateFast", "SLOBurnRateSlow", "HighErrorRate", "HighLatency*", "ServiceUnavailable", "ServiceSilent", "PodNotReady",
			"PoolExhausted", "Probe*", "*Down",
		},
		Targets: []string{
			"SLOBurnRateFast", "SLOBurnRateSlow", "SLOBudgetBurnWarning", "HighErrorRate", "HighLatency*", "LatencyDrifting",
			"FrontDoorSuccessLow", "FrontDoorServerErrors", "FrontDoorLatencyHigh",
		},
		MaxHops: 4, StartsWithin: prommodel.Duration(5 * time.Minute), Linger: prommodel.Duration(5 * time.Minute),
		Window: prommodel.Duration(15 * time.Minute), MinCalls: 10, MinExplained: 0.5,
	}
}

// Validate names every setting that cannot work.
func (c DependentsConfig) Validate() []error {
	var errs []error
	for _, m := range []struct {
		name string
		list []string
	}{{"source_severities", c.Severities}, {"source_alerts", c.Sources}, {"target_alerts", c.Targets}} {
		if c.Enabled && len(m.list) == 0 {
			errs = append(errs, fmt.Errorf("%s: must have at least one element", m.name))
		}
		for _, pattern := range m.list {
			if _, err := path.Match(pattern, ""); err != nil {
				errs = append(errs, fmt.Errorf("%s: %q is no name with *: %w", m.name, pattern, err))
			}
		}
	}
	if c.MaxHops < 1 || c.MaxHops > 20 {
		errs = append(errs, fmt.Errorf("max_hops: must be between 1 and 20, got %d", c.MaxHops))
	}
	if c.StartsWithin < 0 || c.Linger < 0 {
		errs = append(errs, fmt.Errorf("starts_within and linger: must be >= 0, got %s and %s", c.StartsWithin, c.Linger))
	}
	if !(c.MinExplained >= 0 && c.MinExplained <= 1) {
		errs = append(errs, fmt.Errorf("min_explained: must be between 0 and 1, got %g", c.MinExplained))
	}
	if c.Window < prommodel.Duration(time.Minute) {
		errs = append(errs, fmt.Errorf("window: must be at least 1m, got %s", c.Window))
	}
	return errs
}

// named says whether an alert's name is one of the patterns'.
func named(patterns []string, ls prommodel.LabelSet) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, string(ls[prommodel.AlertNameLabel]))
		return ok && err == nil
	})
}

// isSource says whether an alert may explain others.
func (d *dependents) isSource(ls prommodel.LabelSet) bool {
	return own(ls, "service") != "" && slices.Contains(d.cfg.Severities, own(ls, "severity")) && named(d.cfg.Sources, ls)
}

// isTarget says whether an alert may be held back.
func (d *dependents) isTarget(ls prommodel.LabelSet) bool {
	return own(ls, "service") != "" && named(d.cfg.Targets, ls)
}

// topologyEvery is how often the calls are read again.
const topologyEvery = 30 * time.Second

// remembered is how long it is known that an alert went out, so that its end does too.
const remembered = 24 * time.Hour

// dependents holds back the alerts of services that call a failing one.
type dependents struct {
	cfg      DependentsConfig
	topology Topology
	querier  Querier // may be nil: nothing is known of failed requests
	log      *slog.Logger
	began    time.Time

	calls atomic.Pointer[cause.Calls] // nil: not known, so nothing is held back

	listing    sync.Mutex // before mu
	listed     []*alert.Alert
	listedAt   time.Time
	listedPuts uint64

	mu      sync.Mutex
	ended   map[prommodel.Fingerprint]*alert.Alert // sources that fired when last seen, or ended since
	told    map[prommodel.Fingerprint]time.Time    // alerts that went out
	heldNow map[prommodel.Fingerprint]time.Time    // alerts whose holding was logged, with their start
}

// newDependents answers nil when nothing is to be held back.
func newDependents(cfg DependentsConfig, topology Topology, querier Querier, log *slog.Logger) (*dependents, error) {
	if !cfg.Enabled || topology == nil {
		return nil, nil
	}
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("inhibit dependents: %w", err)
	}
	return &dependents{
		cfg: cfg, topology: topology, querier: querier, log: log, began: time.Now(),
		ended: map[prommodel.Fingerprint]*alert.Alert{}, told: map[prommodel.Fingerprint]time.Time{}, heldNow: map[prommodel.Fingerprint]time.Time{},
	}, nil
}

// run reads the calls until stop is closed.
func (d *dependents) run(stop <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tick := time.NewTicker(topologyEvery)
	defer tick.Stop()
	for failing := false; ; {
		err := d.read(ctx)
		switch {
		case err != nil && !failing:
			d.log.Error("who calls whom is not known, so no alert is held back for another service's", "err", err)
		case err == nil && failing:
			d.log.Info("who calls whom is known again")
		}
		failing = err != nil
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}

func (d *dependents) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, topologyEvery/2)
	defer cancel()
	now := time.Now()
	edges, err := d.topology.Edges(ctx, model.DefaultTenant, store.Range{Start: now.Add(-time.Duration(d.cfg.Window)).UnixNano(), End: now.UnixNano()})
	if err != nil {
		d.calls.Store(nil)
		return err
	}
	c := cause.NewCalls(edges, d.cfg.MinCalls)
	if d.querier != nil {
		failed, err := d.querier.Instant(ctx, fmt.Sprintf("sum by (service) (increase(%s_count{kind=\"server\",status=\"error\"}[%ds]))",
			model.MetricSpanDuration, int(time.Duration(d.cfg.Window).Seconds())), now)
		if err != nil {
			d.calls.Store(nil)
			return fmt.Errorf("read failed requests: %w", err)
		}
		c.Failed = map[string]float64{}
		for _, s := range failed {
			c.Failed[s.Labels["service"]] = s.Value
		}
	}
	d.calls.Store(&c)
	return nil
}

// held is why an alert is held back.
type held struct {
	source *alert.Alert
	path   []string // of services, from the target's to the source's
}

// String is a sentence for a person.
func (h held) String() string {
	why := fmt.Sprintf("%s depends on %s (%s)", h.path[0], h.path[len(h.path)-1], strings.Join(h.path, " calls "))
	state := "has fired since " + h.source.StartsAt.UTC().Format("15:04:05 UTC")
	if h.source.Resolved() {
		state = "ended at " + h.source.EndsAt.UTC().Format("15:04:05 UTC")
	}
	return fmt.Sprintf("%s, whose alert %s %s", why, h.source.Labels[prommodel.AlertNameLabel], state)
}

// hold finds the alert that t is held back for among the sources, or nil. The
// root is named where it is known: a source that is not held back itself, the one with the
// fewest calls between, and of those the first that began.
func (d *dependents) hold(t *alert.Alert, sources []*alert.Alert) *held {
	var best *held
	bestIsRoot := false
	for _, h := range d.holders(t, sources) {
		root := len(d.holders(h.source, sources)) == 0
		switch {
		case best == nil, root && !bestIsRoot:
		case bestIsRoot && !root, len(h.path) > len(best.path):
			continue
		case len(h.path) == len(best.path) && !before(h.source, best.source):
			continue
		}
		best, bestIsRoot = &h, root
	}
	return best
}

// holders are all sources that t is held back for.
func (d *dependents) holders(t *alert.Alert, sources []*alert.Alert) []held {
	c := d.calls.Load()
	service := own(t.Labels, "service")
	if c == nil || !d.isTarget(t.Labels) {
		return nil
	}
	var out []held
	for _, s := range sources {
		upstream := own(s.Labels, "service")
		if upstream == service || !d.mayHold(s, t) {
			continue
		}
		way := c.Path(service, upstream, d.cfg.MaxHops, func(caller, callee string) bool {
			return strings.Contains(t.Name(), "Latency") || c.Explained(caller, callee, d.cfg.MinExplained)
		})
		if way == nil {
			continue
		}
		// Services that call each other in a circle explain each other: only who began
		// first may hold back the others, or nobody would hear of any.
		if c.Path(upstream, service, math.MaxInt, cause.AnyCall) != nil && !before(s, t) {
			continue
		}
		out = append(out, held{source: s, path: way})
	}
	return out
}

// mayHold is the part of the rule that does not need the topology.
func (d *dependents) mayHold(s, t *alert.Alert) bool {
	for _, l := range []prommodel.LabelName{"region", "env"} {
		if a, b := s.Labels[l], t.Labels[l]; a != "" && b != "" && a != b {
			return false
		}
	}
	return severity(t) <= severity(s) && !s.StartsAt.After(t.StartsAt.Add(time.Duration(d.cfg.StartsWithin)))
}

// own is a label as this product means it, on alerts with another tool's labels too.
func own(ls prommodel.LabelSet, name prommodel.LabelName) string {
	if v := ls[model.OwnLabel+name]; v != "" {
		return string(v)
	}
	return string(ls[name])
}

func severity(a *alert.Alert) int {
	switch own(a.Labels, "severity") {
	case "critical":
		return 3
	case "warning":
		return 2
	case "info":
		return 1
	}
	return 0
}

// before orders alerts by their start.
func before(a, b *alert.Alert) bool {
	if !a.StartsAt.Equal(b.StartsAt) {
		return a.StartsAt.Before(b.StartsAt)
	}
	return a.Fingerprint() < b.Fingerprint()
}

// upstreams are the alerts that may hold back others at now: of those given
// the ones that fire, and those that ended within Linger. audible says that somebody
// is told of one.
func (d *dependents) upstreams(now time.Time, all []*alert.Alert, audible func(*alert.Alert) bool) []*alert.Alert {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*alert.Alert
	for _, a := range all {
		if !d.isSource(a.Labels) {
			continue
		}
		if !a.ResolvedAt(now) && !audible(a) {
			delete(d.ended, a.Fingerprint()) // nobody would hear of it
			continue
		}
		if _, fired := d.ended[a.Fingerprint()]; fired || !a.ResolvedAt(now) {
			d.ended[a.Fingerprint()] = a
		}
	}
	for fp, a := range d.ended {
		if a.ResolvedAt(now.Add(-time.Duration(d.cfg.Linger))) {
			delete(d.ended, fp)
			continue
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *alert.Alert) int {
		if before(a, b) {
			return -1
		}
		return 1
	})
	return out
}
