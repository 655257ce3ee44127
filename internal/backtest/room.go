package backtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/store"
)

// SLOs knows the SLOs in force; slo.Catalog does.
type SLOs interface{ Definitions() []*slo.Definition }

// Policies knows the gate's policies in force; gate.Catalog does.
type Policies interface{ Set() gate.Set }

// Deploys knows the deployment markers; store/state does.
type Deploys interface {
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
}

// Corrections knows what was taken out of SLOs; slo.Engine does.
type Corrections interface {
	// Corrections are those of one SLO; store.ErrNotFound when it is not in force.
	Corrections(ctx context.Context, name string) ([]model.SLOCorrection, error)
}

// Routing knows where alerts go; alerting/router does.
type Routing interface {
	// Destinations answers the routing tree in force, as it stands at the call.
	Destinations() func(labels model.Labels) []notify.Destination
}

// Querier evaluates PromQL for alert rules, NaN values included; query/promql does.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
	Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error)
}

// Deps is what backtests use. All but Logger, Registerer, Corrections, Now and
// ExternalLabels are needed.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	SLO        slo.Config // burn alerts and limits in force
	SLOQuerier slo.Querier
	Querier    Querier
	// Over is Querier over another store, made of its own: for what recording rules would have recorded.
	Over     func(wrap func(storage.Queryable) storage.Queryable) Querier
	SLOs     SLOs
	Policies Policies
	Deploys  Deploys
	Routing  Routing
	// Corrections may be nil.
	Corrections Corrections
	// ExternalLabels are added to alerts.
	ExternalLabels map[string]string
	// Files names the files in force; without it none are offered to be edited.
	Files func() Files
	Now   func() time.Time
	// May says why the caller of ctx may not have an SLO counted: counts are made of what is stored, and would tell of what is
	// masked for them. Nil lets everybody.
	May func(ctx context.Context, d *slo.Definition) error
}

// How many finished jobs are remembered, and for how long.
const (
	keepJobs = 8
	keepFor  = 30 * time.Minute
)

// Replayer runs backtests, one at a time. It is safe for concurrent use.
type Replayer struct {
	deps    Deps
	seconds prometheus.Histogram
	ended   *prometheus.CounterVec

	mu     sync.Mutex
	jobs   []*job // oldest first
	closed bool
	wg     sync.WaitGroup
}

// job is one backtest; its mu is Replayer's.
type job struct {
	id       string
	state    State
	started  time.Time
	ended    time.Time
	err      error
	result   *Result
	progress *progress
	cancel   context.CancelFunc
}

// New makes a room; it starts nothing.
func New(deps Deps) (*Replayer, error) {
	if deps.SLOQuerier == nil || deps.Querier == nil || deps.Over == nil || deps.SLOs == nil || deps.Policies == nil || deps.Deploys == nil || deps.Routing == nil {
		return nil, errors.New("backtest: it needs queriers, SLOs, policies, deploys and routing")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	r := &Replayer{
		deps: deps,
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "signalbox_backtest_seconds", Help: "How long backtests took.", Buckets: prometheus.ExponentialBuckets(0.1, 3, 8),
		}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_backtests_total", Help: "Backtests that ended, by state.",
		}, []string{"state"}),
	}
	if err := instrument.Register(deps.Registerer, "backtest", r.seconds, r.ended); err != nil {
		return nil, err
	}
	return r, nil
}

// Run waits until ctx is done and then ends the job that runs.
func (r *Replayer) Run(ctx context.Context) error {
	<-ctx.Done()
	r.mu.Lock()
	r.closed = true
	for _, j := range r.jobs {
		j.cancel()
	}
	r.mu.Unlock()
	r.wg.Wait()
	return nil
}

// StartBacktest checks a request and begins to work on it.
// store.ErrOverloaded while another one runs.
func (r *Replayer) StartBacktest(ctx context.Context, req Request) (Job, error) {
	p, err := r.plan(req)
	if err != nil {
		return Job{}, err
	}
	if err := r.mayCount(ctx, p); err != nil {
		return Job{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Job{}, fmt.Errorf("start backtest: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	running := func(j *job) bool { return j.state == Running }
	if r.closed || slices.ContainsFunc(r.jobs, running) {
		return Job{}, fmt.Errorf("another backtest is running, cancel it or wait for it: %w", store.ErrOverloaded)
	}
	// The job outlives the request; cancelling and Run's end stop it.
	inner, cancel := context.WithCancel(context.Background())
	j := &job{id: id.String(), state: Running, started: r.deps.Now(), progress: &progress{}, cancel: cancel}
	r.jobs = append(r.jobs, j)
	r.wg.Go(func() {
		defer cancel()
		result, err := r.run(inner, p, j.progress)
		r.finish(j, result, err)
	})
	return r.report(j), nil
}

func (r *Replayer) mayCount(ctx context.Context, p plan) error {
	for _, s := range p.sets {
		for _, d := range s.slos {
			if r.deps.May == nil {
				continue
			}
			if err := r.deps.May(ctx, d); err != nil {
				return refuse("SLO %s: %w", d.Name, err)
			}
		}
	}
	return nil
}

func (r *Replayer) finish(j *job, result *Result, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.ended = r.deps.Now()
	switch {
	case err == nil:
		j.state, j.result = Done, result
	case errors.Is(err, context.Canceled):
		j.state = Cancelled
	default:
		j.state, j.err = Failed, err
		r.deps.Logger.Warn("backtest failed", "id", j.id, "err", err)
	}
	r.ended.WithLabelValues(string(j.state)).Inc()
	r.seconds.Observe(j.ended.Sub(j.started).Seconds())
}

// forget drops finished jobs that are old or too many.
func (r *Replayer) forget() {
	r.jobs = slices.DeleteFunc(r.jobs, func(j *job) bool {
		return j.state != Running && r.deps.Now().Sub(j.ended) > keepFor
	})
	for len(r.jobs) >= keepJobs && r.jobs[0].state != Running {
		r.jobs = r.jobs[1:]
	}
}

// Backtest is how far a job is; store.ErrNotFound when it is not remembered.
func (r *Replayer) Backtest(_ context.Context, id string) (Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j, err := r.find(id)
	if err != nil {
		return Job{}, err
	}
	return r.report(j), nil
}

// CancelBacktest ends a job; one that has ended stays as it is.
func (r *Replayer) CancelBacktest(_ context.Context, id string) (Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j, err := r.find(id)
	if err != nil {
		return Job{}, err
	}
	j.cancel()
	return r.report(j), nil
}

func (r *Replayer) find(id string) (*job, error) {
	for _, j := range r.jobs {
		if j.id == id {
			return j, nil
		}
	}
	return nil, fmt.Errorf("backtest %s: %w", id, store.ErrNotFound)
}

func (r *Replayer) report(j *job) Job {
	out := Job{ID: j.id, State: j.state, Progress: j.progress.share(), Started: j.started.UTC(), Result: j.result}
	end := j.ended
	if end.IsZero() {
		end = r.deps.Now()
	}
	out.Seconds = end.Sub(j.started).Seconds()
	if j.state == Done {
		out.Progress = 1
	}
	if j.err != nil {
		out.Error = j.err.Error()
	}
	return out
}
