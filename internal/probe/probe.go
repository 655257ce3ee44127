// Package probe asks services from outside, at fixed intervals, whether they
// answer: synthetic probes over HTTP, TCP, DNS, ICMP, gRPC and Unix sockets.
//
// The probing itself is the Prometheus blackbox exporter's code, with its module format
// and its metric names. This room reads the files of modules and probes, keeps
// the schedule, writes the samples and remembers the last results. It judges nothing:
// SLOs and alert rules do, over the series.
//
// Data in: files of probes, answers of their targets. Data out: the series
// probe_… through a storage.AppendableV2, and the last result of every probe.
//
// Invariants: a probe that failed is probe_success 0 with a reason; a probe
// that we could not run is a gap (its series get stale markers), never a 0. Start times
// are the same after a restart: an offset in the interval that follows from the
// probe's name. A file with a mistake keeps its last good version in force and holds up no other. Lock order: Prober.mu,
// then task.mu; neither is held while a probe runs.
//
// Start reading at Prober, then task.loop, then Load.
package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/outgoing"
)

// Config is the section probes of signalbox.yml.
type Config struct {
	// Concurrency is how many probes may run at the same time.
	Concurrency int `yaml:"concurrency"`
}

// DefaultConfig is what applies without a section.
func DefaultConfig() Config { return Config{Concurrency: 64} }

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	if c.Concurrency < 1 || c.Concurrency > 10_000 {
		return []error{fmt.Errorf("concurrency: must be from 1 to 10000, got %d", c.Concurrency)}
	}
	return nil
}

// Deps is what a Prober needs.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Appendable storage.AppendableV2
	// UserAgent is sent where a module sets none.
	UserAgent string
	// Self is our own web address, http://host:port, to which a target that is a
	// path alone belongs.
	Self string

	// Outgoing guards what is probed; nil by the defaults.
	Outgoing *outgoing.Guard

	run runFunc // nil means the blackbox exporter's probers
}

// Prober runs the probes in force. It is safe for concurrent use.
type Prober struct {
	*document.Catalog[[]Definition] // those in force

	cfg   Config
	deps  Deps
	log   *slog.Logger
	m     metrics
	slots chan struct{}

	mu      sync.Mutex
	ctx     context.Context // of Run; nil before it and after
	tasks   map[string]*task
	running sync.WaitGroup
}

// New makes a Prober without probes; Reload brings them, Run runs them.
func New(cfg Config, deps Deps) (*Prober, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, err
	}
	if deps.Appendable == nil {
		return nil, errors.New("probe: no Appendable")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.run == nil {
		deps.run = runBlackbox
	}
	deps.run = guarded(deps.Outgoing, deps.run)
	p := &Prober{cfg: cfg, deps: deps, log: deps.Logger, m: newMetrics(), slots: make(chan struct{}, cfg.Concurrency), tasks: map[string]*task{}}
	p.Catalog = newCatalog(deps, p.m, p.apply)
	return p, p.m.register(deps.Registerer)
}

// Run runs the probes until ctx is done.
func (p *Prober) Run(ctx context.Context) error {
	p.mu.Lock()
	p.ctx = ctx
	for _, t := range p.tasks {
		p.start(t)
	}
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.ctx = nil
	p.mu.Unlock()
	p.running.Wait()
	return nil
}

// start begins a task's loop; p.mu is held.
func (p *Prober) start(t *task) {
	if p.ctx == nil {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	t.cancel = cancel
	p.running.Go(func() { t.loop(ctx) })
}

// apply has probes run. One that did not change goes on undisturbed.
func (p *Prober) apply(probes []Definition) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := make(map[string]*task, len(probes))
	for _, def := range probes {
		if was, ok := p.tasks[def.Name]; ok && was.def.fingerprint == def.fingerprint {
			next[def.Name] = was
			continue
		}
		next[def.Name] = newTask(p, def)
	}
	for name, was := range p.tasks {
		if next[name] != was {
			was.stop()
		}
	}
	for name, t := range next {
		if p.tasks[name] != t {
			p.start(t)
		}
	}
	p.tasks = next
	return nil
}

// Probes is every probe in force with its last result, by name.
func (p *Prober) Probes(context.Context) []Probe {
	p.mu.Lock()
	tasks := make([]*task, 0, len(p.tasks))
	for _, t := range p.tasks {
		tasks = append(tasks, t)
	}
	p.mu.Unlock()
	out := make([]Probe, 0, len(tasks))
	for _, t := range tasks {
		out = append(out, t.view())
	}
	slices.SortFunc(out, func(a, b Probe) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Probe is a probe in force and how it went last.
type Probe struct {
	Name     string            `json:"name"`
	Module   string            `json:"module"`
	Target   string            `json:"target"`
	Interval float64           `json:"interval_seconds"`
	Timeout  float64           `json:"timeout_seconds"`
	Labels   map[string]string `json:"labels"`
	// State is pending (has not run yet), up, down (the target failed) or not_run
	// (we could not run the last one: a gap in the data).
	State string `json:"state" enum:"pending,up,down,not_run"`
	// Reason says why the last run failed or did not take place.
	Reason string `json:"reason,omitempty"`
	// LastRun is when the last run began.
	LastRun *time.Time `json:"last_run,omitempty"`
	// Duration of the last run in seconds, and its parts by phase where the prober tells.
	Duration float64            `json:"duration_seconds,omitempty"`
	Phases   map[string]float64 `json:"phases,omitempty"`
	// StatusCode is the last HTTP status; 0 without an answer.
	StatusCode int `json:"status_code,omitempty"`
	// CertificateExpires is when the first certificate of the chain expires.
	CertificateExpires *time.Time `json:"certificate_expires,omitempty"`
	// ChangedAt is since when State is what it is.
	ChangedAt *time.Time `json:"changed_at,omitempty"`
	NextRun   time.Time  `json:"next_run"`
	File      string     `json:"file"`
	Line      int        `json:"line"`
}

// The states of a probe.
const (
	statePending = "pending"
	stateUp      = "up"
	stateDown    = "down"
	stateNotRun  = "not_run"
)

type metrics struct {
	probes, loadFailed, inFlight prometheus.Gauge
	runs                         *prometheus.CounterVec
	skipped                      *prometheus.CounterVec
	late                         prometheus.Histogram
	writeErrors                  prometheus.Counter
}

func newMetrics() metrics {
	m := metrics{
		probes:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_probe_definitions", Help: "Synthetic probes in force."}),
		loadFailed: prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_probe_load_failed", Help: "1 while probe files have errors and their last good versions are in force."}),
		inFlight:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_probe_in_flight", Help: "Probes that run now."}),
		runs:       prometheus.NewCounterVec(prometheus.CounterOpts{Name: "signalbox_probe_runs_total", Help: "Probes that ran, by what came out: success or failure of the target."}, []string{"result"}),
		skipped:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "signalbox_probe_skipped_total", Help: "Probes that were due and did not take place; each is a gap in its series."}, []string{"reason"}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "signalbox_probe_start_delay_seconds", Help: "How much later than planned probes start.", Buckets: []float64{0.001, 0.01, 0.1, 1, 10},
		}),
		writeErrors: prometheus.NewCounter(prometheus.CounterOpts{Name: "signalbox_probe_write_errors_total", Help: "Results of probes that could not be written."}),
	}
	for _, r := range []string{"success", "failure"} {
		m.runs.WithLabelValues(r)
	}
	for _, r := range []string{reasonNoSlot, reasonLate, reasonOwnFault} {
		m.skipped.WithLabelValues(r)
	}
	return m
}

func (m metrics) register(reg prometheus.Registerer) error {
	return instrument.Register(reg, "probe", m.probes, m.loadFailed, m.inFlight, m.runs, m.skipped, m.late, m.writeErrors)
}
