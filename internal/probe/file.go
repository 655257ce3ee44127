package probe

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	bbconfig "github.com/prometheus/blackbox_exporter/config"
	common "github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/signalbox-project/signalbox/internal/document"
)

// builtIn are the modules that every file may name without defining them.
const builtIn = `
http_2xx: {prober: http}
tcp_connect: {prober: tcp}
tls_connect: {prober: tcp, tcp: {tls: true}}
icmp: {prober: icmp}
grpc: {prober: grpc}
`

// entry is a probe as it is written.
type entry struct {
	Name     string            `yaml:"name"`
	Module   string            `yaml:"module"`
	Target   string            `yaml:"target"`
	Interval common.Duration   `yaml:"interval"`
	Timeout  common.Duration   `yaml:"timeout"`
	Labels   map[string]string `yaml:"labels"`
}

// Files are how files of probes are found and read.
func Files() document.Files {
	return document.Files{What: "probe file", Setting: "probe_files", MaxBytes: 4 << 20}
}

// Load reads files of probes by glob patterns and answers what is usable and everything that is
// wrong with them.
func Load(patterns []string) ([]Definition, []document.Problem) {
	return document.Build[[]Definition](buildProbes).Load(Files(), patterns)
}

// buildProbes makes the probes of files as they were read.
func buildProbes(files []document.File) ([]Definition, []document.Problem) {
	name := func(d Definition) string { return d.Name }
	return document.ParseNamed(files, Parse, name, func(again, first Definition) document.Problem {
		return document.Problem{
			File: again.File, Line: again.Line, Cure: "names are unique over all files: give it another",
			Message: fmt.Sprintf("name: %q stands for another probe already (%s:%d)", again.Name, first.File, first.Line),
		}
	})
}

// newCatalog makes the catalog of probes in force, without any.
func newCatalog(deps Deps, m metrics, apply func([]Definition) error) *document.Catalog[[]Definition] {
	return document.NewCatalog(nil, document.Options[[]Definition]{
		Files: Files(), Build: buildProbes, Apply: apply, Log: deps.Logger, Failed: m.loadFailed, Count: m.probes,
		Size: func(defs []Definition) int { return len(defs) },
	})
}

// Parse reads one file of probes. Files that it names are relative to its folder. A probe that
// has a problem, and those of a module that has one, are left out.
func Parse(file string, text []byte) ([]Definition, []document.Problem) {
	r, docs := document.Parse(file, text)
	var out []Definition
	given := false
	for i, doc := range docs {
		if i > 0 {
			doc.Problem("", "a second YAML document: one file holds one list of probes", "give it a file of its own")
			continue
		}
		o := doc.Object("")
		if o == nil {
			continue
		}
		f := reader{r: r, file: file, modules: map[string]module{}}
		f.readModules(o, text)
		list := o.List("probes", false)
		given = given || len(list) > 0 || o.Has("modules")
		for k, n := range list {
			if d, ok := f.definition(n, fmt.Sprintf("probes[%d]", k)); ok {
				out = append(out, d)
			}
		}
		o.End()
	}
	if !given && r.Errors() == 0 {
		r.Add(document.Problem{Line: 1, Message: "it holds no probes", Cure: "begin with the key probes and a list"})
	}
	return out, r.Problems()
}

// reader makes the definitions of one file.
type reader struct {
	r       *document.Reader
	file    string
	modules map[string]module
}

// module is one of the blackbox exporter's, read by its own strict decoder.
type module struct {
	bbconfig.Module
	err     error
	written string // as the file has it, to see whether it changed
}

// UnmarshalYAML keeps an error with the module that has it, so that the others are read.
func (m *module) UnmarshalYAML(unmarshal func(any) error) error {
	m.err = unmarshal(&m.Module)
	return nil
}

// decodeModules has the blackbox exporter's types read the modules of a file.
func decodeModules(text []byte) (modules map[string]module, err error) {
	defer func() {
		if p := recover(); p != nil { // a file of the user's must never end the program
			err = fmt.Errorf("the YAML reader gave up: %v", p)
		}
	}()
	var doc struct {
		Modules map[string]module `yaml:"modules"`
		Rest    map[string]any    `yaml:",inline"`
	}
	strict := yaml.NewDecoder(strings.NewReader(strings.TrimPrefix(string(text), "\uFEFF")))
	strict.KnownFields(true)
	err = strict.Decode(&doc)
	return doc.Modules, err
}

func (f *reader) readModules(o *document.Object, text []byte) {
	builtIns, err := decodeModules([]byte("modules:" + strings.ReplaceAll(builtIn, "\n", "\n ")))
	if err != nil {
		f.r.Add(document.Problem{Message: err.Error()})
	}
	maps.Copy(f.modules, builtIns)
	mods := o.Object("modules", false)
	if mods == nil {
		return
	}
	foreign := document.Foreign{File: document.File{Path: f.file, Text: text}, Names: document.NamesOf(bbconfig.Module{}), Line: o.At("modules").Line()}
	read, err := decodeModules(text)
	if err != nil && f.r.Errors() == 0 {
		f.add("", foreign.Problems(err))
	}
	for _, name := range mods.Keys() {
		m := read[name]
		foreign.Line = mods.At(name).Line()
		f.add("modules."+name+": ", foreign.Problems(m.err))
		if sub := mods.Object(name, false); m.err == nil && err == nil && sub != nil && probers()[m.Prober] == nil {
			m.err = errors.New("no prober")
			sub.At("prober").Problem(fmt.Sprintf("%q is none of http, tcp, dns, icmp, grpc and unix", m.Prober), "choose one of them")
		}
		if n, ok := mods.Node(name); ok {
			var written any
			n.Decode(&written, "modules."+name)
			m.written = fmt.Sprint(written)
		}
		relative(&m.Module, filepath.Dir(f.file))
		f.modules[name] = m
	}
}

func (f *reader) add(path string, problems []document.Problem) {
	for _, p := range problems {
		p.Message = path + p.Message
		f.r.Add(p)
	}
}

// definition reads one probe; false when it has a problem.
func (f *reader) definition(n document.Node, at string) (Definition, bool) {
	before := f.r.Errors()
	var e entry
	n.Decode(&e, at)
	if f.r.Errors() > before {
		return Definition{}, false
	}
	m := f.modules[e.Module]
	d := Definition{
		Name: e.Name, Module: e.Module, Target: e.Target, Labels: e.Labels, File: f.file, Line: n.Line(), settings: m.Module,
		fingerprint: fmt.Sprintf("%v|%v|%s", e, m.written, f.file),
	}
	errs := d.times(e)
	f.r.Invalid(at, append(errs, d.check(f.modules)...))
	return d, f.r.Errors() == before && m.err == nil
}

// relative makes the files that a module names relative to the probe file's folder.
func relative(m *bbconfig.Module, dir string) {
	m.HTTP.HTTPClientConfig.SetDirectory(dir)
	m.TCP.TLSConfig.SetDirectory(dir)
	m.DNS.TLSConfig.SetDirectory(dir)
	m.GRPC.TLSConfig.SetDirectory(dir)
	m.Unix.TLSConfig.SetDirectory(dir)
}
