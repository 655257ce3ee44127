package promql

import (
	"strings"
	"testing"
)

func TestExpressionsThatNestTooDeepAreRefused(t *testing.T) {
	p := NewParser(Config{})
	for name, tc := range map[string]struct {
		expr string
		good bool
	}{
		"a sum at the limit":     {"1" + strings.Repeat("+1", maxDepth), true},
		"a sum beyond it":        {"1" + strings.Repeat("+1", maxDepth+1), false},
		"5,000 terms":            {"1" + strings.Repeat("+1", 5000), false},
		"signs":                  {strings.Repeat("-(", 20_000) + "1" + strings.Repeat(")", 20_000), false},
		"parentheses":            {strings.Repeat("(", 20_000) + "up" + strings.Repeat(")", 20_000), false},
		"calls":                  {strings.Repeat("abs(", 20_000) + "up" + strings.Repeat(")", 20_000), false},
		"subqueries":             {"up" + strings.Repeat("[5m:1m])", 2000), false},
		"a wide list of matches": {"up{job=~\"" + strings.Repeat("a|", 20_000) + "b\"}", true},
	} {
		if _, err := p.ParseExpr(tc.expr); (err == nil) != tc.good {
			t.Errorf("%s: %.200v", name, err)
		}
	}
}
