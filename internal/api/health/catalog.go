package health

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/catalog"
	"github.com/signalbox-project/signalbox/internal/front"
)

// Catalog knows what services there are and whose; catalog.Room does.
type Catalog interface {
	List(ctx context.Context) (catalog.Listing, error)
	Get(ctx context.Context, service, namespace string) (catalog.Entry, error)
	Gaps(ctx context.Context) (catalog.GapList, error)
}

type catalogInput struct {
	Service   string `path:"service" maxLength:"200" doc:"by its name, or one that it has in telemetry"`
	Namespace string `query:"namespace" maxLength:"200" doc:"where services of several namespaces have one name"`
}

func (h *handlers) registerCatalog() {
	op := func(id, path, summary string) operation.Operation {
		return operation.Operation{ID: id, Path: path, Tag: "services", Permission: access.ServicesRead, Work: front.Question, Summary: summary, Served: h.deps.Catalog != nil, Room: "a service catalogue"}
	}
	operation.Register(h.Registry, op("listCatalog", "/catalog", "What services there are, and whose they are"), func(ctx context.Context, _ *struct{}) (catalog.Listing, error) {
		return h.deps.Catalog.List(ctx)
	})
	operation.Register(h.Registry, op("catalogGaps", "/catalog/gaps", "What services lack: an owner, a runbook, an SLO, somebody on call"), func(ctx context.Context, _ *struct{}) (catalog.GapList, error) {
		return h.deps.Catalog.Gaps(ctx)
	})
	operation.Register(h.Registry, op("getCatalogService", "/catalog/{service}", "One service: owner, tier, contact, links, runbooks, dependencies, gaps"), func(ctx context.Context, in *catalogInput) (catalog.Entry, error) {
		return h.deps.Catalog.Get(ctx, in.Service, in.Namespace)
	})
}
