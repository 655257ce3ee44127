// Package outside sends alerts to Alertmanagers outside this process as well,
// by Prometheus' own alerting section.
//
// It is Prometheus' notifier and service discovery behind a notify.Sender: every alert
// goes to the pipeline of this process first, whose answer is the sender's, and then, as often
// as it is raised, to those Alertmanagers. It routes nothing and keeps nothing: an alert that
// none of them took comes again when it is next raised.
//
// Invariants: an Apply that fails leaves the running configuration untouched; an
// Alertmanager that does not answer holds nobody up. Start reading at New, then Send.
package outside

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/notifier"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/outgoing"
)

// queued is how many alerts wait for an Alertmanager that is slow.
const queued = 10_000

// Deps is what a Sender is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Next is the pipeline of this process.
	Next notify.Sender
	// ExternalLabels are added to alerts that do not have them.
	ExternalLabels map[string]string
	// Outgoing guards which Alertmanagers are called; nil by the defaults.
	Outgoing *outgoing.Guard
}

// Sender is a notify.Sender.
type Sender struct {
	deps      Deps
	manager   *notifier.Manager
	discovery *discovery.Manager
	stop      context.CancelFunc // ends discovery

	mu      sync.Mutex // orders Apply and Run
	jobs    map[string]discovery.Configs
	running bool
}

// New makes a Sender that sends to nobody outside; it starts nothing.
func New(deps Deps) (*Sender, error) {
	if deps.Next == nil {
		return nil, errors.New("alerts to the outside: no pipeline given")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Registerer == nil {
		deps.Registerer = prometheus.NewRegistry()
	}
	// Scraping has registered the metrics of the kinds of discovery already.
	sdMetrics, err := discovery.CreateAndRegisterSDMetrics(prometheus.NewRegistry())
	if err != nil {
		return nil, fmt.Errorf("register discovery metrics: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	found := discovery.NewManager(ctx, deps.Logger, deps.Registerer, sdMetrics, discovery.Name("notify"), discovery.HTTPClientOptions(deps.Outgoing.Options()...))
	if found == nil {
		stop()
		return nil, errors.New("make discovery of Alertmanagers: its metrics are already registered")
	}
	return &Sender{
		deps: deps, discovery: found, stop: stop,
		manager: notifier.NewManager(&notifier.Options{
			QueueCapacity: queued, DrainOnShutdown: true, MaxBatchSize: notifier.DefaultMaxBatchSize, Registerer: deps.Registerer,
			Do: guarded(deps.Outgoing), //nolint:bodyclose // Prometheus closes it
		}, prommodel.UTF8Validation, deps.Logger),
	}, nil
}

// guarded sends nothing to addresses that are not to be reached. Prometheus' code makes the clients, and takes no dial function.
func guarded(g *outgoing.Guard) func(context.Context, *http.Client, *http.Request) (*http.Response, error) {
	return func(ctx context.Context, client *http.Client, req *http.Request) (*http.Response, error) {
		ctx, stop := g.Watch(ctx)
		resp, err := client.Do(req.WithContext(ctx))
		if err != nil {
			stop()
			return nil, err
		}
		resp.Body = &watchedBody{resp.Body, stop}
		return resp, nil
	}
}

// watchedBody ends the watch when the answer was read.
type watchedBody struct {
	io.ReadCloser
	stop context.CancelFunc
}

// Close implements io.Closer.
func (b *watchedBody) Close() error {
	defer b.stop()
	return b.ReadCloser.Close()
}

// Apply puts the alerting section of a configuration in force.
func (s *Sender) Apply(cfg *promconfig.Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	with := *cfg
	b := labels.NewBuilder(cfg.GlobalConfig.ExternalLabels)
	for name, value := range s.deps.ExternalLabels {
		b.Set(name, value)
	}
	with.GlobalConfig.ExternalLabels = b.Labels()
	if err := s.manager.ApplyConfig(&with); err != nil {
		return fmt.Errorf("apply alerting: %w", err)
	}
	s.jobs = map[string]discovery.Configs{}
	for name, c := range cfg.AlertingConfig.AlertmanagerConfigs.ToMap() {
		s.jobs[name] = c.ServiceDiscoveryConfigs
	}
	if !s.running {
		return nil
	}
	return s.discovery.ApplyConfig(s.jobs)
}

// Run finds Alertmanagers and sends to them until ctx is done.
func (s *Sender) Run(ctx context.Context) error {
	s.mu.Lock()
	s.running = true
	if err := s.discovery.ApplyConfig(s.jobs); err != nil {
		s.deps.Logger.Error("no alerts to the outside until the configuration is reloaded", "err", err)
	}
	s.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.discovery.Run(); err != nil && !errors.Is(err, context.Canceled) {
			s.deps.Logger.Error("discovery of Alertmanagers ended", "err", err)
		}
	})
	wg.Go(func() { s.manager.Run(s.discovery.SyncCh()) })
	<-ctx.Done()
	s.manager.Stop()
	s.stop()
	wg.Wait()
	return nil
}

// Send implements notify.Sender.
func (s *Sender) Send(ctx context.Context, alerts ...notify.Alert) error {
	err := s.deps.Next.Send(ctx, alerts...)
	if len(s.manager.Alertmanagers()) == 0 || len(alerts) == 0 {
		return err
	}
	out := make([]*notifier.Alert, len(alerts))
	for i, a := range alerts {
		out[i] = &notifier.Alert{
			Labels: labels.FromMap(a.Labels), Annotations: labels.FromMap(a.Annotations),
			StartsAt: a.StartsAt, EndsAt: a.EndsAt, GeneratorURL: a.GeneratorURL,
		}
	}
	s.manager.Send(out...)
	return err
}

// Alertmanagers are those that alerts are sent to now.
func (s *Sender) Alertmanagers() []*url.URL { return s.manager.Alertmanagers() }

// DroppedAlertmanagers are those that relabelling took away.
func (s *Sender) DroppedAlertmanagers() []*url.URL { return s.manager.DroppedAlertmanagers() }
