package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/store"
)

// badRequest is the caller's fault.
type badRequest struct{ error }

// BadRequest says whose fault it is.
func (badRequest) BadRequest() {}

func refuse(format string, args ...any) error { return badRequest{fmt.Errorf(format, args...)} }

// Stop is somebody's order that nothing be done.
type Stop struct {
	Remedy string    `json:"remedy,omitempty" doc:"the remedy; absent where all are stopped"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

func (s Stop) text() string {
	what := "remedies are stopped"
	if s.Remedy != "" {
		what = "the remedy is stopped"
	}
	return fmt.Sprintf("%s since %s by %s (%s)", what, human.Clock(s.At), s.By, s.Reason)
}

// everything is the ID of the stop of all remedies.
const everything = "*"

func (r *round) stop(remedy string) (Stop, bool) {
	if s, ok := r.stops[everything]; ok {
		return s, true
	}
	s, ok := r.stops[remedy]
	return s, ok
}

// Stops are those in force, by remedy; that of all is called *.
func (e *Engine) Stops(ctx context.Context) (map[string]Stop, error) {
	docs, _, err := e.deps.Documents.Documents(ctx, store.DocumentQuery{Kind: kindStop, Limit: 1000})
	if err != nil {
		return nil, fmt.Errorf("stops of remedies: %w", err)
	}
	out := map[string]Stop{}
	for _, d := range docs {
		var s Stop
		if err := json.Unmarshal(d.Body, &s); err != nil {
			return nil, fmt.Errorf("stop of %s: %w", d.ID, err)
		}
		out[d.ID] = s
	}
	return out, nil
}

// Stop has nothing be done any more, by one remedy or by all, and ends what is being done. It stays across restarts.
func (e *Engine) Stop(ctx context.Context, remedy, reason, by string) (Stop, error) {
	if strings.TrimSpace(reason) == "" {
		return Stop{}, refuse("reason: must not be empty: who starts it again must know why it was stopped")
	}
	if err := e.known(remedy); err != nil {
		return Stop{}, err
	}
	s := Stop{Remedy: remedy, By: by, At: e.deps.Now().UTC(), Reason: reason}
	body, err := json.Marshal(s)
	if err != nil {
		return s, fmt.Errorf("encode stop: %w", err)
	}
	id := remedy
	if id == "" {
		id = everything
	}
	_, err = e.deps.Documents.SaveDocuments(ctx, store.Document{Kind: kindStop, ID: id, Status: statusOpen, Time: s.At, Body: body})
	if err != nil && !errors.Is(err, store.ErrChanged) { // stopped already is stopped
		return s, fmt.Errorf("store stop: %w", err)
	}
	list, err := e.loadOpen(ctx)
	if err != nil {
		return s, err
	}
	for _, k := range list {
		if cancel, ok := e.cancels.Load(k.ID); ok && (remedy == "" || k.Remedy == remedy) {
			cancel.(context.CancelCauseFunc)(errStopped)
		}
	}
	e.poke()
	return s, nil
}

// Start takes a stop back. What was stopped for all starts again only for all.
func (e *Engine) Start(ctx context.Context, remedy string) (Stop, error) {
	id := remedy
	if id == "" {
		id = everything
	}
	d, err := e.deps.Documents.Document(ctx, kindStop, id)
	if errors.Is(err, store.ErrNotFound) {
		return Stop{}, refuse("it is not stopped")
	}
	if err != nil {
		return Stop{}, fmt.Errorf("stop: %w", err)
	}
	var s Stop
	if err := json.Unmarshal(d.Body, &s); err != nil {
		return s, fmt.Errorf("stop of %s: %w", id, err)
	}
	d.Gone = true
	if _, err := e.deps.Documents.SaveDocuments(ctx, d); err != nil {
		return s, fmt.Errorf("store start: %w", err)
	}
	e.poke()
	return s, nil
}

func (e *Engine) known(remedy string) error {
	if remedy == "" {
		return nil
	}
	_, err := e.remedy(remedy)
	return err
}

func (e *Engine) remedy(name string) (contract.Remedy, error) {
	var names []string
	for _, r := range e.deps.Remedies() {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	if len(names) == 0 {
		return contract.Remedy{}, fmt.Errorf("there is no remedy yet, name files in remedy_files: %w", store.ErrNotFound)
	}
	return contract.Remedy{}, fmt.Errorf("remedy %q: %w; %s", name, store.ErrNotFound, document.DidYouMean(name, names))
}

// Approve has a run done that waits for it, as its plan says now. seen is the text of the plan that somebody read, "" where that is not
// known: another one than they read is not approved.
func (e *Engine) Approve(ctx context.Context, id, seen, by string) (Run, error) {
	return e.decide(ctx, id, func(k *kept, now time.Time) error {
		if seen != "" && seen != k.Plan.Text {
			return refuse("something else would be done by now: %s; read it again before you approve it", k.Plan.Text)
		}
		k.Approval = &Approval{By: by, At: now, Plan: k.Plan.Text}
		return e.change(ctx, k, Pending, sentence("Approved by "+by+": it is judged once more, and done"), by, now)
	})
}

// Refuse has a run not be done.
func (e *Engine) Refuse(ctx context.Context, id, reason, by string) (Run, error) {
	return e.decide(ctx, id, func(k *kept, now time.Time) error {
		text := "Refused by " + by
		if reason != "" {
			text += ": " + reason
		}
		return e.change(ctx, k, Refused, sentence(text), by, now)
	})
}

func (e *Engine) decide(ctx context.Context, id string, how func(*kept, time.Time) error) (Run, error) {
	e.mu.Lock() // a step must not change it meanwhile
	defer e.mu.Unlock()
	k, err := e.get(ctx, id)
	if err != nil {
		return Run{}, err
	}
	if k.State != Pending || k.Approval != nil {
		return k.Run, refuse("run %s is %s, and does not wait for anybody", id, k.State)
	}
	if err := how(k, e.deps.Now().UTC()); err != nil {
		return k.Run, err
	}
	e.poke()
	return k.Run, nil
}

// Begin begins a run by hand. The labels stand for those of an alert; the trigger's matchers hold for them too.
func (e *Engine) Begin(ctx context.Context, name string, labels model.Labels, dryRun bool, by string) (Run, error) {
	remedy, err := e.remedy(name)
	if err != nil {
		return Run{}, err
	}
	if labels == nil {
		labels = model.Labels{}
	}
	if !remedy.Trigger.Allows(labels) {
		return Run{}, refuse("the labels are not what the remedy is for: %s", strings.Join(remedy.Trigger.Matchers, ", "))
	}
	_, target, err := remedy.Action.For(labels)
	if err != nil {
		return Run{}, refuse("%w", err)
	}
	if dryRun {
		remedy.DryRun = true
	}
	now := e.deps.Now().UTC()
	r := &round{now: now}
	e.mu.Lock()
	err = e.create(ctx, r, remedy, target, Trigger{Kind: "hand", Alert: remedy.Trigger.Alert, Since: now, By: by}, labels)
	e.mu.Unlock()
	if err != nil {
		return Run{}, err
	}
	if err := e.Step(access.Whole(ctx)); err != nil {
		return r.open[0].Run, err
	}
	k, err := e.get(ctx, r.open[0].ID)
	if err != nil {
		return Run{}, err
	}
	return k.Run, nil
}

func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Query selects runs.
type Query struct {
	Remedy, Service string
	State           State
	Open            bool
	Limit           int
}

// Runs are those that the caller sees, the newest first.
func (e *Engine) Runs(ctx context.Context, q Query) ([]Run, error) {
	dq := store.DocumentQuery{Kind: kindRun}
	if q.Open {
		dq.Status = statusOpen
	}
	list, err := e.load(ctx, dq)
	scope := access.ScopeFor(ctx, access.RemediesRead)
	out := []Run{}
	for _, k := range list {
		if q.Remedy != "" && k.Remedy != q.Remedy || q.Service != "" && k.Subject.Service != q.Service || q.State != "" && k.State != q.State || !sees(scope, k.Run) {
			continue
		}
		if out = append(out, k.Run); len(out) == q.Limit {
			break
		}
	}
	return out, err
}

// sees reports whether a run belongs to the namespaces of a scope.
func sees(scope access.Scope, r Run) bool {
	return scope.All || scope.Sees(r.Subject.Labels[access.NamespaceLabel])
}

// Get is one run.
func (e *Engine) Get(ctx context.Context, id string) (Run, error) {
	k, err := e.get(ctx, id)
	if err != nil {
		return Run{}, err
	}
	if !sees(access.ScopeFor(ctx, access.RemediesRead), k.Run) {
		return Run{}, fmt.Errorf("run %q of a remedy: %w", id, store.ErrNotFound)
	}
	return k.Run, nil
}

// Listed is one remedy and how it is.
type Listed struct {
	contract.Head
	Kind    string          `json:"kind" doc:"of its action"`
	Terms   []contract.Term `json:"terms" doc:"what it says, in words"`
	Stopped *Stop           `json:"stopped,omitempty" doc:"absent while it may act"`
	Last    *Run            `json:"last,omitempty" doc:"its newest run"`
	Waiting int             `json:"waiting" doc:"runs that wait for approval"`
}

// Listing is all remedies.
type Listing struct {
	Summary  string   `json:"summary"`
	Stopped  *Stop    `json:"stopped,omitempty" doc:"the stop of all; absent while they may act"`
	Remedies []Listed `json:"remedies" doc:"by name"`
}

// List is all remedies in force and how they are.
func (e *Engine) List(ctx context.Context) (Listing, error) {
	out := Listing{Remedies: []Listed{}}
	if !access.ScopeFor(ctx, access.RemediesRead).All {
		out.Summary = "Remedies are shown to who may see them of all namespaces; runs of yours are listed."
		return out, nil
	}
	stops, err := e.Stops(ctx)
	if err != nil {
		return out, err
	}
	runs, err := e.between(ctx, e.deps.Now().Add(-30*24*time.Hour))
	if err != nil {
		return out, err
	}
	waiting := 0
	for _, r := range e.deps.Remedies() {
		one := Listed{Head: r.Head, Kind: r.Action.Kind(), Terms: r.Terms()}
		if s, ok := stops[r.Name]; ok {
			one.Stopped = &s
		}
		if i := slices.IndexFunc(runs, func(run Run) bool { return run.Remedy == r.Name }); i >= 0 {
			one.Last = &runs[i]
		}
		for _, run := range runs {
			if run.Remedy == r.Name && run.State == Pending && run.Approval == nil {
				one.Waiting++
			}
		}
		waiting += one.Waiting
		out.Remedies = append(out.Remedies, one)
	}
	if s, ok := stops[everything]; ok {
		out.Stopped = &s
	}
	out.Summary = summary(out, waiting)
	return out, nil
}

func summary(l Listing, waiting int) string {
	acts := 0
	for _, r := range l.Remedies {
		if r.Mode == contract.Auto && !r.DryRun && r.Stopped == nil {
			acts++
		}
	}
	switch {
	case l.Stopped != nil:
		return "Stopped: " + l.Stopped.text() + "."
	case waiting > 0:
		return fmt.Sprintf("%d waiting for somebody to approve.", waiting)
	case len(l.Remedies) == 0:
		return "There is no remedy yet: name files in remedy_files."
	}
	return fmt.Sprintf("%d in force, of which %d act by themselves.", len(l.Remedies), acts)
}
