// Package spanmetrics makes RED metrics (rate, errors, duration) from spans:
// the histogram signalbox_span_duration_seconds by service, namespace, route, region, env,
// version, kind and status, with a trace as exemplar.
//
// It does not sample, join or keep spans, and it does not write to the store itself
// (store/cumulative does). Data in: durable spans through TapSpans, in the
// caller's goroutine. Data out: cumulative series every Config.Interval.
//
// A span counts when it arrives, because samples cannot be added to the past of
// a counter; one that is older than Config.MaxLate does not count at all. Invariants: the number of routes per service
// and of series in all is bounded; what does not fit is folded into the route
// "other" or counted as dropped. The one lock is the set's. Start reading at TapSpans.
package spanmetrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/cumulative"
)

// otherRoute stands for every route beyond the bound.
const otherRoute = "other"

// overflow is how many label sets with route "other" may exist beyond MaxSeries.
const overflow = 1000

// Config is the section `span_metrics`.
type Config struct {
	cumulative.Config `yaml:",inline"`
	// MaxRoutes bounds the routes of one service; more become "other".
	MaxRoutes int `yaml:"max_routes"`
	// MaxHistograms bounds the label sets in all; each has 14 series.
	MaxHistograms int `yaml:"max_histograms"`
	// MaxLate leaves out spans that ended longer ago: they are a backfill, and
	// counting it now would look like a burst.
	MaxLate common.Duration `yaml:"max_late"`
}

// DefaultConfig writes once a second.
func DefaultConfig() Config {
	return Config{Config: cumulative.DefaultConfig(), MaxRoutes: 200, MaxHistograms: 10_000, MaxLate: common.Duration(time.Hour)}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	errs := c.Config.Validate()
	if c.MaxRoutes < 1 {
		errs = append(errs, fmt.Errorf("max_routes: must be > 0, got %d", c.MaxRoutes))
	}
	if c.MaxHistograms < 1 {
		errs = append(errs, fmt.Errorf("max_histograms: must be > 0, got %d", c.MaxHistograms))
	}
	if c.MaxLate <= 0 {
		errs = append(errs, fmt.Errorf("max_late: must be > 0, got %s", c.MaxLate))
	}
	return errs
}

// Deps is what the processor needs.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil registers nothing
	Appendable storage.AppendableV2
	Home       model.Home
	// Masks are the rules in force of what is masked for whom; nil for none.
	Masks func() *mask.Rules
}

// key is a label set.
type key struct {
	tenant, service, namespace, route, region, env, version string
	kind                                                    model.SpanKind
	failed                                                  bool
}

// Processor implements stream.SpanTap.
type Processor struct {
	cfg    Config
	set    *cumulative.Set[key]
	bounds []float64
	routes map[service]map[string]time.Time // route → last seen; guarded by the set's lock
	now    func() time.Time
	home   model.Home
	masks  func() *mask.Rules

	folded  prometheus.Counter
	dropped *prometheus.CounterVec
}

type service struct{ tenant, namespace, name string }

// New starts nothing; Run writes.
func New(cfg Config, d Deps) (*Processor, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("span metrics: %w", err)
	}
	set, err := cumulative.New[key](cfg.Config, cumulative.Deps{Name: "span_metrics", Logger: d.Logger, Registerer: d.Registerer, Appendable: d.Appendable})
	if err != nil {
		return nil, fmt.Errorf("span metrics: %w", err)
	}
	p := &Processor{
		cfg: cfg, set: set, bounds: Bounds(), home: d.Home, routes: map[service]map[string]time.Time{}, now: time.Now, masks: d.Masks,
		folded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_span_metrics_folded_total", Help: "Spans counted under route \"other\" because a bound was reached.",
		}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_span_metrics_dropped_total", Help: "Spans that are in no metric: max_histograms was reached (series_limit), or they ended longer than max_late ago (too_late).",
		}, []string{"reason"}),
	}
	if err := instrument.Register(d.Registerer, "span", p.folded, p.dropped); err != nil {
		return nil, err
	}
	return p, nil
}

// Bounds are the histogram's upper bounds in seconds, without +Inf.
func Bounds() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// Run writes the series every interval until ctx is done, and once more then.
func (p *Processor) Run(ctx context.Context) error { return p.set.Run(ctx, p.forgetRoutes) }

// Flush writes what is due; Run calls it by itself.
func (p *Processor) Flush(ctx context.Context, now time.Time) error { return p.set.Flush(ctx, now) }

// TapSpans implements stream.SpanTap.
func (p *Processor) TapSpans(spans []model.Span) {
	p.set.Lock()
	defer p.set.Unlock()
	now, v := p.now(), p.view()
	for i := range spans {
		p.observe(&spans[i], v, now)
	}
}

// view is what everybody may see of spans: labels are shown to all who read metrics.
func (p *Processor) view() *mask.View {
	if p.masks == nil {
		return nil
	}
	return p.masks().ForAll()
}

// Series of a group: one bucket per bound, +Inf, sum, count.
func (p *Processor) observe(s *model.Span, v *mask.View, now time.Time) {
	if now.UnixNano()-s.End() > int64(p.cfg.MaxLate) {
		p.dropped.WithLabelValues("too_late").Inc()
		return
	}
	g := p.group(s, v, now)
	if g == nil {
		p.dropped.WithLabelValues("series_limit").Inc()
		return
	}
	seconds := float64(s.Duration) / 1e9
	first := sort.SearchFloat64s(p.bounds, seconds)
	for i := first; i <= len(p.bounds); i++ {
		g.Add(i, 1)
	}
	g.Add(len(p.bounds)+1, seconds)
	g.Add(len(p.bounds)+2, 1)
	g.Exemplify(first, cumulative.Exemplar{TraceID: s.TraceID, SpanID: s.SpanID, Value: seconds})
}

// group finds or makes the span's histogram within the bounds; nil when there
// is no room at all.
func (p *Processor) group(s *model.Span, v *mask.View, now time.Time) *cumulative.Group {
	r := s.Resource
	k := key{
		tenant: r.Tenant, service: r.Service, namespace: r.Namespace, route: RouteOf(s, v), region: r.Region, env: r.Env, version: r.Version,
		kind: kindOf(s.Kind), failed: s.Status == model.StatusError,
	}
	if !p.admitRoute(service{r.Tenant, r.Namespace, r.Service}, k.route, now) {
		k.route = otherRoute
		p.folded.Inc()
	}
	if g := p.set.Get(k); g != nil {
		return g
	}
	if p.set.Len() < p.cfg.MaxHistograms {
		return p.set.Put(k, p.series(k))
	}
	if k.route != otherRoute {
		p.folded.Inc()
	}
	k.route, k.region, k.version = otherRoute, "", ""
	if g := p.set.Get(k); g != nil {
		return g
	}
	if p.set.Len() < p.cfg.MaxHistograms+overflow {
		return p.set.Put(k, p.series(k))
	}
	return nil
}

// admitRoute notes that a route was seen and reports whether it is within its
// service's bound.
func (p *Processor) admitRoute(svc service, route string, now time.Time) bool {
	routes := p.routes[svc]
	if routes == nil {
		if len(p.routes) >= p.cfg.MaxHistograms {
			return false
		}
		routes = map[string]time.Time{}
		p.routes[svc] = routes
	}
	if _, known := routes[route]; !known && len(routes) >= p.cfg.MaxRoutes {
		return false
	}
	routes[route] = now
	return true
}

// forgetRoutes makes room for new routes where old ones are idle, once a minute or so.
func (p *Processor) forgetRoutes(now time.Time) {
	if now.Unix()%60 != 0 {
		return
	}
	p.set.Lock()
	defer p.set.Unlock()
	for svc, routes := range p.routes {
		for route, seen := range routes {
			if now.Sub(seen) >= time.Duration(p.cfg.IdleTimeout) {
				delete(routes, route)
			}
		}
		if len(routes) == 0 {
			delete(p.routes, svc)
		}
	}
}

// series names the histogram's series; empty labels are left out, as Prometheus
// does.
func (p *Processor) series(k key) []cumulative.Series {
	status := "ok"
	if k.failed {
		status = "error"
	}
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, l := range [][2]string{
		{"service", k.service},
		{access.NamespaceLabel, k.namespace},
		{"route", k.route},
		{"region", k.region},
		{"env", k.env},
		{"version", k.version},
		{"kind", k.kind.String()},
		{"status", status},
		{"tenant", p.home.Label(k.tenant)},
	} {
		b.Set(l[0], l[1])
	}
	named := func(suffix, le string) cumulative.Series {
		b.Set(common.MetricNameLabel, model.MetricSpanDuration+suffix)
		b.Set(labels.BucketLabel, le)
		return cumulative.Series{
			Labels: b.Labels(), Family: model.MetricSpanDuration,
			Meta: metadata.Metadata{Type: common.MetricTypeHistogram, Unit: "seconds", Help: "Duration of spans; made from traces."},
		}
	}
	out := make([]cumulative.Series, 0, len(p.bounds)+3)
	for _, bound := range p.bounds {
		out = append(out, named("_bucket", strconv.FormatFloat(bound, 'g', -1, 64)))
	}
	return append(out, named("_bucket", "+Inf"), named("_sum", ""), named("_count", ""))
}

func kindOf(k model.SpanKind) model.SpanKind {
	if k == model.SpanKindUnset {
		return model.SpanKindInternal // OTLP: assume internal
	}
	return k
}
