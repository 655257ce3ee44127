package mend_test

import (
	"context"
	"math"

	"github.com/prometheus/prometheus/model/labels"
)

// checkExemplars finds the exemplar of every sample that is younger than the newest block of samples in order: those are in
// memory and in the log, which a start reads from there on.
func (m *machine) checkExemplars(what string, known map[string][]int64) {
	m.t.Helper()
	from := int64(math.MinInt64)
	for _, b := range m.db.Blocks() {
		if meta := b.Meta(); !meta.Compaction.FromOutOfOrder() {
			from = max(from, meta.MaxTime)
		}
	}
	q, err := m.db.ExemplarQuerier(context.Background())
	if err != nil {
		m.t.Fatal(err)
	}
	found, err := q.Select(math.MinInt64, math.MaxInt64, []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+")})
	if err != nil {
		m.t.Fatal(err)
	}
	stored := map[string]map[int64]int{}
	for _, series := range found {
		l := series.SeriesLabels
		times := map[int64]int{}
		for _, e := range series.Exemplars {
			times[e.Ts]++
		}
		stored[l.Get("__name__")+l.Get("kind")+l.Get("i")] = times
	}
	lost, twice := 0, 0
	for key, times := range known {
		for _, at := range times {
			switch n := stored[key][at]; {
			case n == 0 && at >= from:
				lost++
			case n > 1:
				twice++
			}
		}
	}
	if lost > 0 || twice > 0 {
		m.t.Errorf("%s: %d exemplars lost, %d twice", what, lost, twice)
	}
}
