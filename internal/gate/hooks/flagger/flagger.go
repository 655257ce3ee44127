// Package flagger answers Flagger's webhooks: 200 lets a canary go on, 403
// halts it with the reason in the body.
//
// In: Flagger's documented payload; the path says which type of webhook it is,
// because the payload does not. Out: an answer by the gate's verdict, for rollback
// hooks the reverse (200 rolls back), and markers from event hooks.
//
// Invariants: nothing but an allow advances a canary, and nothing but a block
// rolls one back: a lack of data does neither. Start reading at gates.
package flagger

import (
	"net/http"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Config is the flagger part of the hooks section.
type Config struct {
	// Enabled serves the webhooks that ask the gate.
	Enabled bool `yaml:"enabled"`
	// TokenFile holds a token that the webhooks' metadata must carry as "token"; event hooks are served only with one.
	TokenFile string `yaml:"token_file"`
	// Environments maps a namespace to an environment, for webhooks whose metadata names none.
	Environments map[string]string `yaml:"environments"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error { return hook.Enabling(c.Enabled, c.TokenFile) }

// Unproved lists what lets anybody ask.
func (c Config) Unproved() []error { return hook.Unproved(c.Enabled, c.TokenFile) }

// Files are the paths in the configuration.
func (c *Config) Files() []*string { return []*string{&c.TokenFile} }

// Hook serves Flagger.
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
	for _, typ := range []string{"confirm-rollout", "pre-rollout", "rollout", "confirm-promotion", "confirm-traffic-increase"} {
		mux.Handle("POST "+prefix+"/flagger/"+typ, h.kit.Handle("flagger", h.gates(model.VerdictAllow)))
	}
	mux.Handle("POST "+prefix+"/flagger/rollback", h.kit.Handle("flagger_rollback", h.gates(model.VerdictBlock)))
	if h.cfg.TokenFile != "" {
		mux.Handle("POST "+prefix+"/flagger/event", h.kit.Handle("flagger_event", h.event))
	}
}

// payload is what Flagger posts. Checksum is of the canary's spec, from Flagger
// 1.31 on.
type payload struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase"`
	Checksum  string            `json:"checksum"`
	Metadata  map[string]string `json:"metadata"`
}

func (h *Hook) parse(body []byte) (payload, error) {
	var p payload
	if err := hook.Decode(body, &p); err != nil {
		return p, err
	}
	if h.cfg.TokenFile != "" {
		// Flagger sends no headers of one's own, so the token is in the metadata.
		secret, err := secretfile.Read(h.cfg.TokenFile)
		if err != nil {
			return p, err
		}
		if !secret.Equal(p.Metadata["token"]) {
			return p, hook.Unauthorized("metadata.token: is not the token of this hook")
		}
	}
	switch {
	case p.Name == "":
		return p, hook.Missing("name")
	case p.Namespace == "":
		return p, hook.Missing("namespace")
	case p.Phase == "":
		return p, hook.Missing("phase")
	}
	return p, nil
}

func (h *Hook) request(p payload) (model.GateRequest, error) {
	req := model.GateRequest{
		Service: p.Metadata["service"], Environment: p.Metadata["environment"], Version: p.Metadata["version"], Actor: "flagger:" + p.Namespace + "/" + p.Name,
	}
	if req.Service == "" {
		req.Service = p.Name
	}
	if req.Environment == "" {
		req.Environment = h.cfg.Environments[p.Namespace]
	}
	if req.Version == "" {
		req.Version = p.Checksum
	}
	if text := p.Metadata["critical"]; text != "" {
		var err error
		if req.Critical, err = strconv.ParseBool(text); err != nil {
			return req, hook.Bad("metadata.critical: must be true or false, got %q", text)
		}
	}
	return req, nil
}

// gates answers 200 to the verdict yes and 403 to every other.
func (h *Hook) gates(yes model.Verdict) func(*http.Request, []byte) (hook.Answer, error) {
	return func(r *http.Request, body []byte) (hook.Answer, error) {
		p, err := h.parse(body)
		if err != nil {
			return hook.Answer{}, err
		}
		req, err := h.request(p)
		if err != nil {
			return hook.Answer{}, err
		}
		d, err := h.kit.Decide(r.Context(), req)
		if err != nil {
			return hook.Answer{}, err
		}
		answer := hook.Answer{Status: http.StatusForbidden, Body: h.kit.VerdictOf(d), Outcome: hook.OutcomeDecided}
		if d.Verdict == yes {
			answer.Status = http.StatusOK
		}
		return answer, nil
	}
}

func (h *Hook) event(r *http.Request, body []byte) (hook.Answer, error) {
	p, err := h.parse(body)
	if err != nil {
		return hook.Answer{}, err
	}
	d, ignored, err := h.marker(p)
	if err != nil || ignored != "" {
		return hook.Ignored(ignored), err
	}
	return h.kit.Mark(r.Context(), "flagger", d)
}

func (h *Hook) marker(p payload) (d model.Deploy, ignored string, err error) {
	status, known := map[string]string{"Progressing": "started", "Succeeded": "succeeded", "Failed": "failed"}[p.Phase]
	if !known {
		return d, "phase " + p.Phase + " changes nothing that runs", nil
	}
	req, err := h.request(p)
	if err != nil {
		return d, "", err
	}
	if req.Version == "" {
		return d, "", hook.Bad("metadata.version: missing, and this Flagger sends no checksum either")
	}
	var at time.Time
	if text := p.Metadata["timestamp"]; text != "" {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil || ms < 0 {
			return d, "", hook.Bad("metadata.timestamp: must be Unix milliseconds, got %q", text)
		}
		at = time.UnixMilli(ms).UTC()
	}
	return model.Deploy{
		ID: "flagger-" + p.Namespace + "-" + p.Name + "-" + req.Version, Time: at, Service: req.Service, Environment: req.Environment,
		Version: req.Version, Kind: "deploy", Status: status, Actor: "flagger", Message: p.Metadata["eventMessage"],
	}, "", nil
}
