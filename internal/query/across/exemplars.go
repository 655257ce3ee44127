package across

import (
	"context"
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// ExemplarQuerier implements storage.ExemplarQueryable.
func (q Queryable) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	return exemplars{ctx, q.Parts}, nil
}

// exemplars keeps the context that it was asked for with: what selects has none.
type exemplars struct {
	ctx   context.Context //nolint:containedctx // the interface gives Select none
	parts Parts
}

// Select answers the exemplars of all, each series named as samples are.
func (e exemplars) Select(start, end int64, sets ...[]*labels.Matcher) ([]exemplar.QueryResult, error) {
	all := e.parts(e.ctx)
	out, err := each(e.ctx, e.parts, func(ctx context.Context, p Part) ([]exemplar.QueryResult, error) {
		var asked [][]*labels.Matcher
		for _, set := range sets {
			parts, rest := chosen(all, set)
			if slices.ContainsFunc(parts, func(o Part) bool { return o.Tenant == p.Tenant }) {
				asked = append(asked, rest)
			}
		}
		if len(asked) == 0 {
			return nil, nil
		}
		q, err := p.Exemplars.ExemplarQuerier(ctx)
		if err != nil {
			return nil, err
		}
		some, err := q.Select(start, end, asked...)
		if err != nil {
			return nil, fmt.Errorf("exemplars: %w", err)
		}
		for i := range some {
			some[i].SeriesLabels = named(some[i].SeriesLabels, p.Tenant)
		}
		return some, nil
	})
	slices.SortFunc(out, func(a, b exemplar.QueryResult) int { return labels.Compare(a.SeriesLabels, b.SeriesLabels) })
	if out == nil {
		out = []exemplar.QueryResult{}
	}
	return out, err
}
