package remedy

import (
	"errors"
	"fmt"
	"time"

	promconfig "github.com/prometheus/common/config"
	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/remedy/gitlab"
	"github.com/signalbox-project/signalbox/internal/remedy/kubernetes"
	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
	"github.com/signalbox-project/signalbox/internal/remedy/script"
	"github.com/signalbox-project/signalbox/internal/remedy/webhook"
)

// Config is the remedy section.
type Config struct {
	// DryRun says what would be rolled back, and rolls nothing back. A target may set its own.
	DryRun bool `yaml:"dry_run"`
	// After is how long a burn alert that pages must have been active.
	After prom.Duration `yaml:"after"`
	// DeployWithin is how long before that alert a deployment may be to count as its cause.
	DeployWithin prom.Duration `yaml:"deploy_within"`
	// MinRequests is how many requests of either version a comparison needs.
	MinRequests float64 `yaml:"min_requests"`
	// WorseBy is how many times the old version's error ratio the new one's must be, beside being worse beyond chance (99 %).
	WorseBy float64 `yaml:"worse_by"`
	// OnePer is the time in which a service is rolled back once at most.
	OnePer prom.Duration `yaml:"one_per"`
	// VerifyWithin is how long the burn may take to fall after a rollback before a person is paged.
	VerifyWithin prom.Duration `yaml:"verify_within"`
	// RecoveredBurn is the burn rate over the shortest window below which a service has recovered.
	RecoveredBurn float64 `yaml:"recovered_burn"`
	// EvaluateEvery is how often everything above is looked at.
	EvaluateEvery prom.Duration `yaml:"evaluate_every"`
	// Scripts are the programs that remedies of remedy_files may run: name and path (docs/remedies.md).
	Scripts []script.Allowed `yaml:"scripts"`
	// Targets says how services are rolled back: service, environment, dry_run and one of kubernetes, argo, gitlab and webhook.
	Targets []Target `yaml:"targets"`
}

// Target is how one service is rolled back in one environment.
type Target struct {
	// Service is the service.
	Service string `yaml:"service"`
	// Environment is the environment; empty means every one.
	Environment string `yaml:"environment"`
	// DryRun overrides remedy.dry_run.
	DryRun *bool `yaml:"dry_run"`
	// Kubernetes undoes the rollout of a Deployment.
	Kubernetes *kubernetes.Config `yaml:"kubernetes"`
	// Argo aborts an Argo Rollout.
	Argo *kubernetes.RolloutConfig `yaml:"argo"`
	// GitLab triggers a pipeline.
	GitLab *gitlab.Config `yaml:"gitlab"`
	// Webhook sends a signed order.
	Webhook *webhook.Config `yaml:"webhook"`
}

// DefaultConfig acts after ten minutes, and only in words.
func DefaultConfig() Config {
	minutes := func(n int) prom.Duration { return prom.Duration(time.Duration(n) * time.Minute) }
	return Config{
		DryRun: true, After: minutes(10), DeployWithin: minutes(60), MinRequests: 50, WorseBy: 2, OnePer: minutes(60),
		VerifyWithin: minutes(15), RecoveredBurn: 3, EvaluateEvery: prom.Duration(15 * time.Second),
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	for _, f := range []struct {
		name  string
		value prom.Duration
	}{
		{"deploy_within", c.DeployWithin}, {"verify_within", c.VerifyWithin}, {"evaluate_every", c.EvaluateEvery}, {"one_per", c.OnePer},
	} {
		if f.value <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be > 0, got %s", f.name, f.value))
		}
	}
	if c.After < 0 {
		errs = append(errs, fmt.Errorf("after: must be >= 0, got %s", c.After))
	}
	if c.MinRequests < 1 {
		errs = append(errs, fmt.Errorf("min_requests: must be >= 1, got %v", c.MinRequests))
	}
	if c.WorseBy < 1 {
		errs = append(errs, fmt.Errorf("worse_by: must be >= 1, got %v", c.WorseBy))
	}
	if c.RecoveredBurn <= 0 {
		errs = append(errs, fmt.Errorf("recovered_burn: must be > 0, got %v", c.RecoveredBurn))
	}
	names := map[string]bool{}
	for i, s := range c.Scripts {
		for _, err := range s.Validate() {
			errs = append(errs, fmt.Errorf("scripts[%d].%w", i, err))
		}
		if names[s.Name] {
			errs = append(errs, fmt.Errorf("scripts[%d].name: %q is a script already", i, s.Name))
		}
		names[s.Name] = true
	}
	seen := map[[2]string]bool{}
	for i, t := range c.Targets {
		for _, err := range t.validate() {
			errs = append(errs, fmt.Errorf("targets[%d].%w", i, err))
		}
		key := [2]string{t.Service, t.Environment}
		if seen[key] {
			errs = append(errs, fmt.Errorf("targets[%d].service: %q in environment %q is a target already", i, t.Service, t.Environment))
		}
		seen[key] = true
	}
	return errs
}

func (t Target) validate() []error {
	var errs []error
	if t.Service == "" {
		errs = append(errs, errors.New("service: must not be empty"))
	}
	places := 0
	add := func(name string, found []error) {
		places++
		for _, err := range found {
			errs = append(errs, fmt.Errorf("%s.%w", name, err))
		}
	}
	if t.Kubernetes != nil {
		add("kubernetes", t.Kubernetes.Validate())
	}
	if t.Argo != nil {
		add("argo", t.Argo.Validate())
	}
	if t.GitLab != nil {
		add("gitlab", t.GitLab.Validate())
	}
	if t.Webhook != nil {
		add("webhook", t.Webhook.Validate())
	}
	if places != 1 {
		errs = append(errs, fmt.Errorf("kubernetes: exactly one of kubernetes, argo, gitlab and webhook must be set, got %d", places))
	}
	return errs
}

// Files are the paths in the configuration, to be made absolute.
func (c *Config) Files() []*string {
	var out []*string
	for i := range c.Targets {
		switch t := &c.Targets[i]; {
		case t.Kubernetes != nil:
			out = append(out, t.Kubernetes.Files()...)
		case t.Argo != nil:
			out = append(out, t.Argo.Files()...)
		case t.GitLab != nil:
			out = append(out, t.GitLab.Files()...)
		case t.Webhook != nil:
			out = append(out, t.Webhook.Files()...)
		}
	}
	return out
}

// executor is what carries out rollbacks of the target.
func (t Target) executor(d Deps) (rollback.Executor, error) {
	switch {
	case t.Kubernetes != nil:
		return kubernetes.NewUndo(*t.Kubernetes, d.HTTP, d.Outgoing), nil
	case t.Argo != nil:
		return kubernetes.NewAbort(*t.Argo, d.HTTP, d.Outgoing), nil
	}
	transport := d.HTTP
	if transport == nil {
		client, err := d.Outgoing.Client(t.http(), "remedy")
		if err != nil {
			return nil, fmt.Errorf("http_config: %w", err)
		}
		transport = client.Transport
	}
	if t.GitLab != nil {
		return gitlab.New(*t.GitLab, transport), nil
	}
	return webhook.New(*t.Webhook, transport, d.Now), nil
}

func (t Target) http() *promconfig.HTTPClientConfig {
	if t.GitLab != nil {
		return t.GitLab.HTTP
	}
	return t.Webhook.HTTP
}

// target is how a service is rolled back: the target of its environment, or
// else that of every one. A breach of no environment takes the only target there is.
func (c Config) target(service, environment string) *Target {
	var every, only *Target
	n := 0
	for i, t := range c.Targets {
		switch {
		case t.Service != service:
			continue
		case t.Environment == environment:
			return &c.Targets[i]
		case t.Environment == "":
			every = &c.Targets[i]
		}
		n++
		only = &c.Targets[i]
	}
	if every == nil && environment == "" && n == 1 {
		return only
	}
	return every
}
