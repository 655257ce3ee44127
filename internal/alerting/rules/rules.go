// Package rules evaluates Prometheus rule files: recording rules into the
// metrics store, alerting rules into the alert pipeline.
//
// It is Prometheus' rules manager with three differences: a file with an error keeps its last good
// version in force and holds up no other, and every error of every file is named; a built-in group holds the
// watchdog, an alert that always fires; and groups of alerts are evaluated soon after samples arrive
// and not only on their interval. It neither routes nor delivers alerts.
//
// In: rule files and the samples they ask for. Out: recorded series, ALERTS
// series, and alerts to a notify.Sender; the groups as Prometheus' API shows them.
//
// Invariants: files are read once, and what was read is what is evaluated; the pending time
// of an alert survives a restart, from the ALERTS_FOR_STATE series. mu orders
// apply and is never held while a rule is evaluated.
//
// Start reading at New, then file.go and early.go.
package rules

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/strutil"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/telemetry"
)

const (
	// resendEvery is how often a firing alert is raised again; it ends by itself
	// after four times that (or four intervals).
	resendEvery = time.Minute
	// outageTolerance is how long we may have been down for pending times to
	// be restored.
	outageTolerance = time.Hour
	// forGrace is the least an alert still waits after a restore.
	forGrace = 10 * time.Minute
)

// Config is the rules part of the configuration.
type Config struct {
	// Interval is how often a group without one of its own is evaluated.
	Interval prommodel.Duration `yaml:"evaluation_interval"`
	// EarlyEvaluation evaluates groups of alerts as soon as samples arrive, at
	// most twice a second and within 5 % of a core.
	EarlyEvaluation bool `yaml:"early_evaluation"`
}

// DefaultConfig evaluates every 15 s, and alerts as samples arrive.
func DefaultConfig() Config {
	return Config{Interval: prommodel.Duration(15 * time.Second), EarlyEvaluation: true}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	if c.Interval <= 0 {
		return []error{fmt.Errorf("evaluation_interval: must be > 0, got %s", c.Interval)}
	}
	return nil
}

// Store is what rules read and write (store/metrics).
type Store interface {
	storage.Appendable
	storage.Queryable
	// Arrivals tells that samples were stored; see store/metrics.
	Arrivals() (c <-chan struct{}, stop func())
}

// Deps is what Rules are given.
type Deps struct {
	Logger         *slog.Logger
	Registerer     prometheus.Registerer
	Engine         promql.QueryEngine
	Store          Store
	Sender         notify.Sender
	ExternalURL    *url.URL
	ExternalLabels map[string]string // added to alerts
	// Labelled are the labels that the pipeline gives an alert of these: the sender's, for who looks at alerts before it.
	Labelled func(model.Labels) model.Labels
	Parser   parser.Parser // DefaultParser by default
	Features features.Collector
}

// Rules evaluates rules.
type Rules struct {
	*promrules.Manager     // groups and alerts, as Prometheus' API wants them
	*document.Catalog[Set] // those in force

	cfg    Config
	deps   Deps
	cancel context.CancelFunc
	budget budget // of early evaluations
	now    func() time.Time

	mu        sync.Mutex
	loader    *prepared
	interrupt *interrupt
}

// New makes Rules that hold the watchdog alone; nothing is evaluated until Run.
func New(cfg Config, deps Deps) (*Rules, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if deps.Engine == nil || deps.Store == nil || deps.Sender == nil {
		return nil, errors.New("rules: engine, store and sender are required")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Registerer == nil {
		deps.Registerer = prometheus.NewRegistry()
	}
	if deps.ExternalURL == nil {
		deps.ExternalURL = &url.URL{Scheme: "http", Host: "localhost:4300"}
	}
	if deps.Parser == nil {
		deps.Parser = DefaultParser()
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Rules{cfg: cfg, deps: deps, cancel: cancel, interrupt: newInterrupt(), now: time.Now, loader: &prepared{loader: newLoader(deps.Parser)}}
	r.Manager = promrules.NewManager(&promrules.ManagerOptions{
		ExternalURL:          deps.ExternalURL,
		QueryFunc:            promrules.EngineQueryFunc(deps.Engine, deps.Store),
		NotifyFunc:           r.send,
		Context:              ctx,
		Appendable:           deps.Store,
		Queryable:            deps.Store,
		Logger:               telemetry.Quiet(deps.Logger),
		Registerer:           deps.Registerer,
		OutageTolerance:      outageTolerance,
		ForGracePeriod:       forGrace,
		ResendDelay:          resendEvery,
		RestoreNewRuleGroups: true,
		GroupLoader:          r.loader,
		Parser:               deps.Parser,
		FeatureRegistry:      deps.Features,
	})
	var err error
	if r.Catalog, err = newCatalog(deps, r.apply); err == nil {
		err = r.apply(nil) // the watchdog
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return r, nil
}

// apply has the manager evaluate the rules of a set.
func (r *Rules) apply(set Set) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.interrupt.begin()()
	r.loader.next = set
	err := r.Update(time.Duration(r.cfg.Interval), append([]string{builtIn}, set.Paths()...),
		labels.FromMap(r.deps.ExternalLabels), r.deps.ExternalURL.String(), r.evaluate)
	if err != nil {
		return fmt.Errorf("take over rules: %w", err)
	}
	return nil
}

// Run evaluates rules until ctx is done.
func (r *Rules) Run(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Manager.Run()
	}()
	<-ctx.Done()
	r.cancel()
	r.Stop()
	<-done
	return nil
}

// send hands alerts that fire or ended to the pipeline.
func (r *Rules) send(ctx context.Context, expr string, alerts ...*promrules.Alert) {
	if len(alerts) == 0 {
		return
	}
	out := make([]notify.Alert, len(alerts))
	for i, a := range alerts {
		out[i] = notify.Alert{
			Labels:       notify.WithExternal(a.Labels.Map(), r.deps.ExternalLabels),
			Annotations:  model.Labels(a.Annotations.Map()),
			StartsAt:     a.FiredAt,
			EndsAt:       a.ValidUntil,
			GeneratorURL: r.deps.ExternalURL.String() + strutil.TableLinkForExpression(expr),
		}
		if !a.ResolvedAt.IsZero() {
			out[i].EndsAt = a.ResolvedAt
		}
	}
	// The alerts count as sent whatever happens here, and come again after
	// resendEvery.
	if err := r.deps.Sender.Send(ctx, out...); err != nil {
		r.deps.Logger.Error("alerts not accepted by the pipeline", "err", err)
	}
}
