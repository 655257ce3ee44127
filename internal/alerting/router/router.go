// Package router routes alerts to people: Alertmanager's own pipeline and API
// in this process.
//
// It groups, inhibits, silences, deduplicates, delivers and repeats by a
// standard alertmanager.yml (or DefaultYAML), holds back alerts of services that call a failing one,
// and answers /api/v2 whole, so that amtool works. It raises no alert itself (alerting/rules and slo do) and records deliveries
// through notify/record.
//
// In: alerts by Send and by POST /api/v2/alerts. Out: notifications, pages, and
// the API.
//
// Invariants. What was accepted is kept: alerts, silences and the notification log are
// on disk before a sender or an API client has its answer (the log shortly
// after each notification), so that after kill -9 every page is delivered at least
// once, with the same dedup key. A failed Reload changes nothing. An alert that went
// out is not held back for another service's. Lock order: Router.mu, then the journal's; dependents.listing, then
// its mu; none is held while notifying, but for Router.mu while a pipeline ends.
//
// Who is bound to namespaces sees, sends and silences only their alerts (apart.go).
//
// Start reading at New, then pipeline.go, memory.go, journal.go and dependents.go.
package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/alertmanager/alert"
	amapi "github.com/prometheus/alertmanager/api"
	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/marker"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	commoncfg "github.com/prometheus/common/config"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/common/route"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/record"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// retention is how long ended silences and the notification log are kept.
	retention = 120 * time.Hour
	// gcEvery is how often ended alerts are forgotten.
	gcEvery = 5 * time.Minute
	// maintainEvery is how often silences and the log are purged and snapshotted
	// even if nothing changed.
	maintainEvery = 15 * time.Minute
	// maxSilenceBytes bounds one silence.
	maxSilenceBytes = 64 << 10
	maxSilences     = 10_000
)

// Deps is what a Router is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Dir        string // its own folder, made if missing
	// ConfigFile is an alertmanager.yml; "" means the default tree.
	ConfigFile  string
	ExternalURL *url.URL
	Config      Config
	Build       Build
	Pages       notify.PageStore
	// Documents is where it is remembered which files of Dir there are; may be nil.
	Documents store.DocumentStore
	// Dependents and Topology say whose alerts are held back while a service that
	// they call fails; without Topology none are.
	Dependents DependentsConfig
	Topology   Topology
	Querier    Querier // for failed requests; may be nil
	// Clients are options of every client that calls a receiver.
	Clients []commoncfg.HTTPClientOption
	// Damp changes alerts that were sent before they are kept: of those that flap, the end. May be nil.
	Damp func(now time.Time, alerts []*alert.Alert) []*alert.Alert
	// Acknowledge is where whom a message goes to acknowledges its page; nil sends no links.
	Acknowledge func(model.Page, notify.Recipient) (string, error)
}

// Router is the alert pipeline.
type Router struct {
	*memory
	*workshop
	log     *slog.Logger
	api     *amapi.API
	handler http.Handler
	// dependents is nil when no alert is held back for another service's.
	dependents *dependents

	current atomic.Pointer[pipeline]
	resolve atomic.Int64 // resolve_timeout, ns
	closed  sync.Once

	mu      sync.Mutex // orders takeOver, Run's start and its end
	routes  *document.Catalog[routes]
	taken   routes // what is delivered by, or will be once Run begins
	running bool
	start   time.Time // when notifying may begin; of Run
}

// workshop is what pipelines are made with; it does not change.
type workshop struct {
	external *url.URL
	clients  []commoncfg.HTTPClientOption
	delay    time.Duration // from Run on, until notifying may begin
	groups   marker.GroupMarker
	recorder *record.Recorder
	builder  *amnotify.PipelineBuilder
	metrics  *dispatch.DispatcherMetrics
}

// New reads the configuration and the state of the run before; nothing is
// delivered until Run.
func New(deps Deps) (*Router, error) {
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Registerer == nil {
		deps.Registerer = prometheus.NewRegistry()
	}
	if deps.ExternalURL == nil {
		deps.ExternalURL = &url.URL{Scheme: "http", Host: "localhost:4300"}
	}
	var err error
	if _, err = atomicfile.MakeDir(deps.Dir, 0o750, time.Now()); err != nil {
		return nil, fmt.Errorf("make alerting folder %s: %w", deps.Dir, err)
	}
	r := &Router{log: deps.Logger, workshop: &workshop{
		clients: deps.Clients,
		delay:   time.Duration(deps.Config.StartDelay), external: deps.ExternalURL,
		groups:  marker.NewGroupMarker(),
		builder: amnotify.NewPipelineBuilder(deps.Registerer, featurecontrol.NoopFlags{}, eventrecorder.NopRecorder()),
		metrics: dispatch.NewDispatcherMetrics(false, deps.Registerer, featurecontrol.NoopFlags{}),
	}}
	if r.dependents, err = newDependents(deps.Dependents, deps.Topology, deps.Querier, deps.Logger); err != nil {
		return nil, err
	}
	if r.recorder, err = record.New(record.Deps{Logger: deps.Logger, Registerer: deps.Registerer, Pages: deps.Pages, Link: deps.Acknowledge}); err != nil {
		return nil, err
	}
	r.routes = document.NewCatalog(routes{}, document.Options[routes]{
		Files: Files(), Build: buildRoutes(r.receivers), Whole: true, Apply: r.takeOver, Log: deps.Logger,
	})
	// Proves that receivers and templates can be built, before anything runs.
	first := r.Prepare(deps.ConfigFile)
	if err := first.Err(); err != nil {
		return nil, err
	}
	if r.memory, err = remember(deps, time.Duration(first.Value().config.Global.ResolveTimeout)); err != nil {
		return nil, err
	}
	if err := r.makeAPI(deps.Registerer, deps.Build); err != nil {
		r.Close()
		return nil, err
	}
	if err := first.Commit(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Router) makeAPI(reg prometheus.Registerer, build Build) error {
	duration := promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{
		Name:    "alertmanager_http_request_duration_seconds",
		Help:    "Histogram of latencies for HTTP requests.",
		Buckets: prometheus.DefBuckets,
	}, []string{"handler", "method", "code"})
	var err error
	r.api, err = amapi.New(amapi.Options{
		Alerts:          r.alerts,
		Silences:        r.silences,
		GroupMutedFunc:  r.groups.Muted,
		Logger:          r.log,
		Registry:        reg,
		RequestDuration: duration,
		GroupFunc: func(ctx context.Context, routes func(*dispatch.Route) bool, alerts func(*alert.Alert, time.Time) bool) (dispatch.AlertGroups, map[prommodel.Fingerprint][]string, error) {
			p := r.current.Load()
			if p == nil {
				return nil, nil, errors.New("alert routing is starting")
			}
			return p.dispatcher.Groups(ctx, routes, alerts)
		},
	})
	if err != nil {
		return fmt.Errorf("make alertmanager API: %w", err)
	}
	r.handler = author(r.keepApart(r.keepSilences(completeStatus(build, r.api.Register(route.New(), "/")))))
	return nil
}

func (r *Router) updateAPI(cfg *amconfig.Config) {
	r.api.Update(cfg, func(ctx context.Context, ls prommodel.LabelSet) {
		if p := r.current.Load(); p != nil {
			p.inhibitor.Mutes(ctx, ls)
		}
		r.markHeld(ctx, ls)
		r.silencer.Mutes(ctx, ls)
	})
}

// Handler is Alertmanager's API; paths begin with /api/v2.
func (r *Router) Handler() http.Handler { return r.handler }

// Prepare reads a configuration file, once, "" is the default tree, and changes nothing yet. Of a file
// with an error the last good version stays.
func (r *Router) Prepare(file string) *document.Prepared[routes] {
	return r.routes.Prepare(patterns(file))
}

// Join makes the routes part of what is swapped together. Call it before anything is reloaded.
func (r *Router) Join(f *document.Force) { r.routes.Join(f) }

// takeOver delivers by other routes from now on.
func (r *Router) takeOver(next routes) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = next
	r.apply(next)
	return nil
}

// Run delivers until ctx is done.
func (r *Router) Run(ctx context.Context) error {
	if r.dependents != nil {
		// Before the first notification is considered; a failure is told by run.
		_ = r.dependents.read(ctx)
	}
	r.mu.Lock()
	r.running, r.start = true, time.Now().Add(r.delay)
	r.apply(r.taken)
	r.mu.Unlock()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	r.maintain(&wg, stop)
	if r.dependents != nil {
		wg.Go(func() { r.dependents.run(stop) })
	}
	<-ctx.Done()
	r.mu.Lock()
	r.running = false
	if p := r.current.Swap(nil); p != nil {
		p.stop()
	}
	r.mu.Unlock()
	close(stop)
	wg.Wait()
	r.Close()
	return nil
}

// Close frees what New opened. Run does it; it is for a Router that never ran.
func (r *Router) Close() { r.closed.Do(func() { r.alerts.Close() }) }

// Config is the configuration in force.
func (r *Router) Config() *amconfig.Config { return r.routes.Value().config }
