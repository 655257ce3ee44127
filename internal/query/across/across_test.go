package across

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/signalbox-project/signalbox/internal/store"
)

func own(ctx context.Context) context.Context { return ctx }

// stored is a store of series without samples.
type stored []labels.Labels

func (s stored) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
		l := &list{}
		for _, ls := range s {
			if !slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return !m.Matches(ls.Get(m.Name)) }) {
				l.rest = append(l.rest, bare{ls})
			}
		}
		return l
	}}, nil
}

type bare struct{ labels labels.Labels }

func (b bare) Labels() labels.Labels { return b.labels }

func (b bare) Iterator(chunkenc.Iterator) chunkenc.Iterator { return nil }

func TestSeriesAreSortedAndSayWhoseTheyAre(t *testing.T) {
	parts := func(context.Context) []Part {
		return []Part{
			{Tenant: "a", Context: own, Metrics: stored{labels.FromStrings("__name__", "up"), labels.FromStrings("__name__", "up", "__rollup__", "1"), labels.FromStrings("__name__", "x", "__tenant_id__", "mine")}},
			{Tenant: "b", Context: own, Metrics: stored{labels.FromStrings("__name__", "up")}},
		}
	}
	ask := func(ms ...*labels.Matcher) (out []string) {
		q, err := Queryable{parts}.Querier(0, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		set := q.Select(t.Context(), true, nil, ms...)
		var last labels.Labels
		for set.Next() {
			if ls := set.At().Labels(); labels.Compare(last, ls) >= 0 && len(out) > 0 {
				t.Errorf("%s comes after %s", ls, last)
			}
			last = set.At().Labels()
			out = append(out, last.String())
		}
		return out
	}
	eq := func(name, value string) *labels.Matcher {
		return labels.MustNewMatcher(labels.MatchEqual, name, value)
	}
	for _, c := range []struct {
		ms   []*labels.Matcher
		want []string
	}{
		{[]*labels.Matcher{eq("__name__", "up")}, []string{`{__name__="up", __rollup__="1", __tenant_id__="a"}`, `{__name__="up", __tenant_id__="a"}`, `{__name__="up", __tenant_id__="b"}`}},
		{[]*labels.Matcher{eq("__tenant_id__", "b")}, []string{`{__name__="up", __tenant_id__="b"}`}},
		{[]*labels.Matcher{eq("__tenant_id__", "none")}, nil},
		{[]*labels.Matcher{eq("original___tenant_id__", "mine")}, []string{`{__name__="x", __tenant_id__="a", original___tenant_id__="mine"}`}},
	} {
		got := ask(c.ms...)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%v: %s", c.ms, d)
		}
	}
}

// The merge of records is that of sorting all of them, for any of them, limits and orders.
func TestRecordsOfAllComeInOrder(t *testing.T) {
	source := func(times []int64, failing bool) iter.Seq2[int64, error] {
		return func(yield func(int64, error) bool) {
			for _, n := range times {
				if !yield(n, nil) {
					return
				}
			}
			if failing {
				yield(0, errors.New("broken"))
			}
		}
	}
	for range 500 {
		var sources []iter.Seq2[int64, error]
		var names []string
		var all []int64
		for i := range rand.IntN(4) {
			times := make([]int64, rand.IntN(6))
			for j := range times {
				times[j] = rand.Int64N(20)
			}
			slices.Sort(times)
			sources, names, all = append(sources, source(times, false)), append(names, fmt.Sprint(i)), append(all, times...)
		}
		limit := rand.IntN(12)
		var got []int64
		for n, err := range merged(sources, names, func(a, b *int64) bool { return *a < *b }, limit) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, n)
		}
		slices.Sort(all)
		if limit > 0 {
			all = all[:min(limit, len(all))]
		}
		if !slices.Equal(all, got) {
			t.Fatalf("want %v, got %v", all, got)
		}
	}
	var err error
	for _, err = range merged([]iter.Seq2[int64, error]{source([]int64{1}, true), source([]int64{2}, false)}, []string{"a", "b"}, func(a, b *int64) bool { return *a < *b }, 0) {
		if err != nil {
			break
		}
	}
	if err == nil || err.Error() != "tenant a: broken" {
		t.Errorf("%v", err)
	}
}

func TestCountsOfAllAreSums(t *testing.T) {
	h := sumHistograms([]store.Histogram{
		{},
		{Start: 100, Step: 10, Series: []store.HistogramSeries{{Value: "info", Counts: []uint64{1, 2}}}},
		{Start: 90, Step: 10, Series: []store.HistogramSeries{{Value: "info", Counts: []uint64{5, 7, 0}}, {Value: "error", Counts: []uint64{0, 0, 1}}}},
	})
	want := store.Histogram{Start: 90, Step: 10, Series: []store.HistogramSeries{{Value: "info", Counts: []uint64{5, 8, 2}}, {Value: "error", Counts: []uint64{0, 0, 1}}}}
	if d := cmp.Diff(want, h); d != "" {
		t.Error(d)
	}
	counts := sumCounts([]store.ValueCount{{Value: "a", Count: 2}, {Value: "b", Count: 3}, {Value: "a", Count: 2}}, 1)
	if d := cmp.Diff([]store.ValueCount{{Value: "a", Count: 4}}, counts); d != "" {
		t.Error(d)
	}
	if got := firstOfEach([]string{"x", "y", "x", "z"}, 2); !slices.Equal(got, []string{"x", "y"}) {
		t.Error(got)
	}
	_, err := SLOs{}.SLO(t.Context(), "x")
	if !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}
