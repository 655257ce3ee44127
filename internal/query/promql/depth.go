package promql

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

// maxDepth is how deep an expression may nest; `a + b + c` nests two deep. The engine writes every part
// of an expression out as text, again for each part around it: `1 + 1 + …` of 20,000 terms takes
// gigabytes. Hand-written and generated queries stay far below.
const maxDepth = 1000

// boundedParser refuses expressions that nest too deep for the engine.
type boundedParser struct{ parser.Parser }

func (p boundedParser) ParseExpr(input string) (parser.Expr, error) {
	expr, err := p.Parser.ParseExpr(input)
	if err != nil {
		return nil, err
	}
	if deeper(expr, maxDepth) {
		return nil, fmt.Errorf("the expression nests more than %d deep; join alternatives in one selector, as in {name=~\"a|b\"}, or split the query", maxDepth)
	}
	return expr, nil
}

// deeper tells whether anything stands more than limit levels below a node.
func deeper(node parser.Node, limit int) bool {
	if limit < 0 {
		return true
	}
	for child := range parser.ChildrenIter(node) {
		if deeper(child, limit-1) {
			return true
		}
	}
	return false
}
