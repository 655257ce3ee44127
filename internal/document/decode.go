package document

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	yamlv2 "go.yaml.in/yaml/v2"

	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// Decode reads the node into what v points to. Structs of ours are walked key by key, by their
// yaml tags, so that one bad key does not hide the next; what decodes itself and everything
// else is the YAML library's work. What is absent or null keeps the value it had; an entry of a list begins with what its
// SetDefaults sets, where it has one.
func (n Node) Decode(v any, path string) {
	n.decode(reflect.ValueOf(v).Elem(), path)
}

func (n Node) decode(v reflect.Value, path string) {
	at := n.begin()
	n.r.places[path] = Place{r: n.r, line: lineOf(at), column: columnOf(at), path: path}
	switch node := n.r.resolve(n.node); {
	case node == nil || node.Type() == ast.NullType:
	case v.Kind() == reflect.Struct && !decodesItself(v):
		n.structure(v, path)
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct && !decodesItself(reflect.New(v.Type().Elem()).Elem()):
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		n.structure(v.Elem(), path)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct && !decodesItself(reflect.New(v.Type().Elem()).Elem()):
		n.list(v, path)
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		n.foreign(v, path)
	case v.Kind() == reflect.Pointer:
		// The library leaves a pointer to a scalar nil, without an error.
		fresh := reflect.New(v.Type().Elem())
		before := n.r.errors
		if n.leaf(fresh.Elem(), path); n.r.errors == before {
			v.Set(fresh)
		}
	default:
		n.leaf(v, path)
	}
}

func decodesItself(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case yaml.BytesUnmarshaler, yaml.InterfaceUnmarshaler:
		return true
	}
	return false
}

func (n Node) structure(v reflect.Value, path string) {
	o := n.Object(path)
	if o == nil {
		return
	}
	fields, names := fieldsOf(v)
	o.Ignore(names...)
	for _, key := range o.Keys() {
		field, known := fields[key]
		if !known {
			continue
		}
		if raw, ok := field.Addr().Interface().(*Raw); ok {
			*raw = o.raw(key)
			continue
		}
		Node{n.r, o.values[key]}.decode(field, o.join(key))
		n.r.places[o.join(key)] = o.At(key)
	}
	o.End()
}

func (n Node) list(v reflect.Value, path string) {
	list, ok := n.List()
	if !ok {
		n.Problem(path, "must be a list", "begin each entry with `- `")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(list)))
	for i, e := range list {
		one := reflect.New(v.Type().Elem()).Elem()
		if d, ok := one.Addr().Interface().(interface{ SetDefaults() }); ok {
			d.SetDefaults()
		}
		e.decode(one, fmt.Sprintf("%s[%d]", path, i))
		v.Set(reflect.Append(v, one))
	}
}

// Read decodes a node and has it checked, where it could be read: what could not was not given, and its check would say what was said
// already. Each error of the check begins with a field. It answers whether there was no error.
func (n Node) Read(v any, path string, check func() []error) bool {
	before := n.r.errors
	n.Decode(v, path)
	if n.r.errors == before {
		n.r.Invalid(path, check())
	}
	return n.r.errors == before
}

// leaf has the library decode a node, with its aliases laid in.
func (n Node) leaf(v reflect.Value, path string) {
	budget := maxNodes
	value, whole := n.r.plain(n.node, 0, &budget)
	if !whole {
		n.Problem(path, "is nested too deep or its aliases grow without end", "write it out")
		return
	}
	text, err := yaml.Marshal(value)
	if err == nil {
		// A value that is given replaces the one before it; it must not grow into it.
		fresh := reflect.New(v.Type())
		if err = yaml.UnmarshalWithOptions(text, fresh.Interface(), yaml.Strict()); err == nil {
			v.Set(fresh.Elem())
			return
		}
	}
	n.unfit(path, err)
}

// foreign has a pointer to what decodes itself, as Prometheus' client configuration does, read by the library that it was
// written for: ours leaves such a pointer nil without an error, and does not know all of its tags.
func (n Node) foreign(v reflect.Value, path string) {
	budget := maxNodes
	value, whole := n.r.plain(n.node, 0, &budget)
	if !whole {
		n.Problem(path, "is nested too deep or its aliases grow without end", "write it out")
		return
	}
	text, err := yaml.Marshal(value)
	fresh := reflect.New(v.Type().Elem())
	if err == nil {
		err = yamlv2.UnmarshalStrict(text, fresh.Interface())
	}
	if err == nil {
		v.Set(fresh)
		return
	}
	var wrong *yamlv2.TypeError
	if errors.As(err, &wrong) { // it quotes values, which may be secret
		err = errors.New(quotedValue.ReplaceAllString(strings.Join(wrong.Errors, "; "), "$1"))
	}
	n.Problem(path, redact.Text(lineNumber.ReplaceAllString(err.Error(), "")), cureOf(err.Error()))
}

var (
	quotedValue = regexp.MustCompile("(cannot unmarshal !![a-z]+) `[^`]*`")
	lineNumber  = regexp.MustCompile(`line \d+: `) // of the text as it was written anew
)

// unfit reports a value of another kind than is wanted, without the value: it may be secret.
func (n Node) unfit(path string, err error) {
	var wrong *yaml.TypeError
	var shape *yaml.UnexpectedNodeTypeError
	wanted, is := "", ""
	switch {
	case errors.As(err, &wrong):
		wanted, is = goKind(wrong.DstType.String()), nodeKind(n.r.resolve(n.node))
	case errors.As(err, &shape):
		wanted, is = nodeTypeKind(shape.Expected), nodeTypeKind(shape.Actual)
	}
	if wanted == "" || is == "" || wanted == is {
		n.Problem(path, redact.Text(Reason(err)), cureOf(Reason(err)))
		return
	}
	n.Problem(path, fmt.Sprintf("must be %s, is %s", wanted, is), cures()[wanted])
}

// cures say how a kind of value is written.
func cures() map[string]string {
	return map[string]string{
		"a list":                      "begin each entry with `- `",
		"a mapping of keys to values": "write `key: value` lines, indented below it",
		"a number":                    "write digits only, without quotes or a unit",
		"true or false":               "write one of the two words, without quotes",
		"a text":                      "put it in quotes",
	}
}

func cureOf(reason string) string {
	if strings.Contains(reason, "duration") {
		return "write a number and a unit, as in 30s, 5m, 12h or 15d"
	}
	return "mend the value; the reference of its format has an example"
}

func nodeKind(n ast.Node) string {
	if n == nil {
		return ""
	}
	return nodeTypeKind(n.Type())
}

// nodeTypeKind names a kind of node as a person would.
func nodeTypeKind(t ast.NodeType) string {
	switch t {
	case ast.MappingType, ast.MappingValueType:
		return "a mapping of keys to values"
	case ast.SequenceType:
		return "a list"
	case ast.IntegerType, ast.FloatType:
		return "a number"
	case ast.BoolType:
		return "true or false"
	case ast.StringType, ast.LiteralType:
		return "a text"
	}
	return ""
}

// maxNodes bounds what the aliases of one value grow to.
const maxNodes = 100_000

// plain is a node without anchors, aliases and merge keys; false when it is too large.
func (r *Reader) plain(n ast.Node, depth int, budget *int) (value any, whole bool) {
	if *budget--; *budget < 0 || depth > maxDepth {
		return nil, false
	}
	n = r.resolve(n)
	if _, isMapping := entriesOf(n); isMapping {
		o := Node{r, n}.Object("")
		var m yaml.MapSlice
		for _, key := range o.Keys() {
			one, ok := r.plain(o.values[key], depth+1, budget)
			if !ok {
				return nil, false
			}
			m = append(m, yaml.MapItem{Key: key, Value: one})
		}
		return m, true
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		list := []any{}
		for _, e := range n.Values {
			one, ok := r.plain(e, depth+1, budget)
			if !ok {
				return nil, false
			}
			list = append(list, one)
		}
		return list, true
	case *ast.StringNode, *ast.LiteralNode:
		text, _ := scalar(n)
		return exact(text), true
	case ast.ScalarNode:
		return n.GetValue(), true
	}
	return nil, true
}

// exact is a text that is written so that it is read back as it is: the library writes tabs and line ends
// in forms that it reads as something else.
type exact string

// MarshalYAML writes the text, in quotes where it needs them.
func (e exact) MarshalYAML() ([]byte, error) {
	if strings.ContainsFunc(string(e), unicode.IsControl) {
		return []byte(strconv.Quote(string(e))), nil
	}
	return yaml.Marshal(string(e))
}

// fieldsOf maps YAML keys to the fields of v, inlined structs included.
func fieldsOf(v reflect.Value) (fields map[string]reflect.Value, names []string) {
	fields = map[string]reflect.Value{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() || name == "-":
			continue
		case strings.Contains(opts, "inline"):
			more, inner := fieldsOf(v.Field(i))
			for k, fv := range more {
				fields[k] = fv
			}
			names = append(names, inner...)
			continue
		case name == "":
			name = strings.ToLower(f.Name)
		}
		fields[name] = v.Field(i)
		names = append(names, name)
	}
	slices.Sort(names)
	return fields, names
}

// Where is the place of a path that was decoded, or of the nearest part above it.
func (r *Reader) Where(path string) Place {
	for at := path; at != ""; at = at[:max(0, strings.LastIndexAny(at, ".["))] {
		if p, ok := r.places[at]; ok {
			return Place{r: r, line: p.line, column: p.column}
		}
	}
	return Place{r: r, line: 1}
}

// Invalid reports what a value's own check found: each error begins with the path of a
// field below the given one, and a colon.
func (r *Reader) Invalid(path string, errs []error) {
	for _, err := range errs {
		text := err.Error()
		if path != "" {
			text = path + "." + text
		}
		field, _, _ := strings.Cut(text, ": ")
		r.Where(field).Problem(text, "")
	}
}

// Reason is the first line of an error of the YAML library without its own position and
// source excerpt: the caller gives the place.
func Reason(err error) string {
	text, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	if strings.HasPrefix(text, "[") {
		_, text, _ = strings.Cut(text, "] ")
	}
	return text
}
