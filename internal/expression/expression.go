// Package expression reads PromQL that comes from outside, within bounds.
//
// It knows nothing of what is asked. In: Prometheus' own parser. Out: one that refuses what would keep it, or the engine behind it, busy
// for minutes: both look again at every part for each part around it, and neither can be stopped while it reads.
//
// Start reading at Parser.
package expression

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

const (
	// maxDepth is how deep an expression may nest; `a + b + c` nests two deep. The engine writes every part
	// of an expression out as text, again for each part around it: `1 + 1 + …` of 20,000 terms takes
	// gigabytes. Hand-written and generated queries stay far below.
	maxDepth = 1000
	// maxParts bounds names, numbers, operators and brackets; what stands in braces is not counted. 20,000 times `-(`, in 60 KB, keep
	// Prometheus' parser busy for a minute. A query that nests less than maxDepth and has more parts was made to be slow.
	maxParts = 20_000
)

// Parser refuses expressions that nest too deep or have too many parts.
type Parser struct{ parser.Parser }

// ParseExpr implements parser.Parser.
func (p Parser) ParseExpr(input string) (parser.Expr, error) {
	if err := bounded(input); err != nil {
		return nil, err
	}
	expr, err := p.Parser.ParseExpr(input)
	if err != nil {
		return nil, err
	}
	if deeper(expr, maxDepth) {
		return nil, tooDeep()
	}
	return expr, nil
}

func tooDeep() error {
	return fmt.Errorf("the expression nests more than %d deep; join alternatives in one selector, as in {name=~\"a|b\"}, or split the query", maxDepth)
}

// bounded counts before anything is parsed. What cannot be read passes: the parser says where.
func bounded(input string) error {
	lexer, open, parts, inBraces := parser.Lex(input), 0, 0, false
	for {
		var item parser.Item
		switch lexer.NextItem(&item); item.Typ {
		case parser.EOF, parser.ERROR:
			return nil
		case parser.LEFT_PAREN, parser.LEFT_BRACKET:
			open++
		case parser.RIGHT_PAREN, parser.RIGHT_BRACKET:
			open--
		case parser.LEFT_BRACE, parser.RIGHT_BRACE:
			inBraces = item.Typ == parser.LEFT_BRACE
		}
		if !inBraces {
			parts++
		}
		if open > maxDepth+1 {
			return tooDeep()
		}
		if parts > maxParts {
			return fmt.Errorf("the expression has more than %d parts; join alternatives in one selector, as in {name=~\"a|b\"}, or split the query", maxParts)
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
