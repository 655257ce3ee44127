package archtest

import (
	"go/ast"
	"strconv"
	"testing"
)

// ownClients make clients themselves, for the stated reason.
func ownClients() map[string]string {
	return map[string]string{
		"internal/outgoing":         "the one way out",
		"internal/platform/outcall": "follows no redirects over a transport that it is given",
		"internal/bench":            "the load test asks the server that its user names, over connections that it counts",
		"internal/demo":             "the demo asks its own process",
	}
}

// Whoever makes a client or dials by itself leaves out what keeps us from giving a machine's credentials away.
func TestOneRoomMakesClients(t *testing.T) {
	makes := map[string]map[string]bool{
		"net/http": {
			"Client": true, "Transport": true, "DefaultClient": true, "DefaultTransport": true, "Get": true, "Post": true, "PostForm": true, "Head": true,
		},
		"net":                                 {"Dialer": true, "Dial": true, "DialTimeout": true},
		"github.com/prometheus/common/config": {"NewClientFromConfig": true, "NewRoundTripperFromConfig": true},
	}
	excused := map[string]bool{}
	for _, s := range sources(t) {
		if s.Test {
			continue
		}
		imported := map[string]map[string]bool{}
		for _, imp := range s.File.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			name := map[string]string{"net/http": "http", "net": "net", "github.com/prometheus/common/config": "config"}[path]
			if imp.Name != nil {
				name = imp.Name.Name
			}
			imported[name] = makes[path]
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StarExpr: // a type that is spoken of, not made
				return false
			case *ast.SelectorExpr:
				id, ok := n.X.(*ast.Ident)
				if !ok || id.Obj != nil || !imported[id.Name][n.Sel.Name] {
					return true
				}
				if ownClients()[s.Pkg] != "" {
					excused[s.Pkg] = true
					return true
				}
				t.Errorf("%s: %s.%s is made beside the one way out: use internal/outgoing", s.Fset.Position(n.Pos()), id.Name, n.Sel.Name)
			}
			return true
		})
	}
	for pkg := range ownClients() {
		if !excused[pkg] {
			t.Errorf("exception for %s: it makes no client", pkg)
		}
	}
}
