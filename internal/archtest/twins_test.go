package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A body of fewer nodes says too little to be a copy: accessors, constant answers.
const minTwinNodes = 13

// As many nodes are a copy under another name too.
const manyTwinNodes = 40

// The same function in two packages is mended in one and stays broken in the other.
// Names of parameters and locals, comments and layout do not count.
func TestNoFunctionStandsInTwoPackages(t *testing.T) {
	places := map[string]map[string]string{} // shape → package → position
	for _, s := range sources(t) {
		if s.Test {
			continue
		}
		for _, d := range s.File.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			shape, nodes := shapeOf(f)
			if nodes < minTwinNodes {
				continue
			}
			key := shape
			if nodes < manyTwinNodes {
				key = strings.ToLower(f.Name.Name) + " " + shape
			}
			if places[key] == nil {
				places[key] = map[string]string{}
			}
			places[key][s.Pkg] = fmt.Sprintf("%s: %s", s.Fset.Position(f.Pos()), f.Name.Name)
		}
	}
	for _, in := range places {
		if len(in) > 1 {
			t.Errorf("one function in several packages, keep it in a place that all may import:\n\t%s", strings.Join(slices.Sorted(maps.Values(in)), "\n\t"))
		}
	}
}

// shapeOf writes a function's parameters, results and body with its own names numbered.
func shapeOf(f *ast.FuncDecl) (shape string, nodes int) {
	var b strings.Builder
	names := map[any]int{}
	write := func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			b.WriteByte(')')
			return false
		case *ast.CommentGroup:
			return false
		case *ast.Ident:
			b.WriteString("(" + identOf(n, f, names))
		case *ast.BasicLit:
			b.WriteString("(" + n.Value)
		default:
			b.WriteString("(" + strings.TrimPrefix(reflect.TypeOf(n).String(), "*ast.") + operator(n))
		}
		nodes++
		return true
	}
	ast.Inspect(f.Type, write)
	nodes = 0
	ast.Inspect(f.Body, write)
	return b.String(), nodes
}

// identOf numbers what the function declares itself and keeps every other name.
func identOf(id *ast.Ident, f *ast.FuncDecl, names map[any]int) string {
	if id.Obj == nil || id.Obj.Pos() < f.Pos() || id.Obj.Pos() > f.End() {
		return id.Name
	}
	if _, known := names[id.Obj]; !known {
		names[id.Obj] = len(names)
	}
	return fmt.Sprintf("#%d", names[id.Obj])
}

// operator is what a node says beside its children.
func operator(n ast.Node) string {
	var tok token.Token
	switch n := n.(type) {
	case *ast.BinaryExpr:
		tok = n.Op
	case *ast.UnaryExpr:
		tok = n.Op
	case *ast.AssignStmt:
		tok = n.Tok
	case *ast.IncDecStmt:
		tok = n.Tok
	case *ast.BranchStmt:
		tok = n.Tok
	case *ast.RangeStmt:
		tok = n.Tok
	case *ast.GenDecl:
		tok = n.Tok
	case *ast.ChanType:
		return fmt.Sprint(n.Dir)
	case *ast.CallExpr:
		if n.Ellipsis.IsValid() {
			return "..."
		}
		return ""
	default:
		return ""
	}
	return tok.String()
}
