// Package jaeger answers Jaeger's query API over our spans, so that Grafana's
// Jaeger data source and Jaeger's own UI work against Signalbox.
//
// It translates parameters to store.TraceQuery and spans to Jaeger's JSON. It
// stores nothing, knows no sampling or archive, and leaves limits, tenants and panics to
// the web layer around it. Data in: HTTP GET below /jaeger/api. Data out: Jaeger's
// envelope {"data","total","limit","offset","errors"}.
//
// Times are microseconds, as Jaeger has them; resolution below that is lost. /jaeger/api/v3
// answers the same with OTLP's JSON (v3.go). Traces are shown as Jaeger's query
// service shows them, with its adjusters (adjust.go).
// Start reading at Handler, then search.go, trace.go and adjust.go.
package jaeger

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const root = "/jaeger/api"

// namesRange is how far back services and operations are listed: Jaeger's
// requests for them have no time range.
const namesRange = 24 * time.Hour

// maxNames bounds the lists of services and operations.
const maxNames = 2000

// Edges lists who called whom.
type Edges func(ctx context.Context, tenant string, r store.Range) ([]model.Edge, error)

// Deps are what the handler needs. Spans and Edges may be nil: everything is
// empty then.
type Deps struct {
	Spans store.SpanReader
	Edges Edges
	Now   func() time.Time
	// Fail maps an error to a status and to what may be told.
	Fail func(ctx context.Context, err error) (status int, message string)
}

// response is Jaeger's envelope.
type response struct {
	Data   any         `json:"data"`
	Total  int         `json:"total"`
	Limit  int         `json:"limit"`
	Offset int         `json:"offset"`
	Errors []respError `json:"errors"`
}

type respError struct {
	Code    int    `json:"code,omitempty"`
	Msg     string `json:"msg"`
	TraceID string `json:"traceID,omitempty"`
}

// paramError is a fault of the request.
type paramError string

func (e paramError) Error() string { return string(e) }
func (e paramError) BadRequest()   {}

type handler struct{ deps Deps }

// Handler serves /jaeger/api/*.
func Handler(deps Deps) http.Handler {
	h := &handler{deps: deps}
	mux := http.NewServeMux()
	for path, get := range map[string]func(r *http.Request) (data any, total int, err error){
		"/services":                      h.services,
		"/services/{service}/operations": h.operationNames,
		"/operations":                    h.operations,
		"/traces":                        h.traces,
		"/traces/{id}":                   h.trace,
		"/dependencies":                  h.dependencies,
	} {
		mux.HandleFunc(root+path, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				w.Header().Set("Allow", "GET, HEAD")
				write(w, http.StatusMethodNotAllowed, response{Errors: []respError{{Code: http.StatusMethodNotAllowed, Msg: "method not allowed; use GET"}}})
				return
			}
			data, total, err := get(r)
			if err != nil {
				status, message := deps.Fail(r.Context(), err)
				write(w, status, response{Errors: []respError{{Code: status, Msg: message}}})
				return
			}
			noteRows(r, total)
			write(w, http.StatusOK, response{Data: data, Total: total})
		})
	}
	h.routeV3(mux)
	mux.HandleFunc(root+"/", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusNotFound, response{Errors: []respError{{Code: http.StatusNotFound, Msg: "no such endpoint"}}})
	})
	return mux
}

func write(w http.ResponseWriter, status int, body response) { front.WriteJSON(w, status, body) }

func tenantOf(r *http.Request) string {
	if t := r.Header.Get(model.TenantHeader); t != "" {
		return t
	}
	return model.DefaultTenant
}

// recent is the range in which names are looked for.
func (h *handler) recent(r *http.Request) store.TraceQuery {
	now := h.deps.Now()
	return store.TraceQuery{Tenant: tenantOf(r), Range: store.RangeOf(now.Add(-namesRange), now.Add(time.Minute))}
}

func (h *handler) services(r *http.Request) (any, int, error) {
	names, err := h.values(r.Context(), h.recent(r), "service")
	return names, len(names), err
}

// values lists a field's values, sorted.
func (h *handler) values(ctx context.Context, q store.TraceQuery, field string) ([]string, error) {
	names := []string{}
	if h.deps.Spans == nil {
		return names, nil
	}
	counts, err := h.deps.Spans.SpanValues(ctx, q, field, maxNames)
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		if c.Value != "" {
			names = append(names, c.Value)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (h *handler) operationNames(r *http.Request) (any, int, error) {
	q := h.recent(r)
	q.Expr = equals("service", r.PathValue("service"))
	names, err := h.values(r.Context(), q, "name")
	return names, len(names), err
}

type operation struct {
	Name     string `json:"name"`
	SpanKind string `json:"spanKind"`
}

// operations lists names with their kinds: one look-up per kind, because
// values are counted by one field.
func (h *handler) operations(r *http.Request) (any, int, error) {
	list, err := h.operationsOf(r, r.FormValue("service"), r.FormValue("spanKind"))
	return list, len(list), err
}

func (h *handler) operationsOf(r *http.Request, service, kind string) ([]operation, error) {
	if service == "" {
		return nil, paramError("parameter 'service' is required")
	}
	kinds := []string{"server", "client", "producer", "consumer", "internal"}
	if kind != "" {
		kinds = []string{strings.ToLower(strings.TrimPrefix(kind, "SPAN_KIND_"))}
	}
	list := []operation{}
	for _, kind := range kinds {
		q := h.recent(r)
		q.Expr = store.And{Exprs: []store.Expr{equals("service", service), equals("kind", kind)}}
		names, err := h.values(r.Context(), q, "name")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			list = append(list, operation{name, kind})
		}
	}
	return list, nil
}

type dependency struct {
	Parent    string `json:"parent"`
	Child     string `json:"child"`
	CallCount uint64 `json:"callCount"`
}

func (h *handler) dependencies(r *http.Request) (any, int, error) {
	end := h.deps.Now()
	if s := r.FormValue("endTs"); s != "" {
		ms, err := strconv.ParseInt(s, 10, 64)
		if err != nil || ms < 0 || ms > maxMillis {
			return nil, 0, paramError("unable to parse param 'endTs': want Unix milliseconds, got " + strconv.Quote(s))
		}
		end = time.UnixMilli(ms)
	}
	lookback := 24 * time.Hour
	if s := r.FormValue("lookback"); s != "" {
		ms, err := strconv.ParseInt(s, 10, 64)
		if err != nil || ms <= 0 || ms > maxMillis {
			return nil, 0, paramError("unable to parse param 'lookback': want milliseconds, got " + strconv.Quote(s))
		}
		lookback = time.Duration(ms) * time.Millisecond
	}
	list := []dependency{}
	if h.deps.Edges == nil {
		return list, 0, nil
	}
	edges, err := h.deps.Edges(r.Context(), tenantOf(r), store.RangeOf(end.Add(-lookback), end))
	if err != nil {
		return nil, 0, err
	}
	// Jaeger does not tell calls from queues: one line per pair.
	at := map[[2]string]int{}
	for _, e := range edges {
		pair := [2]string{e.Client, e.Server}
		i, ok := at[pair]
		if !ok {
			i = len(list)
			at[pair] = i
			list = append(list, dependency{Parent: e.Client, Child: e.Server})
		}
		list[i].CallCount += e.Calls
	}
	return list, len(list), nil
}

// noteRows says for the audit log how much was found.
func noteRows(r *http.Request, n int) { access.Note(r.Context(), access.NoteRows, strconv.Itoa(n)) }
