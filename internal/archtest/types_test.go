package archtest

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// program is the module's own code with types: product and tests of one package apart.
type program struct {
	fset  *token.FileSet
	units map[string]*unit // by folder
	named []types.Type
}

// unit is the product code of one package.
type unit struct {
	pkg   *types.Package
	info  *types.Info
	files []*ast.File
}

// Own packages are checked from their sources, so that uses are seen; everything else comes
// from the compiler's export data, which the build cache holds.
var loadProgram = sync.OnceValues(func() (*program, error) {
	all, err := readSources()
	if err != nil {
		return nil, err
	}
	p := &program{units: map[string]*unit{}}
	outside := map[string]bool{}
	for _, s := range all {
		if s.Test || !built(s.Path) {
			continue
		}
		p.fset = s.Fset
		u := p.units[s.Pkg]
		if u == nil {
			u = &unit{}
			p.units[s.Pkg] = u
		}
		u.files = append(u.files, s.File)
		for _, imp := range s.File.Imports {
			if path, _ := strconv.Unquote(imp.Path.Value); !strings.HasPrefix(path, module+"/") {
				outside[path] = true
			}
		}
	}
	exports, err := exportFiles(slices.Sorted(maps.Keys(outside)))
	if err != nil {
		return nil, err
	}
	c := &checker{program: p, outside: importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	})}
	for _, folder := range slices.Sorted(maps.Keys(p.units)) {
		if _, err := c.check(folder); err != nil {
			c.errs = append(c.errs, err)
		}
	}
	return p, errors.Join(c.errs...)
})

// built reports whether a file belongs to the build for this machine.
func built(path string) bool {
	ok, err := build.Default.MatchFile(filepath.Join("..", "..", filepath.Dir(path)), filepath.Base(path))
	return ok && err == nil
}

func exportFiles(paths []string) (map[string]string, error) {
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, paths...)...)
	cmd.Dir = filepath.Join("..", "..")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, problems.String())
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	return exports, nil
}

// checker gives every package to those that import it once.
type checker struct {
	program *program
	outside types.Importer
	errs    []error
}

// Import implements types.Importer.
func (c *checker) Import(path string) (*types.Package, error) {
	if folder, own := strings.CutPrefix(path, module+"/"); own {
		return c.check(folder)
	}
	return c.outside.Import(path)
}

func (c *checker) check(folder string) (*types.Package, error) {
	u := c.program.units[folder]
	if u == nil {
		return nil, fmt.Errorf("%s is not there", folder)
	}
	if u.pkg != nil {
		return u.pkg, nil
	}
	u.info = &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Importer: c, Error: func(err error) { c.errs = append(c.errs, err) }}
	u.pkg, _ = conf.Check(module+"/"+folder, c.program.fset, u.files, u.info)
	return u.pkg, nil
}
