// Package operation is the contract between the rooms of the API and what serves them: what an
// endpoint is, the inputs that many share, one way to read times, and one shape of errors.
//
// It knows no room and holds no rule of one. In: operations with their handlers. Out: routes,
// and their description. A Registry is used while the API is built; its methods that handlers
// call are safe for concurrent use. Start reading at Operation, then Register.
package operation

import (
	"context"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Registry takes the operations of every room.
type Registry struct {
	api     huma.API
	log     *slog.Logger
	maxBody int64
	routes  *front.Routes
	record  func(context.Context, model.AuditEntry) (model.AuditEntry, error)
	// Now is the time that relative times count from.
	Now func() time.Time
}

// Config is what a Registry is given; Record may be nil.
type Config struct {
	API     huma.API
	Logger  *slog.Logger
	Now     func() time.Time
	MaxBody int64
	Record  func(context.Context, model.AuditEntry) (model.AuditEntry, error)
}

// New makes a Registry.
func New(c Config) *Registry {
	return &Registry{api: c.API, log: c.Logger, maxBody: c.MaxBody, routes: front.NewRoutes(), record: c.Record, Now: c.Now}
}

// API is where operations with answers of their own kind are registered.
func (r *Registry) API() huma.API { return r.api }

// Routes are the endpoints that were registered, with the permission of each.
func (r *Registry) Routes() *front.Routes { return r.routes }

// Audit records what the API changed. The change itself stands even where the entry
// cannot be written; that is logged.
func (r *Registry) Audit(ctx context.Context, e model.AuditEntry) {
	if r.record == nil {
		return
	}
	e.Time = r.Now().UTC()
	if e.Actor == "" {
		e.Actor = "api"
	}
	if _, err := r.record(ctx, e); err != nil {
		r.log.ErrorContext(ctx, "audit entry not written", "action", e.Action, "subject", e.Subject, "err", err)
	}
}
