// Package argo answers Argo Rollouts: the web metric provider of an analysis,
// and notifications of rollouts.
//
// In: a query or a small JSON object of our own format, which the examples'
// AnalysisTemplate and notification template send. Out: a verdict as JSON for
// the provider's jsonPath, or a deployment marker.
//
// Invariants: unknown fields are refused, because the templates that send them
// are ours to mend; notifications change what is stored and are therefore
// served only with a token. Start reading at Register.
package argo

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Config is the argo part of the hooks section.
type Config struct {
	// Enabled serves verdicts for the web metric provider.
	Enabled bool `yaml:"enabled"`
	// TokenFile holds the bearer token that callers must send; notifications are served only with one.
	TokenFile string `yaml:"token_file"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error { return hook.Enabling(c.Enabled, c.TokenFile) }

// Unproved lists what lets anybody ask.
func (c Config) Unproved() []error { return hook.Unproved(c.Enabled, c.TokenFile) }

// Files are the paths in the configuration.
func (c *Config) Files() []*string { return []*string{&c.TokenFile} }

// Hook serves Argo Rollouts.
type Hook struct {
	cfg Config
	kit *hook.Kit
}

// New makes the hook; it starts nothing.
func New(cfg Config, kit *hook.Kit) *Hook { return &Hook{cfg: cfg, kit: kit} }

// Register mounts what is configured below prefix.
func (h *Hook) Register(mux *http.ServeMux, prefix string) {
	if !h.cfg.Enabled {
		return
	}
	verdict := h.kit.Handle("argo_verdict", h.verdict)
	mux.Handle("GET "+prefix+"/argo/verdict", verdict)
	mux.Handle("POST "+prefix+"/argo/verdict", verdict)
	if h.cfg.TokenFile != "" {
		mux.Handle("POST "+prefix+"/argo/notifications", h.kit.Handle("argo_notifications", h.notification))
	}
}

// question is the body of POST argo/verdict; GET has the same names in its query.
type question struct {
	Service     string `json:"service"`
	Environment string `json:"environment"`
	Version     string `json:"version"`
	Critical    bool   `json:"critical"`
}

func (h *Hook) verdict(r *http.Request, body []byte) (hook.Answer, error) {
	if err := hook.Authorize(h.cfg.TokenFile, r.Header); err != nil {
		return hook.Answer{}, err
	}
	q, err := ask(r.Method, r.URL.Query(), body)
	if err != nil {
		return hook.Answer{}, err
	}
	d, err := h.kit.Decide(r.Context(), model.GateRequest{
		Service: q.Service, Environment: q.Environment, Version: q.Version, Critical: q.Critical, Actor: "argo-rollouts",
	})
	if err != nil {
		return hook.Answer{}, err
	}
	return hook.Answer{Body: h.kit.VerdictOf(d), Outcome: hook.OutcomeDecided}, nil
}

func ask(method string, query url.Values, body []byte) (q question, err error) {
	if method == http.MethodPost {
		err = hook.DecodeOwn(body, &q)
	} else {
		q, err = fromQuery(query)
	}
	if err == nil && q.Service == "" {
		err = hook.Missing("service")
	}
	return q, err
}

func fromQuery(query url.Values) (question, error) {
	known := []string{"service", "environment", "version", "critical"}
	for name := range query {
		if !slices.Contains(known, name) {
			return question{}, hook.Bad("%s: unknown; known are %s", name, strings.Join(known, ", "))
		}
	}
	q := question{Service: query.Get("service"), Environment: query.Get("environment"), Version: query.Get("version")}
	if text := query.Get("critical"); text != "" {
		var err error
		if q.Critical, err = strconv.ParseBool(text); err != nil {
			return q, hook.Bad("critical: must be true or false, got %q", text)
		}
	}
	return q, nil
}

// notification is what the notification template of the examples sends.
type notification struct {
	UID         string `json:"uid"` // of the Rollout object
	Rollout     string `json:"rollout"`
	Namespace   string `json:"namespace"`
	Service     string `json:"service"` // the rollout's name when empty
	Environment string `json:"environment"`
	Version     string `json:"version"`
	Revision    string `json:"revision"`
	Event       string `json:"event"` // updated, completed or aborted
	Message     string `json:"message"`
}

func (h *Hook) notification(r *http.Request, body []byte) (hook.Answer, error) {
	if err := hook.Authorize(h.cfg.TokenFile, r.Header); err != nil {
		return hook.Answer{}, err
	}
	d, err := marker(body)
	if err != nil {
		return hook.Answer{}, err
	}
	return h.kit.Mark(r.Context(), "argo-rollouts", d)
}

func marker(body []byte) (model.Deploy, error) {
	var n notification
	if err := hook.DecodeOwn(body, &n); err != nil {
		return model.Deploy{}, err
	}
	for _, f := range []struct{ name, value string }{
		{"rollout", n.Rollout}, {"namespace", n.Namespace}, {"version", n.Version}, {"revision", n.Revision}, {"event", n.Event},
	} {
		// The template language writes this for what an object does not have.
		if f.value == "" || f.value == "<no value>" {
			return model.Deploy{}, hook.Missing(f.name)
		}
	}
	status, known := map[string]string{"updated": "started", "completed": "succeeded", "aborted": "failed"}[n.Event]
	if !known {
		return model.Deploy{}, hook.Bad("event: must be updated, completed or aborted, got %q", n.Event)
	}
	if n.Service == "" || n.Service == "<no value>" {
		n.Service = n.Rollout
	}
	if n.Environment == "<no value>" {
		n.Environment = ""
	}
	return model.Deploy{
		ID: "argo-" + strings.Join([]string{n.Namespace, n.Rollout, n.UID, n.Revision}, "-"), Service: n.Service, Environment: n.Environment,
		Version: n.Version, Kind: "deploy", Status: status, Actor: "argo-rollouts", Message: n.Message,
	}, nil
}
