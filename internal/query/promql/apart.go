package promql

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/signalbox-project/signalbox/internal/access"
)

// namespaceLabel is the label that says to whom a series belongs.
const namespaceLabel = "namespace"

// apart is a storage of which a request sees the series of its namespaces alone. Everything that the API answers of series
// comes out of here, so that no text of a query has to be understood to keep namespaces apart.
type apart struct{ Storage }

// Apart narrows what an engine reads to what the request of ctx may see; see Engine.Over.
func Apart(q storage.Queryable) storage.Queryable { return onlySamples{q} }

// ApartExemplars narrows exemplars as Apart does samples.
func ApartExemplars(q storage.ExemplarQueryable) storage.ExemplarQueryable { return onlyExemplars{q} }

type onlyExemplars struct{ storage.ExemplarQueryable }

// ExemplarQuerier reads exemplars.
func (o onlyExemplars) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	q, err := o.ExemplarQueryable.ExemplarQuerier(ctx)
	if err != nil {
		return nil, err
	}
	return exemplarsApart{q, ctx}, nil
}

type onlySamples struct{ storage.Queryable }

func (o onlySamples) Querier(mint, maxt int64) (storage.Querier, error) {
	return querierApart(o.Queryable, mint, maxt)
}

// Querier reads decoded samples.
func (a apart) Querier(mint, maxt int64) (storage.Querier, error) {
	return querierApart(a.Storage, mint, maxt)
}

// ChunkQuerier reads encoded chunks.
func (a apart) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	q, err := a.Storage.ChunkQuerier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return chunksApart{labelsApart{q}, q}, nil
}

// ExemplarQuerier reads exemplars.
func (a apart) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	return onlyExemplars{a.Storage}.ExemplarQuerier(ctx)
}

func querierApart(q storage.Queryable, mint, maxt int64) (storage.Querier, error) {
	inner, err := q.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return samplesApart{labelsApart{inner}, inner}, nil
}

// within adds to matchers what the request of ctx may see; false is nothing at all.
func within(ctx context.Context, matchers []*labels.Matcher) ([]*labels.Matcher, bool) {
	scope := access.ScopeOf(ctx)
	if scope.All {
		return matchers, true
	}
	var names []string
	for _, n := range scope.Names {
		if n != "" { // the empty value would match every series without the label
			names = append(names, regexp.QuoteMeta(n))
		}
	}
	if len(names) == 0 {
		return nil, false
	}
	m, err := labels.NewMatcher(labels.MatchRegexp, namespaceLabel, strings.Join(names, "|"))
	if err != nil { // a name that is no text
		return nil, false
	}
	out := make([]*labels.Matcher, 0, len(matchers)+1)
	return append(append(out, matchers...), m), true
}

type labelsApart struct{ inner storage.LabelQuerier }

func (q labelsApart) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	ms, some := within(ctx, matchers)
	if !some {
		return nil, nil, nil
	}
	return q.inner.LabelValues(ctx, name, hints, ms...)
}

func (q labelsApart) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	ms, some := within(ctx, matchers)
	if !some {
		return nil, nil, nil
	}
	return q.inner.LabelNames(ctx, hints, ms...)
}

func (q labelsApart) Close() error { return q.inner.Close() }

type samplesApart struct {
	labelsApart
	inner storage.Querier
}

func (q samplesApart) Select(ctx context.Context, sortSeries bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	ms, some := within(ctx, matchers)
	if !some {
		return storage.EmptySeriesSet()
	}
	return q.inner.Select(ctx, sortSeries, hints, ms...)
}

type chunksApart struct {
	labelsApart
	inner storage.ChunkQuerier
}

func (q chunksApart) Select(ctx context.Context, sortSeries bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.ChunkSeriesSet {
	ms, some := within(ctx, matchers)
	if !some {
		return storage.EmptyChunkSeriesSet()
	}
	return q.inner.Select(ctx, sortSeries, hints, ms...)
}

// exemplarsApart keeps the context that it was asked for with: what selects has none.
type exemplarsApart struct {
	inner storage.ExemplarQuerier
	ctx   context.Context //nolint:containedctx // the interface gives Select none
}

func (q exemplarsApart) Select(start, end int64, matchers ...[]*labels.Matcher) ([]exemplar.QueryResult, error) {
	limited := make([][]*labels.Matcher, 0, len(matchers))
	for _, set := range matchers {
		if ms, some := within(q.ctx, set); some {
			limited = append(limited, ms)
		}
	}
	if len(limited) == 0 {
		return []exemplar.QueryResult{}, nil
	}
	return q.inner.Select(start, end, limited...)
}

// forAllAlone refuses who sees some namespaces only, where nothing says of which namespace something is: metadata, Alertmanagers outside.
func forAllAlone(w http.ResponseWriter, r *http.Request) (refused bool) {
	if access.ScopeOf(r.Context()).All {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	_ = json.NewEncoder(w).Encode(map[string]string{
		"status": "error", "errorType": "forbidden",
		"error": "this does not tell namespaces apart: it is for those who see all namespaces",
	})
	return true
}
