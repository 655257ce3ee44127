package demo

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/prompb"
	"golang.org/x/sync/errgroup"

	sbmodel "github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/simulate"
)

// The marker's series says whether a history was begun and finished, so that a second start
// on the same data writes none.
const markerMetric = "signalbox_demo_history"

// A request carries at most this many samples. Each has all samples of few
// series: a receiver then looks up each series once.
const samplesPerPush = 15_000

// past writes the history unless there is one, and says whether it did. now is its end: live data
// begin after it.
func (d *Demo) past(ctx context.Context, now time.Time) (written bool, err error) {
	if d.cfg.History == 0 {
		return false, nil
	}
	done, err := d.server.exists(ctx, `last_over_time(`+markerMetric+`{state="complete"}[50d])`)
	if err != nil {
		return false, err
	}
	if done {
		d.log.Info("the history is there already, from an earlier start")
		return false, nil
	}
	begun, err := d.server.exists(ctx, `last_over_time(`+markerMetric+`{state="begun"}[50d])`)
	if err != nil {
		return false, err
	}
	if begun {
		d.log.Warn("an earlier start was stopped while it wrote the history, which stays incomplete; delete the data folder to begin anew")
		return false, nil
	}
	if err := d.write(ctx, now); err != nil {
		return false, err
	}
	return true, nil
}

func (d *Demo) write(ctx context.Context, now time.Time) error {
	start := time.Now()
	if err := d.server.write(ctx, marker("begun", now)); err != nil {
		return fmt.Errorf("write the history's marker: %w", err)
	}
	h := newHistory(now.Truncate(time.Second), d.cfg.History, d.cfg.Simulate.TargetRPS, d.cfg.Simulate.Seed)
	all := h.all()
	samples, err := d.pushAll(ctx, all)
	if err != nil {
		return fmt.Errorf("write the history's metrics: %w", err)
	}
	deploys := pastDeploys(now)
	moments := pastMoments(now, d.cfg.HistoryTraces, d.cfg.Simulate.Seed)
	for i := range moments {
		moments[i].Versions = versionsAt(deploys, moments[i].Time)
	}
	for _, p := range deploys {
		if err := d.server.deploy(ctx, p); err != nil {
			return fmt.Errorf("mark a deployment of the past: %w", err)
		}
	}
	stats, err := d.replay(ctx, d.cfg.Simulate, simulate.Deps{Logger: d.log}, 0, moments)
	if err != nil {
		return fmt.Errorf("send traces of the past: %w", err)
	}
	if err := d.server.write(ctx, marker("complete", now)); err != nil {
		return fmt.Errorf("write the history's marker: %w", err)
	}
	d.log.Info("history written", "days", int(d.cfg.History/day), "series", len(all), "samples", samples, "deployments", len(deploys),
		"spans", stats.Spans, "logs", stats.Logs, "failed", stats.FailedSpans+stats.FailedLogs, "took", time.Since(start).Round(10*time.Millisecond))
	return nil
}

func marker(state string, now time.Time) []series {
	return []series{{
		Labels:  labels("__name__", markerMetric, "state", state),
		Samples: []prompb.Sample{{Timestamp: now.UnixMilli(), Value: 1}},
	}}
}

// pushAll sends the series, two requests at a time, and answers the number of samples.
func (d *Demo) pushAll(ctx context.Context, all []series) (int, error) {
	total := 0
	for _, s := range all {
		total += len(s.Samples)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	sent, said := 0, 0
	for batch := range batches(all, samplesPerPush) {
		for _, s := range batch {
			sent += len(s.Samples)
		}
		g.Go(func() error { return d.server.write(gctx, batch) })
		if gctx.Err() != nil {
			break
		}
		if percent := sent * 100 / total; percent >= said+20 {
			said = percent - percent%20
			d.log.Info(fmt.Sprintf("history %d %%", said))
		}
	}
	return total, g.Wait()
}

// batches cuts the series, in their order, into requests of at most most
// samples; a series that is longer is cut by time.
func batches(all []series, most int) func(yield func([]series) bool) {
	return func(yield func([]series) bool) {
		var batch []series
		room := most
		for _, s := range all {
			for len(s.Samples) > 0 {
				n := min(room, len(s.Samples))
				batch = append(batch, series{Labels: s.Labels, Samples: s.Samples[:n]})
				s.Samples = s.Samples[n:]
				if room -= n; room > 0 {
					continue
				}
				if !yield(batch) {
					return
				}
				batch, room = nil, most
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// write sends series as one remote-write v1 request.
func (c *client) write(ctx context.Context, batch []series) error {
	req := prompb.WriteRequest{Timeseries: batch}
	raw, err := req.Marshal()
	if err != nil {
		return fmt.Errorf("encode remote write: %w", err)
	}
	return c.push(ctx, snappy.Encode(nil, raw))
}

// pastDeploys are the releases of the last four weeks: the ordinary ones, and
// those that caused an incident and were rolled back.
func pastDeploys(now time.Time) []sbmodel.Deploy {
	var out []sbmodel.Deploy
	mark := func(at time.Time, service, version, kind, actor, message string) {
		out = append(out, sbmodel.Deploy{
			Time: at.UTC().Truncate(time.Second), Service: service, Environment: simulate.Environment, Version: version,
			Kind: kind, Status: "succeeded", Actor: actor, Message: message, Started: at.Add(-took(service, version)).UTC().Truncate(time.Second),
		})
	}
	versions := map[string][]string{
		simulate.Edge:          {"2.3.5", "2.3.7", "2.3.8", "2.4.0", "2.4.1"},
		simulate.Layout:        {"3.11.2", "3.11.4", "3.11.7", "3.11.10", "3.12.0"},
		simulate.AccessControl: {"1.9.1", "1.9.2", "1.9.4"},
		simulate.Deployment:    {"2.0.5", "2.0.6", "2.0.7"},
		simulate.FileServer:    {"4.0.9", "4.1.0", "4.1.1", "4.1.2"},
	}
	for i, service := range simulate.Services() {
		list := versions[service]
		for j, v := range list {
			ago := time.Duration(float64(26*day) * float64(len(list)-j) / float64(len(list)+1))
			mark(now.Add(-ago-time.Duration(i*53)*time.Minute), service, v, "deploy", "pipeline", "release "+v)
		}
	}
	for _, in := range incidents() {
		if in.version == "" {
			continue
		}
		began := now.Add(-in.ago)
		mark(began.Add(-time.Minute), in.service, in.version, "deploy", "pipeline", "release "+in.version)
		mark(began.Add(in.lasted), in.service, runningAt(out, in.service, began.Add(-time.Minute)), "rollback", "on-call", "rolled back: "+in.message)
	}
	slices.SortFunc(out, func(a, b sbmodel.Deploy) int { return a.Time.Compare(b.Time) })
	return out
}

// took is how long the pipeline took to release a version: some minutes, and
// one version of all too long.
func took(service, version string) time.Duration {
	if service == simulate.FileServer && version == "4.1.0" {
		return 11 * time.Minute
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(service + version))
	return 90*time.Second + time.Duration(h.Sum32()%150)*time.Second
}

// runningAt is the version that service ran just before t.
func runningAt(deploys []sbmodel.Deploy, service string, t time.Time) string {
	var last sbmodel.Deploy
	for _, d := range deploys {
		if d.Service == service && d.Time.Before(t.Truncate(time.Second)) && !d.Time.Before(last.Time) {
			last = d
		}
	}
	return last.Version
}

// pastMoments spreads n requests over the last three days, most of them over
// the last hours, and takes a tenth from the newest incidents.
func pastMoments(now time.Time, n int, seed uint64) []simulate.Moment {
	rng := rand.New(rand.NewPCG(seed, 77))
	var out []simulate.Moment
	for range n * 9 / 10 {
		x := rng.Float64()
		out = append(out, simulate.Moment{Time: now.Add(-time.Duration(x * x * x * float64(3*day)))})
	}
	for i := range n / 10 {
		in := []incident{incidents()[3], incidents()[4]}[i%2]
		at := now.Add(-in.ago + time.Duration(rng.Float64()*float64(in.lasted)))
		out = append(out, simulate.Moment{Time: at, Faults: in.faults()})
	}
	slices.SortFunc(out, func(a, b simulate.Moment) int { return a.Time.Compare(b.Time) })
	return out
}

// faults are the incident as the simulator would be told of it.
func (i incident) faults() []simulate.Fault {
	var out []simulate.Fault
	if i.errors > 0 {
		out = append(out, simulate.Fault{Kind: simulate.BadDeployment, Service: i.service, Version: i.version, Share: 0.6, ErrorRate: min(1, i.errors/0.6), Message: i.message})
	}
	if i.slow > 0 && i.errors == 0 {
		out = append(out, simulate.Fault{Kind: simulate.SlowDependency, Dependency: "access-db", Latency: model.Duration(220 * time.Millisecond)})
	}
	return out
}
