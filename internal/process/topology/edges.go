package topology

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Querier evaluates an instant PromQL query.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
}

// Edges are the dependencies seen in range, by client and server. Counts are
// PromQL's increase(), rounded; an edge without a request in range is left out.
func (p *Processor) Edges(ctx context.Context, tenant string, r store.Range) ([]model.Edge, error) {
	if p.querier == nil {
		return nil, errors.New("topology: no querier was given")
	}
	seconds := (r.End - r.Start + 999_999_999) / 1e9
	if seconds <= 0 {
		return []model.Edge{}, nil
	}
	tenant = p.home.Label(tenant)
	requests, err := p.increase(ctx, model.MetricEdgeRequests, tenant, seconds, r.End)
	if err != nil {
		return nil, err
	}
	failures, err := p.increase(ctx, model.MetricEdgeErrors, tenant, seconds, r.End)
	if err != nil {
		return nil, err
	}
	durations, err := p.increase(ctx, model.MetricEdgeDuration, tenant, seconds, r.End)
	if err != nil {
		return nil, err
	}
	out := make([]model.Edge, 0, len(requests))
	for e, n := range requests {
		calls := math.Round(n)
		if calls < 1 {
			continue
		}
		// increase() stretches all three by the same factor, which the mean cancels.
		out = append(out, model.Edge{
			Client: e.client, Server: e.server, Kind: e.kind, Calls: uint64(calls),
			Errors: uint64(min(calls, math.Round(failures[e]))), MeanSecs: durations[e] / n,
		})
	}
	slices.SortFunc(out, func(a, b model.Edge) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Kind, b.Kind))
	})
	return out, nil
}

func (p *Processor) increase(ctx context.Context, metric, tenant string, seconds, end int64) (map[edge]float64, error) {
	expr := fmt.Sprintf("sum by (client, server, kind) (increase(%s{tenant=%q}[%ds]))", metric, tenant, seconds)
	samples, err := p.querier.Instant(ctx, expr, time.Unix(0, end))
	if err != nil {
		return nil, fmt.Errorf("query edges: %w", err)
	}
	out := make(map[edge]float64, len(samples))
	for _, s := range samples {
		if s.Value >= 0 && !math.IsInf(s.Value, 0) {
			out[edge{client: s.Labels["client"], server: s.Labels["server"], kind: s.Labels["kind"]}] = s.Value
		}
	}
	return out, nil
}
