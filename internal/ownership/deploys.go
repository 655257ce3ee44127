package ownership

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// maxRead is how many rows are read, the newest, to find those that are seen.
const maxRead = 10_000

// DeployStore keeps deployment markers.
type DeployStore interface {
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
	AddDeploy(ctx context.Context, d model.Deploy) (model.Deploy, error)
}

// Deploys are the deployments of a store that the caller sees. One belongs to the namespace of its label, or else to those of its service.
type Deploys struct {
	From   DeployStore
	Owners *Owners
}

// Deploys lists them, the newest first.
func (d Deploys) Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error) {
	scope := access.ScopeFor(ctx, access.DeploysRead)
	return limited(scope, q.Limit, func(limit int) ([]model.Deploy, error) {
		q.Limit = limit
		return d.From.Deploys(ctx, q)
	}, func(one model.Deploy) (bool, error) {
		return d.Owners.belongs(ctx, scope, one.Service, one.Labels[access.NamespaceLabel])
	})
}

// AddDeploy stores one of a service of the caller's, and says by the label to whom it belongs.
func (d Deploys) AddDeploy(ctx context.Context, one model.Deploy) (model.Deploy, error) {
	scope := access.ScopeOf(ctx)
	if scope.All {
		return d.From.AddDeploy(ctx, one)
	}
	mine, err := d.Owners.within(ctx, scope, one.Service)
	if err != nil {
		return one, err
	}
	said := one.Labels[access.NamespaceLabel]
	switch {
	case said == "" && len(mine) > 1:
		return one, requestError{fmt.Errorf("several of your namespaces have a service %s: set the label %s to one of %v", one.Service, access.NamespaceLabel, mine)}
	case said == "" && len(mine) == 1:
		said = mine[0]
	case !slices.Contains(mine, said):
		return one, unknown(one.Service, scope)
	}
	if one.Labels = maps.Clone(one.Labels); one.Labels == nil {
		one.Labels = map[string]string{}
	}
	one.Labels[access.NamespaceLabel] = said
	if one.ID != "" { // one that exists would be changed
		known, err := d.From.Deploys(ctx, store.DeployQuery{Service: one.Service, Limit: maxRead})
		if err != nil {
			return one, err
		}
		if !slices.ContainsFunc(known, func(k model.Deploy) bool { return k.ID == one.ID && k.Labels[access.NamespaceLabel] == said }) {
			one.ID = ""
		}
	}
	return d.From.AddDeploy(ctx, one)
}

// limited are the first of a list that are seen, limit at most.
func limited[T any](scope access.Scope, limit int, read func(limit int) ([]T, error), seen func(T) (bool, error)) ([]T, error) {
	if scope.All {
		return read(limit)
	}
	out := []T{}
	if scope.None() {
		return out, nil
	}
	all, err := read(maxRead)
	if err != nil {
		return out, err
	}
	for _, one := range all {
		ok, err := seen(one)
		if err != nil {
			return []T{}, err
		}
		if ok {
			out = append(out, one)
		}
		if limit > 0 && len(out) == limit {
			break
		}
	}
	return out, nil
}
