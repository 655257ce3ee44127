package archtest

import (
	"go/ast"
	"strconv"
	"testing"
)

// nodePackages are those of the YAML libraries through which nodes are walked.
func nodePackages() map[string]bool {
	return map[string]bool{"github.com/goccy/go-yaml/ast": true, "github.com/goccy/go-yaml/parser": true, "github.com/goccy/go-yaml/token": true, "github.com/goccy/go-yaml/lexer": true}
}

// One reader finds what is wrong with a file in one way: a second walker would forget aliases,
// merge keys, bounds or the place of a problem. Prometheus' and Alertmanager's loaders are theirs.
func TestOneRoomWalksYAML(t *testing.T) {
	walking := map[string]bool{}
	for _, s := range sources(t) {
		if s.Test || !walks(s) {
			continue
		}
		walking[s.Pkg] = true
		if s.Pkg != "internal/document" {
			t.Errorf("%s walks YAML nodes: read by internal/document", s.Path)
		}
	}
	if !walking["internal/document"] {
		t.Error("internal/document walks no nodes: does the test look for the right packages?")
	}
}

// walks reports whether a file imports a node package or names the node type of another library.
func walks(s source) bool {
	named := map[string]bool{}
	for _, imp := range s.File.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		if nodePackages()[path] {
			return true
		}
		switch path {
		case "go.yaml.in/yaml/v2", "go.yaml.in/yaml/v3", "go.yaml.in/yaml/v4", "gopkg.in/yaml.v2", "gopkg.in/yaml.v3":
			name := "yaml"
			if imp.Name != nil {
				name = imp.Name.Name
			}
			named[name] = true
		}
	}
	found := false
	ast.Inspect(s.File, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Node" {
			if id, ok := sel.X.(*ast.Ident); ok && named[id.Name] {
				found = true
			}
		}
		return !found
	})
	return found
}
