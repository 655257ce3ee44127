// Package gitlab rolls back by a GitLab pipeline: it triggers one, whose
// rollback job does the work.
//
// In: an order. Out: one call of the pipeline trigger API. Invariant: a call
// that may have been carried out is not repeated. Nothing is kept between
// calls. Start reading at Rollback.
package gitlab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
)

// Config names the pipeline.
type Config struct {
	// URL is GitLab's base URL; https://gitlab.com when empty.
	URL string `yaml:"url" json:"url,omitempty"`
	// Project is the project's ID or its path (group/name).
	Project string `yaml:"project" json:"project"`
	// Ref is the branch or tag whose pipeline runs.
	Ref string `yaml:"ref" json:"ref"`
	// TokenFile holds a pipeline trigger token.
	TokenFile string `yaml:"token_file" json:"-"`
	// Variables are passed on beside SIGNALBOX_ROLLBACK, _SERVICE, _ENVIRONMENT, _VERSION, _PREVIOUS_VERSION and _REMEDY.
	Variables map[string]string `yaml:"variables" json:"-"`
	// HTTP says how it is called, with the keys of Prometheus' scrape_configs: tls_config, authorization, proxy_url and more.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config" json:"-"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	for field, value := range map[string]string{"project": c.Project, "ref": c.Ref, "token_file": c.TokenFile} {
		if value == "" {
			errs = append(errs, fmt.Errorf("%s: must not be empty", field))
		}
	}
	if _, err := c.base(); err != nil {
		errs = append(errs, err)
	}
	for k := range c.Variables {
		if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(k) {
			errs = append(errs, fmt.Errorf("variables: %q is no name of a variable", k))
		}
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string { return append(outgoing.Files(c.HTTP), &c.TokenFile) }

func (c Config) base() (*url.URL, error) {
	text := c.URL
	if text == "" {
		text = "https://gitlab.com"
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("url: must be an absolute http or https URL, got %q", text)
	}
	return u, nil
}

// Pipeline triggers pipelines.
type Pipeline struct {
	cfg       Config
	transport http.RoundTripper
}

// New makes the executor; a nil transport is the default one.
func New(cfg Config, transport http.RoundTripper) *Pipeline {
	return &Pipeline{cfg: cfg, transport: transport}
}

// Name implements rollback.Executor.
func (p *Pipeline) Name() string { return "gitlab" }

// Rollback implements rollback.Executor.
func (p *Pipeline) Rollback(ctx context.Context, o rollback.Order) (string, error) {
	if o.DryRun {
		return fmt.Sprintf("would trigger the pipeline of %s on %s", p.cfg.Project, p.cfg.Ref), nil
	}
	token, err := secretfile.Read(p.cfg.TokenFile)
	if err != nil {
		return "", err
	}
	base, err := p.cfg.base()
	if err != nil {
		return "", err
	}
	form := url.Values{"token": {token.Text()}, "ref": {p.cfg.Ref}}
	for k, v := range p.cfg.Variables {
		form.Set("variables["+k+"]", v)
	}
	asked, value := "SIGNALBOX_ROLLBACK", "true"
	if o.Action != "" {
		asked, value = "SIGNALBOX_ACTION", o.Action
	}
	for k, v := range map[string]string{
		asked: value, "SIGNALBOX_SERVICE": o.Service, "SIGNALBOX_ENVIRONMENT": o.Environment, "SIGNALBOX_VERSION": o.Version,
		"SIGNALBOX_PREVIOUS_VERSION": o.Previous, "SIGNALBOX_REMEDY": o.ID,
	} {
		form.Set("variables["+k+"]", v)
	}
	client := outcall.Client{Base: base, Transport: p.transport, Attempts: 4, Timeout: 15 * time.Second, Backoff: time.Second}
	resp, err := client.Do(ctx, outcall.Request{
		Method: http.MethodPost, URL: base.JoinPath("api/v4/projects", url.PathEscape(p.cfg.Project), "trigger/pipeline"),
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form.Encode()),
	})
	if err != nil {
		return "", fmt.Errorf("trigger pipeline of %s: %w", p.cfg.Project, err)
	}
	var answer struct {
		ID     int64  `json:"id"`
		WebURL string `json:"web_url"`
	}
	if err := json.Unmarshal(resp.Body, &answer); err != nil || answer.ID == 0 {
		return "", errors.New("trigger pipeline of " + p.cfg.Project + ": GitLab's answer names no pipeline")
	}
	return fmt.Sprintf("triggered pipeline %d: %s", answer.ID, answer.WebURL), nil
}
