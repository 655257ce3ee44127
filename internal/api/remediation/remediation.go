// Package remediation serves what is done about alerts: remedies, their runs, what waits for approval, and the switch that stops them.
//
// It holds no rule: the room behind Deps answers. In: requests, and the messages of Alertmanagers. Out: its answers as JSON. Start
// reading at Deps.
package remediation

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/remedy/engine"
)

// Deps are the rooms behind it; what is nil answers 404.
type Deps struct {
	Room Room
}

// Room acts on alerts; remedy/engine.Engine does.
type Room interface {
	List(context.Context) (engine.Listing, error)
	Runs(context.Context, engine.Query) ([]engine.Run, error)
	Get(ctx context.Context, id string) (engine.Run, error)
	Begin(ctx context.Context, remedy string, labels model.Labels, dryRun bool, by string) (engine.Run, error)
	Approve(ctx context.Context, id, seen, by string) (engine.Run, error)
	Refuse(ctx context.Context, id, reason, by string) (engine.Run, error)
	Stop(ctx context.Context, remedy, reason, by string) (engine.Stop, error)
	Start(ctx context.Context, remedy string) (engine.Stop, error)
	Receive(context.Context, engine.Message) (engine.Received, error)
}

type handlers struct {
	*operation.Registry
	deps Deps
}

// Runs lists runs.
type Runs struct {
	Runs []engine.Run `json:"runs" doc:"the newest first"`
}

type runsInput struct {
	Remedy  string `query:"remedy" maxLength:"63"`
	Service string `query:"service" maxLength:"200"`
	State   string `query:"state" enum:"asked,declined,pending,acting,verifying,holding,undoing,suggested,planned,effective,undone,ineffective,failed,halted,refused,ended"`
	Open    bool   `query:"open" doc:"only those whose alert is active or that are not over"`
	Limit   int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

type oneInput struct {
	ID string `path:"id" maxLength:"64"`
}

// RunRequest begins a run by hand.
type RunRequest struct {
	Labels model.Labels `json:"labels,omitempty" doc:"what stands for the labels of an alert; the matchers of the trigger must hold for them"`
	DryRun bool         `json:"dry_run,omitempty" doc:"says what would be done, and does nothing"`
	By     string       `json:"by,omitempty" maxLength:"200" doc:"who begins it, where nobody has to log in"`
}

type runInput struct {
	Name string `path:"name" maxLength:"63"`
	Body RunRequest
}

// Answer approves or refuses.
type Answer struct {
	Plan   string `json:"plan,omitempty" maxLength:"10000" doc:"text of the plan that is approved; where another one waits by now, nothing is"`
	Reason string `json:"reason,omitempty" maxLength:"1000" doc:"why it is refused"`
	By     string `json:"by,omitempty" maxLength:"200" doc:"who says so, where nobody has to log in"`
}

type answerInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body Answer
}

// Switch stops or starts.
type Switch struct {
	Remedy string `json:"remedy,omitempty" maxLength:"63" doc:"all, if absent"`
	Reason string `json:"reason,omitempty" maxLength:"1000" doc:"needed to stop"`
	By     string `json:"by,omitempty" maxLength:"200" doc:"who does it, where nobody has to log in"`
}

type switchInput struct{ Body Switch }

type messageInput struct{ Body engine.Message }

// who is asking, or says so where nobody has to log in.
func who(ctx context.Context, claimed string) string {
	return cmp.Or(access.SubjectOf(ctx, claimed), "somebody")
}

// Register adds the operations.
func Register(r *operation.Registry, deps Deps) {
	h := &handlers{Registry: r, deps: deps}
	operation.Register(r, h.operation("listRemediations", "", "/remediation", access.RemediesRead, "Remedies in force, how they are, and whether they are stopped"),
		func(ctx context.Context, _ *struct{}) (engine.Listing, error) { return h.deps.Room.List(ctx) })
	operation.Register(r, h.operation("listRemediationRuns", "", "/remediation/runs", access.RemediesRead, "What remedies did, would do and did not do, with the reasons"),
		func(ctx context.Context, in *runsInput) (Runs, error) {
			list, err := h.deps.Room.Runs(ctx, engine.Query{Remedy: in.Remedy, Service: operation.NameOf(in.Service), State: engine.State(in.State), Open: in.Open, Limit: in.Limit})
			return Runs{Runs: list}, err
		})
	operation.Register(r, h.operation("getRemediationRun", "", "/remediation/runs/{id}", access.RemediesRead, "One run with its plan, evidence and history"),
		func(ctx context.Context, in *oneInput) (engine.Run, error) { return h.deps.Room.Get(ctx, in.ID) })
	h.registerChanges()
}

func (h *handlers) operation(id, method, path string, p access.Permission, summary string) operation.Operation {
	return operation.Operation{ID: id, Method: method, Path: path, Tag: "remedies", Permission: p, Summary: summary, Served: h.deps.Room != nil, Room: "remediation"}
}

func (h *handlers) registerChanges() {
	post := func(id, path string, p access.Permission, summary string) operation.Operation {
		return h.operation(id, http.MethodPost, path, p, summary)
	}
	operation.Register(h.Registry, post("runRemediation", "/remediation/remedies/{name}/run", access.RemediesRun, "Begin a remedy by hand"),
		func(ctx context.Context, in *runInput) (engine.Run, error) {
			by := who(ctx, in.Body.By)
			run, err := h.deps.Room.Begin(ctx, in.Name, in.Body.Labels, in.Body.DryRun, by)
			if err == nil {
				h.Audit(ctx, model.AuditEntry{Actor: by, Action: "remediation.run", Subject: run.ID, Details: map[string]string{"remedy": in.Name, "dry_run": strconv.FormatBool(in.Body.DryRun)}})
			}
			return run, err
		})
	approve := post("approveRemediation", "/remediation/runs/{id}/approve", access.RemediesRun, "Have done what waits for approval")
	approve.Description = "Everything is judged once more; where something else would be done by then, it waits again."
	operation.Register(h.Registry, approve, func(ctx context.Context, in *answerInput) (engine.Run, error) {
		by := who(ctx, in.Body.By)
		run, err := h.deps.Room.Approve(ctx, in.ID, in.Body.Plan, by)
		if err == nil {
			h.Audit(ctx, model.AuditEntry{Actor: by, Action: "remediation.approve", Subject: run.ID, Details: map[string]string{"remedy": run.Remedy, "plan": run.Approval.Plan}})
		}
		return run, err
	})
	operation.Register(h.Registry, post("refuseRemediation", "/remediation/runs/{id}/refuse", access.RemediesRun, "Have what waits for approval not be done"),
		func(ctx context.Context, in *answerInput) (engine.Run, error) {
			by := who(ctx, in.Body.By)
			run, err := h.deps.Room.Refuse(ctx, in.ID, in.Body.Reason, by)
			if err == nil {
				h.Audit(ctx, model.AuditEntry{Actor: by, Action: "remediation.refuse", Subject: run.ID, Details: map[string]string{"remedy": run.Remedy, "reason": in.Body.Reason}})
			}
			return run, err
		})
	h.registerSwitch(post)
	receive := post("receiveRemediationAlerts", "/remediation/alerts", access.RemediesSend, "Alerts of an Alertmanager, in the words of its webhook receiver (version 4)")
	operation.Register(h.Registry, receive, func(ctx context.Context, in *messageInput) (engine.Received, error) {
		out, err := h.deps.Room.Receive(ctx, in.Body)
		if err == nil {
			h.Audit(ctx, model.AuditEntry{Action: "remediation.alerts", Subject: "alerts", Details: map[string]string{"taken": strconv.Itoa(out.Taken), "ignored": strconv.Itoa(out.Ignored)}})
		}
		return out, err
	})
}

func (h *handlers) registerSwitch(post func(id, path string, p access.Permission, summary string) operation.Operation) {
	note := func(ctx context.Context, by, action, remedy, reason string) {
		subject := remedy
		if subject == "" {
			subject = "all remedies"
		}
		h.Audit(ctx, model.AuditEntry{Actor: by, Action: action, Subject: subject, Details: map[string]string{"reason": reason}})
	}
	stop := post("stopRemediation", "/remediation/stop", access.RemediesRun, "Stop all remedies, or one, until somebody starts them again")
	stop.Description = "What is being done is ended where it can be; what was done stays, and nothing is taken back. It survives restarts."
	operation.Register(h.Registry, stop, func(ctx context.Context, in *switchInput) (engine.Stop, error) {
		by := who(ctx, in.Body.By)
		s, err := h.deps.Room.Stop(ctx, in.Body.Remedy, in.Body.Reason, by)
		if err == nil {
			note(ctx, by, "remediation.stop", in.Body.Remedy, in.Body.Reason)
		}
		return s, err
	})
	operation.Register(h.Registry, post("startRemediation", "/remediation/start", access.RemediesStart, "Start again what was stopped"),
		func(ctx context.Context, in *switchInput) (engine.Stop, error) {
			by := who(ctx, in.Body.By)
			s, err := h.deps.Room.Start(ctx, in.Body.Remedy)
			if err == nil {
				note(ctx, by, "remediation.start", in.Body.Remedy, in.Body.Reason)
			}
			return s, err
		})
}
