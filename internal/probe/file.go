package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	bbconfig "github.com/prometheus/blackbox_exporter/config"
	common "github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
)

// maxFileBytes bounds one file of probes; a larger one is a mistake.
const maxFileBytes = 4 << 20

// builtIn are the modules that every file may name without defining them.
const builtIn = `
http_2xx: {prober: http}
tcp_connect: {prober: tcp}
tls_connect: {prober: tcp, tcp: {tls: true}}
icmp: {prober: icmp}
grpc: {prober: grpc}
`

// FileError is something wrong with a file of probes.
type FileError struct {
	File    string
	Line    int // 0 when it is about the whole file
	Message string
}

// Error is "file:line: message".
func (e FileError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
}

// document is a file of probes.
type document struct {
	Modules map[string]bbconfig.Module `yaml:"modules"`
	Probes  []entry                    `yaml:"probes"`
}

// entry is a probe as it is written.
type entry struct {
	Name     string            `yaml:"name"`
	Module   string            `yaml:"module"`
	Target   string            `yaml:"target"`
	Interval common.Duration   `yaml:"interval"`
	Timeout  common.Duration   `yaml:"timeout"`
	Labels   map[string]string `yaml:"labels"`
}

// Load reads files of probes by glob patterns. The probes are whole only
// without problems.
func Load(patterns []string) (probes []Definition, problems []FileError) {
	seen := map[string]bool{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			problems = append(problems, FileError{File: pattern, Message: "not a valid pattern: " + err.Error()})
			continue
		}
		if len(files) == 0 && !strings.ContainsAny(pattern, `*?[\`) {
			problems = append(problems, FileError{File: pattern, Message: "there is no such file: mend the path in probe_files or create the file"})
		}
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			text, err := readFile(file)
			if err != nil {
				problems = append(problems, FileError{File: file, Message: err.Error()})
				continue
			}
			more, bad := Parse(file, text)
			probes, problems = append(probes, more...), append(problems, bad...)
		}
	}
	first := map[string]Definition{}
	for _, d := range probes {
		if other, twice := first[d.Name]; twice {
			problems = append(problems, FileError{d.File, d.Line, fmt.Sprintf("name: %q stands for another probe already (%s:%d); names are unique over all files", d.Name, other.File, other.Line)})
			continue
		}
		first[d.Name] = d
	}
	return probes, problems
}

func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(text) > maxFileBytes {
		err = fmt.Errorf("larger than the %d bytes a file of probes may have: split it", maxFileBytes)
	}
	return text, err
}

// Parse reads one file of probes. Files that it names are relative to its folder.
func Parse(file string, text []byte) (probes []Definition, problems []FileError) {
	defer func() {
		if r := recover(); r != nil { // a file of the user's must never end the program
			probes, problems = nil, []FileError{{file, 0, fmt.Sprintf("the YAML reader gave up: %v", r)}}
		}
	}()
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return nil, typeErrors(file, 0, err)
	}
	if err := dec.Decode(&yaml.Node{}); err == nil {
		return nil, []FileError{{file, 0, "a second YAML document: one file holds one list of probes"}}
	}
	r := reader{file: file, modules: field(&root, "modules"), list: field(&root, "probes")}
	var doc document
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, r.locate(err)
	}
	if len(doc.Probes) == 0 && len(doc.Modules) == 0 {
		return nil, []FileError{{file, 1, "it holds no probes: begin with the key probes and a list"}}
	}
	return r.definitions(doc)
}

// reader knows where in a file things stand.
type reader struct {
	file          string
	modules, list *yaml.Node // nil where the file has none
	problems      []FileError
}

// field is the value of a key of a mapping, or nil.
func field(n *yaml.Node, key string) *yaml.Node {
	if n == nil {
		return nil
	}
	switch {
	case n.Kind == yaml.DocumentNode && len(n.Content) > 0:
		return field(n.Content[0], key)
	case n.Kind == yaml.AliasNode:
		return field(n.Alias, key)
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
	}
	return nil
}

// element is the i-th of a list, or nil.
func element(n *yaml.Node, i int) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil || n.Kind != yaml.SequenceNode || i >= len(n.Content) {
		return nil
	}
	return n.Content[i]
}

// lineOf is the first known line of those nodes.
func lineOf(nodes ...*yaml.Node) int {
	for _, n := range nodes {
		if n != nil && n.Line > 0 {
			return n.Line
		}
	}
	return 0
}

// locate finds the lines of what a decoder says; an error of a module's own check
// has none, so the module that has it is looked for.
func (r *reader) locate(err error) []FileError {
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		return typeErrors(r.file, 0, err)
	}
	if r.modules != nil && r.modules.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(r.modules.Content); i += 2 {
			var m bbconfig.Module
			if err := r.modules.Content[i+1].Decode(&m); err != nil {
				return typeErrors(r.file, r.modules.Content[i].Line, fmt.Errorf("modules.%s: %w", r.modules.Content[i].Value, err))
			}
		}
	}
	for i := 0; element(r.list, i) != nil; i++ {
		var e entry
		if err := element(r.list, i).Decode(&e); err != nil {
			return typeErrors(r.file, element(r.list, i).Line, fmt.Errorf("probes[%d]: %w", i, err))
		}
	}
	return typeErrors(r.file, 0, err)
}

// typeErrors takes the lines out of what the YAML library says.
func typeErrors(file string, line int, err error) (out []FileError) {
	texts := []string{err.Error()}
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		texts = typed.Errors
	}
	for _, text := range texts {
		text = strings.TrimPrefix(text, "yaml: ")
		at := line
		if rest, ok := strings.CutPrefix(text, "line "); ok {
			if number, rest, ok := strings.Cut(rest, ": "); ok {
				if n, err := strconv.Atoi(number); err == nil {
					at, text = n, rest
				}
			}
		}
		out = append(out, FileError{file, at, plain(text)})
	}
	return out
}

// plain says an unknown field without the names of Go types, and what was meant.
func plain(text string) string {
	m := regexp.MustCompile(`^field (\S+) not found in type (\S+)$`).FindStringSubmatch(text)
	if m == nil {
		return text
	}
	known := []string{"name", "module", "target", "interval", "timeout", "labels"}
	switch {
	case strings.HasSuffix(m[2], ".document"):
		known = []string{"modules", "probes"}
	case !strings.HasSuffix(m[2], ".entry"):
		return m[1] + ": a module of the blackbox exporter has no such field here: mend its name or its place (see docs/probes.md)"
	}
	text = m[1] + ": there is no such field; "
	if near := nearest.Name(m[1], known); near != "" {
		return text + "did you mean " + near + "?"
	}
	return text + "there are " + strings.Join(known, ", ")
}

func (r *reader) bad(line int, format string, args ...any) {
	r.problems = append(r.problems, FileError{r.file, line, fmt.Sprintf(format, args...)})
}

func (r *reader) definitions(doc document) ([]Definition, []FileError) {
	var out []Definition
	modules := map[string]bbconfig.Module{}
	if err := yaml.Unmarshal([]byte(builtIn), &modules); err != nil {
		return nil, []FileError{{r.file, 0, err.Error()}}
	}
	for name, m := range doc.Modules {
		if probers()[m.Prober] == nil {
			at := field(r.modules, name)
			r.bad(lineOf(field(at, "prober"), at), "modules.%s.prober: %q is none of http, tcp, dns, icmp, grpc and unix", name, m.Prober)
		}
		relative(&m, filepath.Dir(r.file))
		modules[name] = m
	}
	for i, e := range doc.Probes {
		n := element(r.list, i)
		d := Definition{
			Name: e.Name, Module: e.Module, Target: e.Target, Labels: e.Labels, File: r.file, Line: lineOf(n),
			settings: modules[e.Module],
		}
		r.times(n, e, &d)
		r.check(n, d, modules)
		var written any
		if m := field(r.modules, e.Module); m != nil {
			if err := m.Decode(&written); err != nil {
				r.bad(m.Line, "modules.%s: %v", e.Module, err)
			}
		}
		d.fingerprint = fmt.Sprintf("%v|%v|%s", e, written, r.file)
		out = append(out, d)
	}
	slices.SortFunc(r.problems, func(a, b FileError) int { return a.Line - b.Line })
	return out, r.problems
}

// relative makes the files that a module names relative to the probe file's folder.
func relative(m *bbconfig.Module, dir string) {
	m.HTTP.HTTPClientConfig.SetDirectory(dir)
	m.TCP.TLSConfig.SetDirectory(dir)
	m.DNS.TLSConfig.SetDirectory(dir)
	m.GRPC.TLSConfig.SetDirectory(dir)
	m.Unix.TLSConfig.SetDirectory(dir)
}
