package unittest

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// sample is one of a result or of exp_samples.
type sample struct {
	labels    labels.Labels
	value     float64
	histogram string // in the notation of input_series; "" for a number
	unhinted  string // the same without its counter reset hint
	anyHint   bool   // exp_samples says nothing of the hint
}

func (s sample) String() string {
	if s.histogram != "" {
		return s.labels.String() + " " + s.histogram
	}
	return s.labels.String() + " " + strconv.FormatFloat(s.value, 'g', -1, 64)
}

// compareSamples compares a result with what was expected, in any order.
func (t *trial) compareSamples(c exprCase, result promql.Vector) {
	want, err := wanted(c.Want, t.opts.Parser)
	if err != nil {
		t.fail(c.At.String(), fmt.Sprintf("expr %s: %v", c.Expr, err), nil, nil)
		return
	}
	got := make([]sample, 0, len(result))
	for _, s := range result {
		one := sample{labels: s.Metric, value: s.F}
		one.hold(s.H)
		got = append(got, one)
	}
	byLabels := func(a, b sample) int { return labels.Compare(a.labels, b.labels) }
	slices.SortStableFunc(want, byLabels)
	slices.SortStableFunc(got, byLabels)
	same := func(want, got sample) bool {
		if !labels.Equal(want.labels, got.labels) {
			return false
		}
		if want.histogram == "" && got.histogram == "" {
			return equal(want.value, got.value, t.file.Fuzzy)
		}
		return want.histogram == got.histogram || want.anyHint && want.unhinted == got.unhinted
	}
	if !slices.EqualFunc(want, got, same) {
		t.fail(c.At.String(), "expr "+c.Expr, texts(want), texts(got))
	}
}

// wanted reads exp_samples.
func wanted(in []wantSample, p parser.Parser) ([]sample, error) {
	var out []sample
	for _, s := range in {
		ls, err := p.ParseMetric(s.Labels)
		if err != nil {
			return nil, fmt.Errorf("exp_samples: labels %q: %w", s.Labels, err)
		}
		one := sample{labels: ls, value: s.Value}
		if s.Histogram != "" {
			_, values, err := p.ParseSeriesDesc("{} " + s.Histogram)
			if err != nil {
				return nil, fmt.Errorf("exp_samples: histogram %q: %w", s.Histogram, err)
			}
			if len(values) != 1 || values[0].Histogram == nil {
				return nil, fmt.Errorf("exp_samples: histogram %q is not one histogram; write {{count:… sum:… buckets:[…]}}", s.Histogram)
			}
			one.hold(values[0].Histogram)
			one.anyHint = !values[0].CounterResetHintSet
		}
		out = append(out, one)
	}
	return out, nil
}

// hold makes it a sample of a histogram, if there is one.
func (s *sample) hold(h *histogram.FloatHistogram) {
	if h == nil {
		return
	}
	s.histogram = h.TestExpression()
	h = h.Copy()
	h.CounterResetHint = histogram.UnknownCounterReset
	s.unhinted = h.TestExpression()
}

// equal compares numbers; fuzzily, neighbours of a number are equal to it.
func equal(a, b float64, fuzzy bool) bool {
	if a == b || math.IsNaN(a) && math.IsNaN(b) {
		return true
	}
	return fuzzy && (math.Nextafter(a, math.Inf(-1)) == b || math.Nextafter(a, math.Inf(1)) == b)
}

func texts(in []sample) []string {
	var out []string
	for _, s := range in {
		out = append(out, s.String())
	}
	return out
}
