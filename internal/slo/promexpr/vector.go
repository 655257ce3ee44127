package promexpr

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// valueWindow stands for `$window` in expressions whose values are judged as they stand: the
// shortest window that tools for SLOs evaluate them over.
const valueWindow = "5m"

// Expand puts a window into a query: for $window, ${window} and, as Sloth does, for what a
// template of Go makes of `.window`, however it is spelt.
func Expand(text, window string) (string, error) {
	text = strings.NewReplacer("${window}", window, "$window", window).Replace(text)
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := template.New("query").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("{{ }} is a template, and it is not one: %w", err)
	}
	var out strings.Builder
	if err := t.Execute(&out, map[string]string{"window": window}); err != nil {
		return "", fmt.Errorf("{{ }} is a template that knows .window only: %w", err)
	}
	return out.String(), nil
}

// Vector is an expression that is evaluated as it stands.
type Vector struct {
	Text   string
	newest []string // sample of each selector
	source
}

// ParseVector reads an expression whose values are judged one by one.
func ParseVector(text string) (*Vector, error) {
	text, err := Expand(text, valueWindow)
	if err != nil {
		return nil, err
	}
	expr, err := newParser().ParseExpr(text)
	if err != nil {
		return nil, err
	}
	if t := expr.Type(); t != parser.ValueTypeVector {
		return nil, fmt.Errorf("the query must answer an instant vector, this answers a %s", t)
	}
	v := &Vector{Text: expr.String(), source: sourceOf(expr)}
	parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
		if vs, ok := n.(*parser.VectorSelector); ok {
			v.newest = append(v.newest, lastOf(vs, offsetOf(path)))
		}
		return nil
	})
	if len(v.newest) == 0 {
		return nil, errors.New("the query selects no metric")
	}
	return v, nil
}

// LastSample is as Counter's.
func (v *Vector) LastSample() string { return lastSample(v.newest) }

// offsetOf is that of all subqueries on a path.
func offsetOf(path []parser.Node) (sum time.Duration) {
	for _, n := range path {
		if s, ok := n.(*parser.SubqueryExpr); ok {
			sum += s.OriginalOffset
		}
	}
	return sum
}

func selectorsOf(e parser.Expr) (out []*parser.VectorSelector) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if vs, ok := n.(*parser.VectorSelector); ok {
			out = append(out, vs)
		}
		return nil
	})
	return out
}

func plainSelector(vs *parser.VectorSelector) string {
	c := *vs
	c.Anchored, c.Smoothed = false, false
	return c.String()
}
