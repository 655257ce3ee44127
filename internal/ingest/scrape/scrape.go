// Package scrape pulls metrics from exporters: Prometheus' scrape loop and
// service discovery over Prometheus' own scrape_configs.
//
// It discovers targets (static, file, DNS, HTTP, Kubernetes), scrapes them and
// appends to an admission. It adds no format and no label of its own; what the scrape loop drops before the admission
// sees it is counted. In: a configuration
// that Load made. Out: samples, and the targets as Prometheus' API
// shows them.
//
// Invariants: an Apply that fails leaves the running configuration untouched;
// nothing is resolved or dialled before Run and the first target. mu
// orders Apply and guards config; it is never held while scraping.
//
// Start reading at New, then Apply.
package scrape

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promcommon "github.com/prometheus/common/config"
	prommodel "github.com/prometheus/common/model"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	_ "github.com/prometheus/prometheus/discovery/dns"        // dns_sd_configs
	_ "github.com/prometheus/prometheus/discovery/file"       // file_sd_configs
	_ "github.com/prometheus/prometheus/discovery/http"       // http_sd_configs
	_ "github.com/prometheus/prometheus/discovery/kubernetes" // kubernetes_sd_configs
	promscrape "github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/logging"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// settle is how long changes of targets are gathered before they take effect;
// Prometheus waits 5 s twice.
const settle = time.Second

// Deps is what a Scraper is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Appendable is the admission's entrance for scraping.
	Appendable storage.AppendableV2
	// Counter is told of samples that never reach Appendable; may be nil.
	Counter stream.Counter
	// Features collects what scraping and discovery can do; may be nil.
	Features features.Collector
	// Dial connects to targets; nil is the network.
	Dial promcommon.DialContextFunc
	// Discovery are how discovery over HTTP goes out.
	Discovery []promcommon.HTTPClientOption
}

// Scraper scrapes targets.
type Scraper struct {
	*promscrape.Manager // targets and pools, as Prometheus' API wants them

	log       *slog.Logger
	discovery *discovery.Manager
	stop      context.CancelFunc // ends discovery

	mu      sync.Mutex
	config  *promconfig.Config
	running bool
	active  bool // a configuration with jobs was applied at some time
}

// New makes a Scraper without targets; it starts nothing.
func New(deps Deps) (*Scraper, error) {
	if deps.Appendable == nil {
		return nil, errors.New("scraping: no store given")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Registerer == nil {
		deps.Registerer = prometheus.NewRegistry()
	}
	sdMetrics, err := discovery.CreateAndRegisterSDMetrics(deps.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register discovery metrics: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var client []promcommon.HTTPClientOption
	if deps.Dial != nil {
		client = append(client, promcommon.WithDialContextFunc(deps.Dial))
	}
	disc := discovery.NewManager(ctx, deps.Logger.With("component", "discovery"), deps.Registerer, sdMetrics,
		discovery.Name("scrape"), discovery.Updatert(settle), discovery.FeatureRegistry(deps.Features), discovery.HTTPClientOptions(deps.Discovery...))
	if disc == nil {
		stop()
		return nil, errors.New("make discovery: its metrics are already registered")
	}
	counted := &counting{next: deps.Appendable, counter: deps.Counter, failed: map[*promscrape.Target]int{}}
	manager, err := promscrape.NewManager(&promscrape.Options{
		DiscoveryReloadInterval:  prommodel.Duration(settle),
		DiscoveryReloadOnStartup: true,
		FeatureRegistry:          deps.Features,
		HTTPClientOptions:        client,
		PassMetadataInContext:    true, // the target, by which counting knows what belongs together
	}, deps.Logger.With("component", "scrape"), logging.NewJSONFileLogger, nil, counted, deps.Registerer)
	if err != nil {
		stop()
		return nil, fmt.Errorf("make scraping: %w", err)
	}
	empty, err := Load("", ".")
	if err != nil {
		stop()
		return nil, err
	}
	return &Scraper{Manager: manager, log: deps.Logger, discovery: disc, stop: stop, config: empty}, nil
}

// Apply puts a configuration that Load made in force; on an error the one before
// stays. Before Run it only notes the configuration: applying resolves our own host name, which
// may take seconds where there is no DNS, and would hold up the start.
func (s *Scraper) Apply(cfg *promconfig.Config) error {
	if _, err := cfg.GetScrapeConfigs(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		if err := s.apply(cfg); err != nil {
			return err
		}
	}
	s.config = cfg
	return nil
}

// apply hands a configuration to discovery and scraping; s.mu is held.
func (s *Scraper) apply(cfg *promconfig.Config) error {
	jobs, err := cfg.GetScrapeConfigs()
	if err != nil {
		return err
	}
	if len(jobs) == 0 && !s.active {
		return nil
	}
	if err := s.ApplyConfig(cfg); err != nil {
		return fmt.Errorf("apply scrape_configs: %w", err)
	}
	found := make(map[string]discovery.Configs, len(jobs))
	for _, j := range jobs {
		found[j.JobName] = j.ServiceDiscoveryConfigs
	}
	if err := s.discovery.ApplyConfig(found); err != nil {
		return fmt.Errorf("apply discovery of scrape_configs: %w", err)
	}
	s.active = true
	return nil
}

// Config is the configuration in force.
func (s *Scraper) Config() promconfig.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.config
}

// Run discovers and scrapes until ctx is done.
func (s *Scraper) Run(ctx context.Context) error {
	s.mu.Lock()
	s.running = true
	if err := s.apply(s.config); err != nil {
		s.log.Error("targets not scraped until the configuration is reloaded", "err", err)
	}
	s.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.discovery.Run(); err != nil && !errors.Is(err, context.Canceled) {
			s.log.Error("service discovery ended", "err", err)
		}
	})
	done := make(chan error, 1)
	wg.Go(func() { done <- s.Manager.Run(s.discovery.SyncCh()) })
	<-ctx.Done()
	s.stop()
	s.Stop()
	wg.Wait()
	return <-done
}
