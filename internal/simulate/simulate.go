// Package simulate is a small model of a broker platform that behaves as a
// real one would: five services and an event bus in three regions, several
// versions and customers, with traces that cross services and queues, logs that
// carry trace ids, and metrics with exemplars.
//
// It sends everything by the OpenTelemetry SDK over OTLP/gRPC, as a user's
// services do; it knows nothing of Signalbox and stores nothing.
//
// Data goes one way: random numbers → plan (a tree of spans-to-be) → emission
// through the SDKs of the instances involved → exporters. A plan is a pure
// function of seed, sequence number and world, so one seed gives one sequence
// of requests. Requests take no time: a plan is emitted when it ends, with the
// times that it would have had.
//
// One goroutine runs the model; the mutex guards what Inject, Clear and the
// gauges' callbacks touch and is never held while exporting.
//
// Start reading at broker.go (the model), then plan.go, then Run.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Config says how much is simulated and where it goes.
type Config struct {
	Endpoint     string        // OTLP/gRPC, host:port or URL; https:// for TLS
	TargetRPS    float64       // brokers' requests a second at the front door
	ErrorRate    float64       // share of its requests that each service fails by itself, 0 to 1
	Duration     time.Duration // 0: until stopped
	Seed         uint64        // the same seed gives the same requests
	Faults       []Fault       // the schedule; see LoadFaults
	MetricsEvery time.Duration // how often metrics are exported
	FlushEvery   time.Duration // how long spans and logs wait to be sent together
	FlushWithin  time.Duration // how long the last flush may take when the endpoint does not answer
}

// DefaultConfig simulates a calm day at 20 requests a second.
func DefaultConfig() Config {
	return Config{
		Endpoint: "127.0.0.1:4317", TargetRPS: 20, ErrorRate: 0.0003, Seed: 1,
		MetricsEvery: 10 * time.Second, FlushEvery: 2 * time.Second, FlushWithin: exportTimeout + 2*time.Second,
	}
}

// Validate returns every problem, each beginning with the field's flag name.
func (c Config) Validate() []error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Endpoint == "" {
		bad("endpoint: must be the host:port of an OTLP/gRPC receiver, got nothing")
	}
	if c.TargetRPS <= 0 || c.TargetRPS > 20000 {
		bad("target-rps: must be above 0 and at most 20000, got %g", c.TargetRPS)
	}
	if c.ErrorRate < 0 || c.ErrorRate > 1 {
		bad("error-rate: must be within 0 to 1, got %g", c.ErrorRate)
	}
	if c.Duration < 0 {
		bad("duration: must be >= 0, got %s", c.Duration)
	}
	if c.MetricsEvery < 100*time.Millisecond {
		bad("metrics-every: must be at least 100ms, got %s", c.MetricsEvery)
	}
	if c.FlushEvery < 10*time.Millisecond {
		bad("flush-every: must be at least 10ms, got %s", c.FlushEvery)
	}
	if c.FlushWithin <= 0 {
		bad("flush-within: must be > 0, got %s", c.FlushWithin)
	}
	for i, f := range c.Faults {
		for _, p := range f.Validate() {
			bad("faults[%d].%w", i, p)
		}
	}
	return problems
}

// Deps are what the simulator needs from its surroundings.
type Deps struct {
	Logger *slog.Logger // progress, every ten seconds

	exporters *exporters // tests put theirs here
}

// Simulator is the running model.
type Simulator struct {
	cfg     Config
	log     *slog.Logger
	deps    Deps
	planner planner
	tally   tally

	mu       sync.Mutex
	injected []Fault
	versions map[string]string
	retired  map[string]string // version → service: instances to stop
	backlogs map[backlogKey]*backlog
	started  time.Time
}

// New checks cfg and prepares a simulator; nothing is sent before Run.
func New(cfg Config, deps Deps) (*Simulator, error) {
	for i, f := range cfg.Faults {
		cfg.Faults[i] = f.withDefaults()
	}
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, err
	}
	deps.Logger = instrument.Logger(deps.Logger)
	return &Simulator{
		cfg: cfg, log: deps.Logger, deps: deps, planner: newPlanner(cfg.Seed),
		versions: map[string]string{}, retired: map[string]string{}, backlogs: newBacklogs(),
	}, nil
}

// Inject switches a fault on at once, besides the schedule; one of the same
// name is replaced. It stays until Clear.
func (s *Simulator) Inject(f Fault) error {
	f = f.withDefaults()
	if err := errors.Join(f.Validate()...); err != nil {
		return fmt.Errorf("fault %s: %w", f.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear(f.Name)
	s.injected = append(s.injected, f)
	return nil
}

// Clear switches an injected fault off. A bad deployment's instances are
// stopped: that is a roll-back.
func (s *Simulator) Clear(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear(name)
}

func (s *Simulator) clear(name string) {
	kept := s.injected[:0:0]
	for _, f := range s.injected {
		if f.Name != name {
			kept = append(kept, f)
		} else if f.Kind == BadDeployment {
			s.retired[f.Version] = f.Service
		}
	}
	s.injected = kept
}

// Version is what service runs, in the region where it is newest.
func (s *Simulator) Version(service string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return orDefault(s.versions[service], StableVersion(service, ""))
}

// Stats is what was sent so far.
func (s *Simulator) Stats() Stats { return s.tally.stats() }

func (s *Simulator) world(now time.Time) world {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := world{errorRate: s.cfg.ErrorRate, versions: map[string]string{}}
	for service, v := range s.versions {
		w.versions[service] = v
	}
	for _, f := range s.cfg.Faults {
		if elapsed := now.Sub(s.started); f.activeAt(elapsed) {
			w.faults = append(w.faults, f.at(elapsed))
		}
	}
	w.faults = append(w.faults, s.injected...)
	return w
}

// The model advances in ticks; a plan's timing is exact all the same, since
// arrivals are drawn, not ticked.
const (
	tick          = 50 * time.Millisecond
	progressEvery = 10 * time.Second
	maxBehind     = 2 * time.Second
)

// Run simulates until ctx is done or the duration is over, then flushes. It
// returns nil unless the exporters cannot be made or the flush did not finish.
func (s *Simulator) Run(ctx context.Context) (err error) {
	exp, err := s.dial(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	s.mu.Lock()
	s.started = start
	s.mu.Unlock()
	f := newFleet(s.cfg, exp, &s.tally, s.gauges(), start)
	defer func() {
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.FlushWithin)
		defer cancel()
		err = errors.Join(err, f.stop(flush, nil), exp.close())
		s.report("simulation ended", "the OTLP endpoint did not accept the last telemetry", time.Since(start))
	}()
	return s.loop(ctx, f, start)
}

func (s *Simulator) dial(ctx context.Context) (exporters, error) {
	if s.deps.exporters != nil {
		return *s.deps.exporters, nil
	}
	return dial(ctx, s.cfg.Endpoint)
}

func (s *Simulator) loop(ctx context.Context, f *fleet, start time.Time) error {
	r := run{Simulator: s, fleet: f, arrivals: rand.New(rand.NewPCG(s.cfg.Seed, 0)), next: start}
	for _, region := range Regions() {
		if _, err := f.get(EventBus, region, StableVersion(EventBus, region)); err != nil {
			return err
		}
	}
	s.log.Info("simulating a broker platform", "endpoint", s.cfg.Endpoint, "target_rps", s.cfg.TargetRPS, "error_rate", s.cfg.ErrorRate, "seed", s.cfg.Seed, "faults", len(s.cfg.Faults))
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	progress := time.NewTicker(progressEvery)
	defer progress.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-progress.C:
			s.report("simulating", "the OTLP endpoint does not accept telemetry; still retrying", time.Since(start))
			if err := r.retire(ctx); err != nil {
				return err
			}
		case <-ticks.C:
			now := time.Now()
			if s.cfg.Duration > 0 && now.Sub(start) >= s.cfg.Duration {
				return nil
			}
			if err := r.advance(ctx, now); err != nil {
				return err
			}
		}
	}
}

func (s *Simulator) report(text, failing string, elapsed time.Duration) {
	st := s.Stats()
	s.log.Info(text, "elapsed", elapsed.Round(time.Second), "requests", st.Requests, "spans_sent", st.Spans, "logs_sent", st.Logs,
		"metric_points_sent", st.Points, "failed", st.FailedSpans+st.FailedLogs+st.FailedPoints)
	if st.LastError != "" {
		s.log.Warn(failing, "endpoint", s.cfg.Endpoint, "error", st.LastError)
	}
}

// run is the state of Run's goroutine.
type run struct {
	*Simulator
	fleet    *fleet
	arrivals *rand.Rand
	next     time.Time // of the next request's arrival
	seq      uint64
	consumed uint64
}

// advance simulates everything that happens up to now.
func (r *run) advance(ctx context.Context, now time.Time) error {
	w := r.world(now)
	if behind := now.Sub(r.next); behind > maxBehind {
		missed := (behind - maxBehind).Seconds() * r.cfg.TargetRPS
		r.tally.skipped.Add(uint64(missed))
		r.next = now.Add(-maxBehind)
	}
	for !r.next.After(now) {
		r.seq++
		req := r.planner.plan(r.seq, w)
		e := emission{
			fleet: r.fleet, base: r.next.Add(-req.root.duration), tenant: req.tenant, user: req.user, requestID: req.requestID,
			publish: r.enqueue,
		}
		if err := e.span(ctx, req.root); err != nil {
			return err
		}
		r.tally.requests.Add(1)
		r.next = r.next.Add(time.Duration(r.arrivals.ExpFloat64() / r.cfg.TargetRPS * float64(time.Second)))
	}
	return r.consume(ctx, now, w)
}

// consume handles the messages whose turn has come.
func (r *run) consume(ctx context.Context, now time.Time, w world) error {
	for _, t := range r.dequeue(now, w) {
		r.consumed++
		o := r.planner.consume(r.consumed, t.queue, t.region, w)
		base := now.Add(-o.duration)
		if earliest := t.sent.Add(transitTime); base.Before(earliest) {
			base = earliest
		}
		e := emission{fleet: r.fleet, base: base, tenant: t.tenant, requestID: t.requestID}
		if err := e.consumed(ctx, o, t.message); err != nil {
			return err
		}
		if t.queue.deploys && !o.failed() {
			took := now.Sub(t.sent) + r.planner.deploymentTook(r.consumed)
			if err := e.deployed(ctx, o, took); err != nil {
				return err
			}
		}
	}
	return nil
}

// retire stops the instances of versions that were rolled back or replaced.
func (r *run) retire(ctx context.Context) error {
	r.mu.Lock()
	retired := r.retired
	r.retired = map[string]string{}
	r.mu.Unlock()
	if len(retired) == 0 {
		return nil
	}
	return r.fleet.stop(ctx, func(k instanceKey) bool { return retired[k.version] == k.service })
}
