package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
)

// RolloutConfig names the Rollout to abort.
type RolloutConfig struct {
	API `yaml:",inline"`
	// Namespace and Rollout name the object.
	Namespace string `yaml:"namespace"`
	Rollout   string `yaml:"rollout"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c RolloutConfig) Validate() []error {
	var errs []error
	if c.Namespace == "" {
		errs = append(errs, errors.New("namespace: must not be empty"))
	}
	if c.Rollout == "" {
		errs = append(errs, errors.New("rollout: must not be empty"))
	}
	if err := c.validate(); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// Files are the paths in the configuration.
func (c *RolloutConfig) Files() []*string { return c.files() }

// Abort stops an Argo Rollout that is under way: its stable version serves
// again.
type Abort struct {
	cfg       RolloutConfig
	transport http.RoundTripper
	guard     *outgoing.Guard
}

// NewAbort makes the executor; a nil transport is one that trusts CAFile.
func NewAbort(cfg RolloutConfig, transport http.RoundTripper, guard *outgoing.Guard) *Abort {
	return &Abort{cfg: cfg, transport: transport, guard: guard}
}

// Name implements rollback.Executor.
func (a *Abort) Name() string { return "argo" }

const abortPatch = `{"status":{"abort":true}}`

// Rollback implements rollback.Executor.
func (a *Abort) Rollback(ctx context.Context, o rollback.Order) (string, error) {
	api, err := a.cfg.dial(a.transport, a.guard)
	if err != nil {
		return "", err
	}
	defer api.close()
	name := a.cfg.Namespace + "/" + a.cfg.Rollout
	path := []string{"apis", "argoproj.io", "v1alpha1", "namespaces", a.cfg.Namespace, "rollouts", a.cfg.Rollout}
	var ro struct {
		Spec struct {
			Template map[string]any `json:"template"`
		} `json:"spec"`
		Status struct {
			Abort   bool   `json:"abort"`
			Current string `json:"currentPodHash"`
			Stable  string `json:"stableRS"`
		} `json:"status"`
	}
	if err := api.get(ctx, nil, &ro, path...); err != nil {
		return "", fmt.Errorf("read Rollout %s: %w", name, err)
	}
	version, _ := labelsOf(ro.Spec.Template)[versionLabel].(string)
	switch {
	case ro.Status.Abort:
		return "", fmt.Errorf("rollout %s is aborted already", name)
	case ro.Status.Stable != "" && ro.Status.Stable == ro.Status.Current:
		return "", fmt.Errorf("rollout %s is complete: there is nothing to abort, its previous version must be deployed", name)
	case version != "" && o.Version != "" && version != o.Version:
		return "", fmt.Errorf("rollout %s runs %s and not %s: someone has acted already", name, version, o.Version)
	case o.DryRun:
		return "would abort Rollout " + name, nil
	}
	// Rollouts that were installed without the status subresource answer 404.
	err = api.patch(ctx, types.MergePatchType, []byte(abortPatch), append(path[:len(path):len(path)], "status")...)
	if apierrors.IsNotFound(err) {
		err = api.patch(ctx, types.MergePatchType, []byte(abortPatch), path...)
	}
	if err != nil {
		return "", fmt.Errorf("abort Rollout %s: %w", name, err)
	}
	return "aborted Rollout " + name, nil
}
