package health

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/runbook"
)

// Runbooks has what to do about alerts; runbook.Room does.
type Runbooks interface {
	List(alert, service string) runbook.Listing
	Get(name string) (runbook.Runbook, error)
}

type runbooksInput struct {
	Alert   string `query:"alert" maxLength:"200" doc:"only those for the alert of this name"`
	Service string `query:"service" maxLength:"200" doc:"only those for this service"`
}

type runbookInput struct {
	Name string `path:"name" maxLength:"200"`
}

func (h *handlers) registerRunbooks() {
	op := func(id, path, summary string) operation.Operation {
		return operation.Operation{ID: id, Path: path, Tag: "runbooks", Permission: access.ServicesRead, Summary: summary, Served: h.deps.Runbooks != nil, Room: "runbooks"}
	}
	operation.Register(h.Registry, op("listRunbooks", "/runbooks", "What to do, by alert and service"), func(_ context.Context, in *runbooksInput) (runbook.Listing, error) {
		return h.deps.Runbooks.List(in.Alert, in.Service), nil
	})
	operation.Register(h.Registry, op("getRunbook", "/runbooks/{name}", "One runbook, in blocks"), func(_ context.Context, in *runbookInput) (runbook.Runbook, error) {
		return h.deps.Runbooks.Get(in.Name)
	})
}
