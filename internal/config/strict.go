package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
)

// decodeStrict reads text into the struct that v points to and returns every
// problem it meets, each as "file:line: …". Keys that the struct does not know
// are problems that name the nearest key it does know.
func decodeStrict(file string, text []byte, v any) []error {
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return []error{fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, false))}
	}
	var problems []error
	for i, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		if i > 0 {
			problems = append(problems, fmt.Errorf("%s:%d: a second YAML document: one file holds one configuration", file, line(doc.Body)))
			continue
		}
		d := decoder{file: file, lines: strings.SplitAfter(string(text), "\n")}
		d.value(doc.Body, reflect.ValueOf(v).Elem(), "")
		problems = append(problems, d.problems...)
	}
	return problems
}

type decoder struct {
	file     string
	lines    []string
	problems []error
}

func (d *decoder) problem(n ast.Node, path, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	if path != "" {
		msg = path + ": " + msg
	}
	d.problems = append(d.problems, fmt.Errorf("%s:%d: %s", d.file, line(n), msg))
}

func line(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken().Position.Line
	}
	return n.GetToken().Position.Line
}

// value decodes n into v. Only structs of ours are walked key by key, so that
// one bad key does not hide the next; everything else is the library's work.
func (d *decoder) value(n ast.Node, v reflect.Value, path string) {
	if v.Kind() == reflect.Struct && !decodesItself(v) {
		d.structure(n, v, path)
		return
	}
	if err := yaml.NodeToValue(n, v.Addr().Interface(), yaml.Strict()); err != nil {
		d.problem(n, path, "%s", reason(err))
	}
}

func decodesItself(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case yaml.BytesUnmarshaler, yaml.InterfaceUnmarshaler:
		return true
	}
	return false
}

func (d *decoder) structure(n ast.Node, v reflect.Value, path string) {
	entries, ok := mapping(n)
	if !ok {
		d.problem(n, path, "must be a mapping of keys to values, got %s", strings.ToLower(n.Type().String()))
		return
	}
	fields := fieldsOf(v)
	seen := map[string]bool{}
	for i, e := range entries {
		key := e.Key.String()
		field, known := fields[key]
		switch {
		case !known:
			d.unknown(e.Key, path, key, fields)
		case seen[key]:
			d.problem(e.Key, join(path, key), "stands here twice")
		case e.Value.Type() == ast.NullType:
			// An empty section keeps its defaults.
		default:
			if raw, ok := field.Addr().Interface().(*Raw); ok {
				*raw = d.raw(entries, i)
				break
			}
			d.value(e.Value, field, join(path, key))
		}
		seen[key] = true
	}
}

func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func (d *decoder) unknown(n ast.Node, path, key string, fields map[string]reflect.Value) {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	if near := nearest.Name(key, names); near != "" {
		d.problem(n, path, "unknown key %q; did you mean %q?", key, near)
		return
	}
	d.problem(n, path, "unknown key %q", key)
}

// fieldsOf maps YAML keys to the fields of v, inlined structs included.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() || name == "-":
		case strings.Contains(opts, "inline"):
			for k, fv := range fieldsOf(v.Field(i)) {
				fields[k] = fv
			}
		case name == "":
			fields[strings.ToLower(f.Name)] = v.Field(i)
		default:
			fields[name] = v.Field(i)
		}
	}
	return fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// reason is the first line of a library error without its own position and
// source excerpt: the caller gives the place.
func reason(err error) string {
	text, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	if strings.HasPrefix(text, "[") {
		_, text, _ = strings.Cut(text, "] ")
	}
	return text
}

// Raw is a section kept as text because another library reads it, Prometheus'
// scrape_configs for one: the lines of the section at their own line numbers,
// all other lines empty, so that the library's errors name the right place.
type Raw []string

func (d *decoder) raw(entries []*ast.MappingValueNode, i int) Raw {
	first, end := line(entries[i].Key), len(d.lines)+1
	if i+1 < len(entries) {
		end = line(entries[i+1].Key)
	}
	raw := make(Raw, end-1)
	for n := range raw {
		raw[n] = "\n"
		if n+1 >= first {
			raw[n] = d.lines[n]
		}
	}
	return raw
}

// merge lays sections of the same file over each other.
func merge(sections ...Raw) string {
	var all Raw
	for _, raw := range sections {
		for len(all) < len(raw) {
			all = append(all, "\n")
		}
		for n, text := range raw {
			if strings.TrimSpace(text) != "" {
				all[n] = text
			}
		}
	}
	return strings.Join(all, "")
}
