package promexpr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Groups are the labels by which a query counts: `sum by (route) (…)`. A query without any groups
// nothing. An error says why the groups of a query cannot be told apart.
func Groups(text string) (by []string, err error) {
	expr, err := parseGrouped(text)
	if err != nil {
		return nil, err
	}
	sums, err := groupedSums(expr)
	if err != nil || len(sums) == 0 {
		return nil, err
	}
	return slices.Sorted(slices.Values(sums[0].Grouping)), nil
}

// Members is an expression with one series for each group that a query selects now.
func Members(text string, by []string) (string, error) {
	expr, err := parseGrouped(text)
	if err != nil {
		return "", err
	}
	var selectors []string
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if vs, ok := n.(*parser.VectorSelector); ok {
			one := *vs
			one.Anchored, one.Smoothed, one.OriginalOffset, one.OriginalOffsetExpr = false, false, 0, nil
			selectors = append(selectors, one.String())
		}
		return nil
	})
	return "group by (" + strings.Join(by, ", ") + ") (" + strings.Join(selectors, " or ") + ")", nil
}

// Narrow is a query for one of its groups.
func Narrow(text string, group map[string]string) (string, error) {
	expr, err := parseGrouped(text)
	if err != nil {
		return "", err
	}
	sums, err := groupedSums(expr)
	if err != nil {
		return "", err
	}
	for _, sum := range sums {
		sum.Grouping = nil
	}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if vs, ok := n.(*parser.VectorSelector); ok {
			for name, value := range group {
				vs.LabelMatchers = slices.DeleteFunc(vs.LabelMatchers, func(m *labels.Matcher) bool {
					return m.Name == name && m.Type == labels.MatchEqual
				})
				vs.LabelMatchers = append(vs.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, name, value))
			}
			slices.SortFunc(vs.LabelMatchers, func(a, b *labels.Matcher) int { return strings.Compare(a.Name, b.Name) })
		}
		return nil
	})
	return strings.ReplaceAll(expr.String(), placeholderText, "$window"), nil
}

func parseGrouped(text string) (parser.Expr, error) {
	text, err := Expand(text, placeholderText) // as counting does, so that both read one query
	if err != nil {
		return nil, err
	}
	return newParser().ParseExpr(text)
}

// groupedSums are the sums by labels in a query, all by the same. A matcher on a label of theirs must
// select the same below the sum as above it, so nothing between may change labels.
func groupedSums(expr parser.Expr) (sums []*parser.AggregateExpr, err error) {
	bare := false
	parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
		switch n := n.(type) {
		case *parser.AggregateExpr:
			if n.Op == parser.SUM && !n.Without && len(n.Grouping) > 0 {
				sums = append(sums, n)
			} else if n.Without || len(n.Grouping) > 0 {
				err = fmt.Errorf("its groups are those of %s, not of a sum by labels", n.Op)
			}
		case *parser.VectorSelector:
			bare = bare || !slices.ContainsFunc(path, func(p parser.Node) bool { _, sum := p.(*parser.AggregateExpr); return sum })
		}
		return nil
	})
	if len(sums) == 0 {
		return nil, err
	}
	for _, sum := range sums {
		switch {
		case err != nil:
		case !slices.Equal(slices.Sorted(slices.Values(sum.Grouping)), slices.Sorted(slices.Values(sums[0].Grouping))):
			err = errors.New("its sums are by different labels")
		case bare || !keepsLabels(sum.Expr):
			err = errors.New("its labels change on the way to the sum, or come from another metric")
		}
	}
	return sums, err
}

// keepsLabels reports whether an expression's series have the labels of the one selector below it.
func keepsLabels(e parser.Expr) bool {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return keepsLabels(n.Expr)
	case *parser.VectorSelector, *parser.MatrixSelector, *parser.NumberLiteral:
		return true
	case *parser.SubqueryExpr:
		return keepsLabels(n.Expr)
	case *parser.BinaryExpr:
		scalar := n.LHS.Type() == parser.ValueTypeScalar || n.RHS.Type() == parser.ValueTypeScalar
		return scalar && keepsLabels(n.LHS) && keepsLabels(n.RHS)
	case *parser.Call:
		if n.Func.Name == "label_replace" || n.Func.Name == "label_join" || n.Func.Name == "histogram_quantile" {
			return false
		}
		return !slices.ContainsFunc(n.Args, func(a parser.Expr) bool { return !keepsLabels(a) })
	}
	return false
}
