package promexpr

import (
	"math"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// part is a term of a count that is still to be rewritten.
type part struct {
	factor float64
	expr   parser.Expr
}

// split takes a count that was checked apart into terms that add up whatever
// becomes of each: sums and differences of what has no labels, factors,
// and zeros for what is absent.
func split(e parser.Expr, factor float64) []part {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return split(n.Expr, factor)
	case *parser.UnaryExpr:
		if n.Op == parser.SUB {
			factor = -factor
		}
		return split(n.Expr, factor)
	case *parser.AggregateExpr:
		if !direct(n.Expr) && splits(n.Expr) {
			return split(n.Expr, factor)
		}
	case *parser.BinaryExpr:
		if parts := splitBinary(n, factor); parts != nil {
			return parts
		}
	}
	return []part{{factor, e}}
}

func splitBinary(n *parser.BinaryExpr, factor float64) []part {
	if k, ok := Constant(n.RHS); ok && n.Op == parser.MUL {
		return split(n.LHS, factor*k)
	} else if ok && n.Op == parser.DIV {
		return split(n.LHS, factor/k)
	}
	if k, ok := Constant(n.LHS); ok && n.Op == parser.MUL {
		return split(n.RHS, factor*k)
	}
	if !splits(n) {
		return nil
	}
	switch n.Op {
	case parser.SUB:
		return append(split(n.LHS, factor), split(n.RHS, -factor)...)
	case parser.LOR:
		right := []part{{0, n.RHS}}
		if !isVectorZero(n.RHS) {
			right = split(n.RHS, factor) // its factor is zero
		}
		return append(split(n.LHS, factor), right...)
	}
	return append(split(n.LHS, factor), split(n.RHS, factor)...)
}

// splits reports whether split takes an expression apart.
func splits(e parser.Expr) bool {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return splits(n.Expr)
	case *parser.BinaryExpr:
		switch n.Op {
		case parser.ADD, parser.SUB:
			return bare(n.LHS) && bare(n.RHS)
		case parser.LOR:
			return isZero(n.RHS) && (direct(n.LHS) || splits(n.LHS))
		}
	}
	return false
}

// bare reports whether an expression answers one sample without labels.
func bare(e parser.Expr) bool {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return bare(n.Expr)
	case *parser.UnaryExpr:
		return bare(n.Expr)
	case *parser.AggregateExpr:
		return n.Op == parser.SUM && len(n.Grouping) == 0 && !n.Without
	case *parser.BinaryExpr:
		if _, ok := Constant(n.RHS); ok {
			return bare(n.LHS)
		}
		if _, ok := Constant(n.LHS); ok {
			return bare(n.RHS)
		}
		switch n.Op {
		case parser.ADD, parser.SUB:
			return bare(n.LHS) && bare(n.RHS)
		case parser.LOR:
			return bare(n.LHS) && isZero(n.RHS) && (isVectorZero(n.RHS) || bare(n.RHS))
		}
	case *parser.Call:
		switch n.Func.Name {
		case "vector":
			return true
		case "histogram_count", "histogram_sum":
			return bare(n.Args[0])
		}
	}
	return false
}

// direct reports whether a count that was checked is one chain from a counting
// function up: what it counts over a window is the sum over the window's pieces.
func direct(e parser.Expr) bool {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return direct(n.Expr)
	case *parser.UnaryExpr:
		return direct(n.Expr)
	case *parser.AggregateExpr:
		return direct(n.Expr)
	case *parser.BinaryExpr:
		if _, ok := Constant(n.RHS); ok {
			return direct(n.LHS)
		}
		if _, ok := Constant(n.LHS); ok {
			return direct(n.RHS)
		}
		return isHistogramBelow(n)
	case *parser.Call:
		switch n.Func.Name {
		case "label_replace", "label_join", "sort", "sort_desc", "histogram_count", "histogram_sum":
			return direct(n.Args[0])
		}
		return true
	case *parser.VectorSelector:
		return true
	}
	return false
}

// Constant is the value of an expression without series: 0.05, -1, (1 - 0.995), 14.4 * 0.001.
func Constant(e parser.Expr) (float64, bool) {
	switch n := e.(type) {
	case *parser.NumberLiteral:
		return n.Val, true
	case *parser.ParenExpr:
		return Constant(n.Expr)
	case *parser.UnaryExpr:
		v, ok := Constant(n.Expr)
		if n.Op == parser.SUB {
			v = -v
		}
		return v, ok
	case *parser.BinaryExpr:
		a, ok := Constant(n.LHS)
		b, also := Constant(n.RHS)
		if !ok || !also {
			return 0, false
		}
		switch n.Op {
		case parser.ADD:
			return a + b, true
		case parser.SUB:
			return a - b, true
		case parser.MUL:
			return a * b, true
		case parser.DIV:
			return a / b, true
		case parser.POW:
			return math.Pow(a, b), true
		}
	}
	return 0, false
}

// isZero reports whether an expression is zero wherever it is anything.
func isZero(e parser.Expr) bool {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return isZero(n.Expr)
	case *parser.BinaryExpr:
		if n.Op != parser.MUL {
			return false
		}
		for _, side := range []parser.Expr{n.LHS, n.RHS} {
			if k, ok := Constant(side); ok && k == 0 {
				return true
			}
		}
	}
	return isVectorZero(e)
}

func isVectorZero(e parser.Expr) bool {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return isVectorZero(n.Expr)
	case *parser.Call:
		if n.Func.Name == "vector" {
			k, ok := Constant(n.Args[0])
			return ok && k == 0
		}
	}
	return false
}

// rewriter puts the placeholder into a query that was checked.
type rewriter struct {
	isCounter bool
	anchored  bool // for the evaluator; otherwise for people
	byMinute  bool
}

func (r *rewriter) rewrite(e parser.Expr) parser.Expr {
	switch n := e.(type) {
	case *parser.AggregateExpr:
		n.Expr = r.rewrite(n.Expr)
	case *parser.ParenExpr:
		n.Expr = r.rewrite(n.Expr)
	case *parser.UnaryExpr:
		n.Expr = r.rewrite(n.Expr)
	case *parser.BinaryExpr:
		left, right := countingSides(n)
		if left {
			n.LHS = r.rewrite(n.LHS)
		}
		if right {
			n.RHS = r.rewrite(n.RHS)
		}
	case *parser.Call:
		return r.call(n)
	case *parser.VectorSelector:
		name := "sum_over_time"
		if r.isCounter {
			name = "increase"
		}
		return r.leaf(name, n)
	}
	return e
}

func (r *rewriter) call(n *parser.Call) parser.Expr {
	for i, arg := range n.Args {
		switch m := arg.(type) {
		case *parser.MatrixSelector:
			vs, _ := m.VectorSelector.(*parser.VectorSelector) // the parser knows no other
			return r.leaf(n.Func.Name, vs)
		case *parser.SubqueryExpr:
			m.Range, m.RangeExpr, m.Step, m.StepExpr = placeholder, nil, stepOf(m), nil
		default:
			if arg.Type() == parser.ValueTypeVector {
				n.Args[i] = r.rewrite(arg)
			}
		}
	}
	return n
}

// leaf counts one selector over the window of the placeholder.
func (r *rewriter) leaf(name string, vs *parser.VectorSelector) parser.Expr {
	vs.Smoothed, vs.Anchored = false, false
	there := *vs
	if name == "rate" || name == "irate" {
		name = "increase"
	}
	window := placeholder
	counted := name != "sum_over_time" && name != "count_over_time"
	vs.Anchored = r.anchored && counted
	// Between two scrapes a minute has no sample. People see five minutes, a fifth of them.
	shared := r.byMinute && !r.anchored && counted
	if shared {
		window = 5 * time.Minute
	}
	var out parser.Expr = &parser.Call{
		Func: parser.Functions[name],
		Args: parser.Expressions{&parser.MatrixSelector{VectorSelector: vs, Range: window}},
	}
	switch {
	case shared:
		out = &parser.ParenExpr{Expr: &parser.BinaryExpr{Op: parser.DIV, LHS: out, RHS: &parser.NumberLiteral{Val: 5}}}
	case r.byMinute && r.anchored:
		// A filter finds the series for as long as it is current, as a rate does.
		out = &parser.ParenExpr{Expr: &parser.BinaryExpr{
			Op: parser.LOR, LHS: out, VectorMatching: &parser.VectorMatching{Card: parser.CardManyToMany},
			RHS: &parser.BinaryExpr{Op: parser.MUL, LHS: &parser.NumberLiteral{}, RHS: &there},
		}}
	}
	return out
}
