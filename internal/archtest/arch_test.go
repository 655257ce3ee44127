package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/signalbox-project/signalbox"

// source is one parsed Go file; Path is relative to the module's root.
type source struct {
	Path string
	Pkg  string // folder, relative to the root
	Test bool
	File *ast.File
	Fset *token.FileSet
}

func (s source) lines(n ast.Node) int {
	return s.Fset.Position(n.End()).Line - s.Fset.Position(n.Pos()).Line + 1
}

// sources are those of the module, read once for all tests.
func sources(t *testing.T) []source {
	t.Helper()
	out, err := readSources()
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 10 {
		t.Fatalf("found only %d Go files: is the module's root where it was?", len(out))
	}
	return out
}

var readSources = sync.OnceValues(func() (out []source, err error) {
	root, fset := filepath.Join("..", ".."), token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			switch d.Name() {
			case "node_modules", "testdata", "data", ".git", "web", "tools":
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || filepath.Dir(rel) == "." {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if ast.IsGenerated(f) {
			return nil
		}
		out = append(out, source{
			Path: filepath.ToSlash(rel), Pkg: filepath.ToSlash(filepath.Dir(rel)),
			Test: strings.HasSuffix(path, "_test.go"), File: f, Fset: fset,
		})
		return nil
	})
	return out, err
})

func TestPackagesImportOnlyLowerLayers(t *testing.T) {
	for _, s := range sources(t) {
		if s.Test {
			continue
		}
		room, layer, ok := layerOf(s.Pkg)
		if !ok {
			t.Errorf("%s: the package is in no room; add it to rooms()", s.Path)
			continue
		}
		for _, imp := range s.File.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			to, own := strings.CutPrefix(path, module+"/")
			if !own {
				checkStandardOnly(t, s, layer, path)
				continue
			}
			toRoom, toLayer, _ := layerOf(to)
			if toRoom == room || toLayer < layer || allowedImports()[s.Pkg+" -> "+to] != "" {
				continue
			}
			t.Errorf("%s (layer %d) imports %s (layer %d): a package imports strictly lower layers or its own room", s.Path, layer, to, toLayer)
		}
	}
}

func checkStandardOnly(t *testing.T, s source, layer int, path string) {
	t.Helper()
	host, _, _ := strings.Cut(path, "/")
	if layer == 0 && strings.Contains(host, ".") && allowedImports()[s.Pkg+" -> "+path] == "" {
		t.Errorf("%s imports %s: layer 0 uses the standard library only", s.Path, path)
	}
}

// A room that needs more neighbours than these does the work of several, or wires them.
func TestPackagesHaveFewNeighbours(t *testing.T) {
	neighbours := map[string]map[string]bool{}
	for _, s := range sources(t) {
		if s.Test || wiring()[s.Pkg] != "" {
			continue
		}
		for _, imp := range s.File.Imports {
			// Every constructor uses instruments: that says nothing about a room's work.
			if path, _ := strconv.Unquote(imp.Path.Value); strings.HasPrefix(path, module+"/") && path != module+"/"+instruments {
				if neighbours[s.Pkg] == nil {
					neighbours[s.Pkg] = map[string]bool{}
				}
				neighbours[s.Pkg][path] = true
			}
		}
	}
	for pkg, imports := range neighbours {
		if len(imports) > maxNeighbours {
			t.Errorf("package %s imports %d packages of the module, limit %d", pkg, len(imports), maxNeighbours)
		}
	}
}

func TestComponentsNeverImportConfig(t *testing.T) {
	for _, s := range sources(t) {
		room, layer, _ := layerOf(s.Pkg)
		if room == "internal/config" || s.Test {
			continue
		}
		for _, imp := range s.File.Imports {
			if strings.Contains(imp.Path.Value, module+"/internal/config") && layer < 7 {
				t.Errorf("%s imports config: config composes the components' sections, not the other way", s.Path)
			}
		}
	}
}

func TestPackagesAreDocumented(t *testing.T) {
	docs := map[string]string{}
	for _, s := range sources(t) {
		if s.Test {
			continue
		}
		docs[s.Pkg] += s.File.Doc.Text()
	}
	for pkg, doc := range docs {
		if len(doc) < minPackageDocLen {
			t.Errorf("package %s has no package comment: say what the room does, what it does not, data in and out, invariants, where to start", pkg)
		}
	}
}

func TestFilesFunctionsAndPackagesStaySmall(t *testing.T) {
	perPackage := map[string]int{}
	for _, s := range sources(t) {
		if s.Test {
			continue
		}
		n := s.Fset.File(s.File.Pos()).LineCount()
		perPackage[s.Pkg] += n
		limit := maxFileLines
		if longFiles()[s.Path] != "" {
			limit = hardFileLines
		}
		if n > limit {
			t.Errorf("%s has %d lines, limit %d", s.Path, n, limit)
		}
		checkFunctions(t, s)
	}
	for pkg, n := range perPackage {
		limit := maxPackageLines
		if longPackages()[pkg] != "" {
			limit = hardPackageLines
		}
		if n <= maxPackageLines && longPackages()[pkg] != "" {
			t.Errorf("exception for %s: it is short by now", pkg)
		}
		if n > limit {
			t.Errorf("package %s has %d lines, limit %d", pkg, n, limit)
		}
	}
}

func checkFunctions(t *testing.T, s source) {
	t.Helper()
	for _, d := range s.File.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		limit := maxFuncLines
		if longFuncs()[s.Path+":"+f.Name.Name] != "" {
			limit = hardFuncLines
		}
		if n := s.lines(f); n > limit {
			t.Errorf("%s: %s has %d lines, limit %d", s.Path, f.Name.Name, n, limit)
		}
		if f.Name.Name == "init" && f.Recv == nil {
			t.Errorf("%s: init() hides work and order; call it from app", s.Path)
		}
	}
}

// A struct of many fields holds the state of several reasons.
func TestStructsStayNarrow(t *testing.T) {
	wide := map[string]bool{}
	for _, s := range sources(t) {
		if s.Test {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if st, ok := spec.Type.(*ast.StructType); ok && st.Fields.NumFields() > maxFields {
				name := s.Pkg + "." + spec.Name.Name
				wide[name] = true
				if wideStructs()[name] == "" {
					t.Errorf("%s: %s has %d fields, limit %d", s.Path, spec.Name.Name, st.Fields.NumFields(), maxFields)
				}
			}
			return true
		})
	}
	for name := range wideStructs() {
		if !wide[name] {
			t.Errorf("exception for %s: it is narrow by now", name)
		}
	}
}

// A package variable counts as a constant if no statement of its package
// assigns to it, to an element or to a field of it.
func TestNoPackageVariableIsMutable(t *testing.T) {
	vars := map[string]map[string]bool{}
	all := sources(t)
	for _, s := range all {
		if s.Test {
			continue
		}
		for _, d := range s.File.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if vars[s.Pkg] == nil {
						vars[s.Pkg] = map[string]bool{}
					}
					vars[s.Pkg][name.Name] = name.Name != "_"
				}
			}
		}
	}
	for _, s := range all {
		if !s.Test {
			checkAssignments(t, s, vars[s.Pkg])
		}
	}
}

func checkAssignments(t *testing.T, s source, vars map[string]bool) {
	t.Helper()
	ast.Inspect(s.File, func(n ast.Node) bool {
		var targets []ast.Expr
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				targets = n.Lhs
			}
		case *ast.IncDecStmt:
			targets = []ast.Expr{n.X}
		}
		for _, e := range targets {
			id := root(e)
			if id == nil || !vars[id.Name] {
				continue
			}
			// Obj is the declaration the parser resolved in this file: a local variable
			// of the same name is not the package's.
			if id.Obj != nil {
				if _, local := id.Obj.Decl.(*ast.ValueSpec); !local {
					continue
				}
			}
			t.Errorf("%s: package variable %s is assigned to at %s", s.Path, id.Name, s.Fset.Position(n.Pos()))
		}
		return true
	})
}

func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func TestExceptionsAreStillNeeded(t *testing.T) {
	for path := range longPackages() {
		if _, err := os.Stat(filepath.Join("..", "..", path)); err != nil {
			t.Errorf("exception for %s: the package is gone", path)
		}
	}
	for path := range longFiles() {
		if _, err := os.Stat(filepath.Join("..", "..", path)); err != nil {
			t.Errorf("exception for %s: the file is gone", path)
		}
	}
	for path := range longFuncs() {
		file, _, _ := strings.Cut(path, ":")
		if _, err := os.Stat(filepath.Join("..", "..", file)); err != nil {
			t.Errorf("exception for %s: the file is gone", path)
		}
	}
}
