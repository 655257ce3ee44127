// Package remedy rolls a service back when a breach of its SLO lasts and a
// deployment is the likely cause.
//
// It follows burn alerts that page, judges the cause from deployment markers
// and the error ratios of versions, orders the rollback from an executor
// (kubernetes, argo, gitlab, webhook), and watches whether the burn falls. It
// raises no burn alerts and knows nothing of how services are deployed.
//
// In: states of SLOs, markers, PromQL. Out: model.Remedy with evidence,
// orders, markers of kind rollback, alerts for people, audit entries.
//
// Invariants: an order is stored before it is given and never given twice,
// also not after a restart; a service is rolled back once an hour at most; what
// is not known leads to no rollback; missing data is no recovery. One goroutine
// (Run) changes remedies; mu guards what metrics read and is held over no call.
//
// Start reading at step, then advance and findCause.
package remedy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/store"
)

// SLOs knows the SLOs; slo.Engine does.
type SLOs interface {
	SLOs(ctx context.Context, service string) (list []model.SLOStatus, summary string, err error)
}

// Querier evaluates PromQL; query/promql.Engine does.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
}

// Deploys keeps deployment markers; store/state does.
type Deploys interface {
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
	AddDeploy(ctx context.Context, d model.Deploy) (model.Deploy, error)
}

// Store keeps remedies; store/state does.
type Store interface {
	SaveRemedy(ctx context.Context, r model.Remedy) error
	Remedies(ctx context.Context, q store.RemedyQuery) ([]model.Remedy, error)
}

// Audit keeps the audit log; store/state does.
type Audit interface {
	Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error)
}

// Deps is what the room uses. All but Logger, Registerer, Alerts, ExternalURL,
// HTTP and Now are needed.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	SLOs       SLOs
	Querier    Querier
	Deploys    Deploys
	Store      Store
	Audit      Audit
	// Alerts takes what a person must know.
	Alerts notify.Sender
	// PageAlerts are the names of the burn alerts that page.
	PageAlerts []string
	// ExternalURL is where people reach the UI.
	ExternalURL string
	// HTTP replaces the executors' transport, for tests.
	HTTP http.RoundTripper
	// Outgoing guards what executors call; nil by the defaults.
	Outgoing *outgoing.Guard
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Responder watches breaches.
type Responder struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	loaded  bool
	current map[place]*model.Remedy // open, or final while the breach lasts
	why     map[string]string       // by remedy: why it was declined last
	raised  map[string]raised       // by remedy: the alert that people have
	metrics metrics
	open    atomic.Int64
	last    atomic.Int64 // Unix ns of the last whole evaluation
}

// place is what is rolled back as one.
type place struct{ service, environment string }

type metrics struct {
	outcomes, failures *prometheus.CounterVec
}

// New makes the room; it starts nothing.
func New(cfg Config, deps Deps) (*Responder, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("remedy: %w", errors.Join(errs...))
	}
	if deps.SLOs == nil || deps.Querier == nil || deps.Deploys == nil || deps.Store == nil || deps.Audit == nil {
		return nil, errors.New("remedy: it needs SLOs, queries, markers, a store and an audit log")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	r := &Responder{
		cfg: cfg, deps: deps, log: deps.Logger, current: map[place]*model.Remedy{}, why: map[string]string{}, raised: map[string]raised{},
		metrics: metrics{
			outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
				Name: "signalbox_remedy_outcomes_total", Help: "Changes of remedies' states, by the new state.",
			}, []string{"state"}),
			failures: prometheus.NewCounterVec(prometheus.CounterOpts{
				Name: "signalbox_remedy_failures_total", Help: "Evaluations that could not be finished, by reason: slos, store, cause, alert.",
			}, []string{"reason"}),
		},
	}
	if err := instrument.Register(deps.Registerer, "remedy",
		r.metrics.outcomes, r.metrics.failures,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signalbox_remedy_breaches", Help: "Breaches that last now.",
		}, func() float64 { return float64(r.open.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signalbox_remedy_last_evaluation_timestamp_seconds", Help: "Unix time of the last evaluation that was finished.",
		}, func() float64 { return float64(r.last.Load()) / 1e9 }),
	); err != nil {
		return nil, err
	}
	return r, nil
}

// Run evaluates until ctx is done.
func (r *Responder) Run(ctx context.Context) error {
	ticker := time.NewTicker(time.Duration(r.cfg.EvaluateEvery))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		if err := r.step(ctx); err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "remedies could not be evaluated", "err", err)
		}
	}
}

// step looks at everything once.
func (r *Responder) step(ctx context.Context) error {
	now := r.deps.Now().UTC()
	if err := r.load(ctx, now); err != nil {
		r.metrics.failures.WithLabelValues("store").Inc()
		return err
	}
	list, _, err := r.deps.SLOs.SLOs(ctx, "")
	if err != nil {
		r.metrics.failures.WithLabelValues("slos").Inc()
		return fmt.Errorf("SLOs: %w", err)
	}
	breaches := r.breaches(list)
	var errs []error
	for p, b := range breaches {
		if r.current[p] == nil {
			errs = append(errs, r.begin(ctx, p, b, now))
		}
	}
	errs = append(errs, r.advanceAll(ctx, breaches, list, now)...)
	r.open.Store(int64(len(breaches)))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	r.last.Store(now.UnixNano())
	return nil
}

// load reads what an earlier process left.
func (r *Responder) load(ctx context.Context, now time.Time) error {
	if r.loaded {
		return nil
	}
	list, err := r.deps.Store.Remedies(ctx, store.RemedyQuery{Limit: 1000})
	if err != nil {
		return err
	}
	for _, rem := range list { // newest first
		p := place{rem.Service, rem.Environment}
		if rem.Ended != nil || r.current[p] != nil {
			continue
		}
		r.current[p] = &rem
		if rem.State != model.RemedyExecuting {
			continue
		}
		until := now.Add(time.Duration(r.cfg.VerifyWithin))
		rem.VerifyUntil = &until
		if err := r.change(ctx, &rem, model.RemedyVerifying, "The process ended while it was rolling back, so the outcome is not known. Nothing is repeated; recovery is awaited.", now); err != nil {
			delete(r.current, p)
			return err
		}
	}
	r.loaded = true
	return nil
}
