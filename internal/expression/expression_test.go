package expression

import (
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

func TestExpressionsThatNestTooDeepAreRefused(t *testing.T) {
	p := Parser{parser.NewParser(parser.Options{})}
	for name, tc := range map[string]struct {
		expr string
		good bool
	}{
		"a sum at the limit":        {"1" + strings.Repeat("+1", maxDepth), true},
		"a sum beyond it":           {"1" + strings.Repeat("+1", maxDepth+1), false},
		"20,000 terms":              {"1" + strings.Repeat("+1", 20_000), false},
		"signs":                     {strings.Repeat("-(", 20_000) + "1" + strings.Repeat(")", 20_000), false},
		"parentheses":               {strings.Repeat("(", 20_000) + "up" + strings.Repeat(")", 20_000), false},
		"calls":                     {strings.Repeat("abs(", 20_000) + "up" + strings.Repeat(")", 20_000), false},
		"subqueries":                {"up" + strings.Repeat("[5m:1m])", 2000), false},
		"brackets at the limit":     {strings.Repeat("(", maxDepth) + "up" + strings.Repeat(")", maxDepth), true},
		"brackets beyond it":        {strings.Repeat("(", maxDepth+1) + "up" + strings.Repeat(")", maxDepth+1), false},
		"a form's worth of each":    {strings.Repeat("-(-1^", 2_000_000), false},
		"signs alone":               {strings.Repeat("-", 10_000_000) + "1", false},
		"powers":                    {"2" + strings.Repeat("^2", 5_000_000), false},
		"offsets":                   {"up" + strings.Repeat(" offset 1m", 1_000_000), false},
		"a wide call":               {"label_join(up, \"a\", \",\"" + strings.Repeat(", \"b\"", 5_000) + ")", true},
		"a wide sum, far from deep": {strings.Repeat("sum by (a, b) (rate(up{job=\"x\", pod=\"y\"}[5m])) or ", 900) + "up", true},
		"a wide list of matches":    {"up{job=~\"" + strings.Repeat("a|", 20_000) + "b\"}", true},
	} {
		if _, err := p.ParseExpr(tc.expr); (err == nil) != tc.good {
			t.Errorf("%s: %.200v", name, err)
		}
	}
}
