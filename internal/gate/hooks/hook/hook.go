// Package hook is what every hook shares: it turns an HTTP request into a
// checked body and an answer, a decision into a reply, and a reply that must be sent
// later into a bounded job with an audit entry.
//
// It knows no caller's payloads; those are the packages beside it. In: a Gate,
// deployment markers and the audit log, as interfaces. Out: http.Handlers, and
// Run, which sends the replies.
//
// Invariants: a caller is authenticated before its body is parsed; a body that
// is not understood is answered 400 with the field's name and never a panic; a
// reply that could not be sent is in the log, the metrics and the audit log.
// The queue of replies is bounded: when it is full the caller is told 503. Locks: Replay
// has one of its own and calls nothing under it.
//
// Start reading at Handle, then Reply.
package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Decider answers whether a version may be deployed; gate.Gate does.
type Decider interface {
	Decide(ctx context.Context, req model.GateRequest) (model.GateDecision, error)
}

// Deploys keeps deployment markers; store/state does.
type Deploys interface {
	AddDeploy(ctx context.Context, d model.Deploy) (model.Deploy, error)
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
}

// Audit keeps the audit log; store/state does.
type Audit interface {
	Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error)
}

// Deps is what hooks use. Gate, Deploys and Audit are needed.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Gate       Decider
	Deploys    Deploys
	Audit      Audit
	// ExternalURL is where people reach the UI, for links in replies.
	ExternalURL string
	// Front serves listeners of hooks' own; nil makes one of defaults.
	Front *front.Front
	// Certs keeps the certificates of those listeners; nil makes its own.
	Certs *certs.Set
	// Outgoing guards what is called; nil by the defaults.
	Outgoing *outgoing.Guard
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// RefusalError is an answer other than 2xx.
type RefusalError struct {
	Status  int
	Code    string
	Message string
}

// Error implements error.
func (r *RefusalError) Error() string { return r.Message }

// Bad is a 400: the payload is not what is documented.
func Bad(format string, args ...any) *RefusalError {
	return &RefusalError{Status: http.StatusBadRequest, Code: "bad_request", Message: fmt.Sprintf(format, args...)}
}

// Unauthorized is a 401.
func Unauthorized(format string, args ...any) *RefusalError {
	return &RefusalError{Status: http.StatusUnauthorized, Code: "unauthorized", Message: fmt.Sprintf(format, args...)}
}

// Missing is a 400 that names the field.
func Missing(field string) *RefusalError { return Bad("%s: missing or empty", field) }

// Kit is the shared part of all hooks.
type Kit struct {
	cfg     Config
	deps    Deps
	replies chan Reply
	metrics metrics
}

type metrics struct {
	requests, replies *prometheus.CounterVec
	waiting           prometheus.GaugeFunc
}

// Outcomes of requests, as the metric names them.
const (
	OutcomeDecided = "decided"
	OutcomeMarked  = "marked"
	OutcomeIgnored = "ignored"
)

// New makes a kit; it starts nothing.
func New(cfg Config, deps Deps) (*Kit, error) {
	if deps.Gate == nil || deps.Deploys == nil || deps.Audit == nil {
		return nil, errors.New("hooks: they need a gate, deployment markers and an audit log")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Certs == nil {
		deps.Certs = certs.None()
	}
	k := &Kit{cfg: cfg, deps: deps, replies: make(chan Reply, maxWaiting)}
	k.metrics = metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_hook_requests_total", Help: "Requests to hooks by outcome: decided, marked, ignored, or why they were refused.",
		}, []string{"hook", "outcome"}),
		replies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_hook_replies_total", Help: "Replies that hooks sent to other systems by outcome (sent, failed).",
		}, []string{"hook", "outcome"}),
		waiting: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signalbox_hook_replies_waiting", Help: "Replies that wait to be sent.",
		}, func() float64 { return float64(len(k.replies)) }),
	}
	if err := instrument.Register(deps.Registerer, "hook", k.metrics.requests, k.metrics.replies, k.metrics.waiting); err != nil {
		return nil, err
	}
	return k, nil
}

// Answer is what a hook says.
type Answer struct {
	Status  int // 0 means 200
	Body    any
	Outcome string
}

// MaxBody bounds a request's body in bytes; Kubernetes sends objects of up to
// 1.5 MiB twice.
const MaxBody = 4 << 20

// Handle serves a hook: serve gets the whole body, and its error is the answer.
func (k *Kit) Handle(name string, serve func(r *http.Request, body []byte) (Answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
		if err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				err = &RefusalError{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Message: fmt.Sprintf("the body has more than %d bytes", large.Limit)}
			} else {
				err = Bad("the body could not be read")
			}
			k.refuse(w, r, name, err)
			return
		}
		answer, err := serve(r, body)
		if err != nil {
			k.refuse(w, r, name, err)
			return
		}
		k.metrics.requests.WithLabelValues(name, answer.Outcome).Inc()
		if answer.Status == 0 {
			answer.Status = http.StatusOK
		}
		front.WriteJSON(w, answer.Status, answer.Body)
	})
}

func (k *Kit) refuse(w http.ResponseWriter, r *http.Request, name string, err error) {
	var refusal *RefusalError
	var bad interface{ BadRequest() }
	switch {
	case errors.As(err, &refusal):
	case errors.As(err, &bad):
		refusal = Bad("%s", err.Error())
	case errors.Is(err, store.ErrReadOnly), errors.Is(err, store.ErrOverloaded):
		refusal = &RefusalError{Status: http.StatusServiceUnavailable, Code: "unavailable", Message: "decisions cannot be stored right now, so none is made; try again"}
		k.deps.Logger.ErrorContext(r.Context(), "hook failed", "hook", name, "err", err)
	default:
		refusal = &RefusalError{Status: http.StatusInternalServerError, Code: "internal", Message: "no decision could be made; the log of Signalbox says more"}
		k.deps.Logger.ErrorContext(r.Context(), "hook failed", "hook", name, "err", err)
	}
	if refusal.Status < 500 {
		k.deps.Logger.WarnContext(r.Context(), "hook refused a request", "hook", name, "status", refusal.Status, "reason", refusal.Message, "remote", r.RemoteAddr)
	}
	k.metrics.requests.WithLabelValues(name, refusal.Code).Inc()
	if refusal.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	front.WriteJSON(w, refusal.Status, map[string]any{"error": map[string]any{"code": refusal.Code, "message": refusal.Message}})
}

// Enabling lists what is wrong with a hook that has a token and is not enabled.
func Enabling(enabled bool, tokenFile string) []error {
	if tokenFile != "" && !enabled {
		return []error{errors.New("enabled: must be true for token_file to be of use")}
	}
	return nil
}

// Unproved lists what lets anybody use a hook that may be served without a token.
func Unproved(enabled bool, tokenFile string) []error {
	if enabled && tokenFile == "" {
		return []error{errors.New("token_file: must be given: with authentication on nobody is served who does not say who they are")}
	}
	return nil
}

// Authorize checks the bearer token that file holds; without a file all may
// come.
func Authorize(file string, header http.Header) error {
	if file == "" {
		return nil
	}
	secret, err := secretfile.Read(file)
	if err != nil {
		return err
	}
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || !secret.Equal(strings.TrimSpace(token)) {
		return Unauthorized("Authorization: must be Bearer and the token of this hook")
	}
	return nil
}

// Decode reads a payload of another system, which may have fields that are
// not known here.
func Decode(body []byte, v any) error {
	return decode(json.NewDecoder(strings.NewReader(string(body))), v)
}

// DecodeOwn reads a payload of our own format: unknown fields are refused.
func DecodeOwn(body []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	return decode(d, v)
}

func decode(d *json.Decoder, v any) error {
	err := d.Decode(v)
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &typ):
		return Bad("%s: must be %s, got %s", typ.Field, kindOf(typ.Type.Kind().String()), typ.Value)
	case err != nil:
		return Bad("the body is not the JSON that is documented: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Bad("the body has more than one JSON value")
	}
	return nil
}

func kindOf(kind string) string {
	switch {
	case kind == "struct" || kind == "map":
		return "an object"
	case kind == "slice":
		return "a list"
	case strings.HasPrefix(kind, "int") || strings.HasPrefix(kind, "uint"):
		return "a whole number"
	}
	return "a " + kind
}

// Verdict is how hooks answer with a decision.
type Verdict struct {
	ID      string        `json:"id"`
	Verdict model.Verdict `json:"verdict"`
	Allow   bool          `json:"allow"`
	Summary string        `json:"summary"`
	Link    string        `json:"link,omitempty"`
}

// VerdictOf is the decision in short.
func (k *Kit) VerdictOf(d model.GateDecision) Verdict {
	return Verdict{ID: d.ID, Verdict: d.Verdict, Allow: d.Verdict == model.VerdictAllow, Summary: d.Summary, Link: k.Link(d)}
}

// Link is where a person sees the decision.
func (k *Kit) Link(d model.GateDecision) string {
	if k.deps.ExternalURL == "" {
		return ""
	}
	return k.deps.ExternalURL + "/gate/" + d.ID
}

// Decide asks the gate.
func (k *Kit) Decide(ctx context.Context, req model.GateRequest) (model.GateDecision, error) {
	for field, value := range map[string]string{"service": req.Service, "environment": req.Environment, "version": req.Version, "actor": req.Actor} {
		if len(value) > maxText {
			return model.GateDecision{}, Bad("%s: has more than %d bytes", field, maxText)
		}
	}
	return k.deps.Gate.Decide(ctx, req)
}

// maxText bounds what names a service, an environment or a version.
const maxText = 200

// Now is the clock's time.
func (k *Kit) Now() time.Time { return k.deps.Now() }

// Logger is the hooks' logger.
func (k *Kit) Logger() *slog.Logger { return k.deps.Logger }

// Certs keeps the certificates of listeners of a hook's own.
func (k *Kit) Certs() *certs.Set { return k.deps.Certs }

// Front is where a hook mounts a listener of its own; nil if none was given.
func (k *Kit) Front() *front.Front { return k.deps.Front }
