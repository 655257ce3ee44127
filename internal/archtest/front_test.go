package archtest

import (
	"go/ast"
	"strconv"
	"strings"
	"testing"
)

// Whoever serves HTTP by itself leaves out what every request must pass:
// deadlines, the check of Host and origin, identity, limits and audit.
func TestOnlyTheFrontServesHTTP(t *testing.T) {
	servers := map[string]bool{
		"Server": true, "ListenAndServe": true, "ListenAndServeTLS": true, "Serve": true, "ServeTLS": true, "DefaultServeMux": true, "Handle": true, "HandleFunc": true,
	}
	found := 0
	for _, s := range sources(t) {
		if s.Test {
			continue
		}
		name := ""
		for _, imp := range s.File.Imports {
			if path, _ := strconv.Unquote(imp.Path.Value); path == "net/http" {
				name = "http"
				if imp.Name != nil {
					name = imp.Name.Name
				}
			}
		}
		if name == "" {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !servers[sel.Sel.Name] {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); !ok || id.Name != name || id.Obj != nil {
				return true
			}
			if strings.HasPrefix(s.Pkg, "internal/front") {
				found++
				return true
			}
			t.Errorf("%s: http.%s serves without the front: mount the handler on a front.Port", s.Fset.Position(sel.Pos()), sel.Sel.Name)
			return true
		})
	}
	if found == 0 {
		t.Error("the front serves nothing: has it moved?")
	}
}
