package kubernetes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/remedy/action"
	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
)

// Workload does one thing to a Deployment: it scales it, restarts it, or undoes its newest rollout.
type Workload struct {
	cfg       Config
	factor    float64 // of a scale
	does      string
	transport http.RoundTripper
	guard     *outgoing.Guard
}

const (
	doesScale    = "scale"
	doesRestart  = "restart"
	doesRollback = "rollback"
	restartedAt  = "kubectl.kubernetes.io/restartedAt"
)

// NewScale multiplies the replicas of a Deployment.
func NewScale(cfg Config, factor float64, transport http.RoundTripper, guard *outgoing.Guard) *Workload {
	return &Workload{cfg, factor, doesScale, transport, guard}
}

// NewRestart restarts the pods of a Deployment.
func NewRestart(cfg Config, transport http.RoundTripper, guard *outgoing.Guard) *Workload {
	return &Workload{cfg, 0, doesRestart, transport, guard}
}

// NewRollback undoes the newest rollout of a Deployment.
func NewRollback(cfg Config, transport http.RoundTripper, guard *outgoing.Guard) *Workload {
	return &Workload{cfg, 0, doesRollback, transport, guard}
}

// workload is what is read of a Deployment beside its template.
type workload struct {
	object
	raw struct {
		Spec struct {
			Replicas *int `json:"replicas"`
			Strategy struct {
				Type    string `json:"type"`
				Rolling struct {
					MaxUnavailable *intstr.IntOrString `json:"maxUnavailable"`
				} `json:"rollingUpdate"`
			} `json:"strategy"`
		} `json:"spec"`
	}
}

// planned is what is kept of a plan.
type planned struct {
	From, To      int    // replicas
	Before, After string // hashes of templates
	Patch         json.RawMessage
	Kind          types.PatchType
	At            string // of a restart
}

func (w *Workload) path() []string {
	return []string{"apis", "apps", "v1", "namespaces", w.cfg.Namespace, "deployments", w.cfg.Deployment}
}

func (w *Workload) name() string { return w.cfg.Namespace + "/" + w.cfg.Deployment }

func (w *Workload) read(ctx context.Context, api *server) (d workload, err error) {
	if err := api.get(ctx, nil, &d.object, w.path()...); err != nil {
		return d, fmt.Errorf("read Deployment %s: %w", w.name(), err)
	}
	if err := api.get(ctx, nil, &d.raw, w.path()...); err != nil {
		return d, fmt.Errorf("read Deployment %s: %w", w.name(), err)
	}
	return d, nil
}

func (d workload) replicas() int {
	if d.raw.Spec.Replicas == nil {
		return 1 // the API server's default
	}
	return *d.raw.Spec.Replicas
}

// missing is how many replicas a rollout may take away at once.
func (d workload) missing() int {
	if d.raw.Spec.Strategy.Type == "Recreate" {
		return d.replicas()
	}
	most := intstr.FromString("25%")
	if m := d.raw.Spec.Strategy.Rolling.MaxUnavailable; m != nil {
		most = *m
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(&most, d.replicas(), false)
	if err != nil {
		return d.replicas() // what cannot be read may be all of them
	}
	return n
}

func hash(template map[string]any) (string, error) {
	text, err := json.Marshal(template)
	if err != nil {
		return "", fmt.Errorf("encode template: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Plan implements action.Executor.
func (w *Workload) Plan(ctx context.Context, o action.Order) (p action.Plan, err error) {
	api, err := w.cfg.dial(w.transport, w.guard)
	if err != nil {
		return p, err
	}
	defer api.close()
	d, err := w.read(ctx, api)
	if err != nil {
		return p, err
	}
	if d.Spec.Paused && w.does != doesScale {
		return p, fmt.Errorf("deployment %s is paused: %w", w.name(), action.ErrDecline)
	}
	var kept planned
	if kept.Before, err = hash(d.Spec.Template); err != nil {
		return p, err
	}
	kept.From, kept.To = d.replicas(), d.replicas()
	p.Touched, p.Total = d.missing(), d.replicas()
	switch w.does {
	case doesScale:
		err = w.planScale(o, &kept, &p)
	case doesRestart:
		w.planRestart(o, &kept, &p)
	default:
		err = w.planRollback(ctx, api, d, &kept, &p)
	}
	if err != nil {
		return p, err
	}
	p.Calls = []string{fmt.Sprintf("PATCH %s (%s) %s", absolute(w.path()), kept.Kind, kept.Patch)}
	p.Data, err = json.Marshal(kept)
	return p, err
}

// Next is how many replicas a scale makes of some, within its bounds.
func Next(from int, factor float64, o action.Order) int {
	to := int(math.Ceil(float64(from) * factor))
	if o.Bound != nil {
		to = min(to, int(math.Max(0, math.Floor(*o.Bound))))
	}
	if o.MaxReplicas > 0 {
		to = min(to, o.MaxReplicas)
	}
	return max(to, o.MinReplicas)
}

func (w *Workload) planScale(o action.Order, kept *planned, p *action.Plan) error {
	kept.To = Next(kept.From, w.factor, o)
	if kept.From == 0 {
		return fmt.Errorf("deployment %s is scaled to 0, which somebody meant: %w", w.name(), action.ErrDecline)
	}
	if kept.To <= kept.From {
		return fmt.Errorf("deployment %s has %d replicas, which is all that its bounds allow: %w", w.name(), kept.From, action.ErrDecline)
	}
	p.Text = fmt.Sprintf("scale Deployment %s from %d to %d replicas", w.name(), kept.From, kept.To)
	p.Undo = fmt.Sprintf("scale Deployment %s from %d to %d replicas", w.name(), kept.To, kept.From)
	p.Touched, p.Replicas = kept.To-kept.From, kept.To
	kept.Kind, kept.Patch = types.JSONPatchType, scalePatch(kept.From, kept.To)
	return nil
}

// scalePatch changes the replicas where they are still those of the plan: the API server compares.
func scalePatch(from, to int) json.RawMessage {
	return fmt.Appendf(nil, `[{"op":"test","path":"/spec/replicas","value":%d},{"op":"replace","path":"/spec/replicas","value":%d}]`, from, to)
}

func (w *Workload) planRestart(o action.Order, kept *planned, p *action.Plan) {
	kept.At = o.At.UTC().Format(time.RFC3339)
	p.Text = "restart the pods of Deployment " + w.name()
	kept.Kind = types.StrategicMergePatchType
	kept.Patch = fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{%q:%q}}}}}`, restartedAt, kept.At)
}

func (w *Workload) planRollback(ctx context.Context, api *server, d workload, kept *planned, p *action.Plan) error {
	selector, err := metav1.LabelSelectorAsSelector(&d.Spec.Selector)
	if err != nil {
		return fmt.Errorf("selector of Deployment %s: %w", w.name(), err)
	}
	var list struct {
		Items []object `json:"items"`
	}
	sets := []string{"apis", "apps", "v1", "namespaces", w.cfg.Namespace, "replicasets"}
	if err := api.get(ctx, url.Values{"labelSelector": {selector.String()}}, &list, sets...); err != nil {
		return fmt.Errorf("list ReplicaSets of Deployment %s: %w", w.name(), err)
	}
	previous, text, err := NewUndo(w.cfg, w.transport, w.guard).previous(d.object, list.Items, rollback.Order{})
	if err != nil {
		return fmt.Errorf("%w: %w", err, action.ErrDecline)
	}
	if kept.After, err = hash(previous.Spec.Template); err != nil {
		return err
	}
	kept.Kind = types.JSONPatchType
	if kept.Patch, err = patchOf(d.object, previous); err != nil {
		return err
	}
	// Where the controller has counted another rollout meanwhile, the API server refuses.
	if revision, ok := d.Metadata.Annotations[revisionAnnotation]; ok {
		key := "/metadata/annotations/" + strings.ReplaceAll(revisionAnnotation, "/", "~1")
		kept.Patch = append(fmt.Appendf(nil, `[{"op":"test","path":%q,"value":%q},`, key, revision), kept.Patch[1:]...)
	}
	p.Text = "roll " + text
	return nil
}

// Do implements action.Executor.
func (w *Workload) Do(ctx context.Context, o action.Order, p action.Plan) (string, error) {
	var kept planned
	if err := json.Unmarshal(p.Data, &kept); err != nil {
		return "", fmt.Errorf("read the plan: %w", err)
	}
	world, err := w.Look(ctx, o, p)
	if err != nil {
		return "", err
	}
	if world != action.Before {
		return "", fmt.Errorf("deployment %s is not as it was planned for: somebody has acted already", w.name())
	}
	return p.Text + ": done", w.send(ctx, kept.Kind, kept.Patch)
}

func (w *Workload) send(ctx context.Context, kind types.PatchType, patch []byte) error {
	api, err := w.cfg.dial(w.transport, w.guard)
	if err != nil {
		return err
	}
	defer api.close()
	if err := api.patch(ctx, kind, patch, w.path()...); err != nil {
		return fmt.Errorf("change Deployment %s: %w", w.name(), err)
	}
	return nil
}

// Look implements action.Executor.
func (w *Workload) Look(ctx context.Context, _ action.Order, p action.Plan) (action.World, error) {
	var kept planned
	if err := json.Unmarshal(p.Data, &kept); err != nil {
		return action.Unknown, fmt.Errorf("read the plan: %w", err)
	}
	api, err := w.cfg.dial(w.transport, w.guard)
	if err != nil {
		return action.Unknown, err
	}
	defer api.close()
	d, err := w.read(ctx, api)
	if err != nil {
		return action.Unknown, err
	}
	template, err := hash(d.Spec.Template)
	if err != nil {
		return action.Unknown, err
	}
	switch w.does {
	case doesScale:
		return either(d.replicas() == kept.From, d.replicas() == kept.To), nil
	case doesRestart:
		return either(template == kept.Before, restarted(d.Spec.Template) == kept.At), nil
	}
	delete(labelsOf(d.Spec.Template), hashLabel)
	bare, err := hash(d.Spec.Template)
	return either(template == kept.Before, bare == kept.After), err
}

func either(before, after bool) action.World {
	switch {
	case after:
		return action.After
	case before:
		return action.Before
	}
	return action.Unknown
}

func restarted(template map[string]any) string {
	meta, _ := template["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	at, _ := annotations[restartedAt].(string)
	return at
}

// Undo implements action.Executor: a scale is taken back where nobody has scaled since.
func (w *Workload) Undo(ctx context.Context, _ action.Order, p action.Plan) (string, error) {
	var kept planned
	if err := json.Unmarshal(p.Data, &kept); err != nil || w.does != doesScale {
		return "", errors.Join(err, action.ErrDecline)
	}
	return p.Undo + ": done", w.send(ctx, types.JSONPatchType, scalePatch(kept.To, kept.From))
}
