package audit

import (
	"context"
	"maps"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

// onBehalfOf is the detail that keeps a name that was claimed and not proved.
const onBehalfOf = "on_behalf_of"

// Audit writes what a room did for a request: the actor is whoever proved to be asking, not who the request claims to be,
// and the tenant is that of the request. It answers when the entry is on the disk.
func (r *Recorder) Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	if who := access.SubjectOf(ctx, e.Actor); who != e.Actor {
		details := maps.Clone(e.Details)
		if details == nil {
			details = map[string]string{}
		}
		if e.Actor != "" && e.Actor != "api" && e.Actor != "unknown" { // nobody was claimed
			details[onBehalfOf] = e.Actor
		}
		e.Actor, e.Details = who, details
	}
	if a := access.From(ctx); a != nil && e.Tenant == "" {
		e.Tenant = a.Tenant
	}
	return r.to.Audit(ctx, e)
}
