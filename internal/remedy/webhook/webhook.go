// Package webhook rolls back by telling a system of one's own to do it, with a
// signed request.
//
// In: an order. Out: one POST. Invariant: the body is signed together with its
// time, so that neither can be changed or sent again later; the same order has the same
// id, so that the receiver can do it once. Nothing is kept between calls. Start
// reading at Rollback.
package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/platform/signature"
	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
)

// Config names the receiver.
type Config struct {
	// URL takes the orders.
	URL string `yaml:"url" json:"url"`
	// SecretFile holds the secret that orders are signed with.
	SecretFile string `yaml:"secret_file" json:"-"`
	// HTTP says how it is called, with the keys of Prometheus' scrape_configs: tls_config, authorization, proxy_url and more.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config" json:"-"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		errs = append(errs, fmt.Errorf("url: must be an absolute http or https URL, got %q", c.URL))
	}
	if c.SecretFile == "" {
		errs = append(errs, errors.New("secret_file: must not be empty"))
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string { return append(outgoing.Files(c.HTTP), &c.SecretFile) }

// Webhook sends orders.
type Webhook struct {
	cfg       Config
	transport http.RoundTripper
	now       func() time.Time
}

// New makes the executor; a nil transport is the default one.
func New(cfg Config, transport http.RoundTripper, now func() time.Time) *Webhook {
	return &Webhook{cfg: cfg, transport: transport, now: now}
}

// Name implements rollback.Executor.
func (w *Webhook) Name() string { return "webhook" }

// Order is the body.
type Order struct {
	Action      string `json:"action"` // rollback, or the name of a remedy
	ID          string `json:"id"`
	Service     string `json:"service"`
	Environment string `json:"environment,omitempty"`
	Version     string `json:"version"`
	Previous    string `json:"previous_version"`
	Reason      string `json:"reason"`
}

// Rollback implements rollback.Executor.
func (w *Webhook) Rollback(ctx context.Context, o rollback.Order) (string, error) {
	if o.DryRun {
		return "would send the order to " + w.cfg.URL, nil
	}
	secret, err := secretfile.Read(w.cfg.SecretFile)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(w.cfg.URL)
	if err != nil {
		return "", fmt.Errorf("webhook: %w", err)
	}
	body, err := json.Marshal(Order{
		Action: cmp.Or(o.Action, "rollback"), ID: o.ID, Service: o.Service, Environment: o.Environment, Version: o.Version, Previous: o.Previous, Reason: o.Reason,
	})
	if err != nil {
		return "", fmt.Errorf("encode order: %w", err)
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	client := outcall.Client{Base: u, Transport: w.transport, Attempts: 4, Timeout: 15 * time.Second, Backoff: time.Second}
	resp, err := client.Do(ctx, outcall.Request{
		Method: http.MethodPost, URL: u, Body: body, Idempotent: true, // by its id
		Header: http.Header{
			"Content-Type": {"application/json"}, "User-Agent": {"signalbox"}, signature.Delivery: {o.ID}, signature.Timestamp: {at},
			signature.Header: {signature.Sign(secret.Bytes(), at, body)},
		},
	})
	if err != nil {
		return "", fmt.Errorf("webhook: %w", err)
	}
	return fmt.Sprintf("%s took the order (status %d)", u.Host, resp.Status), nil
}
