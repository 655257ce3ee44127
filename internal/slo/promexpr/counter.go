// Package promexpr reads the PromQL of indicators and evaluates it.
//
// Counter turns a query that counts events into the same query over any window; Evaluator
// runs expressions on an engine of its own, so that users' heavy queries cannot hold up the
// judging of promises. The package knows nothing of objectives or budgets.
//
// In: query text, and a storage.Queryable. Out: query text, samples, series.
// A Counter is immutable; an Evaluator is safe for concurrent use and keeps no state.
//
// Start reading at counter.go, where the rule for windows stands.
package promexpr

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// placeholder is a range that nobody writes; String prints it as
// placeholderText, which is then replaced by the wanted window.
const (
	placeholder     = 113*time.Hour + 59*time.Minute + 31*time.Second
	placeholderText = "4d17h59m31s"
)

// Counter is a query that counts events. How a window enters it:
//
//   - `$window`, `${window}` and `{{.window}}` stand for the window.
//   - Any other range in a counting function, `rate(x[5m])`, is replaced by the window,
//     and rate, irate and increase become increase: the query counts events.
//   - A selector without a range, `sum(x_total)`, is a counter (or, when the
//     metric is declared not to be one, a number of events per sample): it becomes
//     `increase(x_total[window])` (or `sum_over_time(x[window])`).
//
// Counting functions are rate, irate, increase, resets, changes, sum_over_time
// and count_over_time; others over a range are refused, because windows of them do not
// add up.
type Counter struct {
	exact     string       // increases measured sample to sample, for Evaluator
	plain     string       // plain PromQL, for people
	single    bool         // plain answers one series already
	call      *parser.Call // of a plain sum over one selector, for families
	selectors []string
}

// ParseCounter reads a query. isCounter is OpenSLO's ratioMetric.counter: false
// makes selectors without a range numbers of events.
func ParseCounter(text string, isCounter bool) (*Counter, error) {
	for _, p := range []string{"${window}", "$window", "{{.window}}", "{{ .window }}"} {
		text = strings.ReplaceAll(text, p, placeholderText)
	}
	c := &Counter{}
	for _, anchored := range []bool{true, false} {
		expr, err := newParser().ParseExpr(text)
		if err != nil {
			return nil, err
		}
		if t := expr.Type(); t != parser.ValueTypeVector {
			return nil, fmt.Errorf("a query that counts must answer an instant vector, this answers a %s", t)
		}
		r := rewriter{isCounter: isCounter, anchored: anchored}
		out, err := r.rewrite(expr)
		if err != nil {
			return nil, err
		}
		if len(r.selectors) == 0 {
			return nil, errors.New("the query selects no metric")
		}
		if anchored {
			c.exact = "sum(" + out.String() + ")"
			c.selectors = r.selectors
			if c.call = plainSum(out); len(r.selectors) > 1 {
				c.call = nil
			}
		} else {
			c.plain = out.String()
			agg, ok := out.(*parser.AggregateExpr)
			c.single = ok && agg.Op == parser.SUM && len(agg.Grouping) == 0 && !agg.Without
		}
	}
	return c, nil
}

// Over is the number of events within the window that ends at the evaluation
// time, one sample without labels. Increases reach back to the last sample before the window (the
// anchored modifier), so counts of adjoining windows add up exactly.
func (c *Counter) Over(window time.Duration) string {
	return strings.ReplaceAll(c.exact, placeholderText, promDuration(window))
}

// Plain is the query over a window in standard PromQL; window may be `$window`.
func (c *Counter) Plain(window string) string {
	return strings.ReplaceAll(c.plain, placeholderText, window)
}

// Sum is Plain as one series without labels.
func (c *Counter) Sum(window string) string {
	if c.single {
		return c.Plain(window)
	}
	return "sum(" + c.Plain(window) + ")"
}

// LastSample is an expression for the time of the newest sample, in Unix
// seconds, of any selected series; nothing when that is older than the lookback.
func (c *Counter) LastSample() string { return lastSample(c.selectors) }

// Vector is an expression that is evaluated as it stands.
type Vector struct {
	Text      string
	selectors []string
}

// ParseVector reads an expression whose values are judged one by one.
func ParseVector(text string) (*Vector, error) {
	expr, err := newParser().ParseExpr(text)
	if err != nil {
		return nil, err
	}
	if t := expr.Type(); t != parser.ValueTypeVector {
		return nil, fmt.Errorf("the query must answer an instant vector, this answers a %s", t)
	}
	v := &Vector{Text: expr.String()}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		if vs, ok := n.(*parser.VectorSelector); ok {
			v.selectors = append(v.selectors, plainSelector(vs))
		}
		return nil
	})
	if len(v.selectors) == 0 {
		return nil, errors.New("the query selects no metric")
	}
	return v, nil
}

// LastSample is as Counter's.
func (v *Vector) LastSample() string { return lastSample(v.selectors) }

func lastSample(selectors []string) string {
	parts := make([]string, len(selectors))
	for i, s := range selectors {
		parts[i] = "timestamp(" + s + ")"
	}
	return "max(" + strings.Join(parts, " or ") + ")"
}

func newParser() parser.Parser {
	return parser.NewParser(parser.Options{EnableExtendedRangeSelectors: true})
}

func promDuration(d time.Duration) string {
	return fmt.Sprintf("%dms", max(d, time.Millisecond).Milliseconds())
}

// rewriter puts the placeholder into a parsed query.
type rewriter struct {
	isCounter bool
	anchored  bool
	selectors []string
}

func (r *rewriter) rewrite(e parser.Expr) (_ parser.Expr, err error) {
	switch n := e.(type) {
	case *parser.AggregateExpr:
		switch n.Op.String() {
		case "sum", "count", "min", "max", "group", "topk", "bottomk", "limitk":
		default:
			return nil, fmt.Errorf("%s over counts does not add up from window to window; count good or bad events and total, or give the ratio as `raw`", n.Op)
		}
		n.Expr, err = r.rewrite(n.Expr)
		return n, err
	case *parser.BinaryExpr:
		if n.Op == parser.DIV && n.LHS.Type() == parser.ValueTypeVector && n.RHS.Type() == parser.ValueTypeVector {
			return nil, errors.New("a quotient of two series is a ratio, not a count; give its parts as good (or bad) and total, or the ratio as `raw`")
		}
		if n.LHS, err = r.rewrite(n.LHS); err != nil {
			return nil, err
		}
		n.RHS, err = r.rewrite(n.RHS)
		return n, err
	case *parser.Call:
		return r.call(n)
	case *parser.ParenExpr:
		n.Expr, err = r.rewrite(n.Expr)
		return n, err
	case *parser.UnaryExpr:
		n.Expr, err = r.rewrite(n.Expr)
		return n, err
	case *parser.VectorSelector:
		return r.wrap(n)
	case *parser.SubqueryExpr:
		return nil, errors.New("a subquery does not add up from window to window; use the series it is made of")
	}
	return e, nil
}

func (r *rewriter) call(n *parser.Call) (_ parser.Expr, err error) {
	for i, arg := range n.Args {
		m, ok := arg.(*parser.MatrixSelector)
		if !ok {
			if n.Args[i], err = r.rewrite(arg); err != nil {
				return nil, err
			}
			continue
		}
		if err := r.window(n, m); err != nil {
			return nil, err
		}
	}
	if n.Func.Name == "histogram_quantile" {
		return nil, errors.New("histogram_quantile gives a latency, not a count; count the events at or under a bucket's bound, `…_bucket{le=\"0.3\"}`, as good")
	}
	return n, nil
}

func (r *rewriter) window(n *parser.Call, m *parser.MatrixSelector) error {
	vs, ok := m.VectorSelector.(*parser.VectorSelector)
	if !ok {
		return errors.New("a range without a selector")
	}
	switch n.Func.Name {
	case "rate", "irate", "increase":
		n.Func = parser.Functions["increase"]
		vs.Anchored = r.anchored
	case "resets", "changes":
		vs.Anchored = r.anchored
	case "sum_over_time", "count_over_time":
	default:
		return fmt.Errorf("%s over a range does not count events; use increase, sum_over_time, count_over_time or a plain counter", n.Func.Name)
	}
	vs.Smoothed = false
	m.Range, m.RangeExpr = placeholder, nil
	r.selectors = append(r.selectors, plainSelector(vs))
	return nil
}

func (r *rewriter) wrap(vs *parser.VectorSelector) (parser.Expr, error) {
	if vs.Timestamp != nil || vs.StartOrEnd != 0 {
		return nil, errors.New("the @ modifier pins the query to one time; leave it out")
	}
	r.selectors = append(r.selectors, plainSelector(vs))
	name := "sum_over_time"
	if r.isCounter {
		name = "increase"
		vs.Anchored = r.anchored
	}
	return &parser.Call{
		Func: parser.Functions[name],
		Args: parser.Expressions{&parser.MatrixSelector{VectorSelector: vs, Range: placeholder}},
	}, nil
}

func plainSelector(vs *parser.VectorSelector) string {
	c := *vs
	c.Anchored, c.Smoothed = false, false
	return c.String()
}
