package people

import (
	"context"
	"fmt"
	"net/http"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/oncall"
)

// Heartbeats watches what has to say regularly that it works; heartbeat.Monitor does.
type Heartbeats interface {
	Ping(ctx context.Context, name string, p oncall.HeartbeatPing) (oncall.HeartbeatStanding, error)
	Heartbeats(ctx context.Context) ([]oncall.HeartbeatStanding, error)
}

// HeartbeatsResponse lists heartbeats.
type HeartbeatsResponse struct {
	Heartbeats []oncall.HeartbeatStanding `json:"heartbeats" doc:"in the order of the files"`
}

type pingInput struct {
	Name     string `path:"name" maxLength:"200"`
	Status   string `query:"status" enum:"ok,start,fail" default:"ok" doc:"start: it begins, and is not done; fail: raises an alert at once"`
	ExitCode int    `query:"exit_code" minimum:"0" maximum:"255" doc:"of the command; others than 0 are a failure"`
	Note     string `query:"note" maxLength:"500" doc:"a word on it, for people"`
}

func (h *handlers) registerHeartbeats() {
	op := func(id, method, path string, p access.Permission, summary string) operation.Operation {
		return operation.Operation{ID: id, Method: method, Path: path, Tag: "oncall", Permission: p, Summary: summary, Served: h.deps.Heartbeats != nil, Room: "heartbeats"}
	}
	operation.Register(h.Registry, op("listHeartbeats", "", "/heartbeats", access.OnCallRead, "What has to say regularly that it works, and whether it does"),
		func(ctx context.Context, _ *struct{}) (HeartbeatsResponse, error) {
			list, err := h.deps.Heartbeats.Heartbeats(ctx)
			return HeartbeatsResponse{Heartbeats: list}, err
		})
	ping := op("pingHeartbeat", http.MethodPost, "/heartbeats/{name}", access.AlertsSend, "Say that it works, begins or failed")
	ping.Description = "Needs no body. A heartbeat that is not pinged within its interval and grace raises the alert HeartbeatMissed."
	operation.Register(h.Registry, ping, func(ctx context.Context, in *pingInput) (oncall.HeartbeatStanding, error) {
		if !access.ScopeFor(ctx, access.AlertsSend).All { // they belong to the tenant, to none of its namespaces
			return oncall.HeartbeatStanding{}, fmt.Errorf("heartbeat %q: %w", in.Name, oncall.ErrUnknown)
		}
		return h.deps.Heartbeats.Ping(ctx, in.Name, oncall.HeartbeatPing{Start: in.Status == "start", Fail: in.Status == "fail", ExitCode: in.ExitCode, Note: in.Note})
	})
}
