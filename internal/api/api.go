// Package api is Signalbox's own HTTP surface: everything below /sb/v1,
// described by /sb/v1/openapi.json, and the Jaeger query API below
// /jaeger/api, with the web layer that both share.
//
// It maps HTTP to the interfaces in Deps and back: it parses and bounds
// parameters, turns errors into one JSON shape with the right status, and
// guards the process (body size, time, requests in flight, panics). It holds
// no business rule: figures, sentences and verdicts come from the rooms
// behind the interfaces. Prometheus' /api/v1, Alertmanager's /api/v2, the OTLP
// intake and the web UI are mounted beside it by the wiring room.
//
// Data in: HTTP requests. Data out: JSON, and server-sent events for the log
// tail. Every list is [] when empty, never null; every error below /sb/v1 is
// {"error":{"code","message","details"}}.
//
// Invariants: every operation declares the permission that it needs, which the
// front asks for; a handler never outlives its request's context. There are no
// locks here; counters are atomic.
//
// Start reading at deps.go, then objectives/slos.go for a typical set of operations, then
// web.go for what surrounds every request.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/events"
	"github.com/signalbox-project/signalbox/internal/api/health"
	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/api/jaeger"
	"github.com/signalbox-project/signalbox/internal/api/objectives"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/api/people"
	"github.com/signalbox-project/signalbox/internal/api/releases"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
)

// API serves /sb/v1/* and /jaeger/api/*.
type API struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	now     func() time.Time
	mux     *http.ServeMux
	huma    huma.API
	ops     *operation.Registry
	met     *metrics
	handler http.Handler
	// Counting semaphores of requests and of tails.
	inFlight, tails chan struct{}
}

// New registers every operation; it starts nothing. An interface in deps that
// is nil leaves its operations in the description but answering 404, because a
// process may run only some roles.
func New(cfg Config, deps Deps) (*API, error) {
	a := &API{cfg: cfg, deps: deps, log: deps.Logger, now: deps.Now, mux: http.NewServeMux()}
	a.log = instrument.Logger(a.log)
	if a.now == nil {
		a.now = time.Now
	}
	if a.deps.Registerer == nil {
		a.deps.Registerer = prometheus.NewRegistry()
	}
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("api config: %w", errors.Join(errs...))
	}
	a.inFlight, a.tails = make(chan struct{}, cfg.MaxInFlight), make(chan struct{}, cfg.MaxTails)
	var err error
	if a.met, err = newMetrics(a.deps.Registerer, func() float64 { return float64(len(a.inFlight)) }); err != nil {
		return nil, err
	}
	a.huma = a.newHuma()
	a.ops = operation.New(operation.Config{API: a.huma, Logger: a.log, Now: a.now, MaxBody: cfg.MaxBodyBytes, Record: a.record()})
	a.registerAll()
	if err := a.finishOpenAPI(); err != nil {
		return nil, fmt.Errorf("describe api: %w", err)
	}
	if err := a.buildHandler(); err != nil {
		return nil, err
	}
	return a, nil
}

// newHuma sets huma up without its own documents and without touching its
// package variables.
func (a *API) newHuma() huma.API {
	hc := huma.DefaultConfig("Signalbox", "1")
	hc.Info.Description = "SLOs, logs, traces, deployments, gates and pages. Errors are {\"error\":{\"code\",\"message\",\"details\"}}."
	hc.OpenAPIPath, hc.DocsPath, hc.SchemasPath = "", "", ""
	hc.CreateHooks = nil
	hc.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	hc.Transformers = []huma.Transformer{operation.ErrorTransformer}
	registerAliases(hc.Components.Schemas)
	api := humago.New(a.mux, hc)
	api.UseMiddleware(operation.StatusMiddleware)
	return api
}

// registerAll registers the operations in the order of the description's tags.
func (a *API) registerAll() {
	a.registerStatus()
	a.registerTenants()
	objectives.Register(a.ops, a.deps.Objectives)
	events.Register(a.ops, a.deps.Events)
	releases.Register(a.ops, a.deps.Releases)
	health.Register(a.ops, a.deps.Health)
	people.Register(a.ops, a.deps.People)
	identity.Register(a.ops, a.deps.Identity)
	a.registerRecords()
	if a.deps.Hooks != nil {
		for _, method := range []string{"GET", "POST"} {
			// Each hook proves its sender by the sender's own means: a shared secret, a signature, a token.
			a.ops.Routes().Add(front.Route{Pattern: method + " " + operation.Root + "/hooks/", Permission: access.Open})
			a.mux.Handle(method+" "+operation.Root+"/hooks/", a.deps.Hooks)
		}
	}
	a.ops.Routes().Add(front.Route{Pattern: "GET " + jaegerRoot, Permission: access.TracesRead, Work: front.Question})
	a.mux.Handle(jaegerRoot, jaeger.Handler(jaeger.Deps{
		Spans: a.deps.Events.Spans, Edges: a.edges(), Now: a.now, Fail: a.jaegerFailure,
	}))
}

// record is where changes are noted, or nil.
func (a *API) record() func(context.Context, model.AuditEntry) (model.AuditEntry, error) {
	if a.deps.Audit == nil {
		return nil
	}
	return a.deps.Audit.Audit
}

// edges is the topology, or nothing where there is none.
func (a *API) edges() jaeger.Edges {
	if a.deps.Health.Topology == nil {
		return nil
	}
	return a.deps.Health.Topology.Edges
}

// jaegerFailure gives errors the same status and text as below /sb/v1.
func (a *API) jaegerFailure(ctx context.Context, err error) (status int, message string) {
	f := a.ops.FailureOf(ctx, err)
	return f.GetStatus(), f.Info().Message
}
