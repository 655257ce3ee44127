package contract

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/expression"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// Query is PromQL in which ${label}, as a value of a matcher, stands for a label of the alert.
type Query string

// Querier evaluates PromQL; query/promql.Engine does.
type Querier interface {
	Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error)
}

// Finding is what a query found.
type Finding struct {
	Query string   `json:"query" doc:"as it was evaluated"`
	Value *float64 `json:"value,omitempty" doc:"what was compared; absent without data"`
	Holds bool     `json:"holds"`
	// NoData says that there was nothing to compare.
	NoData bool      `json:"no_data,omitempty"`
	Time   time.Time `json:"time"`
}

// Text is the finding in words.
func (f Finding) Text() string {
	switch {
	case f.NoData:
		return fmt.Sprintf("%s finds no data", f.Query)
	case f.Holds:
		return fmt.Sprintf("%s holds (%s)", f.Query, human.Number(*f.Value))
	}
	return fmt.Sprintf("%s does not hold (%s)", f.Query, human.Number(*f.Value))
}

// parse reads the query as it stands in the file.
func (q Query) parse() (parser.Expr, error) {
	if strings.TrimSpace(string(q)) == "" {
		return nil, errors.New("must not be empty")
	}
	expr, err := expression.Parser{Parser: parser.NewParser(parser.Options{})}.ParseExpr(string(q))
	if err != nil {
		return nil, err
	}
	if t := expr.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return nil, fmt.Errorf("must answer one moment, and answers a %s", parser.DocumentedType(t))
	}
	return expr, nil
}

var placeholder = regexp.MustCompile(`\$\{([a-zA-Z_][a-zA-Z0-9_]*)\}`)

// labelsOf are the labels that a text takes from an alert.
func labelsOf(text string) (out []string) {
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

// fill lays an alert's labels into the matchers of a query. What they say can be no part of the query: it is put into the parsed
// one, and quoted where a matcher takes a regular expression.
func (q Query) fill(from map[string]string) (parser.Expr, error) {
	expr, err := q.parse()
	if err != nil {
		return nil, err
	}
	var missing error
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for i, m := range v.LabelMatchers {
			quote := func(s string) string { return s }
			if m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp {
				quote = regexp.QuoteMeta
			}
			value, err := expand(m.Value, from, quote)
			if err == nil && value != m.Value {
				v.LabelMatchers[i], err = labels.NewMatcher(m.Type, m.Name, value)
			}
			missing = errors.Join(missing, err)
		}
		return nil
	})
	return expr, missing
}

// expand replaces what stands for labels. A label that the alert has not is an error: an empty value would select everything that
// lacks the label.
func expand(text string, from map[string]string, quote func(string) string) (string, error) {
	var missing []string
	out := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := p[2 : len(p)-1]
		if from[name] == "" {
			missing = append(missing, name)
		}
		return quote(from[name])
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("the alert has no label %s", strings.Join(missing, ", "))
	}
	return out, nil
}

// filters reports whether an expression answers only what passes it, so that 0 is as good an answer as any.
func filters(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return filters(e.Expr)
	case *parser.BinaryExpr:
		return e.Op.IsComparisonOperator() && !e.ReturnBool || e.Op.IsSetOperator() && filters(e.LHS)
	}
	return false
}

// Ask evaluates the query for an alert. It holds where a comparison lets something through, and otherwise where something is answered
// that is neither 0 nor NaN. Of a comparison the left
// side is asked for too, to tell "no" from "no data".
func (q Query) Ask(ctx context.Context, querier Querier, from map[string]string, now time.Time) (Finding, error) {
	expr, err := q.fill(from)
	if err != nil {
		return Finding{}, err
	}
	f := Finding{Query: expr.String(), Time: now}
	found, err := querier.Instant(ctx, f.Query, now)
	if err != nil {
		return f, fmt.Errorf("%s: %w", f.Query, err)
	}
	filter := filters(expr)
	for _, s := range found {
		if f.Holds = !math.IsNaN(s.Value) && (filter || s.Value != 0); f.Holds {
			f.Value = &s.Value
			return f, nil
		}
	}
	if c, ok := expr.(*parser.BinaryExpr); ok && c.Op.IsComparisonOperator() && c.LHS.Type() == parser.ValueTypeVector {
		if found, err = querier.Instant(ctx, c.LHS.String(), now); err != nil {
			return f, fmt.Errorf("%s: %w", c.LHS, err)
		}
	}
	for _, s := range found {
		if !math.IsNaN(s.Value) {
			f.Value = &s.Value
			return f, nil
		}
	}
	f.NoData = true
	return f, nil
}

// Amount is the least value that a query answers; ok is false without data.
func (q Query) Amount(ctx context.Context, querier Querier, from map[string]string, now time.Time) (least float64, ok bool, err error) {
	expr, err := q.fill(from)
	if err != nil {
		return 0, false, err
	}
	found, err := querier.Instant(ctx, expr.String(), now)
	for _, s := range found {
		if !math.IsNaN(s.Value) && (!ok || s.Value < least) {
			least, ok = s.Value, true
		}
	}
	return least, ok, err
}
