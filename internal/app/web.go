package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	metricnoop "go.opentelemetry.io/otel/metric/noop"

	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/webui"
)

// Time limits of the web server. Reading a body and writing an answer are bounded by
// the handlers, because a log tail lives as long as someone looks at it.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	drainTimeout  = 5 * time.Second
)

// buildWeb mounts every surface on the one web port.
func (p *process) buildWeb(context.Context) error {
	prom, err := p.prometheusAPI()
	if err != nil {
		return err
	}
	own, err := p.ownAPI()
	if err != nil {
		return err
	}
	ui, err := webui.Handler()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle(promql.Prefix+"/", p.traced(prom))
	mux.Handle(promql.Prefix+"/otlp/", http.StripPrefix(promql.Prefix+"/otlp", p.otlp))
	mux.Handle("/api/v2/", p.traced(p.router.Handler()))
	mux.Handle("/v1/", p.otlp)
	mux.Handle("/sb/v1/", p.traced(own))
	mux.Handle("/jaeger/api/", p.traced(own))
	mux.Handle("/", ui)
	p.operations(mux)
	p.run("web", p.serve(mux), nil)
	return nil
}

// operations mounts what operators and orchestrators use.
func (p *process) operations(mux *http.ServeMux) {
	mux.HandleFunc("/-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		writeText(w, http.StatusOK, "Signalbox is healthy.\n")
	})
	mux.HandleFunc("/-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if !p.isReady.Load() {
			writeText(w, http.StatusServiceUnavailable, "Signalbox is starting.\n")
			return
		}
		writeText(w, http.StatusOK, "Signalbox is ready.\n")
	})
	mux.HandleFunc("POST /-/reload", p.handleReload)
	mux.HandleFunc("PUT /-/reload", p.handleReload)
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.tel.Registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, Registry: p.tel.Registry,
	}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

// traced makes spans of requests that people and programs ask with. Intakes
// are left out: a span for every batch of spans would never end.
func (p *process) traced(next http.Handler) http.Handler {
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

// serve runs the web server on the listener that is already open.
func (p *process) serve(h http.Handler) func(context.Context) error {
	return func(ctx context.Context) error {
		// Requests end with the server, or a log tail would hold back the stop.
		requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		srv := &http.Server{
			Handler: h, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
			BaseContext: func(net.Listener) context.Context { return requests },
		}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(p.listeners.web) }()
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
		}
		p.isReady.Store(false)
		drain, stop := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer stop()
		cancel()
		err := srv.Shutdown(drain)
		if errors.Is(err, context.DeadlineExceeded) {
			return srv.Close()
		}
		return err
	}
}
