package document

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// Foreign makes problems of what another library's loader says of a file: Prometheus' of rules
// and scrape jobs, Alertmanager's of routes, the blackbox exporter's of modules. They stay the
// parsers of their formats; what is wrong is said as everywhere.
type Foreign struct {
	File File
	// Names are those that the format has, for who misspelt one; see NamesOf.
	Names []string
	// Line is where what has no place of its own is reported; 0 is the whole file.
	Line int
}

var (
	atLine     = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
	atColumn   = regexp.MustCompile(`^(\d+):(\d+): (?:(\d+):(\d+): )?`)
	notFound   = regexp.MustCompile(`^field (\S+) not found in type \S+$`)
	twice      = regexp.MustCompile(`^field (\S+) already set in type \S+$|^mapping key "(.+)" already defined at line \d+$`)
	wrongType  = regexp.MustCompile("^cannot unmarshal !!(\\w+)(?: `[^`]*`)? into (\\S+)$")
	quoted     = regexp.MustCompile(`"((?:[^"\\]|\\.)+)"`)
	unmarshals = regexp.MustCompile(`(?s)(?:yaml: )?unmarshal errors:\n`)
)

// Problems takes the lines out of an error and says what each of its parts means.
func (f Foreign) Problems(err error) (out []Problem) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			out = append(out, f.Problems(one)...)
		}
		return out
	}
	text := err.Error()
	// A library lists what does not fit line by line, below a heading and what it was doing.
	if at := unmarshals.FindStringIndex(text); at != nil {
		for line := range strings.Lines(text[at[1]:]) {
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, f.one(line))
			}
		}
		return out
	}
	return []Problem{f.one(text)}
}

func (f Foreign) one(text string) Problem {
	p := Problem{File: f.File.Path}
	placed := false
	if m := atLine.FindStringSubmatch(text); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		text, placed = text[len(m[0]):], true
	} else if m := atColumn.FindStringSubmatch(text); m != nil {
		line, column := m[1], m[2]
		if m[3] != "" { // the value, where the key is named first
			line, column = m[3], m[4]
		}
		p.Line, _ = strconv.Atoi(line)
		p.Column, _ = strconv.Atoi(column)
		text, placed = text[len(m[0]):], true
	}
	p.Message, p.Cure = f.meaning(strings.TrimPrefix(text, "yaml: "))
	if !placed {
		p.Line = f.find(text)
	}
	return p
}

// meaning says an error without the names of Go types and without values, which may be secret.
func (f Foreign) meaning(text string) (message, cure string) {
	if m := notFound.FindStringSubmatch(text); m != nil {
		cure = "mend its name or its place"
		if near := nearest.Name(m[1], f.Names); near != "" && near != m[1] {
			cure = fmt.Sprintf("did you mean %q?", near)
		}
		return fmt.Sprintf("unknown key %q", m[1]), cure
	}
	if m := twice.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("%q stands here twice", m[1]+m[2]), "keep one"
	}
	if m := wrongType.FindStringSubmatch(text); m != nil {
		return fmt.Sprintf("must be %s, is %s", goKind(m[2]), tagKind(m[1])), ""
	}
	return redact.Text(text), ""
}

// tagKind names what stands in a file, by YAML's own name for it.
func tagKind(tag string) string {
	if name, ok := map[string]string{"str": "a text", "int": "a number", "float": "a number", "bool": "true or false", "map": "a mapping", "seq": "a list"}[tag]; ok {
		return name
	}
	return tag
}

// goKind names what a Go type is read from.
func goKind(name string) string {
	switch {
	case strings.HasPrefix(name, "[]"):
		return "a list"
	case strings.HasPrefix(name, "map["), strings.Contains(name, "."):
		return "a mapping of keys to values"
	case strings.HasPrefix(name, "int"), strings.HasPrefix(name, "uint"), strings.HasPrefix(name, "float"):
		return "a number"
	case name == "bool":
		return "true or false"
	}
	return "a text"
}

// find looks for the line that an error without a place is about: where a name that it quotes
// stands first; last when the error is that it stands there again.
func (f Foreign) find(text string) int {
	again := regexp.MustCompile(`multiple|repeated|duplicate|not unique|already`).MatchString(text)
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		whole := regexp.MustCompile(`(^|[\s"':\[{,])` + regexp.QuoteMeta(m[1]) + `($|[\s"',\]}])`)
		line, found := 0, 0
		for l := range bytes.Lines(f.File.Text) {
			line++
			if whole.Match(l) && (found == 0 || again) {
				found = line
			}
		}
		if found > 0 {
			return found
		}
	}
	return f.Line
}

// NamesOf are the keys that a YAML document of the types of some values may have, at any depth.
func NamesOf(values ...any) []string {
	names, seen := map[string]bool{}, map[reflect.Type]bool{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Array {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] {
			return
		}
		seen[t] = true
		for field := range t.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if !field.IsExported() || name == "-" {
				continue
			}
			if name != "" {
				names[name] = true
			}
			visit(field.Type)
		}
	}
	for _, v := range values {
		visit(reflect.TypeOf(v))
	}
	return slices.Sorted(maps.Keys(names))
}
