package promexpr

import "github.com/prometheus/prometheus/promql/parser"

// parseCount reads a query that counts, without the filters that change no count.
func parseCount(text string) (parser.Expr, error) {
	expr, err := parse(text)
	if err != nil {
		return nil, err
	}
	return withoutZeros(expr), nil
}

// withoutZeros leaves out the filter of `sum(rate(x_total[5m])) > 0`, by which people keep a division by zero away: what is not below
// zero and is filtered by `> 0` or `!= 0` loses what adds nothing. It goes down only where a count that is zero is as good as none:
// in `(a > 0) or b` it is not.
func withoutZeros(e parser.Expr) parser.Expr {
	switch n := e.(type) {
	case *parser.ParenExpr:
		n.Expr = withoutZeros(n.Expr)
	case *parser.AggregateExpr:
		if n.Op == parser.SUM {
			n.Expr = withoutZeros(n.Expr)
		}
	case *parser.BinaryExpr:
		return withoutZerosOf(n)
	case *parser.Call:
		switch n.Func.Name {
		case "label_replace", "label_join", "sort", "sort_desc":
			n.Args[0] = withoutZeros(n.Args[0])
		}
	}
	return e
}

func withoutZerosOf(n *parser.BinaryExpr) parser.Expr {
	left, lconst := Constant(n.LHS)
	right, rconst := Constant(n.RHS)
	switch {
	case n.ReturnBool:
	case rconst && right == 0 && (n.Op == parser.GTR || n.Op == parser.NEQ) && neverBelowZero(n.LHS):
		return withoutZeros(n.LHS)
	case lconst && left == 0 && (n.Op == parser.LSS || n.Op == parser.NEQ) && neverBelowZero(n.RHS):
		return withoutZeros(n.RHS)
	case rconst && (n.Op == parser.MUL || n.Op == parser.DIV), n.Op == parser.LAND, n.Op == parser.LUNLESS, n.Op == parser.LOR && isVectorZero(n.RHS):
		n.LHS = withoutZeros(n.LHS)
	case lconst && n.Op == parser.MUL:
		n.RHS = withoutZeros(n.RHS)
	}
	return n
}

// neverBelowZero reports whether a count over any window is zero or more. What a gauge's samples add up to need not be.
func neverBelowZero(e parser.Expr) bool {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return neverBelowZero(n.Expr)
	case *parser.AggregateExpr:
		return n.Op == parser.SUM && neverBelowZero(n.Expr)
	case *parser.BinaryExpr:
		switch n.Op {
		case parser.GTR, parser.NEQ, parser.LAND, parser.LUNLESS:
			return neverBelowZero(n.LHS)
		case parser.ADD:
			return neverBelowZero(n.LHS) && neverBelowZero(n.RHS)
		case parser.LOR:
			return neverBelowZero(n.LHS) && (isZero(n.RHS) || neverBelowZero(n.RHS))
		}
		if k, ok := Constant(n.RHS); ok && (n.Op == parser.MUL || n.Op == parser.DIV) {
			return k > 0 && neverBelowZero(n.LHS)
		}
		k, ok := Constant(n.LHS)
		return ok && n.Op == parser.MUL && k > 0 && neverBelowZero(n.RHS)
	case *parser.Call:
		switch n.Func.Name {
		case "rate", "irate", "increase", "resets", "changes", "count_over_time", "histogram_count":
			return true
		case "label_replace", "label_join", "sort", "sort_desc":
			return neverBelowZero(n.Args[0])
		}
	}
	return false
}
