package document

import (
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Raw is a section kept as text because another library reads it, Prometheus'
// scrape_configs for one: the lines of the section at their own line numbers,
// all other lines empty, so that the library's errors name the right place.
type Raw []string

// Merge lays sections of the same file over each other.
func Merge(sections ...Raw) string {
	var all Raw
	for _, raw := range sections {
		for len(all) < len(raw) {
			all = append(all, "\n")
		}
		for n, text := range raw {
			switch {
			case strings.TrimSpace(text) == "":
			case strings.TrimSpace(all[n]) == "":
				all[n] = text
			default: // both were written on one line of the file
				all[n] = strings.TrimRight(all[n], "\r\n") + "\n" + text
			}
		}
	}
	return strings.Join(all, "")
}

// raw are the lines of a key's section: up to where the next key of the mapping stands. A
// section that is no block of lines of its own, or that needs what stands outside of it, is
// written out on the line where it begins.
func (o *Object) raw(key string) Raw {
	first, end := lineOf(o.keys[key]), len(o.r.lines)+1
	alone := columnOf(o.keys[key]) == 1
	for _, other := range o.keys {
		l := lineOf(other)
		if l > first && l < end {
			end = l
		}
		alone = alone && (l != first || other == o.keys[key])
	}
	if _, flow := o.node.(*ast.MappingNode); flow && o.node.(*ast.MappingNode).IsFlowStyle {
		alone = false
	}
	var outside outsiders
	outside.from, outside.to, outside.r = first, end, o.r
	ast.Walk(&outside, o.values[key])
	if !alone || outside.found || lineOf(o.values[key]) < first || lineOf(o.values[key]) >= end {
		return o.written(key, first)
	}
	raw := make(Raw, end-1)
	for n := range raw {
		raw[n] = "\n"
		if n+1 >= first {
			raw[n] = o.r.lines[n]
		}
	}
	return raw
}

// outsiders looks for an alias of what stands outside of some lines.
type outsiders struct {
	r        *Reader
	from, to int
	found    bool
}

// Visit is ast.Visitor's.
func (v *outsiders) Visit(n ast.Node) ast.Visitor {
	if alias, ok := n.(*ast.AliasNode); ok {
		l := lineOf(v.r.aliases[alias])
		v.found = v.found || l < v.from || l >= v.to
	}
	return v
}

// written is a section with its aliases laid in, from the line on where it stands.
func (o *Object) written(key string, line int) Raw {
	budget := maxNodes
	value, whole := o.r.plain(o.values[key], 0, &budget)
	if !whole {
		o.At(key).Problem("is nested too deep or its aliases grow without end", "write it out")
		return nil
	}
	text, err := yaml.MarshalWithOptions(yaml.MapSlice{{Key: key, Value: value}}, yaml.JSON())
	if err != nil {
		o.At(key).Problem(Reason(err), "write it in lines of its own")
		return nil
	}
	raw := make(Raw, line)
	for n := range raw {
		raw[n] = "\n"
	}
	body := strings.TrimSpace(string(text))
	raw[line-1] = strings.TrimSuffix(strings.TrimPrefix(body, "{"), "}") + "\n"
	return raw
}
