package config_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/config"
)

var update = flag.Bool("update", false, "write the generated files")

const (
	referenceFile = "../../docs/reference/config.md"
	module        = "github.com/signalbox-project/signalbox/"
)

// TestReferenceIsCurrent keeps docs/reference/config.md equal to the sections'
// fields, defaults and comments.
func TestReferenceIsCurrent(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# Configuration\n\nGenerated from the code by `make gen`. One file, `signalbox.yml`; every key is optional; paths are relative to the file.\n" +
		"An unknown key is an error that names the nearest known one. `signalbox check config` checks a file without starting anything.\n\n" +
		"| key | default | what |\n|---|---|---|\n")
	r := reference{t: t, out: &b, comments: map[string]map[string]string{}}
	c := config.Default()
	r.structure(reflect.ValueOf(c), "")
	if *update {
		if err := os.WriteFile(referenceFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, b.Bytes()) {
		t.Errorf("%s is stale: run make gen", referenceFile)
	}
}

type reference struct {
	t        *testing.T
	out      *bytes.Buffer
	comments map[string]map[string]string // package path → Type.Field → comment
}

func (r *reference) structure(v reflect.Value, path string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || key == "-" {
			continue
		}
		if strings.Contains(opts, "inline") {
			r.structure(v.Field(i), path)
			continue
		}
		if key == "" {
			key = strings.ToLower(f.Name)
		}
		again := strings.Contains(path, "[]") && isSection(f.Type)
		if f.Type.Kind() == reflect.Struct && strings.HasPrefix(f.Type.PkgPath(), module) && !again {
			r.structure(v.Field(i), path+key+".")
			continue
		}
		value := defaultText(v.Field(i))
		if again {
			value = ""
		}
		fmt.Fprintf(r.out, "| `%s%s` | %s | %s |\n", path, key, value, r.comment(v.Type(), f.Name))
		if f.Type == reflect.TypeFor[[]config.Tenant]() {
			one := config.Tenant{}
			one.SetDefaults()
			r.structure(reflect.ValueOf(one), path+key+"[].")
		}
	}
}

// isSection says whether a type is a section of the file, whose keys have rows there.
func isSection(t reflect.Type) bool {
	for f := range reflect.TypeFor[config.Config]().Fields() {
		if f.Type == t {
			return true
		}
	}
	return false
}

func defaultText(v reflect.Value) string {
	if v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

func (r *reference) comment(typ reflect.Type, field string) string {
	pkg := typ.PkgPath()
	if r.comments[pkg] == nil {
		r.comments[pkg] = fieldComments(r.t, filepath.Join("..", "..", strings.TrimPrefix(pkg, module)))
	}
	text := r.comments[pkg][typ.Name()+"."+field]
	if text == "" {
		r.t.Errorf("%s.%s of %s has no comment: the reference would say nothing about it", typ.Name(), field, pkg)
	}
	text = strings.TrimPrefix(strings.TrimPrefix(strings.Join(strings.Fields(text), " "), field+" "), "is ")
	return strings.ReplaceAll(text, "|", "\\|")
}

func fieldComments(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			// A comment speaks for the fields below it that have none.
			last := ""
			for _, f := range s.Fields.List {
				if own := strings.TrimSpace(f.Doc.Text() + " " + f.Comment.Text()); own != "" {
					last = own
				}
				for _, name := range f.Names {
					out[spec.Name.Name+"."+name.Name] = last
				}
			}
			return true
		})
	}
	return out
}

// TestYAMLInTheDocsLoads loads every YAML block of the documentation that is a
// configuration of ours.
func TestYAMLInTheDocsLoads(t *testing.T) {
	loaded := 0
	var docs []string
	for _, root := range []string{"../../README.md", "../../docs"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".md") {
				docs = append(docs, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range docs {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range blocks(string(text), "yaml") {
			if strings.HasPrefix(block, "apiVersion:") || strings.HasPrefix(block, "#") && !strings.Contains(block, "signalbox.yml") {
				continue // SLO documents and others have tests of their own
			}
			if section, _, _ := strings.Cut(block, ":"); section == "remote_write" || section == "exporters" {
				continue // files of Prometheus and the Collector, tested where they are documented (internal/auth)
			}
			loaded++
			if _, err := load(t, block); err != nil {
				t.Errorf("%s, YAML block %d: %v", path, i+1, err)
			}
		}
	}
	if loaded == 0 {
		t.Error("found no YAML block to load")
	}
}

func blocks(markdown, language string) (out []string) {
	for {
		_, rest, ok := strings.Cut(markdown, "```"+language+"\n")
		if !ok {
			return out
		}
		block, after, ok := strings.Cut(rest, "```")
		if !ok {
			return out
		}
		out, markdown = append(out, block), after
	}
}
