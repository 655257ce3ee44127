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

// Narrow is a query for one of its groups: what it selects has the group's labels.
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
	return narrowed(expr, group), nil
}

// NarrowValues is an expression for one of its ValueGroups.
func NarrowValues(text string, group map[string]string) (string, error) {
	expr, err := parseGrouped(text)
	if err != nil {
		return "", err
	}
	return narrowed(expr, group), nil
}

func narrowed(expr parser.Expr, group map[string]string) string {
	for _, vs := range selectorsOf(expr) {
		for name, value := range group {
			vs.LabelMatchers = slices.DeleteFunc(vs.LabelMatchers, func(m *labels.Matcher) bool {
				return m.Name == name && m.Type == labels.MatchEqual
			})
			vs.LabelMatchers = append(vs.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, name, value))
		}
		slices.SortFunc(vs.LabelMatchers, func(a, b *labels.Matcher) int { return strings.Compare(a.Name, b.Name) })
	}
	return strings.ReplaceAll(expr.String(), placeholderText, "$window")
}

// ValueGroups are the labels by which an expression answers one value each: `max by (queue) (…)`, or a quantile of
// sums by route and le. One that aggregates nothing, or all, has none. An error says why the groups cannot be told apart.
func ValueGroups(text string) (by []string, err error) {
	expr, err := parseGrouped(text)
	if err != nil {
		return nil, err
	}
	g := valueGroups{}
	g.look(expr, false)
	switch {
	case len(g.by) == 0:
		return nil, nil
	case g.err != nil:
		return nil, g.err
	case g.other:
		return nil, errors.New("a part of it is not aggregated by the labels of the others")
	}
	return g.by, nil
}

// valueGroups gathers the outermost aggregations of an expression.
type valueGroups struct {
	by    []string
	other bool // something beside them has no groups
	err   error
}

func (g *valueGroups) look(e parser.Expr, buckets bool) {
	switch n := e.(type) {
	case *parser.ParenExpr:
		g.look(n.Expr, buckets)
	case *parser.UnaryExpr:
		g.look(n.Expr, buckets)
	case *parser.SubqueryExpr:
		g.look(n.Expr, buckets)
	case *parser.BinaryExpr:
		for _, side := range []parser.Expr{n.LHS, n.RHS} {
			if side.Type() == parser.ValueTypeVector {
				g.look(side, buckets)
			}
		}
		if m := n.VectorMatching; m != nil && (m.Card == parser.CardManyToOne || m.Card == parser.CardOneToMany || len(m.MatchingLabels) > 0) {
			g.fail("its sides are joined by other labels than those of its groups")
		}
	case *parser.Call:
		g.call(n, buckets)
	case *parser.AggregateExpr:
		g.aggregate(n, buckets)
	case *parser.VectorSelector, *parser.MatrixSelector:
		g.other = true
	}
}

func (g *valueGroups) call(n *parser.Call, buckets bool) {
	switch n.Func.Name {
	case "label_replace", "label_join", "absent", "absent_over_time":
		g.fail("its labels change in " + n.Func.Name)
	case "histogram_quantile", "histogram_fraction":
		buckets = true
	}
	for _, arg := range n.Args {
		if t := arg.Type(); t == parser.ValueTypeVector || t == parser.ValueTypeMatrix {
			g.look(arg, buckets)
		}
	}
}

func (g *valueGroups) aggregate(n *parser.AggregateExpr, buckets bool) {
	by := slices.Compact(slices.Sorted(slices.Values(n.Grouping)))
	if buckets {
		by = slices.DeleteFunc(by, func(name string) bool { return name == "le" })
	}
	switch n.Op {
	case parser.TOPK, parser.BOTTOMK, parser.LIMITK, parser.LIMIT_RATIO, parser.COUNT_VALUES:
		g.other = true
		if len(by) > 0 {
			g.by = by
			g.fail("its groups are those of " + n.Op.String() + ", which answers several series of each")
		}
		return
	}
	switch {
	case n.Without && (len(by) > 0 || g.by != nil):
		g.by = by
		g.fail("its groups are those of `without`, which names the labels that they do not have")
	case len(by) == 0 || n.Without:
		g.other = true
	case g.by != nil && !slices.Equal(g.by, by):
		g.fail("its parts are aggregated by different labels")
	default:
		if g.by = by; !keepsGroup(n.Expr, by) {
			g.fail("its labels change on the way to the aggregation, or come from another metric")
		}
	}
}

func (g *valueGroups) fail(why string) {
	if g.err == nil {
		g.err = errors.New(why)
	}
}

// keepsGroup is keepsLabels for some labels only: what is below may be aggregated by them and more.
func keepsGroup(e parser.Expr, by []string) bool {
	n, ok := e.(*parser.AggregateExpr)
	if !ok {
		return keepsLabels(e)
	}
	for _, name := range by {
		if n.Without || !slices.Contains(n.Grouping, name) {
			return false
		}
	}
	return keepsGroup(n.Expr, by)
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
