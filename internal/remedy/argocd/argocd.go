// Package argocd rolls an Argo CD application back, or syncs it, by the REST API that Argo CD documents.
//
// It decides nothing. In: an order. Out: one call of POST /api/v1/applications/{name}/rollback or …/sync. Invariants: nothing is
// done while an operation is under way or the application was deployed anew since the plan; a call that may have been carried out is
// not repeated. Nothing is kept between calls. Start reading at ArgoCD.
package argocd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/remedy/action"
)

// Config names the application.
type Config struct {
	// URL is Argo CD's base URL.
	URL string `yaml:"url" json:"url"`
	// Application is its name.
	Application string `yaml:"application" json:"application"`
	// Operation is rollback (to what was deployed before) or sync.
	Operation string `yaml:"operation" json:"operation" enum:"rollback,sync"`
	// TokenFile holds a token of an account that may do it.
	TokenFile string `yaml:"token_file" json:"-"`
	// HTTP says how it is called, with the keys of Prometheus' scrape_configs: tls_config, proxy_url and more.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config" json:"-"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() (errs []error) {
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		errs = append(errs, fmt.Errorf("url: must be an absolute http or https URL, got %q", c.URL))
	}
	if c.Application == "" {
		errs = append(errs, errors.New("application: must not be empty"))
	}
	if c.Operation != "rollback" && c.Operation != "sync" {
		errs = append(errs, fmt.Errorf("operation: must be rollback or sync, got %q", c.Operation))
	}
	if c.TokenFile == "" {
		errs = append(errs, errors.New("token_file: must not be empty"))
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	return append([]*string{&c.TokenFile}, outgoing.Files(c.HTTP)...)
}

// ArgoCD is one application.
type ArgoCD struct {
	cfg       Config
	transport http.RoundTripper
}

// New makes the executor; a nil transport is the default one.
func New(cfg Config, transport http.RoundTripper) *ArgoCD { return &ArgoCD{cfg, transport} }

// application is what is read of one.
type application struct {
	Spec struct {
		SyncPolicy *struct {
			Automated *struct {
				Enabled *bool `json:"enabled"`
			} `json:"automated"`
		} `json:"syncPolicy"`
	} `json:"spec"`
	Status struct {
		History []struct {
			ID       int64  `json:"id"`
			Revision string `json:"revision"`
		} `json:"history"`
		Sync struct {
			Revision string `json:"revision"`
		} `json:"sync"`
		Operation *struct {
			Phase     string    `json:"phase"`
			StartedAt time.Time `json:"startedAt"`
		} `json:"operationState"`
	} `json:"status"`
}

func (a application) newest() int64 {
	if n := len(a.Status.History); n > 0 {
		return a.Status.History[n-1].ID
	}
	return 0
}

// operation is when the newest operation began.
func (a application) operation() time.Time {
	if a.Status.Operation == nil {
		return time.Time{}
	}
	return a.Status.Operation.StartedAt
}

type data struct {
	Newest    int64
	To        int64     `json:",omitempty"` // of the history; 0 for a sync
	Operation time.Time // the newest one at the plan
}

// Plan implements action.Executor.
func (a *ArgoCD) Plan(ctx context.Context, _ action.Order) (action.Plan, error) {
	app, err := a.read(ctx)
	if err != nil {
		return action.Plan{}, err
	}
	name := a.cfg.Application
	d := data{Newest: app.newest(), Operation: app.operation()}
	p := action.Plan{Text: "sync application " + name + " of Argo CD"}
	switch history := app.Status.History; {
	case app.Status.Operation != nil && (app.Status.Operation.Phase == "Running" || app.Status.Operation.Phase == "Terminating"):
		return p, fmt.Errorf("an operation on application %s is under way: %w", name, action.ErrDecline)
	case a.cfg.Operation == "sync":
	case len(history) < 2:
		return p, fmt.Errorf("application %s has no deployment before this one: %w", name, action.ErrDecline)
	case automated(app):
		return p, fmt.Errorf("application %s is synced automatically, which Argo CD does not roll back: revert the commit instead: %w", name, action.ErrDecline)
	default:
		to := history[len(history)-2]
		d.To = to.ID
		p.Text = fmt.Sprintf("roll application %s of Argo CD back to %s (history %d)", name, to.Revision, to.ID)
	}
	body, err := json.Marshal(d.body())
	if err != nil {
		return p, fmt.Errorf("encode: %w", err)
	}
	p.Calls = []string{fmt.Sprintf("POST %s %s", a.path(a.cfg.Operation), body)}
	p.Data, err = json.Marshal(d)
	return p, err
}

func automated(app application) bool {
	p := app.Spec.SyncPolicy
	return p != nil && p.Automated != nil && (p.Automated.Enabled == nil || *p.Automated.Enabled)
}

// body is what is sent; nothing is deleted that only the newer version has.
func (d data) body() map[string]any {
	if d.To != 0 {
		return map[string]any{"id": d.To, "prune": false}
	}
	return map[string]any{"prune": false}
}

// Do implements action.Executor.
func (a *ArgoCD) Do(ctx context.Context, o action.Order, p action.Plan) (string, error) {
	var d data
	if err := json.Unmarshal(p.Data, &d); err != nil {
		return "", fmt.Errorf("read the plan: %w", err)
	}
	if world, err := a.Look(ctx, o, p); err != nil || world != action.Before {
		return "", errors.Join(err, fmt.Errorf("application %s is not as it was planned for: somebody has acted already", a.cfg.Application))
	}
	body, err := json.Marshal(d.body())
	if err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	if _, err := a.call(ctx, http.MethodPost, a.path(a.cfg.Operation), body); err != nil {
		return "", fmt.Errorf("%s of application %s: %w", a.cfg.Operation, a.cfg.Application, err)
	}
	return fmt.Sprintf("Argo CD took the %s of application %s", a.cfg.Operation, a.cfg.Application), nil
}

// Look implements action.Executor: an operation that began after the plan's, or a deployment, says that something was done.
func (a *ArgoCD) Look(ctx context.Context, _ action.Order, p action.Plan) (action.World, error) {
	var d data
	if err := json.Unmarshal(p.Data, &d); err != nil {
		return action.Unknown, fmt.Errorf("read the plan: %w", err)
	}
	app, err := a.read(ctx)
	switch {
	case err != nil:
		return action.Unknown, err
	case app.newest() == d.Newest && app.operation().Equal(d.Operation):
		return action.Before, nil
	}
	return action.Unknown, nil // by whom, Argo CD does not say
}

// Undo implements action.Executor; no plan asks for it.
func (a *ArgoCD) Undo(context.Context, action.Order, action.Plan) (string, error) {
	return "", action.ErrDecline
}

func (a *ArgoCD) read(ctx context.Context) (app application, err error) {
	body, err := a.call(ctx, http.MethodGet, a.path(""), nil)
	if err != nil {
		return app, fmt.Errorf("read application %s: %w", a.cfg.Application, err)
	}
	if err := json.Unmarshal(body, &app); err != nil {
		return app, fmt.Errorf("read application %s: the answer is not what Argo CD documents: %w", a.cfg.Application, err)
	}
	return app, nil
}

func (a *ArgoCD) path(operation string) string {
	p := "/api/v1/applications/" + url.PathEscape(a.cfg.Application)
	if operation != "" {
		p += "/" + operation
	}
	return p
}

func (a *ArgoCD) call(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	token, err := secretfile.Read(a.cfg.TokenFile)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(a.cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("argocd: %w", err)
	}
	client := outcall.Client{Base: base, Transport: a.transport, Attempts: 3, Timeout: 15 * time.Second, Backoff: time.Second}
	resp, err := client.Do(ctx, outcall.Request{
		Method: method, URL: base.JoinPath(path), Body: body, Idempotent: method == http.MethodGet,
		Header: http.Header{"Authorization": {"Bearer " + token.Text()}, "Content-Type": {"application/json"}, "User-Agent": {"signalbox"}},
	})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}
