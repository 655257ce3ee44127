package promql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/regexp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/template"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/notifications"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"

	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Prefix is where the API is mounted.
const Prefix = "/api/v1"

// Storage is what the API reads (store/metrics).
type Storage interface {
	storage.SampleAndChunkQueryable
	storage.ExemplarQueryable
	apiv1.TSDBAdminStats
	Dir() string
	Retention() time.Duration
}

// Targets is the scraping side (ingest/scrape).
type Targets interface {
	apiv1.TargetRetriever
	apiv1.ScrapePoolsRetriever
}

// Build is our own build. /status/buildinfo shows it beside the version of the
// Prometheus whose API this is.
type Build struct{ Version, Revision, Branch, User, Date string }

// APIDeps is what the HTTP API is given. Targets, Rules, Metadata, Write and
// LastReload may be nil.
type APIDeps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer
	Storage    Storage
	Targets    Targets
	Rules      apiv1.RulesRetriever
	// Alertmanagers are those outside; our own is listed beside them.
	Alertmanagers apiv1.AlertmanagerRetriever
	Metadata      MetadataSource
	// Write handles POST /api/v1/write (ingest/promwrite).
	Write http.Handler
	// PrometheusConfig is what /status/config shows.
	PrometheusConfig func() config.Config
	// Flags are added to what /status/flags shows.
	Flags map[string]string
	Build Build
	// ExternalURL is the address users reach us at.
	ExternalURL   *url.URL
	ListenAddress string // host:port
	// LastReload is the outcome and the time of the last configuration load.
	LastReload func() (ok bool, at time.Time)
}

// API is Prometheus' HTTP API. It answers every path below Prefix except
// /api/v1/otlp, which belongs to the OTLP intake.
type API struct {
	router   *route.Router
	write    http.Handler
	storage  Storage
	metadata MetadataSource
	origins  *regexp.Regexp
}

// NewAPI mounts the API; it starts nothing.
func NewAPI(e *Engine, deps APIDeps) (*API, error) {
	if deps.Storage == nil {
		return nil, errors.New("promql API: no storage given")
	}
	deps = withDefaults(deps)
	cors, err := e.cfg.cors()
	if err != nil {
		return nil, fmt.Errorf("cors_origin: %w", err)
	}
	info := newRuntimeInfo(deps)
	targets := func(ctx context.Context) apiv1.TargetRetriever { return targetsFor(ctx, deps) }
	api := apiv1.NewAPI(
		noting{e.engine}, apart{deps.Storage},
		nil, nil, // appendables: writing has handlers of its own
		apart{deps.Storage},
		func(context.Context) apiv1.ScrapePoolsRetriever { return deps.Targets },
		targets,
		func(context.Context) apiv1.AlertmanagerRetriever {
			return ourselves{deps.ExternalURL, deps.Alertmanagers}
		},
		deps.PrometheusConfig,
		flags(e.cfg, deps),
		apiv1.GlobalURLOptions{ListenAddress: deps.ListenAddress, Host: deps.ExternalURL.Host, Scheme: deps.ExternalURL.Scheme},
		func(h http.HandlerFunc) http.HandlerFunc { return h },
		deps.Storage, deps.Storage.Dir(),
		e.cfg.EnableAdminAPI,
		false, 0, // search: panics on an empty head in this version
		deps.Logger,
		func(context.Context) apiv1.RulesRetriever { return deps.Rules },
		e.cfg.RemoteReadSamples, e.cfg.RemoteReadConcurrency, remoteReadFrameBytes,
		false, // agent
		cors,
		info.get,
		info.build(),
		func() []notifications.Notification { return nil },
		func() (<-chan notifications.Notification, func(), bool) { return nil, nil, false },
		deps.Gatherer, deps.Registerer,
		nil, // default stats renderer
		false, nil, false, false, false, false,
		time.Duration(e.cfg.Lookback),
		false, false,
		nil, // default error codes
		e.withAPIFeatures(),
		apiv1.OpenAPIOptions{ExternalURL: deps.ExternalURL.String(), Version: deps.Build.Version},
		e.parser,
	)
	r := route.New().WithPrefix(Prefix)
	api.Register(r)
	return &API{router: r, write: deps.Write, storage: deps.Storage, metadata: deps.Metadata, origins: cors}, nil
}

// AllowsOrigin says whether a page of that origin may call the API.
func (a *API) AllowsOrigin(origin string) bool { return a.origins.MatchString(origin) }

// Refuse answers in Prometheus' shape what was refused before it came here.
func (a *API) Refuse(w http.ResponseWriter, _ *http.Request, ref front.Refusal) {
	kind := "bad_data"
	switch {
	case ref.Status == http.StatusTooManyRequests, ref.Status == http.StatusServiceUnavailable:
		kind = "unavailable"
	case ref.Status == http.StatusRequestTimeout:
		// Prometheus throws away what a 4xx refuses and sends again after a 5xx.
		ref.Status, kind = http.StatusServiceUnavailable, "unavailable"
	case ref.Status >= http.StatusInternalServerError:
		kind = "internal"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(ref.Status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": kind, "error": ref.Message})
}

func withDefaults(d APIDeps) APIDeps {
	d.Logger = instrument.Logger(d.Logger)
	if d.Targets == nil {
		d.Targets = noTargets{}
	}
	if d.Rules == nil {
		d.Rules = noRules{}
	}
	if d.Gatherer == nil {
		d.Gatherer = prometheus.NewRegistry()
	}
	if d.PrometheusConfig == nil {
		d.PrometheusConfig = func() config.Config { return config.DefaultConfig }
	}
	if d.ExternalURL == nil {
		d.ExternalURL = &url.URL{Scheme: "http", Host: "localhost:4300"}
	}
	if d.ListenAddress == "" || strings.HasPrefix(d.ListenAddress, ":") {
		d.ListenAddress = "localhost" + d.ListenAddress
	}
	return d
}

// flags are strings and parse as Prometheus' own; a Thanos sidecar reads them.
func flags(cfg Config, d APIDeps) map[string]string {
	out := map[string]string{
		"query.lookback-delta":             cfg.Lookback.String(),
		"query.max-concurrency":            strconv.Itoa(cfg.MaxConcurrency),
		"query.max-samples":                strconv.Itoa(cfg.MaxSamples),
		"query.timeout":                    cfg.Timeout.String(),
		"storage.tsdb.path":                d.Storage.Dir(),
		"storage.tsdb.retention":           promDuration(d.Storage.Retention()),
		"storage.tsdb.retention.time":      promDuration(d.Storage.Retention()),
		"storage.tsdb.min-block-duration":  "2h",
		"storage.tsdb.max-block-duration":  promDuration(max(2*time.Hour, min(31*24*time.Hour, d.Storage.Retention()/10))),
		"web.enable-admin-api":             strconv.FormatBool(cfg.EnableAdminAPI),
		"web.enable-lifecycle":             "true",
		"web.enable-remote-write-receiver": strconv.FormatBool(d.Write != nil),
		"web.external-url":                 d.ExternalURL.String(),
		"web.listen-address":               d.ListenAddress,
	}
	maps.Copy(out, d.Flags)
	return out
}

// withAPIFeatures adds what the API itself can do.
func (e *Engine) withAPIFeatures() features.Collector {
	r := e.features
	template.RegisterFeatures(r)
	r.Enable(features.Prometheus, "server_mode")
	r.Set(features.Prometheus, "agent_mode", false)
	r.Set(features.API, "admin", e.cfg.EnableAdminAPI)
	r.Set(features.API, "search", false)
	for _, name := range []string{
		"lifecycle", "remote_write_receiver", "otlp_write_receiver", "label_values_match", "query_warnings",
		"query_stats", "time_range_series", "time_range_labels", "exclude_alerts",
	} {
		r.Enable(features.API, name)
	}
	return r
}

// ServeHTTP answers one request; its path begins with Prefix.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := strings.TrimPrefix(r.URL.Path, Prefix); {
	case path == "/write" && a.write != nil:
		a.write.ServeHTTP(w, r)
	case strings.HasPrefix(path, "/search/"):
		http.Error(w, "search endpoints are off; use /api/v1/labels, /api/v1/label/<name>/values and /api/v1/series", http.StatusNotFound)
	case path == "/rules" || path == "/alerts":
		a.alertsApart(w, r)
	case path == "/alertmanagers" && forAllAlone(w, r):
	case path == "/status/config" || path == "/status/flags" || path == "/targets" || path == "/alertmanagers":
		a.masked(w, r)
	case path == "/targets/metadata" && forAllAlone(w, r):
	case path == "/metadata":
		a.metadataApart(w, r)
	case path == "/targets/metadata":
		a.router.ServeHTTP(w, r.WithContext(withPushedMetadata(r.Context())))
	case path == "/read":
		a.router.ServeHTTP(w, noteRead(r))
	default:
		a.router.ServeHTTP(w, noteSelectors(r))
	}
}
