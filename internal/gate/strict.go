package gate

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
)

// decoder reads YAML into structs, says everything that is wrong with it at
// once, and remembers on which line every key stands.
type decoder struct {
	file     string
	problems []PolicyError
	lines    map[string]int // by path
}

func (d *decoder) problem(n ast.Node, path, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	if path != "" {
		msg = path + ": " + msg
	}
	d.problems = append(d.problems, PolicyError{File: d.file, Line: line(n), Message: msg})
}

// lineOf is where a path stands, or the nearest part above it.
func (d *decoder) lineOf(path string) int {
	for path != "" {
		if n, ok := d.lines[path]; ok {
			return n
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}

func line(n ast.Node) int {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return line(n.Values[0])
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken().Position.Line
	}
	return n.GetToken().Position.Line
}

func (d *decoder) value(n ast.Node, v reflect.Value, path string) {
	d.lines[path] = line(n)
	switch {
	case n.Type() == ast.NullType:
		return // as if it were not there
	case v.Kind() == reflect.Struct:
		d.structure(n, v, path)
		return
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		v.Set(reflect.New(v.Type().Elem()))
		d.structure(n, v.Elem(), path)
		return
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		d.list(n, v, path)
		return
	}
	if err := yaml.NodeToValue(n, v.Addr().Interface(), yaml.Strict()); err != nil {
		d.problem(n, path, "%s", firstLine(err))
	}
}

func (d *decoder) list(n ast.Node, v reflect.Value, path string) {
	for i, e := range d.elements(n, path) {
		one := reflect.New(v.Type().Elem()).Elem()
		d.value(e, one, fmt.Sprintf("%s[%d]", path, i))
		v.Set(reflect.Append(v, one))
	}
}

func (d *decoder) elements(n ast.Node, path string) []ast.Node {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.problem(n, path, "must be a list, got %s", strings.ToLower(n.Type().String()))
		return nil
	}
	return seq.Values
}

func (d *decoder) structure(n ast.Node, v reflect.Value, path string) {
	fields := map[string]reflect.Value{}
	names := []string{}
	for i := range v.NumField() {
		if name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); name != "-" {
			fields[name] = v.Field(i)
			names = append(names, name)
		}
	}
	d.mapping(n, path, names, func(key string, value ast.Node) { d.value(value, fields[key], join(path, key)) })
}

// mapping calls each known key once; all others are problems.
func (d *decoder) mapping(n ast.Node, path string, known []string, each func(key string, value ast.Node)) {
	var entries []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		d.problem(n, path, "must be a mapping of keys to values, got %s", strings.ToLower(n.Type().String()))
		return
	}
	seen := map[string]bool{}
	for _, e := range entries {
		key := e.Key.String()
		isKnown := false
		for _, name := range known {
			isKnown = isKnown || name == key
		}
		switch near := nearest.Name(key, known); {
		case !isKnown && near != "":
			d.problem(e.Key, path, "unknown key %q; did you mean %q?", key, near)
		case !isKnown:
			d.problem(e.Key, path, "unknown key %q; the keys are %s", key, strings.Join(known, ", "))
		case seen[key]:
			d.problem(e.Key, join(path, key), "stands here twice")
		default:
			d.lines[join(path, key)] = line(e.Key)
			each(key, e.Value)
		}
		seen[key] = true
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// firstLine is a library error without its own position and source excerpt.
func firstLine(err error) string {
	text, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	if strings.HasPrefix(text, "[") {
		_, text, _ = strings.Cut(text, "] ")
	}
	return text
}
