package pagerduty

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// The endpoints.
const (
	eventPath  = "/pagerduty/v2/enqueue"
	changePath = "/pagerduty/v2/change/enqueue"
)

// maxBody is of one event, as PagerDuty documents it.
const maxBody = 512 << 10

// Server serves the endpoints for all tenants.
type Server struct {
	// Enter asks who has a routing key and what they may; front.Front does.
	Enter func(*http.Request, access.Permission, front.MountInfo) (context.Context, func(status int), *front.Refusal)
	// Of is the intake of the tenant that Enter found.
	Of     func(context.Context) *Intake
	Logger *slog.Logger
}

// Mount makes the endpoints reachable. They are open: the routing key in the body is the proof.
func (s Server) Mount(port *front.Port) {
	s.Logger = instrument.Logger(s.Logger)
	for _, path := range []string{eventPath, changePath} {
		port.Mount("POST "+path, front.Mount{
			Handler: s, Needs: front.Always(access.Open), MaxBody: maxBody,
			Refuse: func(w http.ResponseWriter, _ *http.Request, ref front.Refusal) { refuse(w, ref) },
		})
	}
}

// answer is what PagerDuty answers.
type answer struct {
	Status  string   `json:"status"`
	Message string   `json:"message"`
	Dedup   string   `json:"dedup_key,omitempty"`
	Errors  []string `json:"errors,omitempty"`
}

// ServeHTTP implements http.Handler.
func (s Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the front has the whole body, so this is a client that is gone
	}
	change := r.URL.Path == changePath
	var e Event
	var c Change
	if change {
		c, err = ParseChange(body)
	} else {
		e, err = ParseEvent(body)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	needs, key := access.AlertsSend, e.RoutingKey
	if change {
		needs, key = access.DeploysWrite, c.RoutingKey
	}
	ctx, done, refusal := s.Enter(proved(r, key), needs, front.MountInfo{Port: "web", Pattern: r.URL.Path})
	if refusal != nil {
		refuse(w, *refusal)
		return
	}
	status, out := http.StatusAccepted, answer{Status: "success", Message: "Change event processed"}
	defer func() { done(status) }()
	if change {
		err = s.Of(ctx).Mark(ctx, c)
	} else {
		out.Message = "Event processed"
		out.Dedup, err = s.Of(ctx).Take(ctx, e)
	}
	if err != nil {
		status = s.fail(w, r, err)
		return
	}
	say(w, status, out)
}

// proved is the request as whoever has the routing key would ask: nothing else that it brings says who asks.
func proved(r *http.Request, key string) *http.Request {
	out := r.Clone(r.Context())
	out.Header = http.Header{"Authorization": {"Bearer " + key}}
	if tenant := r.Header.Values(model.TenantHeader); len(tenant) > 0 {
		out.Header[http.CanonicalHeaderKey(model.TenantHeader)] = tenant
	}
	out.TLS = nil // a client certificate is another proof
	return out
}

func (s Server) fail(w http.ResponseWriter, r *http.Request, err error) (status int) {
	var invalid *InvalidError
	var bad interface{ BadRequest() }
	switch {
	case errors.As(err, &invalid):
		status = http.StatusBadRequest
		say(w, status, answer{Status: "invalid event", Message: "Event object is invalid", Errors: invalid.Reasons})
	case errors.As(err, &bad), errors.Is(err, store.ErrNotFound):
		status = http.StatusBadRequest
		say(w, status, answer{Status: "invalid event", Message: "Event object is invalid", Errors: []string{err.Error()}})
	case errors.Is(err, store.ErrReadOnly):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "30")
		say(w, status, answer{Status: "unavailable", Message: "The event was not kept: nothing can be written now. Send it again."})
	default:
		status = http.StatusInternalServerError
		s.Logger.ErrorContext(r.Context(), "event not taken", "path", r.URL.Path, "err", err)
		say(w, status, answer{Status: "error", Message: "The event was not kept; the log of Signalbox says why. Send it again."})
	}
	return status
}

func refuse(w http.ResponseWriter, ref front.Refusal) {
	status, message := "invalid event", "Event object is invalid"
	switch ref.Status {
	case http.StatusTooManyRequests:
		status, message = "throttle exceeded", "Requests for this service are arriving too quickly"
	case http.StatusServiceUnavailable:
		status, message = "unavailable", "The event was not kept; send it again"
	case http.StatusRequestEntityTooLarge:
		message = "Event object is too large (512 KB at most)"
	}
	maps.Copy(w.Header(), ref.Header)
	if ref.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(ref.RetryAfter))
	}
	say(w, ref.Status, answer{Status: status, Message: message, Errors: []string{ref.Message}})
}

func say(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a) // a client that is gone gets no answer
}
