package topology

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Querier evaluates an instant PromQL query.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
}

// Edges are the dependencies seen in range, by client and server. Counts are
// PromQL's increase(), rounded; an edge without a request in range is left out. Who is bound to namespaces sees the edges that begin or
// end in them; of an end that is another's its team alone, and no figure.
func (p *Processor) Edges(ctx context.Context, tenant string, r store.Range) ([]model.Edge, error) {
	if p.querier == nil {
		return nil, errors.New("topology: no querier was given")
	}
	seconds := (r.End - r.Start + 999_999_999) / 1e9
	if seconds <= 0 {
		return []model.Edge{}, nil
	}
	tenant = p.home.Label(tenant)
	scope := access.ScopeFor(ctx, access.ServicesRead)
	requests, err := p.increase(ctx, scope, model.MetricEdgeRequests, tenant, seconds, r.End)
	if err != nil {
		return nil, err
	}
	failures, err := p.increase(ctx, scope, model.MetricEdgeErrors, tenant, seconds, r.End)
	if err != nil {
		return nil, err
	}
	durations, err := p.increase(ctx, scope, model.MetricEdgeDuration, tenant, seconds, r.End)
	if err != nil {
		return nil, err
	}
	shown := map[model.Edge]bool{}
	for e, n := range requests {
		calls := math.Round(n)
		if calls < 1 {
			continue
		}
		// increase() stretches all three by the same factor, which the mean cancels.
		if one, ok := seen(scope, e, model.Edge{
			Client: e.client, Server: e.server, Kind: e.kind, Calls: uint64(calls),
			Errors: uint64(min(calls, math.Round(failures[e]))), MeanSecs: durations[e] / n,
		}); ok {
			shown[one] = true
		}
	}
	return slices.SortedFunc(maps.Keys(shown), func(a, b model.Edge) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Calls, b.Calls))
	}), nil
}

// seen is an edge as scope sees it; false where it sees neither end.
func seen(scope access.Scope, e edge, full model.Edge) (model.Edge, bool) {
	if scope.All {
		return full, true
	}
	client, server := scope.Sees(e.clientSpace), scope.Sees(e.serverSpace)
	switch {
	case client && server:
		return full, true
	case client:
		return model.Edge{Client: e.client, Server: access.Hidden(e.serverSpace), Kind: e.kind, Hidden: true}, true
	case server:
		return model.Edge{Client: access.Hidden(e.clientSpace), Server: e.server, Kind: e.kind, Hidden: true}, true
	}
	return model.Edge{}, false
}

// increase sums by the ends' names and, where scope tells them apart, their namespaces.
func (p *Processor) increase(ctx context.Context, scope access.Scope, metric, tenant string, seconds, end int64) (map[edge]float64, error) {
	by := "client, server, kind"
	if !scope.All {
		by += ", " + clientSpace + ", " + serverSpace
	}
	expr := fmt.Sprintf("sum by (%s) (increase(%s{tenant=%q}[%ds]))", by, metric, tenant, seconds)
	samples, err := p.querier.Instant(ctx, expr, time.Unix(0, end))
	if err != nil {
		return nil, fmt.Errorf("query edges: %w", err)
	}
	out := make(map[edge]float64, len(samples))
	for _, s := range samples {
		if s.Value >= 0 && !math.IsInf(s.Value, 0) {
			l := s.Labels
			out[edge{client: l["client"], clientSpace: l[clientSpace], server: l["server"], serverSpace: l[serverSpace], kind: l["kind"]}] = s.Value
		}
	}
	return out, nil
}
