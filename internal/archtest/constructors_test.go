package archtest

import (
	"go/ast"
	"slices"
	"testing"
)

const instruments = "internal/instrument"

// What a constructor does with the logger and the registry it is given is done in one place:
// by hand, one forgets the logger that is nil, another the registry.
func TestConstructorsTakeLoggerAndRegistryTheOneWay(t *testing.T) {
	for _, s := range sources(t) {
		if s.Test || s.Pkg == instruments {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if name := dotted(n); name == "slog.DiscardHandler" || name == "promslog.NewNopLogger" {
					t.Errorf("%s: %s: use Logger or Silent of %s", s.Fset.Position(n.Pos()), name, instruments)
				}
			case *ast.CallExpr:
				if registers(n) {
					t.Errorf("%s: metrics are registered with Register of %s", s.Fset.Position(n.Pos()), instruments)
				}
			}
			return true
		})
	}
}

// registers recognises a call of a Prometheus registry's Register by what such values are called here.
func registers(call *ast.CallExpr) bool {
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || fun.Sel.Name != "Register" {
		return false
	}
	of := ""
	switch x := fun.X.(type) {
	case *ast.Ident:
		of = x.Name
	case *ast.SelectorExpr:
		of = x.Sel.Name
	}
	return slices.Contains([]string{"reg", "registerer", "Registerer", "registry", "Registry"}, of)
}

// dotted is a.b for the selector of an identifier.
func dotted(n *ast.SelectorExpr) string {
	if x, ok := n.X.(*ast.Ident); ok {
		return x.Name + "." + n.Sel.Name
	}
	return ""
}
