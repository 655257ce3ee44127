// Package promexpr reads the PromQL of indicators and evaluates it.
//
// Counter turns a query that counts events into the same query over any window; Evaluator
// runs expressions on an engine of its own, so that users' heavy queries cannot hold up the
// judging of SLOs. The package knows nothing of objectives or budgets.
//
// In: query text, and a storage.Queryable. Out: query text, samples, series.
// A Counter is immutable; an Evaluator is safe for concurrent use and keeps no state.
//
// Invariant: what a Counter counts over a window is the sum of what it counts over the pieces
// of the window, however it is cut; a query of which that cannot be said is refused.
//
// Start reading at counter.go, where the rule for windows stands.
package promexpr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/expression"
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
//   - What filters or weighs a count, `… and on (pod) up == 1`, stays as it is written. Such a
//     query is counted minute by minute, with the filter as it stands at each minute's end.
//   - Counts that are added up count for themselves: one that is absent is zero. So is one that `> 0` filters away.
//
// Counting functions are rate, irate, increase, resets, changes, sum_over_time and count_over_time, the
// last two also over a subquery; others over a range are refused, because windows of them do not
// add up.
type Counter struct {
	terms  []term
	plain  string       // plain PromQL, for people
	single bool         // plain answers one series already
	call   *parser.Call // of a plain sum over one selector, for families
	newest []string     // sample of each selector
	source
}

// term is a part of a count that is evaluated for itself.
type term struct {
	factor   float64
	exact    string // over the window of the placeholder, one sample without labels
	byMinute bool   // a window is made of minutes
}

// ParseCounter reads a query. isCounter is OpenSLO's ratioMetric.counter: false
// makes selectors without a range numbers of events.
func ParseCounter(text string, isCounter bool) (*Counter, error) {
	text, err := Expand(text, placeholderText)
	if err != nil {
		return nil, err
	}
	expr, err := parseCount(text)
	if err != nil {
		return nil, err
	}
	k := checker{}
	if err := k.count(expr); err != nil {
		return nil, err
	}
	if len(k.counted) == 0 {
		return nil, errors.New("the query selects no metric")
	}
	if k.units["rate"] && k.units["count"] {
		return nil, errors.New("rate is per second and increase per window: they do not add up; use one of them throughout")
	}
	c := &Counter{newest: k.counted, source: sourceOf(expr)}
	for _, t := range split(expr, 1) {
		r := rewriter{isCounter: isCounter, anchored: true, byMinute: !direct(t.expr)}
		out := r.rewrite(t.expr)
		c.terms = append(c.terms, term{factor: t.factor, exact: "sum(" + out.String() + ")", byMinute: r.byMinute})
		if call := plainSum(out); len(k.counted) == 1 && t.factor == 1 && !r.byMinute {
			c.call = call
		}
	}
	if len(c.terms) > 1 {
		c.call = nil
	}
	return c, c.readable(text, isCounter)
}

// readable makes the plain text of the query.
func (c *Counter) readable(text string, isCounter bool) error {
	expr, err := parseCount(text) // anew: rewriting changes it
	if err != nil {
		return err
	}
	r := rewriter{isCounter: isCounter, byMinute: c.Minutewise()}
	out := r.rewrite(expr)
	c.plain = out.String()
	if r.byMinute {
		c.plain, c.single = "sum_over_time(sum("+strings.ReplaceAll(c.plain, placeholderText, "1m")+")["+placeholderText+":1m])", true
		return nil
	}
	agg, ok := out.(*parser.AggregateExpr)
	c.single = ok && agg.Op == parser.SUM && len(agg.Grouping) == 0 && !agg.Without
	return nil
}

func parse(text string) (parser.Expr, error) {
	expr, err := newParser().ParseExpr(text)
	if err != nil {
		return nil, err
	}
	if t := expr.Type(); t != parser.ValueTypeVector {
		return nil, fmt.Errorf("a query that counts must answer an instant vector, this answers a %s", t)
	}
	return expr, nil
}

// Minutewise reports whether windows of the query are made of minutes.
func (c *Counter) Minutewise() bool {
	for _, t := range c.terms {
		if t.byMinute {
			return true
		}
	}
	return false
}

// Over is the number of events within the window that ends at the evaluation
// time, one sample without labels. Increases reach back to the last sample before the window (the
// anchored modifier), so counts of adjoining windows add up exactly. Window and
// time are full minutes; Pieces knows others.
func (c *Counter) Over(window time.Duration) string {
	return c.text(func(t term) string {
		if !t.byMinute {
			return strings.ReplaceAll(t.exact, placeholderText, promDuration(window))
		}
		minute := strings.ReplaceAll(t.exact, placeholderText, promDuration(time.Minute))
		if window <= time.Minute {
			return minute
		}
		return "sum_over_time(" + minute + "[" + promDuration(window) + ":1m])"
	})
}

// text adds the terms up, each as one expression.
func (c *Counter) text(of func(term) string) string {
	if len(c.terms) == 1 && c.terms[0].factor == 1 {
		return of(c.terms[0])
	}
	parts := make([]string, len(c.terms))
	for i, t := range c.terms {
		one := of(t)
		if t.factor != 1 {
			one = strconv.FormatFloat(t.factor, 'g', -1, 64) + " * " + one
		}
		parts[i] = one
		if len(c.terms) > 1 { // a label keeps them apart, so that the absent one is none
			parts[i] = fmt.Sprintf(`label_replace(%s, "term", "%d", "", "")`, one, i)
		}
	}
	return "sum(" + strings.Join(parts, " or ") + ")"
}

// Piece is a part of a window, and the query that counts it at the piece's end.
type Piece struct {
	Query string
	At    time.Time
}

// Pieces are what (from, to] is counted by: one query, or several where a
// query that is counted minute by minute begins or ends within one.
func (c *Counter) Pieces(from, to time.Time) (out []Piece) {
	if !c.Minutewise() {
		return []Piece{{c.Over(to.Sub(from)), to}}
	}
	for at := from; at.Before(to); {
		end := at.Truncate(time.Minute).Add(time.Minute)
		if whole := to.Truncate(time.Minute); at.Equal(at.Truncate(time.Minute)) && whole.After(at) {
			end = whole
		}
		if end.After(to) {
			end = to
		}
		query := c.Over(end.Sub(at))
		if end.Sub(at) < time.Minute {
			query = c.text(func(t term) string { return strings.ReplaceAll(t.exact, placeholderText, promDuration(end.Sub(at))) })
		}
		out = append(out, Piece{query, end})
		at = end
	}
	return out
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

// SumBy is Plain as one series for each set of labels; a query that is counted Minutewise has none.
func (c *Counter) SumBy(window string, by []string) string {
	return "sum by (" + strings.Join(by, ", ") + ") (" + c.Plain(window) + ")"
}

// LastSample is an expression for the time of the newest sample, in Unix
// seconds, of any series that is counted; nothing when that is older than the lookback.
func (c *Counter) LastSample() string { return lastSample(c.newest) }

func lastSample(parts []string) string { return "max(" + strings.Join(parts, " or ") + ")" }

// lastOf is the time of the newest sample of a selector, as the query sees it: one with an offset is made for data that comes so
// much later, and is no staler for it. outer is the offset of the subquery around it.
func lastOf(vs *parser.VectorSelector, outer time.Duration) string {
	late := *vs
	late.OriginalOffset += outer
	text := "timestamp(" + plainSelector(&late) + ")"
	if by := late.OriginalOffset; by != 0 && late.OriginalOffsetExpr == nil {
		text += fmt.Sprintf(" + %g", by.Seconds())
	}
	return text
}

func newParser() parser.Parser {
	return expression.Parser{Parser: parser.NewParser(parser.Options{EnableExtendedRangeSelectors: true, ExperimentalDurationExpr: true})}
}

func promDuration(d time.Duration) string {
	return fmt.Sprintf("%dms", max(d, time.Millisecond).Milliseconds())
}
