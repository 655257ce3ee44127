package app

import (
	"context"
	"net/http"
	"net/http/pprof"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/alerting/router"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs"
	"github.com/signalbox-project/signalbox/internal/ingest/promwrite"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/webui"
)

// drainTimeout is how long a stop waits for answers on their way.
const drainTimeout = 5 * time.Second

// Bounds of bodies, as they are sent.
const (
	maxForm   = 10 << 20 // a query; net/http takes no larger form
	maxWrite  = promwrite.MaxBodyBytes
	maxAlerts = 16 << 20
)

// buildWeb mounts every surface on the one web port.
func (p *Process) buildWeb(context.Context) error {
	prom, own := p.home.prom, p.home.api
	ui, err := webui.Handler()
	if err != nil {
		return err
	}
	port := p.front.Port("web")
	queries := front.Mount{Handler: p.traced(p.dispatch(func(c *cell) http.Handler { return c.prom })), Needs: promql.Routes(), MaxBody: maxForm, CORS: front.MatchCORS(prom.AllowsOrigin), Refuse: prom.Refuse}
	port.Mount(promql.Prefix+"/", queries)
	write := queries
	write.MaxBody = maxWrite
	port.Mount(promql.Prefix+"/write", write)
	port.Mount(promql.Prefix+"/read", write)
	port.Mount(promql.FederationPath, front.Mount{Handler: p.traced(p.dispatch(func(c *cell) http.Handler { return c.federation })), Needs: promql.FederationRoutes(), MaxBody: maxForm, CORS: queries.CORS})
	intake := p.home.otlp.Mount()
	port.Mount("/v1/", intake)
	intake.Handler = http.StripPrefix(promql.Prefix+"/otlp", p.home.otlp)
	port.Mount(promql.Prefix+"/otlp/", intake)
	port.Mount("/api/v2/", front.Mount{Handler: p.traced(p.dispatch(func(c *cell) http.Handler { return c.router.Handler() })), Needs: router.Endpoints(), MaxBody: maxAlerts, CORS: own.CORS()})
	ours := front.Mount{Handler: p.traced(p.dispatch(func(c *cell) http.Handler { return c.api.Handler() })), Needs: own.Needs(), MaxBody: own.MaxBody(), CORS: own.CORS(), Refuse: own.Refuse}
	port.Mount("/sb/v1/", ours)
	port.Mount("/jaeger/api/", ours)
	p.mountHooks(port, own.MaxBody())
	p.mountPaging(port)
	if err := p.mountAgents(port); err != nil {
		return err
	}
	if err := p.mountStatusPages(port); err != nil {
		return err
	}
	port.Mount("/", front.Mount{Handler: ui, Needs: front.Always(access.Open)})
	if err := p.mountLogins(port); err != nil {
		return err
	}
	p.operations(port)
	p.run("web", func(ctx context.Context) error {
		notReady := func() { p.isReady.Store(false) }
		defer notReady() // the one below may still be under way when the last request has ended
		defer context.AfterFunc(ctx, notReady)()
		// A log tail would hold back the stop.
		return port.Serve(ctx, p.listeners.web, front.Serving{TLS: p.certs.TLS(certs.Web, "h2", "http/1.1"), Drain: drainTimeout, EndRequests: true})
	}, nil)
	return nil
}

// operations mounts what operators and orchestrators use.
func (p *Process) operations(port *front.Port) {
	open := func(pattern string, needs access.Permission, h http.HandlerFunc) {
		port.Mount(pattern, front.Mount{Handler: h, Needs: front.Always(needs)})
	}
	guarded := func(pattern string, needs access.Permission, h http.HandlerFunc) {
		port.Mount(pattern, front.Mount{Handler: p.ofProcess(h), Needs: front.Always(needs), Sensitive: true})
	}
	open("/-/healthy", access.Open, func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, http.StatusOK, "Signalbox is healthy.\n")
	})
	open("/-/ready", access.Open, func(w http.ResponseWriter, _ *http.Request) {
		if !p.isReady.Load() {
			writeText(w, http.StatusServiceUnavailable, "Signalbox is starting.\n")
			return
		}
		writeText(w, http.StatusOK, "Signalbox is ready.\n")
	})
	guarded("POST /-/reload", access.AdminReload, p.handleReload)
	guarded("PUT /-/reload", access.AdminReload, p.handleReload)
	open("GET /metrics", access.SystemRead, p.metrics)
	p.scrapeInside(http.HandlerFunc(p.metrics))
	guarded("/debug/pprof/", access.AdminProfile, pprof.Index)
	guarded("/debug/pprof/cmdline", access.AdminProfile, cmdline)
	guarded("/debug/pprof/profile", access.AdminProfile, pprof.Profile)
	guarded("/debug/pprof/symbol", access.AdminProfile, pprof.Symbol)
	guarded("/debug/pprof/trace", access.AdminProfile, pprof.Trace)
}

// scrapeInside serves our own metrics to our own scraping, which needs no permission: nobody else can dial there.
func (p *Process) scrapeInside(own http.Handler) {
	port := p.front.Port("inner")
	port.Mount("GET /metrics", front.Mount{Handler: own, Needs: front.Always(access.Open)})
	p.run("own metrics", func(ctx context.Context) error {
		return port.Serve(ctx, p.inner, front.Serving{EndRequests: true})
	}, nil)
}

// metrics serves the program's own metrics that the caller may see.
func (p *Process) metrics(w http.ResponseWriter, r *http.Request) {
	promhttp.HandlerFor(p.gather(r.Context()), promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: p.tel.Registry}).ServeHTTP(w, r)
}

// cmdline is pprof's, without secrets.
func cmdline(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, redact.Text(strings.Join(os.Args, "\x00")))
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// traced makes spans of requests that people and programs ask with. Intakes
// are left out: a span for every batch of spans would never end.
func (p *Process) traced(next http.Handler) http.Handler {
	return otelhttp.NewHandler(next, "web",
		otelhttp.WithTracerProvider(p.tel.Tracer),
		otelhttp.WithMeterProvider(metricnoop.NewMeterProvider()),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.Method + " " + route(r.URL.Path) }),
		otelhttp.WithFilter(func(r *http.Request) bool {
			return r.URL.Path != promql.Prefix+"/write" && !strings.HasSuffix(r.URL.Path, "/tail")
		}),
	)
}

// route cuts a path to its first three parts, so that ids do not become names.
func route(path string) string {
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 4)
	return "/" + strings.Join(parts[:min(3, len(parts))], "/")
}
