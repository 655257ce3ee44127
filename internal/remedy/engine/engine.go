// Package engine decides on remedies: it finds what an alert asks for, judges whether it may be done, has it carried out once, and
// watches whether it helps.
//
// It carries nothing out itself and raises no alerts of its own but those about its work. In: alerts, remedies, PromQL, switches.
// Out: runs with evidence, orders to executors, alerts for people, audit entries, spans.
//
// Invariants: what is to be done is stored before it is done, and given to an executor once: a process that finds an order of another
// looks at the world and never repeats what it cannot see; one target is touched by one run at a time; what is not known leads to no
// action, and missing data is no effect; what somebody stopped stays stopped until somebody starts it. The store is the truth: every
// change of a run is a compare-and-swap, so that a person and the engine cannot overwrite each other. Safe for concurrent use; Run must
// run.
//
// Start reading at Step, then judge and settle.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/remedy/action"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Alert is an alert in force.
type Alert struct {
	Fingerprint string
	Labels      model.Labels
	Since       time.Time
	// Muted says why nobody is to act on it; "" where somebody may.
	Muted string
	kind  string
}

// Audit keeps the audit log.
type Audit interface {
	Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error)
}

// Deps is what an Engine is given. Logger, Registerer, Tracer, Notices, Frozen and Now may be left out.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Tracer     trace.TracerProvider
	Documents  store.DocumentStore
	Querier    contract.Querier
	Audit      Audit
	// Remedies are those in force.
	Remedies func() []contract.Remedy
	// Alerts are those in force.
	Alerts func(context.Context) ([]Alert, error)
	// Executor makes what carries out an action.
	Executor func(contract.Action) (action.Executor, error)
	// Frozen says why nothing may be done to a service now; "" where something may.
	Frozen func(ctx context.Context, f contract.Freeze, s Subject, now time.Time) (string, error)
	// Notices takes what a person must know.
	Notices notify.Sender
	// ExternalURL is where people reach the UI.
	ExternalURL string
	Now         func() time.Time
}

// Engine follows alerts.
type Engine struct {
	deps    Deps
	log     *slog.Logger
	tracer  trace.Tracer
	metrics metrics
	wake    chan struct{}

	mu      sync.Mutex // held over a step
	raised  map[string]notice
	running sync.WaitGroup
	cancels sync.Map // by ID of a run: context.CancelCauseFunc
	stopped atomic.Int64
	last    atomic.Int64 // Unix ns of the last whole step
}

type metrics struct {
	states, failures *prometheus.CounterVec
	acted            *prometheus.HistogramVec
}

// New makes an Engine; it starts nothing.
func New(d Deps) (*Engine, error) {
	if d.Documents == nil || d.Querier == nil || d.Audit == nil || d.Remedies == nil || d.Alerts == nil || d.Executor == nil {
		return nil, errors.New("remedies: documents, queries, an audit log, remedies, alerts and executors are needed")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Tracer == nil {
		d.Tracer = noop.NewTracerProvider()
	}
	e := &Engine{
		deps: d, log: instrument.Logger(d.Logger), tracer: d.Tracer.Tracer("github.com/signalbox-project/signalbox/internal/remedy/engine"),
		wake: make(chan struct{}, 1), raised: map[string]notice{},
		metrics: metrics{
			states:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "signalbox_remediation_runs_total", Help: "Changes of runs of remedies, by the new state."}, []string{"state"}),
			failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "signalbox_remediation_failures_total", Help: "What could not be finished, by reason: step, alert."}, []string{"reason"}),
			acted: prometheus.NewHistogramVec(prometheus.HistogramOpts{
				Name: "signalbox_remediation_action_duration_seconds", Help: "How long actions took, by their kind.", Buckets: []float64{0.1, 0.5, 1, 5, 15, 60, 300},
			}, []string{"kind"}),
		},
	}
	return e, instrument.Register(d.Registerer, "remedies", e.metrics.states, e.metrics.failures, e.metrics.acted,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "signalbox_remediation_stopped", Help: "Stops in force: of all remedies, or of single ones."}, func() float64 { return float64(e.stopped.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signalbox_remediation_last_step_timestamp_seconds", Help: "Unix time of the last look at alerts and runs that was finished.",
		}, func() float64 { return float64(e.last.Load()) / 1e9 }))
}

const every = 15 * time.Second

// Run follows alerts until ctx is done, and waits for what is being carried out.
func (e *Engine) Run(ctx context.Context) error {
	defer e.running.Wait()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-e.wake:
		case <-ctx.Done():
			return nil
		}
		if err := e.Step(ctx); err != nil && ctx.Err() == nil {
			e.metrics.failures.WithLabelValues("step").Inc()
			e.log.ErrorContext(ctx, "remedies could not be looked at", "err", err)
		}
	}
}

// Wait waits for what is being carried out.
func (e *Engine) Wait() { e.running.Wait() }

// round is one look at everything.
type round struct {
	now      time.Time
	remedies map[string]contract.Remedy
	alerts   []Alert
	active   map[string]Alert // by remedy and target
	open     []*kept
	recent   []Run
	stops    map[string]Stop
	busy     map[string]string // by target: the run that holds it
}

func key(remedy, target string) string { return remedy + "\x00" + target }

// Step looks at everything once.
func (e *Engine) Step(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.look(ctx)
	if err != nil {
		return err
	}
	var errs []error
	errs = append(errs, e.begin(ctx, r))
	for _, k := range r.open {
		if err := e.advance(ctx, r, k); err != nil {
			errs = append(errs, fmt.Errorf("run %s of %s: %w", k.ID, k.Remedy, err))
		}
	}
	e.tell(ctx, r)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	e.last.Store(r.now.UnixNano())
	return nil
}

func (e *Engine) look(ctx context.Context) (*round, error) {
	r := &round{now: e.deps.Now().UTC(), remedies: map[string]contract.Remedy{}, active: map[string]Alert{}, busy: map[string]string{}}
	for _, one := range e.deps.Remedies() {
		r.remedies[one.Name] = one
	}
	var err error
	if r.alerts, err = e.alerts(ctx, r.now); err != nil {
		return nil, err
	}
	if r.stops, err = e.Stops(ctx); err != nil {
		return nil, err
	}
	e.stopped.Store(int64(len(r.stops)))
	if r.open, err = e.loadOpen(ctx); err != nil {
		return nil, err
	}
	for _, k := range r.open {
		if k.State.holdsTarget() {
			r.busy[k.Subject.Target] = k.ID
		}
	}
	// Actions of a day and those that an alert of a day before began.
	r.recent, err = e.between(ctx, r.now.Add(-48*time.Hour))
	return r, err
}

// begin makes a run for each remedy and target that an alert asks for and that has none.
func (e *Engine) begin(ctx context.Context, r *round) error {
	have := map[string]bool{}
	for _, k := range r.open {
		have[key(k.Remedy, k.Subject.Target)] = true
	}
	var errs []error
	for _, name := range sorted(r.remedies) {
		remedy := r.remedies[name]
		for _, a := range r.alerts {
			if !remedy.Trigger.Matches(a.Labels) {
				continue
			}
			_, target, err := remedy.Action.For(a.Labels)
			if err != nil {
				errs = append(errs, e.unfit(ctx, r, remedy, a, err))
				continue
			}
			at := key(name, target)
			if was, known := r.active[at]; !known || a.Since.Before(was.Since) {
				r.active[at] = a
			}
			if have[at] || a.Muted != "" || r.now.Sub(a.Since) < time.Duration(remedy.Trigger.For) {
				continue
			}
			have[at] = true
			errs = append(errs, e.create(ctx, r, remedy, target, Trigger{Kind: a.kind, Alert: a.Labels["alertname"], Fingerprint: a.Fingerprint, Since: a.Since}, a.Labels))
		}
	}
	return errors.Join(errs...)
}

// unfit says once that an alert names no target.
func (e *Engine) unfit(ctx context.Context, r *round, remedy contract.Remedy, a Alert, why error) error {
	target := "alert " + a.Fingerprint
	r.active[key(remedy.Name, target)] = a
	for _, k := range r.open {
		if k.Remedy == remedy.Name && k.Subject.Target == target {
			return nil
		}
	}
	if a.Muted != "" {
		return nil
	}
	if err := e.create(ctx, r, remedy, target, Trigger{Kind: a.kind, Alert: a.Labels["alertname"], Fingerprint: a.Fingerprint, Since: a.Since}, a.Labels); err != nil {
		return err
	}
	k := r.open[len(r.open)-1]
	k.Why = "plan"
	return e.change(ctx, k, Declined, fmt.Sprintf("Nothing is done: %v.", why), "", r.now)
}

func (e *Engine) create(ctx context.Context, r *round, remedy contract.Remedy, target string, t Trigger, labels model.Labels) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("identify a run: %w", err)
	}
	k := &kept{Run: Run{
		ID: id.String(), Remedy: remedy.Name, Subject: Subject{Target: target, Service: labels.Own("service"), Environment: labels["env"], Labels: labels},
		Trigger: t, Mode: remedy.Mode, DryRun: remedy.DryRun, Evidence: []contract.Finding{}, Times: Times{Began: r.now},
	}}
	reason := fmt.Sprintf("%s is active.", t.Alert)
	if t.Kind == "hand" {
		reason = "Begun by hand."
	}
	if err := e.change(ctx, k, Asked, reason, t.By, r.now); err != nil {
		return err
	}
	r.open = append(r.open, k)
	return nil
}
