// Package ownership says to which namespaces a service belongs, and shows what is kept by service (deployments, gate decisions,
// pages, remedies, SLOs) to who is bound to some of them as if there were nothing else.
//
// A service belongs to the namespaces that series with its name in the label service say in the label namespace, and that its SLOs
// say. It stores nothing and decides nothing: package access has the scope, the stores have the rows.
//
// In: a store and the Access of a context. Out: the same store, narrowed. Invariants: who sees all is answered by the store itself;
// what one does not see is answered as what there is not, in the same words. An Owners is safe for concurrent use.
//
// Start reading at Owners, then deploys.go.
package ownership

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// remembered is how long it is not looked up again to whom a service belongs.
	remembered = 10 * time.Second
	// maxRemembered bounds how many services are remembered.
	maxRemembered = 10_000
)

// SLOs knows the SLOs; slo.Engine does.
type SLOs interface {
	SLOs(ctx context.Context, service string) (list []model.SLOStatus, summary string, err error)
}

// Deps are what an Owners asks. SLOs may be nil.
type Deps struct {
	Series storage.Queryable
	SLOs   SLOs
	Now    func() time.Time // nil means time.Now
}

// Owners knows to whom services belong.
type Owners struct {
	deps Deps

	mu    sync.Mutex
	known map[string]owned
}

type owned struct {
	namespaces []string
	at         time.Time
}

// New makes an Owners; it starts nothing.
func New(deps Deps) (*Owners, error) {
	if deps.Series == nil {
		return nil, errors.New("ownership: it needs series")
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Owners{deps: deps, known: map[string]owned{}}, nil
}

// Of are the namespaces of a service, sorted.
func (o *Owners) Of(ctx context.Context, service string) ([]string, error) {
	now := o.deps.Now()
	o.mu.Lock()
	was, ok := o.known[service]
	o.mu.Unlock()
	if ok && now.Sub(was.at) < remembered {
		return was.namespaces, nil
	}
	found, err := o.look(access.Whole(ctx), service)
	if err != nil {
		return nil, fmt.Errorf("to whom %s belongs: %w", service, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.known) >= maxRemembered {
		clear(o.known)
	}
	o.known[service] = owned{found, now}
	return found, nil
}

func (o *Owners) look(ctx context.Context, service string) (_ []string, err error) {
	all := map[string]bool{}
	q, err := o.deps.Series.Querier(0, o.deps.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	values, _, err := q.LabelValues(ctx, access.NamespaceLabel, nil, labels.MustNewMatcher(labels.MatchEqual, "service", service))
	if err != nil {
		return nil, err
	}
	for _, v := range values {
		all[v] = true
	}
	if o.deps.SLOs != nil {
		list, _, err := o.deps.SLOs.SLOs(ctx, service)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			all[s.Labels[access.NamespaceLabel]] = true
		}
	}
	delete(all, "")
	return slices.Sorted(maps.Keys(all)), nil
}

// belongs says whether what is about a service, and names a namespace or none, is all of it visible in a scope. Where it names none,
// each namespace of the service must be: what is of two teams is neither's alone.
func (o *Owners) belongs(ctx context.Context, scope access.Scope, service, namespace string) (bool, error) {
	switch {
	case scope.All:
		return true, nil
	case scope.None() || service == "":
		return false, nil
	case namespace != "":
		return scope.Sees(namespace), nil
	}
	of, err := o.Of(ctx, service)
	if err != nil || len(of) == 0 {
		return false, err
	}
	return !slices.ContainsFunc(of, func(n string) bool { return !scope.Sees(n) }), nil
}

// within are the namespaces of a service that a scope sees.
func (o *Owners) within(ctx context.Context, scope access.Scope, service string) ([]string, error) {
	of, err := o.Of(ctx, service)
	return slices.DeleteFunc(slices.Clone(of), func(n string) bool { return !scope.Sees(n) }), err
}

// name is a service as a scope sees it.
func (o *Owners) name(ctx context.Context, scope access.Scope, service string) (string, error) {
	of, err := o.Of(ctx, service)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(of, scope.Sees) {
		return service, nil
	}
	if len(of) == 0 {
		return access.Hidden(""), nil
	}
	return access.Hidden(of[0]), nil
}

// Known is nil where the caller sees a service, and otherwise what it would be if there were none.
func (o *Owners) Known(ctx context.Context, service string) error {
	scope := access.ScopeOf(ctx)
	if scope.All {
		return nil
	}
	mine, err := o.within(ctx, scope, service)
	if err == nil && len(mine) == 0 {
		err = unknown(service, scope)
	}
	return err
}

// Whole is nil where all that there is of a service is the caller's.
func (o *Owners) Whole(ctx context.Context, service string) error {
	if err := o.Known(ctx, service); err != nil {
		return err
	}
	if ok, err := o.belongs(ctx, access.ScopeOf(ctx), service, ""); err != nil || ok {
		return err
	}
	return requestError{fmt.Errorf("other namespaces have a service %s, too: this is for who sees all of them", service)}
}

func unknown(service string, scope access.Scope) error {
	return fmt.Errorf("service %s: %w in %s; a service is known once it sends metrics or spans with its namespace, or has an SLO with the label %s",
		service, store.ErrNotFound, scope.Text(), access.NamespaceLabel)
}

// requestError marks a mistake of the caller's.
type requestError struct{ error }

// BadRequest tells the API whose fault it is.
func (requestError) BadRequest() {}
