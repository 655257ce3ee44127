package diagnose

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Bounds of what is listed.
const (
	maxVersions = 10
	maxSlices   = 20
	maxDeploys  = 50
)

// The window that the golden signals are drawn with.
const (
	drawnWindow = "5m"
	drawnOver   = 5 * time.Minute
)

// spans selects what a service answers: requests and messages taken in, of
// one tenant. The service is left out for all of them.
func spans(suffix, tenant, service string, more ...string) string {
	if tenant == "default" {
		tenant = "" // has no label
	}
	ms := []string{`kind=~"server|consumer"`, "tenant=" + strconv.Quote(tenant)}
	if service != "" {
		ms = append(ms, "service="+strconv.Quote(service))
	}
	return model.MetricSpanDuration + suffix + "{" + strings.Join(append(ms, more...), ",") + "}"
}

// saturation selects the share in use of a service's CPU and memory.
func saturation(tenant, service string) string {
	if tenant == "default" {
		tenant = "" // has no label
	}
	return fmt.Sprintf(`{__name__=~"(process|container|system|jvm)_(cpu|memory)_(recent_)?utilization_ratio",tenant=%q,service=%q}`, tenant, service)
}

const isError = `status="error"`

func rateOf(by, window string, selector string) string {
	if by != "" {
		by = " by (" + by + ") "
	}
	return fmt.Sprintf("sum%s(rate(%s[%s]))", by, selector, window)
}

func quantileOf(q float64, by, window, tenant, service string) string {
	labels := "le"
	if by != "" {
		labels += ", " + by
	}
	return fmt.Sprintf("histogram_quantile(%v, %s)", q, rateOf(labels, window, spans("_bucket", tenant, service)))
}

// promWindow is a range's length for a selector, whole seconds and at least a minute.
func promWindow(start, end time.Time) string {
	return fmt.Sprintf("%ds", int(max(end.Sub(start), time.Minute).Seconds()))
}

// Services lists every service that was seen in the range, has an SLO or
// was deployed, by name.
func (r *Diagnoser) Services(ctx context.Context, tenant string, start, end time.Time) ([]ServiceSummary, error) {
	tenant = r.deps.Home.Label(tenant)
	w := promWindow(start, end)
	var rate, errs, p95, versions []model.Sample
	var slos []model.SLOStatus
	var deploys []model.Deploy
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	r.ask(g, gctx, &rate, end, rateOf("service", w, spans("_count", tenant, "")))
	r.ask(g, gctx, &errs, end, rateOf("service", w, spans("_count", tenant, "", isError)))
	r.ask(g, gctx, &p95, end, quantileOf(0.95, "service", w, tenant, ""))
	r.ask(g, gctx, &versions, end, rateOf("service, version", w, spans("_count", tenant, "", `version!=""`)))
	g.Go(func() (err error) { slos, err = r.slos(gctx, ""); return err })
	g.Go(func() (err error) {
		deploys, err = r.deploys(gctx, store.DeployQuery{End: end, Limit: 1000})
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	return assemble(rate, errs, p95, versions, slos, deploys), nil
}

func assemble(rate, errs, p95, versions []model.Sample, slos []model.SLOStatus, deploys []model.Deploy) []ServiceSummary {
	by := map[string]*ServiceSummary{}
	of := func(name string) *ServiceSummary {
		s := by[name]
		if s == nil {
			s = &ServiceSummary{Service: name, SLOState: "none", Versions: []string{}}
			by[name] = s
		}
		return s
	}
	errors, latency := byLabel(errs, "service"), byLabel(p95, "service")
	for name, v := range byLabel(rate, "service") {
		s := of(name)
		s.Rate, s.ErrorRatio = pointer(v), ratio(errors[name], v)
		if q, ok := latency[name]; ok {
			s.P95Seconds = pointer(q)
		}
	}
	slices.SortFunc(versions, func(a, b model.Sample) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), strings.Compare(a.Labels["version"], b.Labels["version"]))
	})
	for _, v := range versions {
		if s := of(v.Labels["service"]); v.Value > 0 && len(s.Versions) < maxVersions {
			s.Versions = append(s.Versions, v.Labels["version"])
		}
	}
	for _, st := range slos { // worst first
		if s := of(st.Service); s.SLOState == "none" {
			s.SLOState = string(st.State)
		}
	}
	for i := range deploys { // newest first
		if s := of(deploys[i].Service); s.LastDeploy == nil {
			s.LastDeploy = &deploys[i]
		}
	}
	delete(by, "")
	out := make([]ServiceSummary, 0, len(by))
	for _, name := range slices.Sorted(maps.Keys(by)) {
		out = append(out, *by[name])
	}
	return out
}

// Service is everything about one service in a range. A service that nobody
// has heard of is store.ErrNotFound.
func (r *Diagnoser) Service(ctx context.Context, tenant, name string, start, end time.Time) (ServiceDetail, error) {
	return r.service(ctx, r.deps.Home.Label(tenant), name, start, end)
}

func (r *Diagnoser) service(ctx context.Context, tenant, name string, start, end time.Time) (ServiceDetail, error) {
	d := ServiceDetail{Service: name, Queries: queriesOf(tenant, name), DependsOn: []model.Edge{}, UsedBy: []model.Edge{}}
	w := promWindow(start, end)
	var rate, errs, p50, p95, p99 []model.Sample
	var edges []model.Edge
	var u unusual
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	r.ask(g, gctx, &rate, end, rateOf("", w, spans("_count", tenant, name)))
	r.ask(g, gctx, &errs, end, rateOf("", w, spans("_count", tenant, name, isError)))
	r.ask(g, gctx, &p50, end, quantileOf(0.5, "", w, tenant, name))
	r.ask(g, gctx, &p95, end, quantileOf(0.95, "", w, tenant, name))
	r.ask(g, gctx, &p99, end, quantileOf(0.99, "", w, tenant, name))
	g.Go(func() (err error) { u, err = r.unusual(gctx, tenant, name, start, end); return err })
	g.Go(func() (err error) { d.SLOs, err = r.slos(gctx, name); return err })
	g.Go(func() (err error) {
		d.Deploys, err = r.deploys(gctx, store.DeployQuery{Service: name, End: end, Limit: maxDeploys})
		return err
	})
	g.Go(func() (err error) {
		if r.deps.Edges != nil {
			edges, err = r.deps.Edges.Edges(gctx, tenant, store.RangeOf(start, end))
		}
		return err
	})
	for label, dst := range map[string]*[]ServiceSlice{"version": &d.Versions, "route": &d.Routes, "region": &d.Regions} {
		g.Go(func() (err error) { *dst, err = r.cut(gctx, tenant, name, label, w, end); return err })
	}
	if err := g.Wait(); err != nil {
		return d, fmt.Errorf("service %s: %w", name, err)
	}
	d.Rate, d.P50Seconds, d.P95Seconds, d.P99Seconds = first(rate), first(p50), first(p95), first(p99)
	if d.Rate != nil {
		errors := 0.0
		if e := first(errs); e != nil {
			errors = *e
		}
		d.ErrorRatio = ratio(errors, *d.Rate)
	}
	for _, e := range edges {
		if e.Client == name {
			d.DependsOn = append(d.DependsOn, e)
		}
		if e.Server == name {
			d.UsedBy = append(d.UsedBy, e)
		}
	}
	if d.Rate == nil && len(d.SLOs)+len(d.Deploys)+len(d.DependsOn)+len(d.UsedBy) == 0 {
		return d, fmt.Errorf("service %s: %w", name, store.ErrNotFound)
	}
	var err error
	if d.Cause, err = r.explain(ctx, tenant, name, &u, end); err != nil {
		return d, fmt.Errorf("service %s: %w", name, err)
	}
	d.Summary = u.sentence(d)
	return d, nil
}

// cut is a service's traffic by one label, most traffic first.
func (r *Diagnoser) cut(ctx context.Context, tenant, name, label, w string, end time.Time) ([]ServiceSlice, error) {
	rate, err := r.deps.Querier.Instant(ctx, rateOf(label, w, spans("_count", tenant, name)), end)
	if err != nil || len(rate) == 0 {
		return []ServiceSlice{}, err
	}
	errs, err := r.deps.Querier.Instant(ctx, rateOf(label, w, spans("_count", tenant, name, isError)), end)
	if err != nil {
		return nil, err
	}
	p95, err := r.deps.Querier.Instant(ctx, quantileOf(0.95, label, w, tenant, name), end)
	if err != nil {
		return nil, err
	}
	errors, latency := byLabel(errs, label), byLabel(p95, label)
	slices.SortFunc(rate, func(a, b model.Sample) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), strings.Compare(a.Labels[label], b.Labels[label]))
	})
	out := []ServiceSlice{}
	for _, s := range rate {
		value := s.Labels[label]
		if math.IsNaN(s.Value) || s.Value == 0 || len(out) == maxSlices {
			continue
		}
		c := ServiceSlice{Value: value, Rate: pointer(s.Value), ErrorRatio: ratio(errors[value], s.Value)}
		if q, ok := latency[value]; ok {
			c.P95Seconds = pointer(q)
		}
		out = append(out, c)
	}
	return out, nil
}

// queriesOf are the golden signals as curves. Saturation is the fullest of the
// resources that the service's instances report by OpenTelemetry's conventions
// (process.cpu.utilization and the like), 0 to 1.
func queriesOf(tenant, name string) ServiceQueries {
	const w = drawnWindow
	all := spans("_count", tenant, name)
	return ServiceQueries{
		Rate:   rateOf("", w, all),
		Errors: rateOf("", w, spans("_count", tenant, name, isError)) + " / " + rateOf("", w, all),
		P50:    quantileOf(0.5, "", w, tenant, name), P95: quantileOf(0.95, "", w, tenant, name), P99: quantileOf(0.99, "", w, tenant, name),
		Saturation: "max(" + saturation(tenant, name) + ")",
	}
}

func (r *Diagnoser) ask(g *errgroup.Group, ctx context.Context, dst *[]model.Sample, at time.Time, expr string) {
	g.Go(func() (err error) {
		*dst, err = r.deps.Querier.Instant(ctx, expr, at)
		return err
	})
}

func (r *Diagnoser) slos(ctx context.Context, service string) ([]model.SLOStatus, error) {
	if r.deps.SLOs == nil {
		return []model.SLOStatus{}, nil
	}
	list, _, err := r.deps.SLOs.SLOs(ctx, service)
	return list, err
}

func (r *Diagnoser) deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error) {
	if r.deps.Deploys == nil {
		return []model.Deploy{}, nil
	}
	return r.deps.Deploys.Deploys(ctx, q)
}

func byLabel(samples []model.Sample, label string) map[string]float64 {
	out := make(map[string]float64, len(samples))
	for _, s := range samples {
		if !math.IsNaN(s.Value) {
			out[s.Labels[label]] += s.Value
		}
	}
	return out
}

func first(samples []model.Sample) *float64 {
	if len(samples) == 0 || math.IsNaN(samples[0].Value) || math.IsInf(samples[0].Value, 0) {
		return nil
	}
	return pointer(samples[0].Value)
}

func ratio(part, whole float64) *float64 {
	if whole <= 0 {
		return nil
	}
	return pointer(part / whole)
}

func pointer(v float64) *float64 { return &v }
