package simulate

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sort"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Flow is the traffic of one kind of span as the model makes it on a calm day:
// what a history has to look like to go on seamlessly in live data.
type Flow struct {
	Service, Region, Version string
	Kind                     string // server or consumer
	Method, Route            string // Route is the queue's name for a consumer
	PerRequest               float64
	MeanSeconds              float64
	durations                []float64 // sorted, seconds
}

// Within is the share of the flow's spans that take at most seconds.
func (f Flow) Within(seconds float64) float64 {
	n := sort.Search(len(f.durations), func(i int) bool { return f.durations[i] > seconds })
	return float64(n) / float64(len(f.durations))
}

// Flows plans n requests and sums up their spans, in a fixed order.
func Flows(seed uint64, n int) []Flow {
	type key struct{ service, region, version, kind, method, route string }
	all := map[key]*Flow{}
	add := func(o *op) {
		k := key{o.service, o.region, o.version, o.kind.String(), o.method, o.route + o.queue}
		f := all[k]
		if f == nil {
			f = &Flow{Service: k.service, Region: k.region, Version: k.version, Kind: k.kind, Method: k.method, Route: k.route}
			all[k] = f
		}
		f.durations = append(f.durations, o.duration.Seconds())
		f.MeanSeconds += o.duration.Seconds()
	}
	p := newPlanner(seed)
	byName := queuesByName()
	var walk func(o *op, seq uint64)
	walk = func(o *op, seq uint64) {
		switch o.kind {
		case trace.SpanKindServer, trace.SpanKindConsumer:
			add(o)
		case trace.SpanKindProducer:
			walk(p.consume(seq, byName[o.queue], o.region, world{}), seq)
		}
		for _, c := range o.children {
			walk(c, seq)
		}
	}
	for i := range uint64(n) {
		walk(p.plan(i, world{}).root, i)
	}
	out := make([]Flow, 0, len(all))
	for _, f := range all {
		slices.Sort(f.durations)
		f.MeanSeconds /= float64(len(f.durations))
		f.PerRequest = float64(len(f.durations)) / float64(n)
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Version, b.Version))
	})
	return out
}

func queuesByName() map[string]queue {
	out := map[string]queue{}
	for _, q := range queues() {
		out[q.name] = q
	}
	return out
}

// DeploymentWithin is the share of layout deployments that take at most
// seconds, by the model, and their mean in seconds.
func DeploymentWithin(seed uint64, n int) (within func(seconds float64) float64, mean float64) {
	f := Flow{}
	p := newPlanner(seed)
	for i := range uint64(n) {
		d := p.deploymentTook(i).Seconds()
		f.durations = append(f.durations, d)
		mean += d / float64(n)
	}
	slices.Sort(f.durations)
	return f.Within, mean
}

// Moment is when a request of the past happened and what went wrong then.
type Moment struct {
	Time     time.Time
	Faults   []Fault
	Versions map[string]string // by service, where it was not the stable one yet
}

// Replay sends the traces and logs, not the metrics, of one request for each
// moment, and returns when all are delivered. first is the number of the first request: those of several
// calls must not overlap, or the same requests come twice.
func Replay(ctx context.Context, cfg Config, deps Deps, first uint64, moments []Moment) (Stats, error) {
	s, err := New(cfg, deps)
	if err != nil || len(moments) == 0 {
		return Stats{}, err
	}
	exp, err := s.dial(ctx)
	if err != nil {
		return Stats{}, err
	}
	f := newFleet(cfg, exp, &s.tally, nil, moments[0].Time)
	err = s.replay(ctx, f, pastSequence+first, moments)
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.FlushWithin)
	defer cancel()
	err = errors.Join(err, f.stop(flush, nil), exp.close())
	return s.Stats(), err
}

// pastSequence is where the numbers of requests of the past begin; live ones begin at 1.
const pastSequence = 1 << 40

// Logs are flushed after this many requests: their processor drops when its
// queue of 2,048 is full.
const flushLogsAfter = 100

func (s *Simulator) replay(ctx context.Context, f *fleet, first uint64, moments []Moment) error {
	for i, m := range moments {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being stopped is no failure
		}
		if err := s.again(ctx, f, first+uint64(i), m); err != nil {
			return err
		}
		if i%flushLogsAfter == flushLogsAfter-1 {
			for _, in := range f.instances {
				if err := in.flushLogs(ctx); err != nil {
					s.log.Debug("flush logs of the past", slog.Any("error", err))
				}
			}
		}
	}
	return nil
}

// again is one request of the past, with what the consumers of its messages did.
func (s *Simulator) again(ctx context.Context, f *fleet, seq uint64, m Moment) error {
	w := world{errorRate: s.cfg.ErrorRate, versions: m.Versions}
	for _, fault := range m.Faults {
		w.faults = append(w.faults, fault.withDefaults())
	}
	req := s.planner.plan(seq, w)
	var sent []taken
	e := emission{
		fleet: f, base: m.Time.Add(-req.root.duration), tenant: req.tenant, user: req.user, requestID: req.requestID,
		publish: func(region, name string, m message) {
			sent = append(sent, taken{message: m, queue: queuesByName()[name], region: region})
		},
	}
	if err := e.span(ctx, req.root); err != nil {
		return err
	}
	s.tally.requests.Add(1)
	for _, t := range sent {
		o := s.planner.consume(seq, t.queue, t.region, w)
		e := emission{fleet: f, base: t.sent.Add(transitTime), tenant: t.tenant, requestID: t.requestID}
		if err := e.consumed(ctx, o, t.message); err != nil {
			return err
		}
	}
	return nil
}
