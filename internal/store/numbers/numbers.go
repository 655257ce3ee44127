// Package numbers makes le and quantile compare as the numbers they are.
//
// le="1" and le="1.0" are one bucket of a histogram, but two texts: clients write the one,
// Prometheus' scraper the other, and OTLP has neither. Canonical is the one form in which new series are
// stored, whichever way they come; Querier finds a number in any form, so that a query need not
// know how the series came, nor when.
//
// In: labels and matchers. Out: labels and matchers. It keeps nothing. Start reading here.
package numbers

import (
	"context"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

const quantileLabel = "quantile"

// Canonical writes the bound of a bucket and the quantile of a summary as
// Prometheus' scraper does: 1.0, 0.5, 1e+06, +Inf. Other labels are left alone, and so are exponents: no
// client writes them otherwise, and Prometheus' own tests do to have two series of one bound.
func Canonical(ls labels.Labels) labels.Labels {
	if le := ls.Get(labels.BucketLabel); le != "" && strings.HasSuffix(ls.Get(labels.MetricName), "_bucket") {
		return with(ls, labels.BucketLabel, le, math.Inf(-1), math.Inf(1))
	}
	if q := ls.Get(quantileLabel); q != "" {
		return with(ls, quantileLabel, q, 0, 1)
	}
	return ls
}

func with(ls labels.Labels, name, value string, low, high float64) labels.Labels {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || !(f >= low && f <= high) || strings.ContainsAny(value, "eE") {
		return ls
	}
	text := labels.FormatOpenMetricsFloat(f)
	if text == value {
		return ls
	}
	return labels.NewBuilder(ls).Set(name, text).Labels()
}

// Matcher matches a number in every form that clients write; any other matcher is returned as
// it is.
func Matcher(m *labels.Matcher) *labels.Matcher {
	if m.Name != labels.BucketLabel && m.Name != quantileLabel {
		return m
	}
	values, to := []string{m.Value}, labels.MatchRegexp
	if m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp {
		if values = m.SetMatches(); len(values) == 0 {
			values = alternatives(m.Value)
		}
	}
	if m.Type == labels.MatchNotEqual || m.Type == labels.MatchNotRegexp {
		to = labels.MatchNotRegexp
	}
	var all []string
	for _, v := range values {
		for _, s := range spellings(v) {
			if s = regexp.QuoteMeta(s); !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	if len(all) <= len(values) {
		return m
	}
	out, err := labels.NewMatcher(to, m.Name, strings.Join(all, "|"))
	if err != nil {
		return m
	}
	return out
}

// alternatives are the numbers of 0.5|1, whose dots people do not escape; none of any other expression.
func alternatives(regex string) []string {
	out := strings.Split(regex, "|")
	for _, v := range out {
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return nil
		}
	}
	return out
}

// spellings are the forms of a number, v first; only v when it is none.
func spellings(v string) []string {
	f, err := strconv.ParseFloat(v, 64)
	switch {
	case err != nil || math.IsNaN(f):
		return []string{v}
	case math.IsInf(f, 1):
		return []string{v, "+Inf", "Inf", "inf", "+inf", "Infinity"}
	}
	long := strconv.FormatFloat(f, 'f', -1, 64)
	out := []string{v, labels.FormatOpenMetricsFloat(f), strconv.FormatFloat(f, 'g', -1, 64), long}
	if !strings.Contains(long, ".") {
		out = append(out, long+".0")
	}
	return out
}

func matchers(ms []*labels.Matcher) []*labels.Matcher {
	for i, m := range ms {
		if n := Matcher(m); n != m {
			ms = slices.Clone(ms) // the caller's stay what they are
			ms[i] = n
		}
	}
	return ms
}

// Querier is a querier whose matchers compare numbers.
func Querier(q storage.Querier) storage.Querier { return querier{q} }

type querier struct{ storage.Querier }

func (q querier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	return q.Querier.Select(ctx, sorted, hints, matchers(ms)...)
}

func (q querier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return q.Querier.LabelValues(ctx, name, hints, matchers(ms)...)
}

func (q querier) LabelNames(ctx context.Context, hints *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return q.Querier.LabelNames(ctx, hints, matchers(ms)...)
}

// ChunkQuerier is Querier for encoded chunks.
func ChunkQuerier(q storage.ChunkQuerier) storage.ChunkQuerier { return chunkQuerier{q} }

type chunkQuerier struct{ storage.ChunkQuerier }

func (q chunkQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.ChunkSeriesSet {
	return q.ChunkQuerier.Select(ctx, sorted, hints, matchers(ms)...)
}
