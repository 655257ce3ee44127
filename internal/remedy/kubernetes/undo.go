package kubernetes

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
)

// Config names the Deployment to roll back.
type Config struct {
	API `yaml:",inline"`
	// Namespace and Deployment name the object.
	Namespace  string `yaml:"namespace" json:"namespace"`
	Deployment string `yaml:"deployment" json:"deployment"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	if c.Namespace == "" {
		errs = append(errs, errors.New("namespace: must not be empty"))
	}
	if c.Deployment == "" {
		errs = append(errs, errors.New("deployment: must not be empty"))
	}
	if err := c.validate(); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string { return c.files() }

// Undo rolls a Deployment back to its revision before the newest, as kubectl
// rollout undo does.
type Undo struct {
	cfg       Config
	transport http.RoundTripper
	guard     *outgoing.Guard
}

// NewUndo makes the executor; a nil transport is one that trusts CAFile.
func NewUndo(cfg Config, transport http.RoundTripper, guard *outgoing.Guard) *Undo {
	return &Undo{cfg: cfg, transport: transport, guard: guard}
}

// Name implements rollback.Executor.
func (u *Undo) Name() string { return "kubernetes" }

const (
	revisionAnnotation = "deployment.kubernetes.io/revision"
	hashLabel          = "pod-template-hash"
	versionLabel       = "app.kubernetes.io/version"
)

// keptAnnotations stay those of the Deployment; all others come from the
// ReplicaSet that is restored. The list is kubectl's.
func keptAnnotations() []string {
	return []string{
		"kubectl.kubernetes.io/last-applied-configuration", revisionAnnotation, "deployment.kubernetes.io/revision-history",
		"deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas", "deprecated.deployment.rollback.to",
	}
}

type object struct {
	Metadata struct {
		Name        string            `json:"name"`
		UID         string            `json:"uid"`
		Annotations map[string]string `json:"annotations"`
		Owners      []struct {
			UID        string `json:"uid"`
			Controller bool   `json:"controller"`
		} `json:"ownerReferences"`
	} `json:"metadata"`
	Spec struct {
		Paused   bool                 `json:"paused"`
		Selector metav1.LabelSelector `json:"selector"`
		Template map[string]any       `json:"template"`
	} `json:"spec"`
}

func labelsOf(template map[string]any) map[string]any {
	meta, _ := template["metadata"].(map[string]any)
	labels, _ := meta["labels"].(map[string]any)
	return labels
}

// Rollback implements rollback.Executor.
func (u *Undo) Rollback(ctx context.Context, o rollback.Order) (string, error) {
	api, err := u.cfg.dial(u.transport, u.guard)
	if err != nil {
		return "", err
	}
	defer api.close()
	apps := []string{"apis", "apps", "v1", "namespaces", u.cfg.Namespace}
	var d object
	if err := api.get(ctx, nil, &d, append(apps, "deployments", u.cfg.Deployment)...); err != nil {
		return "", fmt.Errorf("read Deployment %s/%s: %w", u.cfg.Namespace, u.cfg.Deployment, err)
	}
	var list struct {
		Items []object `json:"items"`
	}
	selector, err := metav1.LabelSelectorAsSelector(&d.Spec.Selector)
	if err != nil {
		return "", fmt.Errorf("selector of Deployment %s/%s: %w", u.cfg.Namespace, u.cfg.Deployment, err)
	}
	if err := api.get(ctx, url.Values{"labelSelector": {selector.String()}}, &list, append(apps, "replicasets")...); err != nil {
		return "", fmt.Errorf("list ReplicaSets of Deployment %s/%s: %w", u.cfg.Namespace, u.cfg.Deployment, err)
	}
	previous, text, err := u.previous(d, list.Items, o)
	if err != nil || o.DryRun {
		return "would roll " + text, err
	}
	patch, err := patchOf(d, previous)
	if err != nil {
		return "", err
	}
	if err := api.patch(ctx, types.JSONPatchType, patch, append(apps, "deployments", u.cfg.Deployment)...); err != nil {
		return "", fmt.Errorf("restore Deployment %s/%s: %w", u.cfg.Namespace, u.cfg.Deployment, err)
	}
	return "rolled " + text, nil
}

// previous finds the ReplicaSet of the second newest revision.
func (u *Undo) previous(d object, sets []object, o rollback.Order) (previous object, text string, err error) {
	name := u.cfg.Namespace + "/" + u.cfg.Deployment
	if d.Spec.Paused {
		return previous, "", fmt.Errorf("deployment %s is paused: a paused one cannot be rolled back", name)
	}
	if v, ok := labelsOf(d.Spec.Template)[versionLabel].(string); ok && o.Version != "" && v != o.Version {
		return previous, "", fmt.Errorf("deployment %s runs %s and not %s: someone has acted already", name, v, o.Version)
	}
	type revision struct {
		n   int64
		set object
	}
	var revisions []revision
	for _, s := range sets {
		owned := false
		for _, owner := range s.Metadata.Owners {
			owned = owned || owner.Controller && owner.UID == d.Metadata.UID
		}
		if n, err := strconv.ParseInt(s.Metadata.Annotations[revisionAnnotation], 10, 64); owned && err == nil {
			revisions = append(revisions, revision{n, s})
		}
	}
	if len(revisions) < 2 {
		return previous, "", fmt.Errorf("deployment %s has no revision before this one", name)
	}
	slices.SortFunc(revisions, func(a, b revision) int { return cmp.Compare(b.n, a.n) })
	previous = revisions[1].set
	delete(labelsOf(previous.Spec.Template), hashLabel)
	delete(labelsOf(d.Spec.Template), hashLabel)
	if reflect.DeepEqual(previous.Spec.Template, d.Spec.Template) {
		return previous, "", fmt.Errorf("deployment %s: its template is already that of revision %d", name, revisions[1].n)
	}
	return previous, fmt.Sprintf("Deployment %s back from revision %d to %d", name, revisions[0].n, revisions[1].n), nil
}

// patchOf is the JSON patch that kubectl sends.
func patchOf(d, previous object) ([]byte, error) {
	annotations := map[string]string{}
	for k, v := range previous.Metadata.Annotations {
		if !slices.Contains(keptAnnotations(), k) {
			annotations[k] = v
		}
	}
	for _, k := range keptAnnotations() {
		if v, ok := d.Metadata.Annotations[k]; ok {
			annotations[k] = v
		}
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/spec/template", "value": previous.Spec.Template},
		{"op": "replace", "path": "/metadata/annotations", "value": annotations},
	})
	if err != nil {
		return nil, fmt.Errorf("encode patch: %w", err)
	}
	return patch, nil
}
