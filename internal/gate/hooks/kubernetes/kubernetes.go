// Package kubernetes is a validating admission webhook: a workload whose pods
// change is admitted when the gate allows it.
//
// It gates a CREATE, and an UPDATE that changes spec.template; scaling, status
// and deletion pass without a question. In: AdmissionReview v1. Out: an
// AdmissionReview with the same uid, and the reasons as status message.
//
// Invariants: a review that is not understood is answered 400, so that the API
// server's failurePolicy decides; a dry run asks nothing, since a decision is
// stored; exempt users pass, with a warning and an audit entry, so that rolling
// back stays possible while the gate blocks. Start reading at review.
package kubernetes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Config is the kubernetes part of the hooks section.
type Config struct {
	// Enabled serves the admission webhook on the web port.
	Enabled bool `yaml:"enabled"`
	// ListenAddress serves it also on a listener of its own with TLS, as the API server needs; empty leaves that to a proxy.
	ListenAddress string `yaml:"listen_address"`
	// CertFile and KeyFile are that listener's certificate and key; they are read again when they change.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// TokenFile holds the bearer token that the API server must send, from a kubeconfig of its admission configuration.
	TokenFile string `yaml:"token_file"`
	// ClientCAFile holds the authorities whose client certificates the listener asks for; empty asks for none. Without a token the
	// webhook is then served on that listener alone.
	ClientCAFile string `yaml:"client_ca_file"`
	// FailOpen admits a workload when no decision can be made or stored; by default it is denied.
	FailOpen bool `yaml:"fail_open"`
	// AllowInsufficient admits, with a warning, a workload that cannot be judged for lack of data or of an SLO.
	AllowInsufficient bool `yaml:"allow_insufficient"`
	// RequireLabels denies a workload without the service's label; by default it is not gated.
	RequireLabels bool `yaml:"require_labels"`
	// ServiceLabel and VersionLabel name the labels to read, of the pods first and then of the workload.
	ServiceLabel string `yaml:"service_label"`
	VersionLabel string `yaml:"version_label"`
	// EnvironmentLabel names the label of the environment, if there is one.
	EnvironmentLabel string `yaml:"environment_label"`
	// Environments maps a namespace to an environment, for workloads without that label.
	Environments map[string]string `yaml:"environments"`
	// ExemptUsers and ExemptGroups pass ungated; each time is audited.
	ExemptUsers  []string `yaml:"exempt_users"`
	ExemptGroups []string `yaml:"exempt_groups"`
}

// CriticalAnnotation marks a workload's change as a critical fix when "true".
const CriticalAnnotation = "signalbox.dev/critical"

// DefaultConfig is off, and reads Kubernetes' recommended labels.
func DefaultConfig() Config {
	return Config{ServiceLabel: "app.kubernetes.io/name", VersionLabel: "app.kubernetes.io/version"}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if (c.ListenAddress != "") != (c.CertFile != "") || (c.CertFile != "") != (c.KeyFile != "") {
		errs = append(errs, errors.New("listen_address: goes together with cert_file and key_file"))
	}
	if c.ClientCAFile != "" && c.ListenAddress == "" {
		errs = append(errs, errors.New("client_ca_file: is of use only with listen_address"))
	}
	if c.ListenAddress != "" && !c.Enabled {
		errs = append(errs, errors.New("enabled: must be true for listen_address to be of use"))
	}
	if c.ListenAddress != "" && c.unproved() && !loopback(c.ListenAddress) {
		errs = append(errs, errors.New("listen_address: beyond this machine it needs client_ca_file or token_file, by which the API server proves who it is"))
	}
	errs = append(errs, hook.Enabling(c.Enabled, c.TokenFile)...)
	if c.ServiceLabel == "" {
		errs = append(errs, errors.New("service_label: must not be empty"))
	}
	return errs
}

// loopback says that an address to listen to is reached from this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

// unproved says that whoever reaches the webhook may ask.
func (c Config) unproved() bool { return c.TokenFile == "" && c.ClientCAFile == "" }

// Unproved lists what lets anybody ask.
func (c Config) Unproved() []error {
	if c.Enabled && c.unproved() {
		return []error{errors.New("token_file: must be given, or client_ca_file with listen_address: with authentication on nobody is served who does not say who they are")}
	}
	return nil
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	return []*string{&c.CertFile, &c.KeyFile, &c.ClientCAFile, &c.TokenFile}
}

// Hook serves the API server.
type Hook struct {
	cfg Config
	kit *hook.Kit
}

// New makes the hook; it starts nothing.
func New(cfg Config, kit *hook.Kit) *Hook { return &Hook{cfg: cfg, kit: kit} }

// Register mounts the webhook below prefix, but where only a client certificate proves who asks: the web port asks for none.
func (h *Hook) Register(mux *http.ServeMux, prefix string) {
	if h.cfg.Enabled && (h.cfg.ClientCAFile == "" || h.cfg.TokenFile != "") {
		h.serve(mux, prefix)
	}
}

func (h *Hook) serve(mux *http.ServeMux, prefix string) {
	mux.Handle("POST "+prefix+"/kubernetes/admission", h.kit.Handle("kubernetes", h.admission))
}

type review struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Request    *request  `json:"request,omitempty"`
	Response   *response `json:"response,omitempty"`
}

type request struct {
	UID         string          `json:"uid"`
	Kind        groupKind       `json:"kind"`
	SubResource string          `json:"subResource"`
	Name        string          `json:"name"`
	Namespace   string          `json:"namespace"`
	Operation   string          `json:"operation"`
	User        user            `json:"userInfo"`
	Object      json.RawMessage `json:"object"`
	OldObject   json.RawMessage `json:"oldObject"`
	DryRun      bool            `json:"dryRun"`
}

type groupKind struct {
	Group string `json:"group"`
	Kind  string `json:"kind"`
}

type user struct {
	Username string   `json:"username"`
	Groups   []string `json:"groups"`
}

type response struct {
	UID      string   `json:"uid"`
	Allowed  bool     `json:"allowed"`
	Status   *status  `json:"status,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

type status struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
}

// workload is the part of a Deployment, StatefulSet, DaemonSet or Rollout that counts.
type workload struct {
	Metadata metadata `json:"metadata"`
	Spec     struct {
		Template json.RawMessage `json:"template"`
	} `json:"spec"`
}

type metadata struct {
	Name         string            `json:"name"`
	GenerateName string            `json:"generateName"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
}

func parse(body []byte) (request, error) {
	var in review
	if err := hook.Decode(body, &in); err != nil {
		return request{}, err
	}
	switch {
	case in.APIVersion != "admission.k8s.io/v1":
		return request{}, hook.Bad("apiVersion: must be admission.k8s.io/v1, got %q; list v1 in admissionReviewVersions", in.APIVersion)
	case in.Kind != "AdmissionReview":
		return request{}, hook.Bad("kind: must be AdmissionReview, got %q", in.Kind)
	case in.Request == nil:
		return request{}, hook.Missing("request")
	case in.Request.UID == "":
		return request{}, hook.Missing("request.uid")
	case in.Request.Kind.Kind == "":
		return request{}, hook.Missing("request.kind.kind")
	}
	switch in.Request.Operation {
	case "CREATE", "UPDATE", "DELETE", "CONNECT":
		return *in.Request, nil
	case "":
		return request{}, hook.Missing("request.operation")
	}
	return request{}, hook.Bad("request.operation: must be CREATE, UPDATE, DELETE or CONNECT, got %q", in.Request.Operation)
}

func (h *Hook) admission(r *http.Request, body []byte) (hook.Answer, error) {
	if err := hook.Authorize(h.cfg.TokenFile, r.Header); err != nil {
		return hook.Answer{}, err
	}
	req, err := parse(body)
	if err != nil {
		return hook.Answer{}, err
	}
	out, outcome, err := h.review(r, req)
	if err != nil {
		return hook.Answer{}, err
	}
	out.UID = req.UID
	return hook.Answer{Body: review{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview", Response: &out}, Outcome: outcome}, nil
}

// review admits or denies one change.
func (h *Hook) review(r *http.Request, req request) (response, string, error) {
	w, gated, err := changed(req)
	if err != nil || !gated {
		return response{Allowed: true}, hook.OutcomeIgnored, err
	}
	name := req.Namespace + "/" + req.Kind.Kind + "/" + w.Metadata.Name
	if h.exempt(req.User) {
		h.kit.Note(r.Context(), req.User.Username, "hook.exempt", name, map[string]string{"hook": "kubernetes", "operation": req.Operation})
		return warn("Signalbox: " + req.User.Username + " is exempt from the gate; this was recorded."), hook.OutcomeIgnored, nil
	}
	ask := h.question(req, w)
	if ask.Service == "" {
		why := fmt.Sprintf("Signalbox: %s has no label %s, so it belongs to no service that could be judged.", name, h.cfg.ServiceLabel)
		if h.cfg.RequireLabels {
			return deny(why), hook.OutcomeIgnored, nil
		}
		return warn(why), hook.OutcomeIgnored, nil
	}
	if req.DryRun {
		return warn("Signalbox: the gate is not asked in a dry run."), hook.OutcomeIgnored, nil
	}
	d, err := h.kit.Decide(r.Context(), ask)
	if err != nil {
		return h.undecided(r, name, err)
	}
	text := "Signalbox: " + d.Summary
	if i := slices.IndexFunc(d.Reasons, func(r model.GateReason) bool { return r.Verdict == d.Verdict && r.Cure != "" }); i >= 0 {
		text += " " + d.Reasons[i].Cure
	}
	text += " Decision " + d.ID + "."
	switch {
	case d.Verdict == model.VerdictAllow:
		return response{Allowed: true}, hook.OutcomeDecided, nil
	case d.Verdict == model.VerdictInsufficient && h.cfg.AllowInsufficient:
		return warn(text), hook.OutcomeDecided, nil
	}
	return deny(text), hook.OutcomeDecided, nil
}

// undecided is what happens when the gate has no answer.
func (h *Hook) undecided(r *http.Request, name string, err error) (response, string, error) {
	var refusal *hook.RefusalError
	if errors.As(err, &refusal) && refusal.Status < 500 {
		return deny("Signalbox: " + refusal.Message), hook.OutcomeIgnored, nil
	}
	h.kit.Logger().ErrorContext(r.Context(), "admission without a decision", "workload", name, "fail_open", h.cfg.FailOpen, "err", err)
	if h.cfg.FailOpen {
		return warn("Signalbox could make no decision; admitted because fail_open is set."), "failed_open", nil
	}
	return deny("Signalbox could make no decision; its log says why."), "failed_closed", nil
}

func deny(message string) response {
	return response{Status: &status{Code: http.StatusForbidden, Message: message, Reason: "Forbidden"}}
}

// warn admits with a warning; the API server cuts longer ones.
func warn(message string) response {
	if len(message) > 256 {
		message = strings.ToValidUTF8(message[:253], "") + "…"
	}
	return response{Allowed: true, Warnings: []string{message}}
}

// changed reports whether a change is one that the gate is asked about.
func changed(req request) (w workload, gated bool, err error) {
	if req.SubResource != "" || req.Operation != "CREATE" && req.Operation != "UPDATE" {
		return w, false, nil
	}
	if len(req.Object) == 0 || string(req.Object) == "null" {
		return w, false, hook.Missing("request.object")
	}
	if err := hook.Decode(req.Object, &w); err != nil {
		return w, false, err
	}
	if w.Metadata.Name == "" {
		w.Metadata.Name = w.Metadata.GenerateName
	}
	if empty(w.Spec.Template) {
		return w, false, nil // no pods
	}
	if req.Operation == "CREATE" {
		return w, true, nil
	}
	var old workload
	if empty(req.OldObject) {
		return w, false, hook.Missing("request.oldObject")
	}
	if err := hook.Decode(req.OldObject, &old); err != nil {
		return w, false, err
	}
	same, err := equal(old.Spec.Template, w.Spec.Template)
	return w, !same, err
}

func empty(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// equal compares JSON by its meaning.
func equal(a, b json.RawMessage) (bool, error) {
	if bytes.Equal(a, b) {
		return true, nil
	}
	if empty(a) {
		return false, nil
	}
	var canonical [2][]byte
	for i, raw := range []json.RawMessage{a, b} {
		var v any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return false, hook.Bad("request.object: %s", err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			return false, fmt.Errorf("compare pod templates: %w", err)
		}
		canonical[i] = text
	}
	return bytes.Equal(canonical[0], canonical[1]), nil
}

func (h *Hook) exempt(u user) bool {
	return u.Username != "" && slices.Contains(h.cfg.ExemptUsers, u.Username) ||
		slices.ContainsFunc(u.Groups, func(g string) bool { return slices.Contains(h.cfg.ExemptGroups, g) })
}

func (h *Hook) question(req request, w workload) model.GateRequest {
	var pods struct {
		Metadata metadata `json:"metadata"`
	}
	_ = json.Unmarshal(w.Spec.Template, &pods) // labels of the wrong type are no labels
	label := func(name string) string {
		if name == "" {
			return ""
		}
		if v := pods.Metadata.Labels[name]; v != "" {
			return v
		}
		return w.Metadata.Labels[name]
	}
	env := label(h.cfg.EnvironmentLabel)
	if env == "" {
		env = h.cfg.Environments[req.Namespace]
	}
	return model.GateRequest{
		Service: label(h.cfg.ServiceLabel), Environment: env, Version: label(h.cfg.VersionLabel),
		Critical: w.Metadata.Annotations[CriticalAnnotation] == "true", Actor: "kubernetes:" + req.User.Username,
	}
}
