// Package health serves how services are: golden signals, topology, causes, who was paged and
// why, probes.
//
// It holds no rule: the rooms behind Deps answer. In: requests. Out: their answers as JSON. Start
// reading at Deps, then services.go.
package health

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/diagnose"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/probe"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Deps are the rooms behind it; what is nil answers 404.
type Deps struct {
	Services    Services
	Topology    Topology
	Causes      Causes
	Pages       Pages
	PageSummary PageExplainer // nil leaves the summary empty
	Explain     Explainer
	Probes      Probes
	Catalog     Catalog
	Runbooks    Runbooks
}

type handlers struct {
	*operation.Registry
	deps Deps
}

// Register adds the operations.
func Register(r *operation.Registry, deps Deps) {
	h := &handlers{Registry: r, deps: deps}
	h.registerServices()
	h.registerPages()
	h.registerProbes()
	h.registerCatalog()
	h.registerRunbooks()
}

// Services summarises what services do.
type Services interface {
	Services(ctx context.Context, tenant string, start, end time.Time) ([]diagnose.ServiceSummary, error)
	Service(ctx context.Context, tenant, name string, start, end time.Time) (diagnose.ServiceDetail, error)
}

// Topology lists who calls whom.
type Topology interface {
	Edges(ctx context.Context, tenant string, r store.Range) ([]model.Edge, error)
}

// Causes names what caused what fails now; diagnose.Diagnoser does.
type Causes interface {
	// Causes has those of most SLOs first, with one sentence; "" while nothing fails.
	Causes(ctx context.Context, tenant string) (list []cause.Group, summary string, err error)
}

// Pages remembers who was paged and takes acknowledgements; store/state does.
type Pages interface {
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error) // newest first
	AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error)
}

// PageExplainer says in one sentence who was paged when.
type PageExplainer interface {
	SummarizePages(pages []model.Page, now time.Time) string
}

// Explainer answers "why was I paged?".
type Explainer interface {
	Explain(ctx context.Context, alert string) (diagnose.Explanation, error)
	Suppose(ctx context.Context, labels model.Labels) (diagnose.Explanation, error)
}

// Probes shows the synthetic probes, sorted by name; probe.Prober does.
type Probes interface {
	Probes(ctx context.Context) []probe.Probe
}
