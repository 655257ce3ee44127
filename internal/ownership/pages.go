package ownership

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// PageStore remembers who was paged.
type PageStore interface {
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error)
	AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error)
}

// Pages are those with an alert of the caller's namespaces, which is what they are shown of them.
type Pages struct{ From PageStore }

// Pages lists them, the newest first.
func (p Pages) Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error) {
	scope := access.ScopeFor(ctx, access.PagesRead)
	out, err := limited(scope, q.Limit, func(limit int) ([]model.Page, error) {
		q.Limit = limit
		return p.From.Pages(ctx, q)
	}, func(one model.Page) (bool, error) { return len(own(scope, one)) > 0, nil })
	for i := range out {
		out[i] = narrowed(scope, out[i])
	}
	return out, err
}

// AckPage acknowledges one that is all of the caller's namespaces: whoever else is concerned would think that somebody is on it.
func (p Pages) AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error) {
	scope := access.ScopeOf(ctx)
	if scope.All {
		return p.From.AckPage(ctx, id, by, at)
	}
	hidden := fmt.Errorf("page %s: %w", id, store.ErrNotFound)
	all, err := p.From.Pages(ctx, store.PageQuery{Limit: maxRead})
	if err != nil {
		return model.Page{}, err
	}
	i := slices.IndexFunc(all, func(one model.Page) bool { return one.ID == id })
	if i < 0 || len(own(scope, all[i])) == 0 {
		return model.Page{}, hidden
	}
	if len(own(scope, all[i])) < len(all[i].Alerts) {
		return model.Page{}, requestError{errors.New("this page is about alerts of other namespaces, too: who sees all of them acknowledges it")}
	}
	return p.From.AckPage(ctx, id, by, at)
}

// own are the alerts of a page that a scope sees.
func own(scope access.Scope, p model.Page) []model.PageAlert {
	return slices.DeleteFunc(slices.Clone(p.Alerts), func(a model.PageAlert) bool { return !scope.Sees(a.Labels[access.NamespaceLabel]) })
}

// narrowed says of a page what its alerts that scope sees say.
func narrowed(scope access.Scope, p model.Page) model.Page {
	mine := own(scope, p)
	if scope.All || len(mine) == len(p.Alerts) {
		return p
	}
	first := mine[0]
	p.Alerts, p.Severity, p.Service = mine, first.Labels.Own("severity"), first.Labels.Own("service")
	p.Title, p.Summary = first.Labels["alertname"], cmp.Or(first.Annotations["summary"], first.Annotations["description"])
	p.Deliveries = slices.Clone(p.Deliveries)
	for i := range p.Deliveries {
		p.Deliveries[i].Error = ""
	}
	return p
}
