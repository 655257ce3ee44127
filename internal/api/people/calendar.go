package people

import (
	"bytes"
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/oncall/calendar"
)

// How far the calendar reaches. Readers drop what a feed no longer has, and people look back at the last month.
const calendarBack, calendarAhead = 31 * 24 * time.Hour, 183 * 24 * time.Hour

type calendarInput struct {
	Schedule string `query:"schedule" maxLength:"200" doc:"everybody's turns by one schedule"`
	Person   string `query:"person" maxLength:"200" doc:"one person's turns by all schedules"`
	Token    string `query:"token" maxLength:"200" doc:"for calendar programs, which can send no header: an API token that has the role calendar alone"`
}

func (h *handlers) registerCalendar() {
	op := h.operation("onCallCalendar", "", access.CalendarPath[len(operation.Root):], access.OnCallRead, "Turns as an iCalendar feed")
	op.Description = "For calendar programs to subscribe to (RFC 5545): the last month and the next six, in UTC. Give one of schedule and person."
	ho := h.Huma(op)
	ho.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{"text/calendar": {Schema: &huma.Schema{Type: huma.TypeString}}}}
	huma.Register(h.API(), ho, func(ctx context.Context, in *calendarInput) (*calendarOutput, error) {
		if !op.Served {
			return nil, operation.NotServed(op)
		}
		feed, err := h.feed(ctx, in)
		if err != nil {
			return nil, h.FailureOf(ctx, err)
		}
		var b bytes.Buffer
		if err := calendar.Write(&b, feed); err != nil {
			return nil, h.FailureOf(ctx, err)
		}
		return &calendarOutput{ContentType: calendar.Type, Body: b.Bytes()}, nil
	})
}

// calendarOutput is a feed as it is sent.
type calendarOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (h *handlers) feed(ctx context.Context, in *calendarInput) (out calendar.Feed, err error) {
	now := h.Now()
	out = calendar.Feed{Now: now}
	if h.deps.External != nil {
		out.Link = calendar.Link(h.deps.External)
	}
	from, to := now.Add(-calendarBack).Truncate(24*time.Hour), now.Add(calendarAhead).Truncate(24*time.Hour)
	out.From = from
	switch {
	case (in.Schedule == "") == (in.Person == ""):
		return out, operation.BadRequest("give one of schedule and person")
	case in.Schedule != "":
		out.Name = "On call: " + in.Schedule
		out.Shifts, err = h.deps.OnCall.Shifts(ctx, in.Schedule, from, to)
	default:
		out.Name = "On call: " + in.Person
		out.Shifts, err = h.deps.OnCall.ShiftsOf(ctx, in.Person, from, to)
	}
	return out, err
}
