// Package incidents serves what went wrong and what people did about it: incidents, their figures, timelines and postmortems.
//
// It holds no rule: the room behind Deps answers. In: requests. Out: its answers as JSON. Start reading at Deps.
package incidents

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/api/statuspages"
	"github.com/signalbox-project/signalbox/internal/incident"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Deps are the rooms behind it; what is nil answers 404.
type Deps struct {
	Room        Room
	StatusPages statuspages.Deps // where they are announced
}

// Room keeps incidents; incident.Room does.
type Room interface {
	List(context.Context, incident.Query) (list []incident.Incident, next string, err error)
	Incident(ctx context.Context, id string) (incident.Incident, error)
	Similar(ctx context.Context, of incident.Incident) ([]incident.Similar, error)
	Figures(ctx context.Context, days, periods int, service string) ([]incident.Period, error)
	Open(context.Context, incident.Order) (incident.Incident, error)
	Edit(ctx context.Context, id string, e incident.Edit) (incident.Incident, error)
	SetStatus(ctx context.Context, id string, to incident.Status, text, by string) (incident.Incident, error)
	Note(ctx context.Context, id, text string, update bool, by string) (incident.Incident, error)
	Task(ctx context.Context, id string, task incident.Task, by string) (incident.Incident, error)
	Look(ctx context.Context, id, by string) (incident.Incident, error)
	Merge(ctx context.Context, id, into, by string) (incident.Incident, error)
	Timeline(ctx context.Context, id string) (incident.Timeline, error)
	Postmortem(ctx context.Context, id string) (incident.Postmortem, error)
	Write(ctx context.Context, id string, w incident.Writing) (incident.Incident, error)
	Overdue(context.Context) ([]incident.Overdue, error)
	Split(ctx context.Context, id string, pages []string, title, by string) (incident.Incident, error)
}

type handlers struct {
	*operation.Registry
	deps Deps
}

// Register adds the operations.
func Register(r *operation.Registry, deps Deps) {
	h := &handlers{Registry: r, deps: deps}
	h.registerReads()
	h.registerChanges()
	h.registerPostmortems()
	statuspages.Register(r, deps.StatusPages)
}

func (h *handlers) operation(id, method, path string, p access.Permission, summary string) operation.Operation {
	return operation.Operation{ID: id, Method: method, Path: path, Tag: "incidents", Permission: p, Summary: summary, Served: h.deps.Room != nil, Room: "incidents"}
}

// Response lists incidents.
type Response struct {
	Summary   string              `json:"summary"`
	Incidents []incident.Incident `json:"incidents" doc:"the newest first"`
	Next      string              `json:"next,omitempty" doc:"cursor of the following page, for before; absent at the end"`
}

type listInput struct {
	Status   string `query:"status" enum:"open,mitigated,resolved,merged" doc:"all, if absent"`
	Service  string `query:"service" maxLength:"200"`
	Severity string `query:"severity" enum:"P0,P1,P2,P3"`
	Text     string `query:"q" maxLength:"500" doc:"words that all stand somewhere in it: title, summary, notes, alerts, postmortem"`
	Start    string `query:"start" maxLength:"64" doc:"when it was detected: RFC 3339, Unix s, ms or ns, or now-30d; all, if absent"`
	End      string `query:"end" maxLength:"64" doc:"as start, exclusive"`
	Before   string `query:"before" maxLength:"200" doc:"next of the page before"`
	Limit    int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
}

type oneInput struct {
	ID string `path:"id" maxLength:"200"`
}

// Detail is one incident with what is like it.
type Detail struct {
	Incident incident.Incident  `json:"incident"`
	Similar  []incident.Similar `json:"similar" doc:"past incidents that have much in common with it, the most first"`
}

type figuresInput struct {
	Days    int    `query:"days" default:"30" minimum:"1" maximum:"366" doc:"length of a period"`
	Periods int    `query:"periods" default:"6" minimum:"1" maximum:"60" doc:"how many of them, the last of which ends now"`
	Service string `query:"service" maxLength:"200" doc:"all, if absent"`
}

// FiguresResponse is how quickly incidents were noticed, taken and ended.
type FiguresResponse struct {
	Periods []incident.Period `json:"periods" doc:"the newest last"`
}

func (h *handlers) registerReads() {
	operation.Register(h.Registry, h.operation("listIncidents", "", "/incidents", access.IncidentsRead, "Incidents, the newest first"), h.list)
	operation.Register(h.Registry, h.operation("incidentFigures", "", "/incidents/figures", access.IncidentsRead, "Mean times to detect, acknowledge and recover, by service and period"),
		func(ctx context.Context, in *figuresInput) (FiguresResponse, error) {
			periods, err := h.deps.Room.Figures(ctx, in.Days, in.Periods, in.Service)
			return FiguresResponse{Periods: periods}, err
		})
	operation.Register(h.Registry, h.operation("getIncident", "", "/incidents/{id}", access.IncidentsRead, "One incident"),
		func(ctx context.Context, in *oneInput) (out Detail, err error) {
			if out.Incident, err = h.deps.Room.Incident(ctx, in.ID); err == nil {
				out.Similar, err = h.deps.Room.Similar(ctx, out.Incident)
			}
			return out, err
		})
}

func (h *handlers) list(ctx context.Context, in *listInput) (out Response, err error) {
	q := incident.Query{Status: incident.Status(in.Status), Service: in.Service, Severity: in.Severity, Text: in.Text, Before: in.Before, Limit: in.Limit}
	for _, at := range []struct {
		name, text string
		to         *time.Time
	}{{"start", in.Start, &q.Start}, {"end", in.End, &q.End}} {
		if at.text == "" {
			continue
		}
		if *at.to, err = operation.ParseTime(at.text, h.Now()); err != nil {
			return out, operation.BadRequest("%s: %v", at.name, err)
		}
	}
	out.Incidents, out.Next, err = h.deps.Room.List(ctx, q)
	out.Summary = incident.Summarize(out.Incidents)
	return out, err
}

type openInput struct{ Body incident.Order }

type editInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body incident.Edit
}

// StatusRequest declares how far an incident is.
type StatusRequest struct {
	Status string `json:"status" enum:"open,mitigated,resolved" doc:"open opens it again"`
	Text   string `json:"text,omitempty" maxLength:"10000" doc:"a status update that says why"`
	By     string `json:"by,omitempty" maxLength:"200" doc:"who says so, where nobody has to log in"`
}

type statusInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body StatusRequest
}

// NoteRequest adds a note.
type NoteRequest struct {
	Text string `json:"text" minLength:"1" maxLength:"10000"`
	Kind string `json:"kind,omitempty" enum:"note,update" default:"note" doc:"update is a status update for others"`
	By   string `json:"by,omitempty" maxLength:"200" doc:"who says so, where nobody has to log in"`
}

type noteInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body NoteRequest
}

// TaskRequest is an action item.
type TaskRequest struct {
	ID    string     `json:"id,omitempty" maxLength:"50" doc:"of the one to change; a new one if absent"`
	Text  string     `json:"text" minLength:"1" maxLength:"2000"`
	Term  string     `json:"term,omitempty" enum:"immediate,short,long" default:"short"`
	Owner string     `json:"owner,omitempty" maxLength:"200"`
	Due   *time.Time `json:"due,omitempty"`
	Link  string     `json:"link,omitempty" maxLength:"2000"`
	Done  *time.Time `json:"done,omitempty" doc:"when it was done; absent while it is not"`
	By    string     `json:"by,omitempty" maxLength:"200" doc:"who says so, where nobody has to log in"`
}

type taskInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body TaskRequest
}

// LookRequest asks to look again.
type LookRequest struct {
	By string `json:"by,omitempty" maxLength:"200" doc:"who asks, where nobody has to log in"`
}

type lookInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body LookRequest
}

// MergeRequest names the incident that another becomes part of.
type MergeRequest struct {
	Into string `json:"into" minLength:"1" maxLength:"200"`
	By   string `json:"by,omitempty" maxLength:"200" doc:"who does it, where nobody has to log in"`
}

type mergeInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body MergeRequest
}

// SplitRequest names the pages that become an incident of their own.
type SplitRequest struct {
	Pages []string `json:"pages" minItems:"1" maxItems:"1000"`
	Title string   `json:"title" minLength:"1" maxLength:"300"`
	By    string   `json:"by,omitempty" maxLength:"200" doc:"who does it, where nobody has to log in"`
}

type splitInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body SplitRequest
}

// change registers an operation that changes an incident, and is noted in the audit log.
func change[I any](h *handlers, op operation.Operation, action string, how func(context.Context, *I) (incident.Incident, string, map[string]string, error)) {
	operation.Register(h.Registry, op, func(ctx context.Context, in *I) (incident.Incident, error) {
		i, by, details, err := how(ctx, in)
		if err == nil {
			h.Audit(ctx, model.AuditEntry{Actor: by, Action: action, Subject: i.ID, Details: details})
		}
		return i, err
	})
}

func (h *handlers) registerChanges() {
	op := func(id, method, path, summary string) operation.Operation {
		return h.operation(id, method, path, access.IncidentsWrite, summary)
	}
	open := op("openIncident", http.MethodPost, "/incidents", "Open an incident by hand")
	open.Status = http.StatusCreated
	change(h, open, "incident.open", func(ctx context.Context, in *openInput) (incident.Incident, string, map[string]string, error) {
		i, err := h.deps.Room.Open(ctx, in.Body)
		return i, in.Body.By, map[string]string{"title": i.Title, "severity": i.Severity}, err
	})
	edit := op("editIncident", http.MethodPatch, "/incidents/{id}", "Change what an incident says of itself")
	edit.Description = "What is absent stays as it is."
	change(h, edit, "incident.edit", func(ctx context.Context, in *editInput) (incident.Incident, string, map[string]string, error) {
		i, err := h.deps.Room.Edit(ctx, in.ID, in.Body)
		return i, in.Body.By, map[string]string{"title": i.Title, "severity": i.Severity, "commander": i.Roles.Commander}, err
	})
	change(h, op("setIncidentStatus", http.MethodPost, "/incidents/{id}/status", "Declare an incident mitigated, resolved or open again"), "incident.status",
		func(ctx context.Context, in *statusInput) (incident.Incident, string, map[string]string, error) {
			i, err := h.deps.Room.SetStatus(ctx, in.ID, incident.Status(in.Body.Status), in.Body.Text, in.Body.By)
			return i, in.Body.By, map[string]string{"status": in.Body.Status}, err
		})
	change(h, op("addIncidentNote", http.MethodPost, "/incidents/{id}/notes", "Say something in an incident"), "incident.note",
		func(ctx context.Context, in *noteInput) (incident.Incident, string, map[string]string, error) {
			i, err := h.deps.Room.Note(ctx, in.ID, in.Body.Text, in.Body.Kind == "update", in.Body.By)
			return i, in.Body.By, map[string]string{"kind": in.Body.Kind, "bytes": strconv.Itoa(len(in.Body.Text))}, err
		})
	change(h, op("setIncidentTask", http.MethodPost, "/incidents/{id}/actions", "Add or change an action item"), "incident.action",
		func(ctx context.Context, in *taskInput) (incident.Incident, string, map[string]string, error) {
			b := in.Body
			i, err := h.deps.Room.Task(ctx, in.ID, incident.Task{ID: b.ID, Text: b.Text, Term: cmp.Or(b.Term, "short"), Owner: b.Owner, Due: b.Due, Link: b.Link, Done: b.Done}, b.By)
			return i, b.By, map[string]string{"owner": b.Owner, "done": strconv.FormatBool(b.Done != nil)}, err
		})
	look := op("lookIncident", http.MethodPost, "/incidents/{id}/look", "Look again for metrics and log lines that were unusual when an incident began")
	look.Description = "What is found replaces what was found before; the timeline tells it."
	change(h, look, "incident.look", func(ctx context.Context, in *lookInput) (incident.Incident, string, map[string]string, error) {
		i, err := h.deps.Room.Look(ctx, in.ID, in.Body.By)
		return i, in.Body.By, nil, err
	})
	change(h, op("mergeIncident", http.MethodPost, "/incidents/{id}/merge", "Make an incident part of another"), "incident.merge",
		func(ctx context.Context, in *mergeInput) (incident.Incident, string, map[string]string, error) {
			i, err := h.deps.Room.Merge(ctx, in.ID, in.Body.Into, in.Body.By)
			return i, in.Body.By, map[string]string{"from": in.ID}, err
		})
	change(h, op("splitIncident", http.MethodPost, "/incidents/{id}/split", "Make some of an incident's pages one of their own"), "incident.split",
		func(ctx context.Context, in *splitInput) (incident.Incident, string, map[string]string, error) {
			i, err := h.deps.Room.Split(ctx, in.ID, in.Body.Pages, in.Body.Title, in.Body.By)
			return i, in.Body.By, map[string]string{"from": in.ID, "pages": strconv.Itoa(len(in.Body.Pages))}, err
		})
}
