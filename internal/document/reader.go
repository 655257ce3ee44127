package document

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Reader walks one file's nodes and gathers its problems. The library's own strict
// decoding stops at the first; people want to mend a file in one go.
type Reader struct {
	File string
	// Examples are what keys look like, for whom one is missing.
	Examples map[string]string
	// Lenient names the tool whose document is read, if it passes over keys that it does not know: they are
	// warnings then, because the document means without them what it means to that tool.
	Lenient string

	aliases  map[*ast.AliasNode]ast.Node // what each stands for
	places   map[string]Place            // by path, of what was decoded
	lines    []string
	problems []Problem
	errors   int // problems that are not warnings
}

// Node is one node of a file.
type Node struct {
	r    *Reader
	node ast.Node
}

// maxDepth bounds aliases that lead to aliases, and how deep values are nested.
const maxDepth = 32

// Parse reads the syntax of a file and answers its documents, without empty ones. Where one
// document cannot be read the others still are.
func Parse(file string, text []byte) (*Reader, []Node) {
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	trees, problems := parseText(file, text)
	r := &Reader{File: file, aliases: map[*ast.AliasNode]ast.Node{}, places: map[string]Place{}, lines: strings.SplitAfter(string(text), "\n")}
	for _, p := range problems {
		r.Add(p)
	}
	var docs []Node
	for _, doc := range trees {
		if doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		ast.Walk(&anchors{r: r, named: map[string]ast.Node{}}, doc.Body)
		docs = append(docs, Node{r, doc.Body})
	}
	return r, docs
}

// Problems are all that were found, in the order of the file.
func (r *Reader) Problems() []Problem {
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
	return r.problems
}

// Errors is how many problems that are no warnings were found so far.
func (r *Reader) Errors() int { return r.errors }

// Add keeps a problem.
func (r *Reader) Add(p Problem) {
	if p.File == "" {
		p.File = r.File
	}
	if !p.Warning {
		r.errors++
	}
	r.problems = append(r.problems, p)
}

func (r *Reader) example(key string) string {
	value, ok := r.Examples[key]
	if !ok {
		value = "…"
	}
	return fmt.Sprintf("for example `%s: %s`", key, value)
}

// anchors finds what the aliases of one document stand for: the anchor of that name before them.
type anchors struct {
	r     *Reader
	named map[string]ast.Node
}

// Visit is ast.Visitor's.
func (a *anchors) Visit(n ast.Node) ast.Visitor {
	switch v := n.(type) {
	case nil:
		return nil
	case *ast.AnchorNode:
		a.named[nodeText(v.Name)] = v.Value
	case *ast.SequenceNode:
		for i, one := range v.Values {
			v.Values[i] = joined(one)
		}
	case *ast.AliasNode:
		name := nodeText(v.Value)
		target, known := a.named[name]
		if !known {
			a.r.Add(Problem{Line: lineOf(v), Column: columnOf(v), Message: fmt.Sprintf("*%s stands for nothing", name), Cure: fmt.Sprintf("set the anchor &%s above it", name)})
			return nil
		}
		a.r.aliases[v] = target
		return nil
	}
	return a
}

// joined is the text that the library takes for a mapping: in a list within braces it splits host:port at
// the colon, which YAML does only where a space follows it.
func joined(n ast.Node) ast.Node {
	pair, ok := n.(*ast.MappingValueNode)
	if m, is := n.(*ast.MappingNode); is && len(m.Values) == 1 && !m.IsFlowStyle {
		pair, ok = m.Values[0], true
	}
	if !ok || pair.Start == nil || pair.Key == nil || pair.Value == nil {
		return n
	}
	key, value := pair.Key.GetToken(), pair.Value.GetToken()
	if value == nil || key.Type != token.StringType && key.Type != token.IntegerType || value.Position.Column != pair.Start.Position.Column+1 || value.Position.Line != key.Position.Line {
		return n
	}
	switch value.Type {
	case token.StringType, token.IntegerType, token.FloatType:
		text := key.Value + ":" + value.Value
		return ast.String(token.New(text, text, key.Position))
	}
	return n
}

// resolve looks through anchors, aliases and tags.
func (r *Reader) resolve(n ast.Node) ast.Node {
	for range maxDepth {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			target, ok := r.aliases[v]
			if !ok {
				return n
			}
			n = target
		case *ast.TagNode:
			n = v.Value
		default:
			return n
		}
	}
	return n
}

func nodeText(n ast.Node) string {
	if n == nil {
		return ""
	}
	return n.String()
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Line
}

func columnOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Column
}

// Line is where the node begins.
func (n Node) Line() int { return lineOf(n.begin()) }

func (n Node) begin() ast.Node {
	node := n.r.resolve(n.node)
	if entries, ok := entriesOf(node); ok && len(entries) > 0 {
		return entries[0].Key
	}
	return node
}

// Scalar is the node's text; ok is false for mappings, lists and null.
func (n Node) Scalar() (text string, ok bool) { return scalar(n.r.resolve(n.node)) }

// List are the elements of a list; ok is false when the node is none.
func (n Node) List() (list []Node, ok bool) {
	seq, ok := n.r.resolve(n.node).(*ast.SequenceNode)
	if !ok {
		return nil, false
	}
	for _, v := range seq.Values {
		list = append(list, Node{n.r, v})
	}
	return list, true
}

// Problem is one of the node as a whole.
func (n Node) Problem(path, message, cure string) {
	at := n.begin()
	Place{r: n.r, line: lineOf(at), column: columnOf(at), path: path}.Problem(message, cure)
}

func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return plainText(n), true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// plainText is the text of a node with the tabs that stand in it: the library drops those of a text
// without quotes, and a query's words would grow together.
func plainText(n *ast.StringNode) string {
	if n.Token == nil || n.Token.Type != token.StringType || !strings.Contains(n.Token.Origin, "\t") {
		return n.Value
	}
	return folded(strings.TrimSpace(n.Token.Origin))
}

// folded joins the lines of a text without quotes as YAML does: a line end is a blank, an empty line a line end.
func folded(text string) string {
	var b strings.Builder
	empty := 0
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case i == 0:
		case line == "":
			empty++
			continue
		case empty > 0:
			b.WriteString(strings.Repeat("\n", empty))
		default:
			b.WriteByte(' ')
		}
		empty = 0
		b.WriteString(line)
	}
	return b.String()
}

// Place is where a problem is reported.
type Place struct {
	r            *Reader
	line, column int
	path         string
}

// Line is the place's line.
func (p Place) Line() int { return p.line }

// Problem reports what keeps the document from being used.
func (p Place) Problem(message, cure string) { p.report(Problem{Message: message, Cure: cure}) }

// Warning reports what is odd in a document that is used all the same.
func (p Place) Warning(message, cure string) {
	p.report(Problem{Message: message, Cure: cure, Warning: true})
}

func (p Place) report(pr Problem) {
	pr.Line, pr.Column = p.line, p.column
	if p.path != "" {
		sep := ": "
		for _, verb := range []string{"is ", "must ", "stands ", "merges "} {
			if strings.HasPrefix(pr.Message, verb) {
				sep = " "
			}
		}
		pr.Message = p.path + sep + pr.Message
	}
	p.r.Add(pr)
}
