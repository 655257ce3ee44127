// Package people serves who is on call, and who is told of a page: schedules, shifts, overrides, gaps, policies, contacts;
// and, by package incidents, what they work on.
//
// It holds no rule: the rooms behind Deps answer. In: requests. Out: their answers as JSON. Start reading at Deps.
package people

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/incidents"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall"
)

// Deps are the rooms behind it; what is nil answers 404.
type Deps struct {
	OnCall     OnCall
	Incidents  incidents.Deps
	Channels   Channels // to people
	Escalation Escalation
	Contacts   Contacts
	Heartbeats Heartbeats
	// Sees reports whether a caller may see a page.
	Sees func(ctx context.Context, page string) (bool, error)
	// External is where browsers reach Signalbox.
	External *url.URL
}

// OnCall says who is on call; oncall.Room does.
type OnCall interface {
	Schedules(ctx context.Context, at time.Time) ([]oncall.Schedule, error)
	Shifts(ctx context.Context, schedule string, from, to time.Time) ([]oncall.Shift, error)
	ShiftsOf(ctx context.Context, person string, from, to time.Time) ([]oncall.Shift, error)
	Coverage(ctx context.Context, schedule string, from, to time.Time) (oncall.Coverage, error)
	Fairness(ctx context.Context, schedule string, from, to time.Time, pages []oncall.Paged) (oncall.Fairness, error)
	Overrides(ctx context.Context, schedule string, from, to time.Time) ([]oncall.Override, error)
	Override(ctx context.Context, overrides ...oncall.Override) ([]oncall.Override, error)
	Unoverride(ctx context.Context, id string) (oncall.Override, error)
	Swaps(ctx context.Context) ([]oncall.Swap, error)
	Propose(ctx context.Context, s oncall.Swap) (oncall.Swap, error)
	Decide(ctx context.Context, id string, state oncall.SwapState, by, note string) (oncall.Swap, error)
}

type handlers struct {
	*operation.Registry
	deps Deps
}

// Register adds the operations.
func Register(r *operation.Registry, deps Deps) {
	h := &handlers{Registry: r, deps: deps}
	h.registerSchedules()
	h.registerOverrides()
	h.registerSwaps()
	h.registerChannels()
	h.registerCalendar()
	incidents.Register(r, deps.Incidents)
	h.registerEscalations()
	h.registerDrills()
	h.registerContacts()
	h.registerHeartbeats()
}

// OnCallResponse is who is on call.
type OnCallResponse struct {
	Summary   string            `json:"summary"`
	Schedules []oncall.Schedule `json:"schedules" doc:"by name"`
}

// ShiftsResponse is who is on call by one schedule.
type ShiftsResponse struct {
	Shifts []oncall.Shift `json:"shifts" doc:"in order; in the time between two nobody is on call"`
}

type onCallInput struct {
	At string `query:"at" maxLength:"64" doc:"RFC 3339, Unix s, ms or ns, or now+8h; now if absent" example:"now+8h"`
}

type scheduleInput struct {
	Name  string `path:"name" maxLength:"200"`
	Start string `query:"start" maxLength:"64" doc:"RFC 3339, Unix s, ms or ns, or now-1h; now if absent" example:"now"`
	Days  int    `query:"days" default:"14" minimum:"1" maximum:"400" doc:"how long from there"`
}

type coverageInput struct {
	Schedule string `query:"schedule" maxLength:"200" doc:"all, if absent"`
	Start    string `query:"start" maxLength:"64" doc:"as of shifts"`
	Days     int    `query:"days" default:"30" minimum:"1" maximum:"400"`
}

func (h *handlers) operation(id, method, path string, p access.Permission, summary string) operation.Operation {
	return operation.Operation{ID: id, Method: method, Path: path, Tag: "oncall", Permission: p, Summary: summary, Served: h.deps.OnCall != nil, Room: "on-call schedules"}
}

func (h *handlers) registerSchedules() {
	operation.Register(h.Registry, h.operation("whoIsOnCall", "", "/oncall", access.OnCallRead, "Who is on call"), h.who)
	operation.Register(h.Registry, h.operation("onCallCoverage", "", "/oncall/coverage", access.OnCallRead, "Whether somebody is on call in every moment, and every level reaches a verified contact"),
		func(ctx context.Context, in *coverageInput) (oncall.Coverage, error) {
			from, to, err := h.span(in.Start, in.Days)
			if err != nil {
				return oncall.Coverage{}, err
			}
			return h.coverage(ctx, in.Schedule, from, to)
		})
	operation.Register(h.Registry, h.operation("onCallFairness", "", "/oncall/fairness", access.OnCallRead, "How turns, nights, weekends, holidays and pages are shared"), h.fairness)
	operation.Register(h.Registry, h.operation("onCallShifts", "", "/oncall/schedules/{name}/shifts", access.OnCallRead, "Who is on call by one schedule, in days to come"),
		func(ctx context.Context, in *scheduleInput) (ShiftsResponse, error) {
			from, to, err := h.span(in.Start, in.Days)
			if err != nil {
				return ShiftsResponse{}, err
			}
			shifts, err := h.deps.OnCall.Shifts(ctx, in.Name, from, to)
			return ShiftsResponse{Shifts: shifts}, err
		})
}

type fairnessInput struct {
	Schedule string `query:"schedule" maxLength:"200" doc:"all, if absent"`
	Start    string `query:"start" maxLength:"64" doc:"as of shifts; as many days ago as are asked for, if absent"`
	Days     int    `query:"days" default:"90" minimum:"1" maximum:"400"`
}

func (h *handlers) fairness(ctx context.Context, in *fairnessInput) (oncall.Fairness, error) {
	start := in.Start
	if start == "" {
		start = fmt.Sprintf("now-%dd", in.Days)
	}
	from, to, err := h.span(start, in.Days)
	if err != nil {
		return oncall.Fairness{}, err
	}
	var pages []oncall.Paged
	if h.deps.Escalation != nil {
		if pages, err = h.deps.Escalation.Paged(ctx, from, to); err != nil {
			return oncall.Fairness{}, err
		}
	}
	return h.deps.OnCall.Fairness(ctx, in.Schedule, from, to, pages)
}

func (h *handlers) who(ctx context.Context, in *onCallInput) (OnCallResponse, error) {
	at, err := h.moment("at", in.At)
	if err != nil {
		return OnCallResponse{}, err
	}
	schedules, err := h.deps.OnCall.Schedules(ctx, at)
	return OnCallResponse{Schedules: schedules, Summary: summarize(schedules)}, err
}

func summarize(schedules []oncall.Schedule) string {
	empty := 0
	for _, s := range schedules {
		if s.Now == nil {
			empty++
		}
	}
	switch {
	case len(schedules) == 0:
		return "There is no on-call schedule yet: name files of schedules in oncall_files."
	case empty == 0:
		return fmt.Sprintf("Every schedule has somebody on call (%d).", len(schedules))
	case empty == 1:
		return fmt.Sprintf("1 of %d schedules has nobody on call.", len(schedules))
	}
	return fmt.Sprintf("%d of %d schedules have nobody on call.", empty, len(schedules))
}

// span is the days from a moment on.
func (h *handlers) span(start string, days int) (from, to time.Time, err error) {
	from, err = h.moment("start", start)
	return from, from.Add(time.Duration(days) * 24 * time.Hour), err
}

func (h *handlers) moment(param, text string) (time.Time, error) {
	if text == "" {
		return h.Now(), nil
	}
	t, err := operation.ParseTime(text, h.Now())
	if err != nil {
		return t, operation.BadRequest("%s: %v", param, err)
	}
	return t, nil
}

// OverridesRequest is what is arranged together: a swap of two shifts is two overrides.
type OverridesRequest struct {
	Overrides []oncall.Override `json:"overrides" minItems:"1" maxItems:"20"`
}

// OverridesResponse lists overrides.
type OverridesResponse struct {
	Overrides []oncall.Override `json:"overrides" doc:"in the order in which they were made"`
}

// OverrideDeleted answers which override was taken back.
type OverrideDeleted struct {
	ID string `json:"id"`
}

type overrideInput struct{ Body OverridesRequest }

type overridesInput struct {
	Schedule string `query:"schedule" required:"true" maxLength:"200"`
	Start    string `query:"start" maxLength:"64" doc:"as of shifts"`
	Days     int    `query:"days" default:"30" minimum:"1" maximum:"400"`
}

type unoverrideInput struct {
	ID    string `path:"id" maxLength:"300"`
	Actor string `query:"actor" maxLength:"200" doc:"who takes it back, for the audit trail"`
}

func (h *handlers) registerOverrides() {
	operation.Register(h.Registry, h.operation("listOnCallOverrides", "", "/oncall/overrides", access.OnCallRead, "Who took over from whom"),
		func(ctx context.Context, in *overridesInput) (OverridesResponse, error) {
			from, to, err := h.span(in.Start, in.Days)
			if err != nil {
				return OverridesResponse{}, err
			}
			list, err := h.deps.OnCall.Overrides(ctx, in.Schedule, from, to)
			return OverridesResponse{Overrides: list}, err
		})
	add := h.operation("overrideOnCall", http.MethodPost, "/oncall/overrides", access.OnCallSwap, "Put somebody on call for a while")
	add.Status = http.StatusCreated
	add.Description = "All or none. A swap of two shifts is two overrides."
	operation.Register(h.Registry, add, h.override)
	operation.Register(h.Registry, h.operation("deleteOnCallOverride", http.MethodDelete, "/oncall/overrides/{id}", access.OnCallSwap, "Take an override back"), h.unoverride)
}

func (h *handlers) override(ctx context.Context, in *overrideInput) (OverridesResponse, error) {
	claimed := make([]string, len(in.Body.Overrides))
	for i := range in.Body.Overrides {
		o := &in.Body.Overrides[i]
		claimed[i] = o.By
		o.By = access.SubjectOf(ctx, o.By)
	}
	made, err := h.deps.OnCall.Override(ctx, in.Body.Overrides...)
	if err != nil {
		return OverridesResponse{}, err
	}
	for i, o := range made {
		h.Audit(ctx, model.AuditEntry{Actor: claimed[i], Action: "oncall.override", Subject: o.Schedule, Details: details(o)})
	}
	return OverridesResponse{Overrides: made}, nil
}

func (h *handlers) unoverride(ctx context.Context, in *unoverrideInput) (OverrideDeleted, error) {
	gone, err := h.deps.OnCall.Unoverride(ctx, in.ID)
	if err == nil {
		h.Audit(ctx, model.AuditEntry{Actor: in.Actor, Action: "oncall.unoverride", Subject: gone.Schedule, Details: details(gone)})
	}
	return OverrideDeleted{ID: in.ID}, err
}

func details(o oncall.Override) map[string]string {
	return map[string]string{"id": o.ID, "person": o.Person, "start": o.Start.Format(time.RFC3339), "end": o.End.Format(time.RFC3339), "reason": o.Reason}
}
