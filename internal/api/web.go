package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/gzhttp"

	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
)

const jaegerRoot = "/jaeger/api/"

// maxHookBody is what Kubernetes may send to its webhook.
const maxHookBody = 4 << 20

// Handler serves /sb/v1/* and /jaeger/api/*.
func (a *API) Handler() http.Handler { return a.handler }

// Needs is what each endpoint needs.
func (a *API) Needs() *front.Routes { return a.ops.Routes() }

// CORS is which pages the front lets in; the headers are this package's.
func (a *API) CORS() *front.CORS {
	return front.MatchCORS(func(origin string) bool {
		return slices.Contains(a.cfg.CORSOrigins, "*") || slices.Contains(a.cfg.CORSOrigins, origin)
	})
}

// MaxBody is the longest body that any operation.Operation takes.
func (a *API) MaxBody() int64 { return max(a.cfg.MaxBodyBytes, maxHookBody) }

// Refuse answers in this API's shape what the front refused.
func (a *API) Refuse(w http.ResponseWriter, r *http.Request, ref front.Refusal) {
	code := operation.CodeOfStatus(ref.Status)
	if ref.Reason == "origin" || ref.Reason == "host" {
		code = operation.CodeBadRequest
	}
	writeFailure(w, r, ref.Status, code, ref.Message)
}

// buildHandler wraps the mux, outermost last.
func (a *API) buildHandler() error {
	gzip, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ContentTypes([]string{"application/json"}))
	if err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	origins := http.NewCrossOriginProtection()
	for _, o := range a.cfg.CORSOrigins {
		if o == "*" {
			origins = nil
			break
		}
		if err := origins.AddTrustedOrigin(o); err != nil {
			return fmt.Errorf("cors_origins: %w", err)
		}
	}
	h := a.bounds(http.HandlerFunc(a.route))
	// A stream is never compressed: the compressor would hold events back.
	compressed := gzip(h)
	h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isTail(r) {
			a.bounds(http.HandlerFunc(a.route)).ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	})
	h = a.tenant(h)
	if origins != nil {
		origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			writeFailure(w, r, http.StatusForbidden, operation.CodeBadRequest, "a page of another origin may not do this; see api.cors_origins")
		}))
		h = origins.Handler(h)
	}
	a.handler = a.Guard(a.cors(h))
	return nil
}

func isTail(r *http.Request) bool { return r.URL.Path == operation.Root+"/logs/tail" }

// Guard is what every handler on the web port needs, also those that are
// mounted beside the API: a panic becomes a 500 with an id, requests are logged and
// measured, and responses carry the headers that stop browsers from guessing.
func (a *API) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		sw := &statusWriter{ResponseWriter: w}
		defer func() {
			v := recover()
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			if v != nil {
				id := uuid.NewString()
				a.log.ErrorContext(r.Context(), "panic while serving", "error_id", id, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
				a.met.panics.Inc()
				if sw.status == 0 {
					writeFailure(sw, r, http.StatusInternalServerError, operation.CodeInternal, "internal error "+id+"; the log of Signalbox says more")
				}
			}
			a.observe(r, sw, time.Since(began))
		}()
		next.ServeHTTP(sw, r)
	})
}

// observe logs and counts a finished request.
func (a *API) observe(r *http.Request, sw *statusWriter, took time.Duration) {
	status := sw.status
	if status == 0 {
		status = http.StatusOK
	}
	route := "other"
	if strings.HasPrefix(r.URL.Path, operation.Root) || strings.HasPrefix(r.URL.Path, jaegerRoot) {
		if _, pattern := a.mux.Handler(r); pattern != "" {
			_, route, _ = strings.Cut(pattern, " ")
		}
	}
	a.met.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if !isTail(r) {
		a.met.duration.WithLabelValues(route).Observe(took.Seconds())
	}
	level := slog.LevelDebug
	if status >= 500 {
		level = slog.LevelWarn
	}
	a.log.Log(r.Context(), level, "request served", "method", r.Method, "path", r.URL.Path, "status", status,
		"bytes", sw.bytes, "duration", took, "tenant", r.Header.Get(model.TenantHeader), "remote", r.RemoteAddr)
}

// bounds limits requests in flight, their bodies and their time.
func (a *API) bounds(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slots, reason, message := a.inFlight, "in_flight", "more than %d requests at once; try again in a second"
		if isTail(r) {
			slots, reason, message = a.tails, "tails", "more than %d log tails at once; close one or raise api.max_tails"
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			a.met.rejected.WithLabelValues(reason).Inc()
			w.Header().Set("Retry-After", "1")
			writeFailure(w, r, http.StatusTooManyRequests, operation.CodeOverloaded, fmt.Sprintf(message, cap(slots)))
			return
		}
		if isTail(r) {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(a.cfg.Timeout))
		defer cancel()
		r = r.WithContext(ctx)
		if r.ContentLength > a.cfg.MaxBodyBytes {
			a.met.rejected.WithLabelValues("body_too_large").Inc()
			writeFailure(w, r, http.StatusRequestEntityTooLarge, operation.CodeTooLarge, fmt.Sprintf("the body has %d bytes, more than %d", r.ContentLength, a.cfg.MaxBodyBytes))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, a.cfg.MaxBodyBytes)
		next.ServeHTTP(w, r)
	})
}

// tenant refuses names that no intake would have accepted and fills in the
// default one, so that every handler finds a valid tenant in the header.
func (a *API) tenant(next http.Handler) http.Handler {
	valid := regexp.MustCompile(`^[a-zA-Z0-9!_.*'()-]{1,150}$`)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Header.Get(model.TenantHeader)
		if name == "" {
			r.Header.Set(model.TenantHeader, model.DefaultTenant)
		} else if !valid.MatchString(name) || name == "." || name == ".." {
			writeFailure(w, r, http.StatusBadRequest, operation.CodeBadRequest, model.TenantHeader+": a tenant's name has 1 to 150 letters, digits or !-_.*'()")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// cors lets pages of the configured origins read answers; there are none by
// default.
func (a *API) cors(next http.Handler) http.Handler {
	if len(a.cfg.CORSOrigins) == 0 {
		return next
	}
	allowed := map[string]bool{}
	for _, o := range a.cfg.CORSOrigins {
		allowed[o] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		w.Header().Add("Vary", "Origin")
		if origin == "" || !allowed[origin] && !allowed["*"] {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", origin)
		if r.Method == http.MethodOptions {
			w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
			w.Header().Set("Access-Control-Allow-Headers", "Content-Type, "+model.TenantHeader)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// route dispatches, and gives the mux's own 404 and 405 our shape.
func (a *API) route(w http.ResponseWriter, r *http.Request) {
	h, pattern := a.mux.Handler(r)
	if pattern != "" {
		a.mux.ServeHTTP(w, r)
		return
	}
	rec := &headOnly{header: http.Header{}}
	h.ServeHTTP(rec, r)
	if rec.status == http.StatusMethodNotAllowed {
		allow := rec.header.Get("Allow")
		w.Header().Set("Allow", allow)
		writeFailure(w, r, rec.status, operation.CodeMethod, fmt.Sprintf("%s is not allowed here; use %s", r.Method, allow))
		return
	}
	writeFailure(w, r, http.StatusNotFound, operation.CodeNotFound, "no such endpoint; see "+operation.Root+"/openapi.json")
}

// writeFailure writes an error in the shape of the API that r asks.
func writeFailure(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	var body any = operation.ErrorBody{Error: operation.ErrorInfo{Code: code, Message: message}}
	if strings.HasPrefix(r.URL.Path, jaegerRoot) {
		body = map[string]any{"data": nil, "total": 0, "limit": 0, "offset": 0, "errors": []any{map[string]any{"code": status, "msg": message}}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush is there for handlers that look for http.Flusher instead of using a
// ResponseController.
func (w *statusWriter) Flush() {
	if err := http.NewResponseController(w.ResponseWriter).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		w.status = operation.StatusClientGone
	}
}

// headOnly keeps a handler's status and header.
type headOnly struct {
	header http.Header
	status int
}

func (h *headOnly) Header() http.Header         { return h.header }
func (h *headOnly) Write(b []byte) (int, error) { return len(b), nil }
func (h *headOnly) WriteHeader(status int)      { h.status = status }
