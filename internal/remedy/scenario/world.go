package scenario

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/remedy/action"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/remedy/engine"
	"github.com/signalbox-project/signalbox/internal/remedy/kubernetes"
	"github.com/signalbox-project/signalbox/internal/store"
)

// world is what a remedy sees, and what it changes.
type world struct {
	now      time.Time
	remedies []contract.Remedy
	samples  *samples
	alerts   []engine.Alert
	frozen   string
	documents
	view   *view
	engine *engine.Engine

	replicas, touched, done, undone int
	crash                           string // before or after the next action
	notices                         map[string]time.Time
}

func newWorld(start time.Time, replicas int, remedies []contract.Remedy) *world {
	return &world{
		now: start, remedies: remedies, samples: newSamples(), replicas: replicas, documents: documents{kept: map[string]store.Document{}}, notices: map[string]time.Time{},
	}
}

// boot begins a process: an engine that knows only what is stored.
func (w *world) boot() (err error) {
	w.view = &view{documents: &w.documents}
	w.engine, err = engine.New(engine.Deps{
		Documents: w.view, Querier: w.samples, Audit: unaudited{}, Notices: w, Now: func() time.Time { return w.now },
		Remedies: func() []contract.Remedy { return w.remedies }, Alerts: w.alertsOf,
		Executor: func(a contract.Action) (action.Executor, error) { return workload{w, a}, nil },
		Frozen: func(context.Context, contract.Freeze, engine.Subject, time.Time) (string, error) {
			return w.frozen, nil
		},
	})
	return err
}

type unaudited struct{}

// Audit implements engine.Audit.
func (unaudited) Audit(_ context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	return e, nil
}

// Send implements notify.Sender.
func (w *world) Send(_ context.Context, alerts ...notify.Alert) error {
	for _, a := range alerts {
		w.notices[a.Labels["alertname"]] = a.EndsAt
	}
	return nil
}

// told are the alerts that people have.
func (w *world) told() string {
	var out []string
	for name, end := range w.notices {
		if end.After(w.now) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// workload is the target.
type workload struct {
	w *world
	a contract.Action
}

type planned struct{ From, To, Touched int }

// Plan implements action.Executor.
func (t workload) Plan(_ context.Context, o action.Order) (action.Plan, error) {
	d := planned{From: t.w.replicas, To: t.w.replicas, Touched: t.w.touched}
	p := action.Plan{Text: t.a.Kind() + " the target", Total: t.w.replicas, Touched: (t.w.replicas + 3) / 4}
	if s := t.a.Scale; s != nil {
		d.To = kubernetes.Next(d.From, s.Factor, o)
		if d.To <= d.From {
			return p, fmt.Errorf("the target has %d replicas, which is all that its bounds allow: %w", d.From, action.ErrDecline)
		}
		p.Text, p.Undo = fmt.Sprintf("scale from %d to %d replicas", d.From, d.To), fmt.Sprintf("scale from %d to %d replicas", d.To, d.From)
		p.Touched, p.Replicas = d.To-d.From, d.To
	}
	if s := t.a.Script; s != nil {
		p.Text, p.Total, p.Touched = "run "+strings.Join(append([]string{s.Name}, s.Args...), " "), 0, 0
		if len(s.Undo) > 0 {
			p.Undo = "run " + strings.Join(append([]string{s.Name}, s.Undo...), " ")
		}
	}
	var err error
	p.Data, err = json.Marshal(d)
	return p, err
}

var errGone = errors.New("the process ended")

// Do implements action.Executor.
func (t workload) Do(_ context.Context, _ action.Order, p action.Plan) (string, error) {
	var d planned
	if err := json.Unmarshal(p.Data, &d); err != nil {
		return "", fmt.Errorf("read the plan: %w", err)
	}
	if t.w.crash == "crash before" {
		t.w.view.dead = true
		return "", errGone
	}
	if t.w.replicas != d.From || t.w.touched != d.Touched {
		return "", errors.New("the target is not as it was planned for")
	}
	t.w.replicas, t.w.touched, t.w.done = d.To, t.w.touched+1, t.w.done+1
	if t.w.crash == "crash after" {
		t.w.view.dead = true
		return "", errGone
	}
	return "done", nil
}

// Look implements action.Executor. How far a program came nobody knows.
func (t workload) Look(_ context.Context, _ action.Order, p action.Plan) (action.World, error) {
	var d planned
	if err := json.Unmarshal(p.Data, &d); err != nil {
		return action.Unknown, fmt.Errorf("read the plan: %w", err)
	}
	switch {
	case t.a.Script != nil || t.a.GitLab != nil || t.a.Webhook != nil:
		return action.Unknown, nil
	case t.w.touched == d.Touched:
		return action.Before, nil
	}
	return action.After, nil
}

// Undo implements action.Executor.
func (t workload) Undo(_ context.Context, _ action.Order, p action.Plan) (string, error) {
	var d planned
	if err := json.Unmarshal(p.Data, &d); err != nil {
		return "", fmt.Errorf("read the plan: %w", err)
	}
	t.w.replicas, t.w.undone = d.From, t.w.undone+1
	return "taken back", nil
}

// documents are kept over the ends of processes.
type documents struct {
	mu   sync.Mutex
	kept map[string]store.Document
}

// view is what one process has of them; to a dead one nothing is stored.
type view struct {
	*documents
	dead bool
}

// SaveDocuments implements store.DocumentStore.
func (v *view) SaveDocuments(_ context.Context, list ...store.Document) ([]store.Document, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.dead {
		return nil, errGone
	}
	for _, d := range list {
		if v.kept[d.Kind+"/"+d.ID].Version != d.Version {
			return nil, store.ErrChanged
		}
	}
	for i := range list {
		list[i].Version++
		if list[i].Gone {
			delete(v.kept, list[i].Kind+"/"+list[i].ID)
			continue
		}
		v.kept[list[i].Kind+"/"+list[i].ID] = list[i]
	}
	return list, nil
}

// Document implements store.DocumentStore.
func (v *view) Document(_ context.Context, kind, id string) (store.Document, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	d, ok := v.kept[kind+"/"+id]
	if !ok {
		return d, store.ErrNotFound
	}
	return d, nil
}

// Documents implements store.DocumentStore, on one page.
func (v *view) Documents(_ context.Context, q store.DocumentQuery) (out []store.Document, next string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range v.kept {
		if d.Kind == q.Kind && (q.Status == "" || d.Status == q.Status) && !d.Time.Before(q.Start) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b store.Document) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.ID, a.ID))
	})
	if q.Oldest {
		slices.Reverse(out)
	}
	return out, "", nil
}
