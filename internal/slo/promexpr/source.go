package promexpr

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// source is which samples a query answers from.
type source struct {
	metrics       []string
	unnamed       bool // a selector has no name
	before, after time.Duration
}

// Metrics are the names of all metrics that the query selects.
func (s *source) Metrics() []string { return s.metrics }

// Concerns reports whether one of the metrics may be one that the query selects.
func (s *source) Concerns(may func(metric string) bool) bool {
	return s.unnamed || slices.ContainsFunc(s.metrics, may)
}

// Reach is how long before and after the time of a sample answers depend on it, beside the window that is asked for.
func (s *source) Reach() (before, after time.Duration) { return s.before, s.after }

// pinned is the reach of samples at a time that the query names.
const pinned = 1000 * 24 * time.Hour

func sourceOf(e parser.Expr) (s source) {
	parser.Inspect(e, func(n parser.Node, path []parser.Node) error {
		vs, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		s.name(vs)
		before, after := reachOf(vs, path)
		s.before, s.after = max(s.before, before), max(s.after, after)
		return nil
	})
	return s
}

func (s *source) name(vs *parser.VectorSelector) {
	for _, m := range vs.LabelMatchers {
		if m.Name == labels.MetricName && m.Type == labels.MatchEqual {
			if !slices.Contains(s.metrics, m.Value) {
				s.metrics = append(s.metrics, m.Value)
			}
			return
		}
	}
	s.unnamed = true
}

// reachOf is the reach of a sample of one selector. The window of a counter is none of it.
func reachOf(vs *parser.VectorSelector, path []parser.Node) (before, after time.Duration) {
	before, after = -vs.OriginalOffset, Lookback+vs.OriginalOffset
	if vs.Smoothed {
		before += Lookback
	}
	if vs.OriginalOffsetExpr != nil || vs.Timestamp != nil || vs.StartOrEnd != 0 {
		return pinned, pinned
	}
	for _, n := range path {
		switch n := n.(type) {
		case *parser.MatrixSelector:
			if n.RangeExpr != nil {
				return pinned, pinned
			}
			after += windowless(n.Range)
		case *parser.SubqueryExpr:
			if n.RangeExpr != nil || n.OriginalOffsetExpr != nil || n.Timestamp != nil || n.StartOrEnd != 0 {
				return pinned, pinned
			}
			before, after = before-n.OriginalOffset, after+n.OriginalOffset+windowless(n.Range)
		}
	}
	return max(before, 0), max(after, 0)
}

func windowless(d time.Duration) time.Duration {
	if d == placeholder {
		return 0
	}
	return d
}
