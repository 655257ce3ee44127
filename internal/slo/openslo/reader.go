package openslo

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
)

// reader walks YAML nodes and gathers problems. The library's own strict
// decoding stops at the first; people want to mend a file in one go.
type reader struct {
	file     string
	anchors  map[string]ast.Node
	problems []Problem
	errors   int // problems that are not warnings
}

// maxDepth bounds aliases that lead to aliases.
const maxDepth = 32

// resolve looks through anchors, aliases and tags.
func (r *reader) resolve(n ast.Node) ast.Node {
	for range maxDepth {
		switch v := n.(type) {
		case *ast.AnchorNode:
			r.anchors[nodeText(v.Name)] = v.Value
			n = v.Value
		case *ast.AliasNode:
			target, ok := r.anchors[nodeText(v.Value)]
			if !ok {
				return n
			}
			n = target
		case *ast.TagNode:
			n = v.Value
		default:
			return n
		}
	}
	return n
}

func nodeText(n ast.Node) string {
	if n == nil {
		return ""
	}
	return n.String()
}

// object is a mapping that is read key by key; end reports the keys that
// nobody asked for.
type object struct {
	r      *reader
	node   ast.Node
	path   string
	values map[string]ast.Node
	keys   map[string]ast.Node
	seen   map[string]bool
}

// place is where a problem is reported.
type place struct {
	r    *reader
	n    int
	path string
}

func (r *reader) object(n ast.Node, path string) *object {
	n = r.resolve(n)
	o := &object{r: r, node: n, path: path, values: map[string]ast.Node{}, keys: map[string]ast.Node{}, seen: map[string]bool{}}
	var entries []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		o.problem("must be a mapping of keys to values", "write `key: value` lines, indented below it")
		return nil
	}
	for _, e := range entries {
		key := strings.Trim(nodeText(e.Key), `"'`)
		if _, twice := o.values[key]; twice {
			place{r, lineOf(e.Key), o.join(key)}.problem("stands here twice", "keep one")
		}
		o.values[key], o.keys[key] = r.resolve(e.Value), e.Key
	}
	return o
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Line
}

func (o *object) line() int {
	switch n := o.node.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return lineOf(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return lineOf(n.Key)
	}
	return lineOf(o.node)
}

func (o *object) join(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

func (o *object) at(key string) place {
	if k := o.keys[key]; k != nil {
		return place{o.r, lineOf(k), o.join(key)}
	}
	return place{o.r, o.line(), o.join(key)}
}

func (o *object) problem(message, cure string) { place{o.r, o.line(), o.path}.problem(message, cure) }

func (p place) line() int { return p.n }

func (p place) problem(message, cure string) {
	p.r.errors++
	p.report(Problem{Message: message, Cure: cure})
}

func (p place) warning(message, cure string) {
	p.report(Problem{Message: message, Cure: cure, Warning: true})
}

func (p place) report(pr Problem) {
	pr.File, pr.Line = p.r.file, p.n
	if p.path != "" {
		sep := ": "
		if strings.HasPrefix(pr.Message, "is ") || strings.HasPrefix(pr.Message, "must ") || strings.HasPrefix(pr.Message, "stands ") {
			sep = " "
		}
		pr.Message = p.path + sep + pr.Message
	}
	p.r.problems = append(p.r.problems, pr)
}

// get answers a key's node, nil when it is absent or null.
func (o *object) get(key string, required bool) ast.Node {
	o.seen[key] = true
	n := o.values[key]
	if n == nil || n.Type() == ast.NullType {
		if required {
			o.at(key).problem("is missing", example(key))
		}
		return nil
	}
	return n
}

func (o *object) str(key string, required bool) string {
	n := o.get(key, required)
	if n == nil {
		return ""
	}
	s, ok := scalar(n)
	if !ok {
		o.at(key).problem("must be text", "one value, in quotes if need be; "+example(key))
	} else if required && strings.TrimSpace(s) == "" {
		o.at(key).problem("is empty", example(key))
	}
	return s
}

// number reads a number. ok is whether one stands there: what is none is a
// problem already, and must not be taken for 0.
func (o *object) number(key string) (f float64, ok bool) {
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
		o.at(key).problem(fmt.Sprintf("must be a number, got %q", text), "write digits only, without a unit or %; "+example(key))
		return 0, false
	}
	return f, true
}

// example is what a key looks like, for whom it is missing.
func example(key string) string {
	value, ok := map[string]string{
		"apiVersion": Version, "kind": "SLO", "metadata": "{name: checkout-availability}", "name": "checkout-availability", "spec": "… with the keys below it",
		"service": "checkout", "duration": "28d", "timeWindow": "[{duration: 28d, isRolling: true}]", "objectives": "[{target: 0.995}]",
		"target": "0.995", "targetPercent": "99.5", "objective": "99.5", "value": "0.3", "compositeWeight": "2", "timeSliceTarget": "0.95",
		"metricSource": "{spec: {query: 'sum(requests_total)'}}", "query": "'sum(requests_total)'", "severity": "page",
		"condition": "{kind: burnrate, op: gte, threshold: 14, lookbackWindow: 1h}", "lookbackWindow": "1h", "threshold": "14",
		"conditions": "[{conditionRef: burn}]", "type": "Prometheus", "timeZone": "Europe/Zurich", "days": "[mon, tue]", "from": `"09:30"`, "to": `"11:00"`, "date": "2026-12-25",
		"version": SlothVersion, "window": "4w", "metric": "http_requests_total", "error_query": "sum(rate(errors_total[{{.window}}]))", "total_query": "sum(rate(requests_total[{{.window}}]))",
	}[key]
	if !ok {
		value = "…"
	}
	return fmt.Sprintf("for example `%s: %s`", key, value)
}

func (o *object) boolean(key string, otherwise bool) bool {
	n := o.get(key, false)
	if n == nil {
		return otherwise
	}
	if b, ok := n.(*ast.BoolNode); ok {
		return b.Value
	}
	o.at(key).problem("must be true or false", "write one of the two words, without quotes")
	return otherwise
}

func (o *object) object(key string, required bool) *object {
	n := o.get(key, required)
	if n == nil {
		return nil
	}
	return o.r.object(n, o.join(key))
}

func (o *object) list(key string, required bool) []ast.Node {
	n := o.get(key, required)
	if n == nil {
		return nil
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		o.at(key).problem("must be a list", "begin each entry with `- `")
		return nil
	}
	if required && len(seq.Values) == 0 {
		o.at(key).problem("is empty", example(key))
	}
	return seq.Values
}

// strMap reads labels: OpenSLO allows a text or a list of texts as a value.
func (o *object) strMap(key string) map[string]string {
	sub := o.object(key, false)
	if sub == nil {
		return nil
	}
	out := map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(sub.values)) {
		v := sub.values[k]
		if s, ok := scalar(v); ok {
			out[k] = s
			continue
		}
		seq, ok := v.(*ast.SequenceNode)
		if !ok {
			sub.at(k).problem("must be text or a list of texts", "put the value in quotes, or texts in [ ]")
			continue
		}
		var parts []string
		for _, e := range seq.Values {
			s, ok := scalar(o.r.resolve(e))
			if !ok {
				sub.at(k).problem("must be text or a list of texts", "put the value in quotes, or texts in [ ]")
			}
			parts = append(parts, s)
		}
		out[k] = strings.Join(parts, ",")
	}
	return out
}

func (o *object) ignore(keys ...string) {
	for _, k := range keys {
		o.seen[k] = true
	}
}

// end reports keys that are not known, with the nearest one that is.
func (o *object) end() {
	known := slices.Sorted(maps.Keys(o.seen))
	for _, key := range slices.Sorted(maps.Keys(o.values)) {
		if !o.seen[key] {
			place{o.r, lineOf(o.keys[key]), o.path}.problem(fmt.Sprintf("unknown key %q", key), didYouMean(key, known))
		}
	}
}

func didYouMean(name string, known []string) string {
	if near := nearest.Name(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known are " + strings.Join(known, ", ")
}
