package promexpr

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// checker finds out whether a query counts.
type checker struct {
	counted []string        // the time of the newest sample of each selector
	units   map[string]bool // of counting functions: rate, count
}

// How an expression counts: a selector alone may be a counter or a condition.
type counting int

const (
	never counting = iota
	perhaps
	surely
)

// countsOf says how an expression counts.
func countsOf(e parser.Expr) counting {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return countsOf(n.Expr)
	case *parser.UnaryExpr:
		return countsOf(n.Expr)
	case *parser.AggregateExpr:
		if n.Op == parser.SUM {
			return countsOf(n.Expr)
		}
	case *parser.BinaryExpr:
		switch {
		case n.Op.IsComparisonOperator():
			return never
		case n.Op == parser.LAND || n.Op == parser.LUNLESS:
			return countsOf(n.LHS)
		}
		return max(countsOf(n.LHS), countsOf(n.RHS))
	case *parser.Call:
		switch n.Func.Name {
		case "rate", "irate", "increase", "resets", "changes", "sum_over_time", "count_over_time":
			return surely
		case "label_replace", "label_join", "sort", "sort_desc", "histogram_count", "histogram_sum":
			return countsOf(n.Args[0])
		}
	case *parser.VectorSelector:
		return perhaps
	}
	return never
}

// countingSides says which operands of an operation that was checked count;
// the others stay what they are.
func countingSides(n *parser.BinaryExpr) (left, right bool) {
	_, lconst := Constant(n.LHS)
	_, rconst := Constant(n.RHS)
	switch {
	case lconst:
		return false, true
	case rconst || n.Op == parser.LAND || n.Op == parser.LUNLESS:
		return true, false
	case isHistogramBelow(n):
		return true, true
	case n.Op == parser.LOR:
		return true, !isVectorZero(n.RHS)
	case n.Op != parser.MUL:
		return true, true
	}
	l, r := countsOf(n.LHS), countsOf(n.RHS)
	if l == perhaps && r == perhaps && n.VectorMatching != nil {
		return n.VectorMatching.Card == parser.CardManyToOne, n.VectorMatching.Card == parser.CardOneToMany
	}
	return l > r, r > l
}

var (
	errRatio = errors.New("a quotient of two series is a ratio, not a count; give its parts as good (or bad) and total, or the ratio as `raw`")
	errPin   = errors.New("the @ modifier pins the query to one time; leave it out")
)

// count checks an expression that is to count events.
func (k *checker) count(e parser.Expr) error {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return k.count(n.Expr)
	case *parser.UnaryExpr:
		return k.count(n.Expr)
	case *parser.AggregateExpr:
		if err := aggregation(n); err != nil {
			return err
		}
		return k.count(n.Expr)
	case *parser.BinaryExpr:
		return k.binary(n)
	case *parser.Call:
		return k.call(n)
	case *parser.VectorSelector:
		return k.selector(n)
	}
	return fmt.Errorf("%s counts no events", e)
}

func aggregation(n *parser.AggregateExpr) error {
	switch n.Op.String() {
	case "sum":
		return nil
	case "count", "group", "count_values":
		return fmt.Errorf("%s counts series, not events: over a longer window it counts no more of them; count samples with count_over_time", n.Op)
	case "min", "max", "topk", "bottomk", "limitk", "limit_ratio":
		return fmt.Errorf("%s over counts does not add up from window to window: which count it takes depends on the window; use sum, and select what is to count by its labels", n.Op)
	}
	return fmt.Errorf("%s over counts does not add up from window to window; count good or bad events and total, or give the ratio as `raw`", n.Op)
}

func (k *checker) binary(n *parser.BinaryExpr) error {
	lk, lconst := Constant(n.LHS)
	rk, rconst := Constant(n.RHS)
	switch {
	case n.Op.IsComparisonOperator():
		return fmt.Errorf("a count is compared with `%s`, and a count depends on how long the window is; compare a rate as a thresholdMetric, or select what is to count with `and`", n.Op)
	case lconst && rconst:
		return errors.New("the query selects no metric")
	case rconst && (n.Op == parser.MUL || n.Op == parser.DIV && rk != 0):
		return k.scaled(rk, n.LHS)
	case lconst && n.Op == parser.MUL:
		return k.scaled(lk, n.RHS)
	case lconst || rconst:
		return fmt.Errorf("`%s` with a number changes a count by another amount for each window; leave the number out, or give the ratio as `raw`", n.Op)
	case isHistogramBelow(n):
		return k.histogramBelow(n)
	}
	switch n.Op {
	case parser.LAND, parser.LUNLESS:
		return errors.Join(k.count(n.LHS), condition(n.RHS))
	case parser.LOR:
		if isVectorZero(n.RHS) {
			return k.count(n.LHS)
		}
		if c := callOf(n.RHS); c != nil && c.Func.Name == "vector" {
			return fmt.Errorf("`or %s` counts events that never were; leave it out: where nothing happens nothing is counted, and nothing is divided by zero", c)
		}
		fallthrough
	case parser.ADD, parser.SUB:
		if countsOf(n.LHS) == never || countsOf(n.RHS) == never {
			return fmt.Errorf("one side of `%s` counts events and the other does not; add up counts only", n.Op)
		}
		return errors.Join(k.count(n.LHS), k.count(n.RHS))
	case parser.MUL:
		return k.product(n)
	case parser.DIV:
		return errRatio
	}
	return fmt.Errorf("`%s` of counts does not add up from window to window", n.Op)
}

func (k *checker) scaled(factor float64, e parser.Expr) error {
	if factor == placeholder.Seconds() {
		return errors.New("a count times the length of the window does not add up; leave the factor out")
	}
	return k.count(e)
}

// product is a count of what a condition or a weight selects.
func (k *checker) product(n *parser.BinaryExpr) error {
	left, right := countingSides(n)
	switch {
	case left && !right:
		return errors.Join(k.count(n.LHS), condition(n.RHS))
	case right && !left:
		return errors.Join(k.count(n.RHS), condition(n.LHS))
	}
	return errors.New("it is not clear which side of `*` counts events; give that one a range, such as increase(x_total[5m]), and the other none")
}

// condition checks what a count is filtered or weighed by: it stays what it is, at the end
// of each minute.
func condition(e parser.Expr) error {
	var err error
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		var window, offset time.Duration
		switch n := n.(type) {
		case *parser.MatrixSelector:
			window = n.Range
		case *parser.SubqueryExpr:
			window, offset = n.Range, n.OriginalOffset
			if n.StartOrEnd != 0 {
				err = errPin
			}
		case *parser.VectorSelector:
			offset = n.OriginalOffset
			if n.StartOrEnd != 0 {
				err = errPin
			}
		}
		if window == placeholder || offset == placeholder {
			err = errors.New("a condition over $window would depend on the window's length; give it a range of its own, such as 5m")
		}
		return nil
	})
	return err
}

func (k *checker) call(n *parser.Call) error {
	name := n.Func.Name
	switch name {
	case "label_replace", "label_join", "sort", "sort_desc", "histogram_count", "histogram_sum":
		return k.count(n.Args[0])
	case "vector", "time", "scalar", "absent", "absent_over_time":
		return fmt.Errorf("%s selects no metric whose events could be counted", name)
	case "histogram_quantile":
		return errors.New("histogram_quantile gives a latency, not a count; count the events at or under a bucket's bound, `…_bucket{le=\"0.3\"}`, as good")
	case "histogram_fraction":
		return errors.New("histogram_fraction gives a share, not a count; multiply it by histogram_count of the same histogram, or give the share as `raw`")
	}
	for _, arg := range n.Args {
		switch m := arg.(type) {
		case *parser.MatrixSelector:
			return k.window(n, m)
		case *parser.SubqueryExpr:
			return k.subquery(n, m)
		}
	}
	return fmt.Errorf("%s of a count depends on how long the window is; count without it, or judge the value as a thresholdMetric", name)
}

func (k *checker) window(n *parser.Call, m *parser.MatrixSelector) error {
	vs, ok := m.VectorSelector.(*parser.VectorSelector)
	if !ok {
		return errors.New("a range without a selector")
	}
	switch n.Func.Name {
	case "rate", "irate":
		k.unit("rate")
	case "increase", "resets", "changes", "sum_over_time", "count_over_time":
		k.unit("count")
	default:
		return fmt.Errorf("%s over a range does not count events; use increase, sum_over_time, count_over_time or a plain counter", n.Func.Name)
	}
	return k.selector(vs)
}

func (k *checker) unit(name string) {
	if k.units == nil {
		k.units = map[string]bool{}
	}
	k.units[name] = true
}

func (k *checker) selector(vs *parser.VectorSelector) error {
	switch {
	case vs.Timestamp != nil || vs.StartOrEnd != 0:
		return errPin
	case vs.OriginalOffset == placeholder || vs.OriginalOffsetExpr != nil:
		return errors.New("an offset that depends on the window does not add up; give it a length of its own")
	}
	k.counted = append(k.counted, lastOf(vs, 0))
	return nil
}

// What is sampled more rarely would leave minutes without data.
const (
	minStep     = time.Second
	maxStep     = Lookback
	defaultStep = time.Minute
)

// subquery adds samples on fixed steps up: each belongs to one window.
func (k *checker) subquery(n *parser.Call, s *parser.SubqueryExpr) error {
	switch name := n.Func.Name; {
	case name != "sum_over_time" && name != "count_over_time":
		return fmt.Errorf("%s of a subquery does not add up from window to window; sum_over_time and count_over_time do, or use the series it is made of", name)
	case s.Timestamp != nil || s.StartOrEnd != 0:
		return errPin
	case s.OriginalOffset == placeholder || s.OriginalOffsetExpr != nil || s.StepExpr != nil || s.Step == placeholder:
		return errors.New("step and offset of a subquery must be lengths of their own, such as 1m")
	case stepOf(s) < minStep || stepOf(s) > maxStep:
		return fmt.Errorf("the step of a subquery must be %s to %s, got %s", minStep, maxStep, stepOf(s))
	}
	k.unit("count")
	for _, vs := range selectorsOf(s.Expr) {
		k.counted = append(k.counted, lastOf(vs, s.OriginalOffset))
	}
	return condition(s.Expr)
}

func stepOf(s *parser.SubqueryExpr) time.Duration {
	if s.Step == 0 {
		return defaultStep
	}
	return s.Step
}

// isHistogramBelow recognises histogram_fraction(a, b, x) * histogram_count(x): the
// observations of a native histogram between two bounds.
func isHistogramBelow(n *parser.BinaryExpr) bool {
	f, c := callOf(n.LHS), callOf(n.RHS)
	if f != nil && f.Func.Name == "histogram_count" {
		f, c = c, f
	}
	return n.Op == parser.MUL && f != nil && c != nil && f.Func.Name == "histogram_fraction" && c.Func.Name == "histogram_count" &&
		f.Args[2].String() == c.Args[0].String()
}

func callOf(e parser.Expr) *parser.Call {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return callOf(n.Expr)
	case *parser.Call:
		return n
	}
	return nil
}

func (k *checker) histogramBelow(n *parser.BinaryExpr) error {
	c := callOf(n.RHS)
	if c.Func.Name != "histogram_count" {
		c = callOf(n.LHS)
	}
	if !direct(c.Args[0]) {
		return errors.New("histogram_fraction times histogram_count needs the sum of one histogram's increase")
	}
	return k.count(c.Args[0])
}
