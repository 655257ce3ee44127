package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// narrowed narrows a filter to what the request of ctx may see. It is asked of the record's own namespace, so that no
// other part of a filter gets around it.
func narrowed(ctx context.Context, e store.Expr) store.Expr {
	scope := access.ScopeOf(ctx)
	if scope.All {
		return e
	}
	mine := store.Or{} // of nothing it never holds
	for _, n := range scope.Names {
		if n != "" {
			mine.Exprs = append(mine.Exprs, store.Compare{Field: "namespace", Op: store.OpEq, Value: n})
		}
	}
	if e == nil {
		return mine
	}
	return store.And{Exprs: []store.Expr{mine, e}}
}

// visible hides the spans of a trace that scope does not see: when they were and below which span stays, so that the
// trace keeps its shape, and whom to ask. A trace without any that it sees is not there.
func visible(scope access.Scope, id model.TraceID, spans []model.Span) ([]model.Span, error) {
	if scope.All {
		return spans, nil
	}
	out, seen := make([]model.Span, len(spans)), false
	for i := range spans {
		s := &spans[i]
		if scope.Sees(s.Resource.Namespace) {
			out[i], seen = *s, true
			continue
		}
		out[i] = model.Span{
			TraceID: s.TraceID, SpanID: s.SpanID, ParentID: s.ParentID, Start: s.Start, Duration: s.Duration, Name: access.Hidden(s.Resource.Namespace),
			Resource: &model.Resource{Tenant: s.Resource.Tenant, Namespace: s.Resource.Namespace},
		}
	}
	if !seen {
		return nil, fmt.Errorf("trace %s: %w", id, store.ErrNotFound)
	}
	return out, nil
}

// summariesApart summarises traces again, of the spans that the request sees and the shape of the others.
func (s *Service) summariesApart(ctx context.Context, tenant string, found []store.TraceSummary) ([]store.TraceSummary, error) {
	scope := access.ScopeOf(ctx)
	if scope.All {
		return found, nil
	}
	out := []store.TraceSummary{}
	for _, f := range found {
		spans, err := s.spans.Trace(ctx, tenant, f.TraceID, store.Range{Start: f.Start, End: f.Start + f.Duration + 1})
		if err == nil {
			spans, err = visible(scope, f.TraceID, spans)
		}
		if errors.Is(err, store.ErrNotFound) {
			continue // retention was quicker
		}
		if err != nil {
			return nil, err
		}
		out = append(out, summaryApart(scope, f, spans))
	}
	return out, nil
}

// summaryApart says again what depends on names and outcomes; hidden spans are counted, but of no service.
func summaryApart(scope access.Scope, f store.TraceSummary, spans []model.Span) store.TraceSummary {
	root, services := 0, map[string]store.ServiceCount{}
	f.Spans, f.Errors, f.Services = len(spans), 0, nil
	for i := range spans {
		s := &spans[i]
		if s.ParentID.IsZero() && !spans[root].ParentID.IsZero() {
			root = i
		}
		if !scope.Sees(s.Resource.Namespace) {
			continue
		}
		c := services[s.Resource.Service]
		c.Service = s.Resource.Service
		c.Spans++
		if s.Status == model.StatusError {
			c.Errors++
			f.Errors++
		}
		services[c.Service] = c
	}
	f.RootService, f.RootName = spans[root].Resource.Service, spans[root].Name
	f.Services = slices.SortedFunc(maps.Values(services), func(a, b store.ServiceCount) int {
		return cmp.Or(cmp.Compare(b.Spans, a.Spans), cmp.Compare(a.Service, b.Service))
	})
	return f
}
