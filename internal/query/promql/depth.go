package promql

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

// maxDepth is how deep an expression may nest; `a + b + c` nests two deep. The engine writes every part
// of an expression out as text, again for each part around it: `1 + 1 + …` of 20,000 terms takes
// gigabytes. Hand-written and generated queries stay far below.
const maxDepth = 1000

var errTooDeep = fmt.Errorf("the expression nests more than %d deep; join alternatives in one selector, as in {name=~\"a|b\"}, or split the query", maxDepth)

// boundedParser refuses expressions that nest too deep for the engine.
type boundedParser struct{ parser.Parser }

func (p boundedParser) ParseExpr(input string) (parser.Expr, error) {
	// The parser looks at a part again for each part around it: 20,000 signs and parentheses, refused
	// only once they were parsed, took it seconds.
	if parenthesesDeeper(input, maxDepth) {
		return nil, errTooDeep
	}
	expr, err := p.Parser.ParseExpr(input)
	if err != nil {
		return nil, err
	}
	if deeper(expr, maxDepth) {
		return nil, errTooDeep
	}
	return expr, nil
}

// parenthesesDeeper tells whether more than limit parentheses are open at once.
func parenthesesDeeper(input string, limit int) bool {
	lexer, open := parser.Lex(input), 0
	for item := (parser.Item{}); ; {
		lexer.NextItem(&item)
		switch item.Typ {
		case parser.LEFT_PAREN:
			if open++; open > limit {
				return true
			}
		case parser.RIGHT_PAREN:
			open--
		case parser.EOF, parser.ERROR:
			return false
		}
	}
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
