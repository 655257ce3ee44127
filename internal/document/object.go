package document

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Object is a mapping that is read key by key; End reports the keys that
// nobody asked for.
type Object struct {
	r      *Reader
	node   ast.Node
	path   string
	values map[string]ast.Node
	keys   map[string]ast.Node
	order  []string
	seen   map[string]bool
}

// Object reads a node as a mapping; nil with a problem when it is none.
func (n Node) Object(path string) *Object {
	node := n.r.resolve(n.node)
	o := &Object{r: n.r, node: node, path: path, values: map[string]ast.Node{}, keys: map[string]ast.Node{}, seen: map[string]bool{}}
	entries, ok := entriesOf(node)
	if !ok {
		o.Problem("must be a mapping of keys to values", "write `key: value` lines, indented below it")
		return nil
	}
	o.lay(entries, 0)
	return o
}

func entriesOf(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// lay takes a mapping's entries in, and those of the mappings that it merges
// (`<<: *base`) where it has no value of its own.
func (o *Object) lay(entries []*ast.MappingValueNode, depth int) {
	own := map[string]bool{}
	var merges []ast.Node
	for _, e := range entries {
		key := keyText(e.Key)
		if key == "<<" && isMerge(e.Key) {
			merges = append(merges, e.Value)
			continue
		}
		if own[key] {
			o.place(e.Key, o.join(key)).Problem("stands here twice", "keep one")
		}
		own[key] = true
		if _, nearer := o.values[key]; nearer && depth > 0 {
			continue
		}
		if _, known := o.values[key]; !known {
			o.order = append(o.order, key)
		}
		o.values[key], o.keys[key] = o.r.resolve(e.Value), e.Key
	}
	for _, m := range merges {
		o.merge(m, depth+1)
	}
}

func (o *Object) merge(n ast.Node, depth int) {
	n = o.r.resolve(n)
	if seq, ok := n.(*ast.SequenceNode); ok && depth <= maxDepth {
		for _, one := range seq.Values {
			o.merge(one, depth+1)
		}
		return
	}
	entries, ok := entriesOf(n)
	if !ok || depth > maxDepth {
		o.place(n, o.join("<<")).Problem("merges what is no mapping", "give an alias of a mapping, or a list of them")
		return
	}
	o.lay(entries, depth)
}

func isMerge(key ast.Node) bool {
	_, quoted := key.(*ast.StringNode)
	return !quoted || key.GetToken() == nil || key.GetToken().Value == "<<" && !strings.ContainsAny(key.GetToken().Origin, `"'`)
}

func keyText(key ast.Node) string {
	switch k := key.(type) {
	case *ast.StringNode:
		return plainText(k)
	case *ast.MappingKeyNode:
		return keyText(k.Value)
	case nil:
		return ""
	}
	return strings.Trim(nodeText(key), `"'`)
}

// Line is where the mapping begins.
func (o *Object) Line() int { return lineOf(o.first()) }

func (o *Object) first() ast.Node {
	if entries, ok := entriesOf(o.node); ok && len(entries) > 0 {
		return entries[0].Key
	}
	return o.node
}

func (o *Object) join(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// Join is a key's path from the document's root.
func (o *Object) Join(key string) string { return o.join(key) }

// At is a key's place, or the mapping's where it has no such key.
func (o *Object) At(key string) Place {
	if k := o.keys[key]; k != nil {
		return o.place(k, o.join(key))
	}
	return o.place(o.first(), o.join(key))
}

func (o *Object) place(n ast.Node, path string) Place {
	return Place{r: o.r, line: lineOf(n), column: columnOf(n), path: path}
}

// Problem is one of the mapping as a whole.
func (o *Object) Problem(message, cure string) { o.place(o.first(), o.path).Problem(message, cure) }

// Keys are the mapping's keys in the order of the file, merged ones last.
func (o *Object) Keys() []string { return o.order }

// Stands reports whether a key is there, with or without a value.
func (o *Object) Stands(key string) bool { return o.values[key] != nil }

// Has reports whether a key has a value.
func (o *Object) Has(key string) bool {
	n := o.values[key]
	return n != nil && n.Type() != ast.NullType
}

// Node is a key's value; ok is false when it is absent or null.
func (o *Object) Node(key string) (n Node, ok bool) {
	node := o.get(key, false)
	return Node{o.r, node}, node != nil
}

// get answers a key's node, nil when it is absent or null.
func (o *Object) get(key string, required bool) ast.Node {
	o.seen[key] = true
	n := o.values[key]
	if n == nil || n.Type() == ast.NullType {
		if required {
			o.At(key).Problem("is missing", o.r.example(key))
		}
		return nil
	}
	return n
}

// Str reads a text, or whatever stands there as one.
func (o *Object) Str(key string, required bool) string {
	n := o.get(key, required)
	if n == nil {
		return ""
	}
	s, ok := scalar(n)
	if !ok {
		o.At(key).Problem("must be text", "one value, in quotes if need be; "+o.r.example(key))
	} else if required && strings.TrimSpace(s) == "" {
		o.At(key).Problem("is empty", o.r.example(key))
	}
	return s
}

// Number reads a number. ok is whether one stands there: what is none is a
// problem already, and must not be taken for 0.
func (o *Object) Number(key string) (f float64, ok bool) {
	n := o.get(key, false)
	if n == nil {
		return 0, false
	}
	text, isScalar := scalar(n)
	if !isScalar {
		text = nodeText(n)
	}
	f, err := strconv.ParseFloat(text, 64)
	if !isScalar || err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		o.At(key).Problem(fmt.Sprintf("must be a number, got %q", text), "write digits only, without a unit or %; "+o.r.example(key))
		return 0, false
	}
	return f, true
}

// Boolean reads true or false.
func (o *Object) Boolean(key string, otherwise bool) bool {
	n := o.get(key, false)
	if n == nil {
		return otherwise
	}
	if b, ok := n.(*ast.BoolNode); ok {
		return b.Value
	}
	o.At(key).Problem("must be true or false", "write one of the two words, without quotes")
	return otherwise
}

// Object reads a mapping below a key; nil when there is none.
func (o *Object) Object(key string, required bool) *Object {
	n := o.get(key, required)
	if n == nil {
		return nil
	}
	return Node{o.r, n}.Object(o.join(key))
}

// List reads a list.
func (o *Object) List(key string, required bool) []Node {
	n := o.get(key, required)
	if n == nil {
		return nil
	}
	list, ok := Node{o.r, n}.List()
	if !ok {
		o.At(key).Problem("must be a list", "begin each entry with `- `")
		return nil
	}
	if required && len(list) == 0 {
		o.At(key).Problem("is empty", o.r.example(key))
	}
	return list
}

// Strings reads a list of texts.
func (o *Object) Strings(key string) (out []string) {
	for _, n := range o.List(key, false) {
		s, ok := n.Scalar()
		if !ok {
			o.At(key).Problem("must be a list of texts", "put each in quotes if need be")
			continue
		}
		out = append(out, s)
	}
	return out
}

// StrMap reads texts by name. A list of texts is one text with commas, as
// OpenSLO's labels may have it.
func (o *Object) StrMap(key string) map[string]string {
	sub := o.Object(key, false)
	if sub == nil {
		return nil
	}
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(sub.values)) {
		v := sub.values[k]
		if v.Type() == ast.NullType {
			continue
		}
		if s, ok := scalar(v); ok {
			out[k] = s
			continue
		}
		list, ok := Node{o.r, v}.List()
		if !ok {
			sub.At(k).Problem("must be text or a list of texts", "put the value in quotes, or texts in [ ]")
			continue
		}
		var parts []string
		for _, e := range list {
			s, ok := e.Scalar()
			if !ok {
				sub.At(k).Problem("must be text or a list of texts", "put the value in quotes, or texts in [ ]")
			}
			parts = append(parts, s)
		}
		out[k] = strings.Join(parts, ",")
	}
	return out
}

// Ignore takes keys for known that are not read.
func (o *Object) Ignore(keys ...string) {
	for _, k := range keys {
		o.seen[k] = true
	}
}

// End reports keys that are not known, with the nearest one that is.
func (o *Object) End() {
	known := slices.Sorted(maps.Keys(o.seen))
	for _, key := range slices.Sorted(maps.Keys(o.values)) {
		if o.seen[key] {
			continue
		}
		at := o.place(o.keys[key], o.path)
		if o.r.Lenient != "" {
			at.Warning(fmt.Sprintf("unknown key %q, which %s passes over too", key, o.r.Lenient), DidYouMean(key, known))
			continue
		}
		at.Problem(fmt.Sprintf("unknown key %q", key), DidYouMean(key, known))
	}
}
