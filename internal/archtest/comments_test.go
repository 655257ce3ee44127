package archtest

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	fileName   = regexp.MustCompile(`(?:[\w-]+/)*[\w-]+\.go\b`)
	startsAt   = regexp.MustCompile(`Start reading (?:at|with)((?:.|\n)*)$`)
	identifier = regexp.MustCompile(`^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?$`)
)

// A package comment that sends its reader to a file or name that is gone costs more than none.
func TestPackageCommentsNameWhatIsThere(t *testing.T) {
	files, declared, all := map[string]bool{}, map[string]map[string]bool{}, sources(t)
	for _, s := range all {
		files[s.Path] = true
		if declared[s.Pkg] == nil {
			declared[s.Pkg] = map[string]bool{}
		}
		declare(declared[s.Pkg], s.File)
	}
	for _, s := range all {
		if s.Test || s.File.Doc == nil {
			continue
		}
		text := s.File.Doc.Text()
		for _, name := range fileName.FindAllString(text, -1) {
			if !files[path.Join(s.Pkg, name)] && !files[name] && !files["internal/"+name] {
				t.Errorf("%s: the package comment names %s, which is not there", s.Path, name)
			}
		}
		if m := startsAt.FindStringSubmatch(text); m != nil {
			for _, name := range starts(m[1]) {
				if !declared[s.Pkg][name] {
					t.Errorf("%s: the package comment says to start reading at %s, which is not there", s.Path, name)
				}
			}
		}
	}
}

// starts are the names in "New, then pipeline.go and Send.".
func starts(text string) []string {
	text, _, _ = strings.Cut(text, ";")
	rest := fileName.ReplaceAllString(strings.ReplaceAll(text, "README.md", ""), "")
	var out []string
	for part := range strings.FieldsFuncSeq(strings.TrimSpace(rest), func(r rune) bool { return strings.ContainsRune(" ,\n", r) }) {
		switch part = strings.TrimRight(part, ".:"); part {
		case "", "then", "and", "or", "here":
			continue
		}
		if !identifier.MatchString(part) || strings.ToLower(part) == part && (len(out) > 0 || rest != text) {
			return out // prose
		}
		out = append(out, part)
	}
	return out
}

func declare(in map[string]bool, f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			in[d.Name.Name] = true
			if d.Recv != nil {
				in[receiver(d)+"."+d.Name.Name] = true
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					in[spec.Name.Name] = true
					declareMethods(in, spec)
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						in[n.Name] = true
					}
				}
			}
		}
	}
}

func declareMethods(in map[string]bool, spec *ast.TypeSpec) {
	if i, ok := spec.Type.(*ast.InterfaceType); ok {
		for _, m := range i.Methods.List {
			for _, n := range m.Names {
				in[spec.Name.Name+"."+n.Name] = true
			}
		}
	}
}

func receiver(d *ast.FuncDecl) string {
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
