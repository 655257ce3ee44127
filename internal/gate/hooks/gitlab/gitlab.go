// Package gitlab answers GitLab: its external status checks of merge requests,
// and its webhook for deployment events.
//
// It decides nothing itself and deploys nothing. In: GitLab's documented
// payloads. Out: for a status check a decision and, later, a call of the
// status-check-response API with passed or failed; for a deployment event a
// marker.
//
// Invariants: a status check without a valid X-Gitlab-Signature and an event
// without the right X-Gitlab-Token are refused before they are parsed; calls go
// to the configured GitLab alone, never to a URL from a payload. Start reading at status.go.
package gitlab

import (
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

// Config is the gitlab part of the hooks section. Each hook is on when its secret is set.
type Config struct {
	// URL is GitLab's base URL; status checks are answered there and nowhere else.
	URL string `yaml:"url"`
	// TokenFile holds the access token (scope api) that answers status checks.
	TokenFile string `yaml:"token_file"`
	// StatusCheckSecretFile holds the shared secret of the external status check.
	StatusCheckSecretFile string `yaml:"status_check_secret_file"`
	// WebhookTokenFile holds the secret token of the webhook for deployment events.
	WebhookTokenFile string `yaml:"webhook_token_file"`
	// Environment is where a merge deploys to; empty asks the SLOs of every environment.
	Environment string `yaml:"environment"`
	// CriticalLabel marks a merge request as a critical fix.
	CriticalLabel string `yaml:"critical_label"`
	// Services maps a project's path (group/name) to a service; others are named as their project.
	Services map[string]string `yaml:"services"`
	// Environments maps GitLab's environments to ours; others keep their name.
	Environments map[string]string `yaml:"environments"`
	// Version says what names a deployed version: sha or short_sha.
	Version string `yaml:"version"`
	// HTTP says how the API is called, with the keys of Prometheus' scrape_configs: tls_config, proxy_url, http_headers and more.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

// DefaultConfig has both hooks off.
func DefaultConfig() Config {
	return Config{URL: "https://gitlab.com", CriticalLabel: "critical-fix", Version: "sha"}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if _, err := hook.BaseURL(c.URL); err != nil {
		errs = append(errs, fmt.Errorf("url: %w", err))
	}
	if c.StatusCheckSecretFile != "" && c.TokenFile == "" {
		errs = append(errs, fmt.Errorf("token_file: is needed to answer status checks (status_check_secret_file is set)"))
	}
	if c.Version != "sha" && c.Version != "short_sha" {
		errs = append(errs, fmt.Errorf("version: must be sha or short_sha, got %q", c.Version))
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	return append(outgoing.Files(c.HTTP), &c.TokenFile, &c.StatusCheckSecretFile, &c.WebhookTokenFile)
}

// Hook serves GitLab.
type Hook struct {
	cfg  Config
	kit  *hook.Kit
	base *url.URL
	api  *outcall.Client
}

// New makes the hook; it starts nothing.
func New(cfg Config, kit *hook.Kit) (*Hook, error) {
	base, err := hook.BaseURL(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("gitlab url: %w", err)
	}
	api, err := kit.Client(base, cfg.HTTP, "gitlab")
	if err != nil {
		return nil, fmt.Errorf("gitlab %w", err)
	}
	return &Hook{cfg: cfg, kit: kit, base: base, api: api}, nil
}

// Register mounts what is configured below prefix.
func (h *Hook) Register(mux *http.ServeMux, prefix string) {
	if h.cfg.StatusCheckSecretFile != "" {
		mux.Handle("POST "+prefix+"/gitlab/status-check", h.kit.Handle("gitlab_status_check", h.statusCheck))
	}
	if h.cfg.WebhookTokenFile != "" {
		mux.Handle("POST "+prefix+"/gitlab/deployments", h.kit.Handle("gitlab_deployments", h.deployment))
	}
}

type project struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Path string `json:"path_with_namespace"`
}

// service names the service of a project: as configured, or the last part of
// its path.
func (h *Hook) service(p project) string {
	return hook.Mapped(h.cfg.Services, p.Path, p.Path[strings.LastIndex(p.Path, "/")+1:])
}

// deploymentEvent is a payload of "X-Gitlab-Event: Deployment Hook".
type deploymentEvent struct {
	Kind          string  `json:"object_kind"`
	Status        string  `json:"status"`
	Changed       string  `json:"status_changed_at"`
	ID            int64   `json:"deployment_id"`
	DeployableURL string  `json:"deployable_url"`
	Environment   string  `json:"environment"`
	Project       project `json:"project"`
	ShortSHA      string  `json:"short_sha"`
	CommitURL     string  `json:"commit_url"`
	CommitTitle   string  `json:"commit_title"`
	User          struct {
		Username string `json:"username"`
	} `json:"user"`
}

func (h *Hook) deployment(r *http.Request, body []byte) (hook.Answer, error) {
	secret, err := secretfile.Read(h.cfg.WebhookTokenFile)
	if err != nil {
		return hook.Answer{}, err
	}
	if !secret.Equal(r.Header.Get("X-Gitlab-Token")) {
		return hook.Answer{}, hook.Unauthorized("X-Gitlab-Token: is not the secret token of this webhook")
	}
	if e := r.Header.Get("X-Gitlab-Event"); e != "Deployment Hook" {
		return hook.Ignored(fmt.Sprintf("event %q: only deployment events are of use here", e)), nil
	}
	d, ignored, err := h.marker(body)
	if err != nil || ignored != "" {
		return hook.Ignored(ignored), err
	}
	return h.kit.Mark(r.Context(), "gitlab", d)
}

// marker reads a deployment event; ignored says why it makes no marker.
func (h *Hook) marker(body []byte) (d model.Deploy, ignored string, err error) {
	var e deploymentEvent
	if err := hook.Decode(body, &e); err != nil {
		return d, "", err
	}
	switch {
	case e.Kind != "deployment":
		return d, "", hook.Bad("object_kind: must be deployment, got %q", e.Kind)
	case e.Status == "":
		return d, "", hook.Missing("status")
	case e.ID == 0:
		return d, "", hook.Missing("deployment_id")
	case e.Environment == "":
		return d, "", hook.Missing("environment")
	case e.Project.ID == 0:
		return d, "", hook.Missing("project.id")
	case e.Project.Path == "":
		return d, "", hook.Missing("project.path_with_namespace")
	}
	status, known := map[string]string{"running": "started", "success": "succeeded", "failed": "failed", "canceled": "failed"}[e.Status]
	if !known {
		return d, fmt.Sprintf("status %q changes nothing that runs", e.Status), nil
	}
	at, err := changed(e.Changed)
	if err != nil {
		return d, "", err
	}
	version := e.CommitURL[strings.LastIndex(e.CommitURL, "/")+1:]
	if h.cfg.Version == "short_sha" || version == "" {
		version = e.ShortSHA
	}
	if version == "" {
		return d, "", hook.Missing("short_sha")
	}
	return model.Deploy{
		ID: fmt.Sprintf("gitlab-%d-%d", e.Project.ID, e.ID), Time: at, Service: h.service(e.Project),
		Environment: hook.Mapped(h.cfg.Environments, e.Environment, e.Environment), Version: version,
		Kind: "deploy", Status: status, Actor: e.User.Username, Link: weblink.OrNone(e.DeployableURL), Message: e.CommitTitle,
	}, "", nil
}

// changed reads GitLab's times; zero when there is none.
func changed(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, hook.Bad("status_changed_at: %q is no time such as 2021-04-28 21:50:00 +0200", text)
}
