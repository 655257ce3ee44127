package ownership

import (
	"context"
	"slices"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// NarrowedSLOs are the SLOs that the caller sees: those whose label says a namespace of theirs.
type NarrowedSLOs struct{ From SLOs }

// SLOs lists them; the sentence is about all, and left out where some are.
func (s NarrowedSLOs) SLOs(ctx context.Context, service string) ([]model.SLOStatus, string, error) {
	list, summary, err := s.From.SLOs(ctx, service)
	scope := access.ScopeFor(ctx, access.SLOsRead)
	if scope.All || err != nil {
		return list, summary, err
	}
	return slices.DeleteFunc(slices.Clone(list), func(one model.SLOStatus) bool { return !scope.Sees(one.Labels[access.NamespaceLabel]) }), "", nil
}

// slosSeen are the names of the SLOs of a service, or of all, that a scope sees.
func (o *Owners) slosSeen(ctx context.Context, scope access.Scope) (map[string]bool, error) {
	seen := map[string]bool{}
	if o.deps.SLOs == nil {
		return seen, nil
	}
	list, _, err := o.deps.SLOs.SLOs(access.Whole(ctx), "")
	for _, s := range list {
		if scope.Sees(s.Labels[access.NamespaceLabel]) {
			seen[s.Name] = true
		}
	}
	return seen, err
}

// RemedyStore remembers what was done about breaches.
type RemedyStore interface {
	Remedies(ctx context.Context, q store.RemedyQuery) ([]model.Remedy, error)
}

// Remedies are those of services that are all the caller's. Of an SLO that they do not see nothing is said.
type Remedies struct {
	From   RemedyStore
	Owners *Owners
}

// Remedies lists them, the newest first.
func (r Remedies) Remedies(ctx context.Context, q store.RemedyQuery) ([]model.Remedy, error) {
	scope := access.ScopeFor(ctx, access.RemediesRead)
	out, err := limited(scope, q.Limit, func(limit int) ([]model.Remedy, error) {
		q.Limit = limit
		return r.From.Remedies(ctx, q)
	}, func(one model.Remedy) (bool, error) { return r.Owners.belongs(ctx, scope, one.Service, "") })
	if scope.All || err != nil || len(out) == 0 {
		return out, err
	}
	seen, err := r.Owners.slosSeen(ctx, scope)
	if err != nil {
		return nil, err
	}
	for i := range out {
		one := &out[i]
		if one.Deploy != nil {
			if ok, err := r.Owners.belongs(ctx, scope, one.Deploy.Service, one.Deploy.Labels[access.NamespaceLabel]); err != nil || !ok {
				one.Deploy = nil
			}
		}
		if seen[one.SLO] {
			continue
		}
		one.SLO, one.Alert, one.Reason, one.Evidence = access.Hidden(""), access.Hidden(""), access.Hidden(""), []model.Evidence{}
		one.History = slices.Clone(one.History)
		for k := range one.History {
			one.History[k].Reason = access.Hidden("")
		}
	}
	return out, nil
}
