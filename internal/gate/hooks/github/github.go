// Package github answers GitHub: the deployment_protection_rule webhook of a
// GitHub App, and the deployment_status webhook.
//
// It decides nothing itself and deploys nothing. In: GitHub's documented
// payloads. Out: for a protection rule a decision and, later, a review of the
// deployment (approved or rejected, with the reasons) at its callback URL; for
// a deployment status a marker.
//
// Invariants: a request without a valid X-Hub-Signature-256 is refused before
// it is parsed; a delivery counts once, by its id and by its body, because the
// signature does not cover the id; the callback URL must be the review
// endpoint of the same repository below the configured API, or nothing is sent.
// Locks: that of the installation tokens, held over no call. Start reading at protect.go.
package github

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// Config is the github part of the hooks section. The hook is on when its
// secret is set.
type Config struct {
	// APIURL is the base URL of GitHub's API; GitHub Enterprise Server has https://HOSTNAME/api/v3.
	// Reviews are sent there and nowhere else.
	APIURL string `yaml:"api_url"`
	// WebhookSecretFile holds the webhook's secret.
	WebhookSecretFile string `yaml:"webhook_secret_file"`
	// AppID is the GitHub App's client ID or app ID.
	AppID string `yaml:"app_id"`
	// PrivateKeyFile holds the GitHub App's private key (PEM).
	PrivateKeyFile string `yaml:"private_key_file"`
	// TokenFile holds a token to use instead of the GitHub App's.
	TokenFile string `yaml:"token_file"`
	// Services maps a repository (owner/name) to a service; others are named as their repository.
	Services map[string]string `yaml:"services"`
	// Environments maps GitHub's environments to ours; others keep their name.
	Environments map[string]string `yaml:"environments"`
	// Version says what names a deployed version: sha or ref.
	Version string `yaml:"version"`
	// HTTP says how the API is called, with the keys of Prometheus' scrape_configs: tls_config, proxy_url, http_headers and more.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

// DefaultConfig has the hook off.
func DefaultConfig() Config { return Config{APIURL: "https://api.github.com", Version: "sha"} }

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if _, err := hook.BaseURL(c.APIURL); err != nil {
		errs = append(errs, fmt.Errorf("api_url: %w", err))
	}
	if (c.AppID == "") != (c.PrivateKeyFile == "") {
		errs = append(errs, fmt.Errorf("private_key_file: goes together with app_id"))
	}
	if c.TokenFile != "" && c.PrivateKeyFile != "" {
		errs = append(errs, fmt.Errorf("token_file: is not used beside private_key_file; remove one"))
	}
	if c.Version != "sha" && c.Version != "ref" {
		errs = append(errs, fmt.Errorf("version: must be sha or ref, got %q", c.Version))
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	return append(outgoing.Files(c.HTTP), &c.WebhookSecretFile, &c.PrivateKeyFile, &c.TokenFile)
}

// Hook serves GitHub.
type Hook struct {
	cfg    Config
	kit    *hook.Kit
	base   *url.URL
	api    *outcall.Client
	replay hook.Replay
	tokens tokens
}

// New makes the hook; it starts nothing.
func New(cfg Config, kit *hook.Kit) (*Hook, error) {
	base, err := hook.BaseURL(cfg.APIURL)
	if err != nil {
		return nil, fmt.Errorf("github api_url: %w", err)
	}
	api, err := kit.Client(base, cfg.HTTP, "github")
	if err != nil {
		return nil, fmt.Errorf("github %w", err)
	}
	return &Hook{cfg: cfg, kit: kit, base: base, api: api}, nil
}

// Register mounts the hook below prefix when it is configured.
func (h *Hook) Register(mux *http.ServeMux, prefix string) {
	if h.cfg.WebhookSecretFile != "" {
		mux.Handle("POST "+prefix+"/github", h.kit.Handle("github", h.event))
	}
}

func (h *Hook) event(r *http.Request, body []byte) (hook.Answer, error) {
	secret, err := secretfile.Read(h.cfg.WebhookSecretFile)
	if err != nil {
		return hook.Answer{}, err
	}
	if !signed(secret, body, r.Header.Get("X-Hub-Signature-256")) {
		return hook.Answer{}, hook.Unauthorized("X-Hub-Signature-256: is not the HMAC-SHA256 of the body with this webhook's secret")
	}
	if t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); t != "application/json" {
		return hook.Answer{}, hook.Bad("Content-Type: must be application/json, got %q; choose it in the webhook's settings", t)
	}
	delivery := r.Header.Get("X-GitHub-Delivery")
	if delivery == "" {
		return hook.Answer{}, hook.Missing("X-GitHub-Delivery")
	}
	digest := sha256.Sum256(body)
	keys := []string{"id:" + delivery, "body:" + hex.EncodeToString(digest[:])}
	switch event := r.Header.Get("X-GitHub-Event"); event {
	case "ping":
		return hook.Ignored("pong"), nil
	case "deployment_protection_rule":
		return h.once(keys, func() (hook.Answer, error) { return h.protect(r.Context(), body, keys) })
	case "deployment_status":
		return h.once(keys, func() (hook.Answer, error) { return h.deployed(r.Context(), body) })
	case "":
		return hook.Answer{}, hook.Missing("X-GitHub-Event")
	default:
		return hook.Ignored(fmt.Sprintf("event %q is of no use here", event)), nil
	}
}

// once serves a delivery that was not served before; one that failed may come
// again.
func (h *Hook) once(keys []string, serve func() (hook.Answer, error)) (hook.Answer, error) {
	if !h.replay.First(h.kit.Now(), keys...) {
		return hook.Ignored("this delivery was served before"), nil
	}
	answer, err := serve()
	if err != nil {
		h.replay.Forget(keys...)
	}
	return answer, err
}

func signed(secret secretfile.Secret, body []byte, signature string) bool {
	text, ok := strings.CutPrefix(signature, "sha256=")
	given, err := hex.DecodeString(text)
	if !ok || err != nil {
		return false
	}
	mac := hmac.New(sha256.New, secret.Bytes())
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), given)
}

type repository struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	FullName string `json:"full_name"`
}

func (h *Hook) service(r repository) string {
	return hook.Mapped(h.cfg.Services, r.FullName, r.Name)
}

func (h *Hook) environment(name string) string { return hook.Mapped(h.cfg.Environments, name, name) }

type deployment struct {
	ID          int64  `json:"id"`
	SHA         string `json:"sha"`
	Ref         string `json:"ref"`
	Environment string `json:"environment"`
	Description string `json:"description"`
	Creator     struct {
		Login string `json:"login"`
	} `json:"creator"`
}

func (h *Hook) version(d deployment) string {
	if h.cfg.Version == "ref" {
		return strings.TrimPrefix(strings.TrimPrefix(d.Ref, "refs/tags/"), "refs/heads/")
	}
	return d.SHA
}

// statusEvent is a payload of deployment_status.
type statusEvent struct {
	Action string `json:"action"`
	Status *struct {
		State       string    `json:"state"`
		Environment string    `json:"environment"`
		TargetURL   string    `json:"target_url"`
		LogURL      string    `json:"log_url"`
		Description string    `json:"description"`
		Created     time.Time `json:"created_at"`
		Creator     struct {
			Login string `json:"login"`
		} `json:"creator"`
	} `json:"deployment_status"`
	Deployment *deployment `json:"deployment"`
	Repository repository  `json:"repository"`
}

// marker reads a deployment status; ignored says why it makes no marker.
func (h *Hook) marker(body []byte) (d model.Deploy, ignored string, err error) {
	var e statusEvent
	if err := hook.Decode(body, &e); err != nil {
		return d, "", err
	}
	switch {
	case e.Status == nil || e.Status.State == "":
		return d, "", hook.Missing("deployment_status.state")
	case e.Deployment == nil || e.Deployment.ID == 0:
		return d, "", hook.Missing("deployment.id")
	case e.Repository.ID == 0:
		return d, "", hook.Missing("repository.id")
	case e.Repository.Name == "" || e.Repository.FullName == "":
		return d, "", hook.Missing("repository.full_name")
	case h.version(*e.Deployment) == "":
		return d, "", hook.Missing("deployment." + h.cfg.Version)
	case e.Action != "created":
		return d, fmt.Sprintf("action %q is of no use here", e.Action), nil
	}
	status, known := map[string]string{"in_progress": "started", "success": "succeeded", "failure": "failed", "error": "failed"}[e.Status.State]
	if !known {
		return d, fmt.Sprintf("state %q changes nothing that runs", e.Status.State), nil
	}
	env := e.Status.Environment
	if env == "" {
		env = e.Deployment.Environment
	}
	link := e.Status.LogURL
	if link == "" {
		link = e.Status.TargetURL
	}
	return model.Deploy{
		ID: fmt.Sprintf("github-%d-%d", e.Repository.ID, e.Deployment.ID), Time: e.Status.Created.UTC(), Service: h.service(e.Repository),
		Environment: h.environment(env), Version: h.version(*e.Deployment), Kind: "deploy", Status: status,
		Actor: e.Status.Creator.Login, Link: weblink.OrNone(link), Message: e.Status.Description,
	}, "", nil
}
