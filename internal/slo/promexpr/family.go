package promexpr

import (
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Member says how a counter belongs to a family: counters with the same Key
// differ in the value of Label only, so one query answers all of them.
type Member struct {
	Key, Label, Value string
}

// Members are the families that a counter can belong to, one for each label
// that it demands a value of. Only a plain sum over one selector has any: there, and only
// there, a sum by the label is the same numbers.
func (c *Counter) Members() (out []Member) {
	if c.call == nil {
		return nil
	}
	vs := c.selector()
	for i, m := range vs.LabelMatchers {
		if m.Type != labels.MatchEqual || m.Value == "" || m.Name == labels.MetricName {
			continue
		}
		out = append(out, Member{Key: m.Name + "|" + c.call.Func.Name + "|" + c.without(i), Label: m.Name, Value: m.Value})
	}
	return out
}

func (c *Counter) selector() *parser.VectorSelector {
	return c.call.Args[0].(*parser.MatrixSelector).VectorSelector.(*parser.VectorSelector) //nolint:forcetypeassert // plainSum looked
}

func (c *Counter) without(i int) string {
	vs := *c.selector()
	vs.LabelMatchers = append(append([]*labels.Matcher{}, vs.LabelMatchers[:i]...), vs.LabelMatchers[i+1:]...)
	return vs.String()
}

// widened is the counter's selector for any of several values of a label.
func (c *Counter) widened(label string, values []string) *parser.VectorSelector {
	vs := *c.selector()
	vs.LabelMatchers = append([]*labels.Matcher{}, vs.LabelMatchers...)
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = regexp.QuoteMeta(v)
	}
	for i, m := range vs.LabelMatchers {
		if m.Name == label && m.Type == labels.MatchEqual {
			vs.LabelMatchers[i] = labels.MustNewMatcher(labels.MatchRegexp, label, strings.Join(quoted, "|"))
		}
	}
	return &vs
}

// Together is Over for several members of a family, one sample with the label
// for each that has data.
func (c *Counter) Together(label string, values []string, window time.Duration) string {
	text := c.call.Func.Name + "(" + (&parser.MatrixSelector{VectorSelector: c.widened(label, values), Range: placeholder}).String() + ")"
	return "sum by (" + label + ") (" + strings.ReplaceAll(text, placeholderText, promDuration(window)) + ")"
}

// LastTogether is LastSample for several members of a family.
func (c *Counter) LastTogether(label string, values []string) string {
	return "max by (" + label + ") (timestamp(" + plainSelector(c.widened(label, values)) + "))"
}

// plainSum is the counting call of a sum over one selector, nil for anything else.
func plainSum(e parser.Expr) *parser.Call {
	switch n := e.(type) {
	case *parser.ParenExpr:
		return plainSum(n.Expr)
	case *parser.AggregateExpr:
		if n.Op == parser.SUM && len(n.Grouping) == 0 && !n.Without {
			return plainSum(n.Expr)
		}
	case *parser.Call:
		if len(n.Args) != 1 {
			return nil
		}
		m, ok := n.Args[0].(*parser.MatrixSelector)
		if !ok {
			return nil
		}
		if vs, ok := m.VectorSelector.(*parser.VectorSelector); ok && vs.OriginalOffset == 0 && vs.OriginalOffsetExpr == nil {
			return n
		}
	}
	return nil
}
