package promql

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	masking "github.com/signalbox-project/signalbox/internal/mask"
)

// Shown is a storage of which a request sees exemplars without what is masked for its caller.
func Shown(s Storage, rules func() *masking.Rules) Storage { return shown{s, rules} }

type shown struct {
	Storage
	rules func() *masking.Rules
}

// ExemplarQuerier reads exemplars.
func (s shown) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	q, err := s.Storage.ExemplarQuerier(ctx)
	if view := s.rules().For(ctx); view != nil && err == nil {
		q = exemplarsShown{q, view}
	}
	return q, err
}

type exemplarsShown struct {
	storage.ExemplarQuerier
	view *masking.View
}

// Select finds exemplars by the labels of their series; what is stored stays as it is.
func (q exemplarsShown) Select(start, end int64, matchers ...[]*labels.Matcher) ([]exemplar.QueryResult, error) {
	found, err := q.ExemplarQuerier.Select(start, end, matchers...)
	for i, of := range found {
		list := slices.Clone(of.Exemplars)
		for k := range list {
			list[k].Labels = q.view.Labels(of.SeriesLabels.Get(namespaceLabel), list[k].Labels)
		}
		found[i].Exemplars = list
	}
	return found, err
}
