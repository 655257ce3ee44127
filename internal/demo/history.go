package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/prompb"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/simulate"
)

// series is one time series of the past, ready to send.
type series = prompb.TimeSeries

// history makes the metrics of the past: the same names and labels as the live
// platform's, under instances of their own, so that sums of increases go on from
// one into the other without a jump. Counters only grow.
//
// Older than a day it writes one series per service, promised route and
// outcome; the last day has every route, the regions of the main routes, and
// histograms.
type history struct {
	end       time.Time
	rps       float64
	seed      uint64
	far, near []time.Time
	errors    map[string]float64
	flows     []simulate.Flow
	deploys   []model.Deploy
}

func newHistory(end time.Time, reach time.Duration, rps float64, seed uint64) *history {
	h := &history{end: end, rps: rps, seed: seed, flows: simulate.Flows(seed, 4000), deploys: pastDeploys(end)}
	h.far, h.near = grid(end.Add(-reach), end)
	h.errors = errorRates(slices.Concat(h.far, h.near), end)
	return h
}

// all makes every series, those that the SLOs need first.
func (h *history) all() []series {
	var first, rest []series
	for i, f := range grouped(h.flows, farRoute, func(simulate.Flow) string { return mainRegion }) {
		first = append(first, h.farSeries(f, uint64(i))...)
	}
	first = append(first, h.deployments()...)
	first = append(first, h.queueAges()...)
	for i, f := range grouped(h.flows, func(f simulate.Flow) string { return f.Route }, nearRegion) {
		first = append(first, h.nearRequests(f, uint64(1000+i))...)
		rest = append(rest, h.nearSpans(f, uint64(1000+i))...)
	}
	all := h.byVersion(slices.Concat(first, rest, h.saturation()))
	slices.SortStableFunc(all, func(a, b series) int { return rank(a) - rank(b) })
	return all
}

// rank orders the series such that an SLO never looks broken while the
// history is half written: good events before all events before bad ones.
func rank(s series) int {
	for _, l := range s.Labels {
		switch {
		case l.Name == "__name__" && strings.HasSuffix(l.Value, "_bucket"):
			return 0
		case l.Name == "status" && l.Value == "error", l.Name == "outcome" && l.Value == "late",
			l.Name == "http_response_status_code" && l.Value != "200":
			return 2
		}
	}
	return 1
}

const mainRegion = "eu-1"

func mainRoute(service string) string {
	return map[string]string{
		simulate.Edge: "/layouts/{id}", simulate.Layout: "/layouts/{id}", simulate.AccessControl: "/authorize",
		simulate.Deployment: "/deployments/{id}", simulate.FileServer: "/files/{id}",
	}[service]
}

// farRoute keeps the routes apart that SLOs name.
func farRoute(f simulate.Flow) string {
	switch {
	case f.Kind == "consumer":
		return f.Route
	case f.Service == simulate.Layout && !strings.HasSuffix(f.Route, "/layouts/{id}"):
		return "/layouts"
	case f.Service == simulate.Layout, f.Service == simulate.AccessControl:
		return f.Route
	}
	return mainRoute(f.Service)
}

func nearRegion(f simulate.Flow) string {
	if f.Kind == "server" && f.Route == mainRoute(f.Service) {
		return f.Region
	}
	return mainRegion
}

// flow is traffic that is written as one set of series.
type flow struct {
	simulate.Flow
	parts []simulate.Flow
}

// grouped adds up flows of one service that get the same route and region.
func grouped(flows []simulate.Flow, route, region func(simulate.Flow) string) []flow {
	var out []flow
	for _, f := range flows {
		g := flow{Flow: f}
		g.Route, g.Region = route(f), region(f)
		g.Version = simulate.StableVersion(f.Service, g.Region)
		at := slices.IndexFunc(out, func(o flow) bool {
			return o.Service == g.Service && o.Kind == g.Kind && o.Route == g.Route && o.Region == g.Region
		})
		if at < 0 {
			g.PerRequest, g.MeanSeconds = 0, 0
			out = append(out, g)
			at = len(out) - 1
		}
		o := &out[at]
		o.parts = append(o.parts, f)
		o.MeanSeconds = (o.MeanSeconds*o.PerRequest + f.MeanSeconds*f.PerRequest) / (o.PerRequest + f.PerRequest)
		o.PerRequest += f.PerRequest
	}
	return out
}

// within is the share of the flow that takes at most seconds.
func (f flow) within(seconds float64) float64 {
	if math.IsInf(seconds, 1) {
		return 1
	}
	v := 0.0
	for _, p := range f.parts {
		v += p.Within(seconds) * p.PerRequest
	}
	return v / f.PerRequest
}

// step is what a flow did between two samples.
type step struct {
	ok, missing, failed float64 // requests
	slow                float64 // share of ok that an incident slowed down
}

// walk calls visit for each time with what happened since the one before. The
// first time is the counters' start and comes with a zero step.
func (h *history) walk(f flow, stream uint64, times []time.Time, visit func(t time.Time, s step)) {
	rng := rand.New(rand.NewPCG(h.seed, stream))
	for i, t := range times {
		var s step
		if i > 0 {
			n := h.rps * f.PerRequest * shape(t, h.end) * t.Sub(times[i-1]).Seconds() * (1 + 0.05*rng.NormFloat64())
			share := h.errors[f.Service]
			if e := errorShare(f.Service, t, h.end); e > 0 {
				share = e
			}
			s.failed = n * share
			if f.Service == simulate.Layout && strings.HasSuffix(f.Route, "/layouts/{id}") {
				s.missing = n * 0.0015
			}
			s.ok = n - s.failed - s.missing
			s.slow = slowShare(f.Service, t, h.end)
		}
		visit(t, s)
	}
}

// counters adds up named sums over a walk and rounds them down: whole, and
// never falling.
type counters struct {
	out  []series
	sums []float64
	at   int
}

func (c *counters) track(labels ...prompb.Label) {
	c.out = append(c.out, series{Labels: labels})
	c.sums = append(c.sums, 0)
}

// add is called once for each tracked series at each time, in the order of track.
func (c *counters) add(t time.Time, v float64) {
	c.sums[c.at] += v
	c.out[c.at].Samples = append(c.out[c.at].Samples, prompb.Sample{Timestamp: t.UnixMilli(), Value: math.Floor(c.sums[c.at])})
	c.at = (c.at + 1) % len(c.sums)
}

// farSeries are the counters of requests and spans by outcome, and of those
// buckets that an SLO counts.
func (h *history) farSeries(f flow, stream uint64) []series {
	if f.Kind != "server" {
		return nil
	}
	byRequest, bySpan := promisedBounds(f)
	var c counters
	for _, status := range []string{"200", "404", "500"} {
		c.track(h.request("_count", f, "far", status, "")...)
	}
	for _, le := range byRequest {
		c.track(h.request("_bucket", f, "far", "200", bound(le))...)
	}
	for _, status := range []string{"ok", "error"} {
		c.track(spanLabels("_count", f, status, "")...)
	}
	for _, le := range bySpan {
		c.track(spanLabels("_bucket", f, "ok", bound(le))...)
	}
	h.walk(f, stream, h.far, func(t time.Time, s step) {
		c.add(t, s.ok)
		c.add(t, s.missing)
		c.add(t, s.failed)
		for _, le := range byRequest {
			c.add(t, s.ok*h.fast(f, le, s))
		}
		c.add(t, s.ok+s.missing)
		c.add(t, s.failed)
		for _, le := range bySpan {
			c.add(t, (s.ok+s.missing)*h.fast(f, le, s))
		}
	})
	return withoutIdle(c.out)
}

// withoutIdle leaves out counters that never moved, of 404s that a route does
// not answer for example. Failures stay: zero of them is a statement.
func withoutIdle(all []series) []series {
	return slices.DeleteFunc(all, func(s series) bool {
		last := s.Samples[len(s.Samples)-1].Value
		return last == 0 && slices.ContainsFunc(s.Labels, func(l prompb.Label) bool { return l.Value == "404" })
	})
}

// promisedBounds are the buckets that SLOs count: of the services' own
// histograms and of the span metrics.
func promisedBounds(f flow) (byRequest, bySpan []float64) {
	switch {
	case f.Service == simulate.Edge:
		return []float64{0.5, 1}, nil
	case f.Route == "/authorize":
		return []float64{0.1}, nil
	case f.Route == "/layouts/{id}":
		return []float64{0.3}, nil
	case f.Route == "/remote/layouts/{id}":
		return []float64{0.6}, nil
	case f.Service == simulate.FileServer:
		return nil, []float64{0.5}
	}
	return nil, nil
}

func (h *history) nearRequests(f flow, stream uint64) []series {
	if f.Kind != "server" {
		return nil
	}
	bounds := []float64{0.1, 0.3, 0.5, 0.6, 1, math.Inf(1)}
	var c counters
	for _, status := range []string{"200", "404", "500"} {
		c.track(h.request("_count", f, "near", status, "")...)
	}
	for _, le := range bounds {
		c.track(h.request("_bucket", f, "near", "200", bound(le))...)
	}
	h.walk(f, stream, h.near, func(t time.Time, s step) {
		c.add(t, s.ok)
		c.add(t, s.missing)
		c.add(t, s.failed)
		for _, le := range bounds {
			c.add(t, s.ok*h.fast(f, le, s))
		}
	})
	return withoutIdle(c.out)
}

// nearSpans go by the same stream of random numbers as nearRequests, so both
// tell the same numbers of requests.
func (h *history) nearSpans(f flow, stream uint64) []series {
	bounds := []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, math.Inf(1)}
	var c counters
	c.track(spanLabels("_count", f, "ok", "")...)
	c.track(spanLabels("_count", f, "error", "")...)
	c.track(spanLabels("_sum", f, "ok", "")...)
	for _, le := range bounds {
		c.track(spanLabels("_bucket", f, "ok", bound(le))...)
	}
	h.walk(f, stream, h.near, func(t time.Time, s step) {
		ok := s.ok + s.missing
		c.add(t, ok)
		c.add(t, s.failed)
		c.add(t, ok*f.MeanSeconds)
		for _, le := range bounds {
			c.add(t, ok*h.fast(f, le, s))
		}
	})
	return c.out
}

func (h *history) fast(f flow, le float64, s step) float64 {
	if math.IsInf(le, 1) {
		return 1
	}
	return f.within(le) * (1 - s.slow)
}

func (h *history) deployments() []series {
	within, _ := simulate.DeploymentWithin(h.seed, 5000)
	good := within(simulate.DeploymentDeadline.Seconds())
	f := flow{Flow: simulate.Flow{Service: simulate.Deployment, Region: mainRegion, Version: simulate.StableVersion(simulate.Deployment, mainRegion), PerRequest: 0.05}}
	var c counters
	c.track(h.metric("layout_deployment_duration_seconds_bucket", f, "le", "300", "outcome", "in_time")...)
	c.track(h.metric("layout_deployment_duration_seconds_count", f, "outcome", "in_time")...)
	c.track(h.metric("layout_deployment_duration_seconds_count", f, "outcome", "late")...)
	h.walk(f, 1, slices.Concat(h.far, h.near), func(t time.Time, s step) {
		c.add(t, s.ok*good)
		c.add(t, s.ok*good)
		c.add(t, s.ok*(1-good))
	})
	return c.out
}

func (h *history) queueAges() []series {
	f := flow{Flow: simulate.Flow{Service: simulate.EventBus, Region: mainRegion, Version: simulate.StableVersion(simulate.EventBus, mainRegion)}}
	age := series{Labels: h.metric("event_bus_oldest_message_age_seconds", f, "queue", "layout-deployments")}
	depth := series{Labels: h.metric("event_bus_queue_depth", f, "queue", "layout-deployments")}
	for _, t := range slices.Concat(h.far, h.near) {
		a := queueAge(t, h.end)
		age.Samples = append(age.Samples, prompb.Sample{Timestamp: t.UnixMilli(), Value: a})
		depth.Samples = append(depth.Samples, prompb.Sample{Timestamp: t.UnixMilli(), Value: math.Round(a * h.rps * 0.05 * shape(t, h.end))})
	}
	return []series{age, depth}
}

// saturation is CPU and memory of each service, in its main region.
func (h *history) saturation() []series {
	var out []series
	for i, service := range simulate.Services() {
		f := flow{Flow: simulate.Flow{Service: service, Region: mainRegion, Version: simulate.StableVersion(service, mainRegion)}}
		cpu := series{Labels: h.metric("process_cpu_utilization_ratio", f)}
		mem := series{Labels: h.metric("process_memory_utilization_ratio", f)}
		rng := rand.New(rand.NewPCG(h.seed, uint64(2000+i)))
		for _, t := range h.near {
			wave := math.Sin(float64(t.Unix())/217 + float64(i))
			cpu.Samples = append(cpu.Samples, prompb.Sample{Timestamp: t.UnixMilli(), Value: 0.16 + 0.14*shape(t, h.end) + 0.02*wave + 0.01*rng.Float64()})
			mem.Samples = append(mem.Samples, prompb.Sample{Timestamp: t.UnixMilli(), Value: 0.46 + 0.04*wave})
		}
		out = append(out, cpu, mem)
	}
	return out
}

// metric names a series of an instance of the past; pairs are further labels.
func (h *history) metric(name string, f flow, pairs ...string) []prompb.Label {
	return labels(append([]string{
		"__name__", name, "job", simulate.Namespace + "/" + f.Service, "instance", h.instance(f),
		"service", f.Service, "namespace", simulate.Namespace, "env", simulate.Environment, "region", f.Region, "version", f.Version,
	}, pairs...)...)
}

func (h *history) instance(f flow) string {
	return fmt.Sprintf("%s-%s-%s-%x", f.Service, f.Region, f.Version, h.end.Add(-day).Unix()&0xfffff)
}

func (h *history) request(suffix string, f flow, part, status, le string) []prompb.Label {
	pairs := []string{"http_route", f.Route, "http_request_method", f.Method, "http_response_status_code", status, "url_scheme", "https"}
	if le != "" {
		pairs = append(pairs, "le", le)
	}
	ls := h.metric("http_server_request_duration_seconds"+suffix, f, pairs...)
	if part == "far" { // a process that ended when the near part begins
		for i := range ls {
			if ls[i].Name == "instance" {
				ls[i].Value += "-0"
			}
		}
	}
	return ls
}

// spanLabels name a series as the server's span metrics do. There is no
// instance label: when the server starts to count, it looks like a restart.
func spanLabels(suffix string, f flow, status, le string) []prompb.Label {
	pairs := []string{
		"__name__", model.MetricSpanDuration + suffix, "service", f.Service, "namespace", simulate.Namespace, "route", f.Route, "region", f.Region,
		"env", simulate.Environment, "version", f.Version, "kind", f.Kind, "status", status,
	}
	if le != "" {
		pairs = append(pairs, "le", le)
	}
	return labels(pairs...)
}

func bound(le float64) string {
	if math.IsInf(le, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(le, 'g', -1, 64)
}

// labels makes a sorted label set from names and values in turn.
func labels(pairs ...string) []prompb.Label {
	out := make([]prompb.Label, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	slices.SortFunc(out, func(a, b prompb.Label) int { return strings.Compare(a.Name, b.Name) })
	return out
}
