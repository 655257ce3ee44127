// Package hooks lets deployment systems ask the gate where they work, and
// report what they deployed: GitLab, GitHub, Argo Rollouts, Flagger and
// Kubernetes.
//
// It puts the packages below it together; each knows one caller. In: HTTP
// requests under /sb/v1/hooks. Out: answers, replies to the callers' APIs and
// deployment markers.
//
// Invariants: a hook that is not configured does not exist (404). There are no
// locks here. Start reading at New.
package hooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/argo"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/flagger"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/github"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/gitlab"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/gate/hooks/kubernetes"
)

// Prefix is where the hooks are mounted.
const Prefix = "/sb/v1/hooks"

// Config is the hooks section.
type Config struct {
	Replies    hook.Config       `yaml:"replies"`
	GitLab     gitlab.Config     `yaml:"gitlab"`
	GitHub     github.Config     `yaml:"github"`
	Argo       argo.Config       `yaml:"argo"`
	Flagger    flagger.Config    `yaml:"flagger"`
	Kubernetes kubernetes.Config `yaml:"kubernetes"`
}

// DefaultConfig has every hook off.
func DefaultConfig() Config {
	return Config{
		Replies: hook.DefaultConfig(), GitLab: gitlab.DefaultConfig(), GitHub: github.DefaultConfig(), Kubernetes: kubernetes.DefaultConfig(),
	}
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	for _, s := range []struct {
		name string
		errs []error
	}{
		{"replies", c.Replies.Validate()},
		{"gitlab", c.GitLab.Validate()},
		{"github", c.GitHub.Validate()},
		{"argo", c.Argo.Validate()},
		{"flagger", c.Flagger.Validate()},
		{"kubernetes", c.Kubernetes.Validate()},
	} {
		for _, err := range s.errs {
			errs = append(errs, fmt.Errorf("%s.%w", s.name, err))
		}
	}
	return errs
}

// Unproved lists the hooks that anybody may use, each with its cure: hooks are open to who has no identity, since each proves its caller by
// a secret of its own. GitLab's and GitHub's are not served without one.
func (c Config) Unproved() []error {
	var errs []error
	for name, list := range map[string][]error{"argo": c.Argo.Unproved(), "flagger": c.Flagger.Unproved(), "kubernetes": c.Kubernetes.Unproved()} {
		for _, err := range list {
			errs = append(errs, fmt.Errorf("%s.%w", name, err))
		}
	}
	return errs
}

// Files are the paths in the configuration, to be made absolute.
func (c *Config) Files() []*string {
	var out []*string
	for _, files := range [][]*string{c.GitLab.Files(), c.GitHub.Files(), c.Argo.Files(), c.Flagger.Files(), c.Kubernetes.Files()} {
		out = append(out, files...)
	}
	return out
}

// Hooks serves every configured hook.
type Hooks struct {
	kit        *hook.Kit
	mux        *http.ServeMux
	kubernetes *kubernetes.Hook
}

// New makes the hooks; it starts nothing.
func New(cfg Config, deps hook.Deps) (*Hooks, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("hooks: %w", errors.Join(errs...))
	}
	kit, err := hook.New(cfg.Replies, deps)
	if err != nil {
		return nil, err
	}
	h := &Hooks{kit: kit, mux: http.NewServeMux(), kubernetes: kubernetes.New(cfg.Kubernetes, kit)}
	lab, err := gitlab.New(cfg.GitLab, kit)
	if err != nil {
		return nil, err
	}
	hub, err := github.New(cfg.GitHub, kit)
	if err != nil {
		return nil, err
	}
	for _, r := range []interface {
		Register(mux *http.ServeMux, prefix string)
	}{lab, hub, argo.New(cfg.Argo, kit), flagger.New(cfg.Flagger, kit), h.kubernetes} {
		r.Register(h.mux, Prefix)
	}
	h.mux.HandleFunc(Prefix+"/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error":{"code":"not_found","message":"no such hook, or it is not configured; see the hooks section"}}` + "\n"))
	})
	return h, nil
}

// Handler serves /sb/v1/hooks/.
func (h *Hooks) Handler() http.Handler { return h.mux }

// Run sends replies and serves the admission webhook's own listener until ctx
// is done.
func (h *Hooks) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return h.kit.Run(ctx) })
	group.Go(func() error { return h.kubernetes.Run(ctx, Prefix) })
	return group.Wait()
}
