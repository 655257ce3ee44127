package across

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// TenantLabel says of a series which tenant it is of, as in Mimir. A label of that name that a series has itself is
// found as ownLabel.
const (
	TenantLabel = "__tenant_id__"
	ownLabel    = "original_" + TenantLabel
)

// Queryable reads the series of several tenants.
type Queryable struct{ Parts Parts }

// Querier implements storage.Queryable.
func (q Queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{parts: q.Parts, mint: mint, maxt: maxt, open: map[string]storage.Querier{}}, nil
}

type querier struct {
	parts      Parts
	mint, maxt int64

	mu   sync.Mutex
	open map[string]storage.Querier // by tenant
}

// of is the querier of one part, opened when it is asked first.
func (q *querier) of(p Part) (storage.Querier, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if o := q.open[p.Tenant]; o != nil {
		return o, nil
	}
	o, err := p.Metrics.Querier(q.mint, q.maxt)
	if err != nil {
		return nil, err
	}
	q.open[p.Tenant] = o
	return o, nil
}

// ChunkQuerier implements storage.ChunkQueryable, for remote reads that are streamed.
func (q Queryable) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	return chunkQuerier{&querier{parts: q.Parts, mint: mint, maxt: maxt, open: map[string]storage.Querier{}}}, nil
}

type chunkQuerier struct{ *querier }

// Select implements storage.ChunkQuerier. The samples are encoded anew: they were read as the caller may see them.
func (q chunkQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.ChunkSeriesSet {
	return storage.NewSeriesSetToChunkSet(q.querier.Select(ctx, sorted, hints, matchers...))
}

// chosen are the parts that matchers ask, and what they ask of each.
func chosen(parts []Part, matchers []*labels.Matcher) ([]Part, []*labels.Matcher) {
	var rest []*labels.Matcher
	for _, m := range matchers {
		switch m.Name {
		case TenantLabel:
			parts = slices.DeleteFunc(slices.Clone(parts), func(p Part) bool { return !m.Matches(p.Tenant) })
		case ownLabel:
			own := *m
			own.Name = TenantLabel
			rest = append(rest, &own)
		default:
			rest = append(rest, m)
		}
	}
	if len(rest) == 0 && len(matchers) > 0 {
		rest = append(rest, labels.MustNewMatcher(labels.MatchRegexp, labels.MetricName, ".+"))
	}
	return parts, rest
}

// Select implements storage.Querier. The series are sorted, since a label that is added may change their order.
func (q *querier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	parts, rest := chosen(q.parts(ctx), matchers)
	var found []storage.Series
	warnings := annotations.Annotations{}
	for _, p := range parts {
		o, err := q.of(p)
		if err != nil {
			return storage.ErrSeriesSet(fmt.Errorf("tenant %s: %w", p.Tenant, err))
		}
		set := o.Select(p.Context(ctx), true, hints, rest...)
		for set.Next() {
			s := set.At()
			found = append(found, series{s, named(s.Labels(), p.Tenant)})
		}
		warnings.Merge(set.Warnings())
		if err := set.Err(); err != nil {
			return storage.ErrSeriesSet(fmt.Errorf("tenant %s: %w", p.Tenant, err))
		}
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &list{rest: found, warnings: warnings}
}

func named(ls labels.Labels, tenant string) labels.Labels {
	b := labels.NewBuilder(ls)
	if own := ls.Get(TenantLabel); own != "" {
		b.Set(ownLabel, own)
	}
	return b.Set(TenantLabel, tenant).Labels()
}

type series struct {
	storage.Series
	labels labels.Labels
}

func (s series) Labels() labels.Labels { return s.labels }

type list struct {
	now      storage.Series
	rest     []storage.Series
	warnings annotations.Annotations
}

func (l *list) Next() bool {
	if len(l.rest) == 0 {
		return false
	}
	l.now, l.rest = l.rest[0], l.rest[1:]
	return true
}

func (l *list) At() storage.Series                { return l.now }
func (l *list) Err() error                        { return nil }
func (l *list) Warnings() annotations.Annotations { return l.warnings }

// names asks each part for texts and joins them, sorted, each once.
func (q *querier) names(ctx context.Context, hints *storage.LabelHints, matchers []*labels.Matcher,
	ask func(context.Context, Part, storage.Querier, []*labels.Matcher) ([]string, annotations.Annotations, error),
) ([]string, annotations.Annotations, error) {
	parts, rest := chosen(q.parts(ctx), matchers)
	warnings := annotations.Annotations{}
	all, err := each(ctx, func(context.Context) []Part { return parts }, func(ctx context.Context, p Part) ([]string, error) {
		o, err := q.of(p)
		if err != nil {
			return nil, err
		}
		some, w, err := ask(ctx, p, o, rest)
		warnings.Merge(w)
		return some, err
	})
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if hints != nil && hints.Limit > 0 && len(all) > hints.Limit {
		all = all[:hints.Limit]
		warnings.Add(errors.New("results truncated due to limit"))
	}
	return all, warnings, nil
}

// LabelNames implements storage.LabelQuerier.
func (q *querier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return q.names(ctx, hints, matchers, func(ctx context.Context, _ Part, o storage.Querier, ms []*labels.Matcher) ([]string, annotations.Annotations, error) {
		some, w, err := o.LabelNames(ctx, hints, ms...)
		if len(some) == 0 {
			return nil, w, err
		}
		out := []string{TenantLabel}
		for _, n := range some {
			if n == TenantLabel {
				n = ownLabel
			}
			out = append(out, n)
		}
		return out, w, err
	})
}

// LabelValues implements storage.LabelQuerier.
func (q *querier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return q.names(ctx, hints, matchers, func(ctx context.Context, p Part, o storage.Querier, ms []*labels.Matcher) ([]string, annotations.Annotations, error) {
		switch name {
		case TenantLabel:
			some, w, err := o.LabelNames(ctx, &storage.LabelHints{Limit: 1}, ms...)
			if len(some) == 0 {
				return nil, w, err
			}
			return []string{p.Tenant}, nil, err
		case ownLabel:
			return o.LabelValues(ctx, TenantLabel, hints, ms...)
		}
		return o.LabelValues(ctx, name, hints, ms...)
	})
}

// Close implements storage.LabelQuerier.
func (q *querier) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var errs []error
	for tenant, o := range q.open {
		errs = append(errs, o.Close())
		delete(q.open, tenant)
	}
	return errors.Join(errs...)
}
