package audit

import (
	"cmp"
	"context"
	"maps"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

// onBehalfOf is the detail that keeps a name that was claimed and not proved.
const onBehalfOf = "on_behalf_of"

// Audit writes what a room did for a request: the actor is whoever proved to be asking, not who the request claims to be,
// and the tenant and the address are those of the request. It answers when the entry is on the disk. What was done was done:
// who goes away before the answer is noted all the same.
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
	if a := access.From(ctx); a != nil {
		e.Tenant = cmp.Or(e.Tenant, a.Tenant)
		if a.Remote != "" && e.Details["remote"] == "" {
			e.Details = maps.Clone(e.Details)
			if e.Details == nil {
				e.Details = map[string]string{}
			}
			e.Details["remote"] = a.Remote
		}
	}
	return r.to.Audit(context.WithoutCancel(ctx), e)
}
