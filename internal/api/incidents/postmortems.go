package incidents

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/incident"
)

// OverdueResponse lists what should have been done by now.
type OverdueResponse struct {
	Overdue []incident.Overdue `json:"overdue" doc:"the longest overdue first"`
}

// PostmortemRequest is what people write of a postmortem.
type PostmortemRequest struct {
	Written incident.Written `json:"written"`
	Publish bool             `json:"publish,omitempty" doc:"it is published with this; needs a summary and a root cause"`
	Review  bool             `json:"reviewed,omitempty" doc:"its review was held"`
	Version *int64           `json:"version,omitempty" minimum:"0" doc:"written.version as it was read, 0 where it was absent: what somebody wrote since is then not replaced but answered (409, in details). Without it, it is replaced"`
	By      string           `json:"by,omitempty" maxLength:"200" doc:"who writes, where nobody has to log in"`
}

type postmortemInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body PostmortemRequest
}

func (h *handlers) registerPostmortems() {
	operation.Register(h.Registry, h.operation("incidentTimeline", "", "/incidents/{id}/timeline", access.IncidentsRead, "What happened around an incident, each with its source"), func(ctx context.Context, in *oneInput) (incident.Timeline, error) {
		return h.deps.Room.Timeline(ctx, in.ID)
	})
	operation.Register(h.Registry, h.operation("incidentPostmortem", "", "/incidents/{id}/postmortem", access.IncidentsRead, "The draft of an incident's postmortem, as JSON with the document in Markdown"), func(ctx context.Context, in *oneInput) (incident.Postmortem, error) {
		return h.deps.Room.Postmortem(ctx, in.ID)
	})
	operation.Register(h.Registry, h.operation("overduePostmortems", "", "/incidents/overdue", access.IncidentsRead, "Summaries, postmortems, reviews and action items that are overdue"), func(ctx context.Context, _ *struct{}) (OverdueResponse, error) {
		list, err := h.deps.Room.Overdue(ctx)
		return OverdueResponse{Overdue: list}, err
	})
	write := h.operation("writePostmortem", http.MethodPost, "/incidents/{id}/postmortem", access.IncidentsWrite, "Write an incident's postmortem, publish it, note its review")
	write.Description = "It replaces what people wrote before. Send the version that was read, so that nobody's text is lost."
	change(h, write, "incident.postmortem", func(ctx context.Context, in *postmortemInput) (incident.Incident, string, map[string]string, error) {
		b := in.Body
		i, err := h.deps.Room.Write(ctx, in.ID, incident.Writing{Written: b.Written, Publish: b.Publish, Review: b.Review, Version: b.Version, By: b.By})
		if now := (incident.Conflict{}); errors.As(err, &now) {
			err = operation.Conflict(now.Now, now.Error())
		}
		return i, in.Body.By, map[string]string{"published": strconv.FormatBool(in.Body.Publish), "reviewed": strconv.FormatBool(in.Body.Review)}, err
	})
}
