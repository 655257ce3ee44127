package gate

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/model"
)

// maxFileBytes bounds one policy file; a larger one is a mistake.
const maxFileBytes = 1 << 20

// PolicyError is something wrong with a policy file.
type PolicyError struct {
	File    string
	Line    int // 0 when it is about the whole file
	Message string
}

// Error is "file:line: message".
func (p PolicyError) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
}

// LoadPolicies reads policy files by glob patterns. What a policy does not say
// is as base says it. The set is whole only without problems.
func LoadPolicies(patterns []string, base Policy) (Set, []PolicyError) {
	set := Set{Default: base, Named: []NamedPolicy{}}
	var problems []PolicyError
	seen := map[string]bool{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			problems = append(problems, PolicyError{File: pattern, Message: "not a valid pattern: " + err.Error()})
			continue
		}
		if len(files) == 0 && !strings.ContainsAny(pattern, `*?[\`) {
			problems = append(problems, PolicyError{File: pattern, Message: "there is no such file: mend the path in policy_files or create the file"})
		}
		slices.Sort(files)
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			text, err := readFile(file)
			if err != nil {
				problems = append(problems, PolicyError{File: file, Message: err.Error()})
				continue
			}
			named, ps := ParsePolicies(file, text, base)
			set.Named = append(set.Named, named...)
			problems = append(problems, ps...)
		}
	}
	return set, append(problems, sameName(set.Named)...)
}

func sameName(named []NamedPolicy) (problems []PolicyError) {
	first := map[string]NamedPolicy{}
	for _, p := range named {
		if other, twice := first[p.Name]; twice && p.Name != "" {
			problems = append(problems, PolicyError{File: p.File, Line: p.Line, Message: fmt.Sprintf("name: %q stands for another policy already (%s:%d)", p.Name, other.File, other.Line)})
			continue
		}
		first[p.Name] = p
	}
	return problems
}

func readFile(file string) ([]byte, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if st.Size() > maxFileBytes {
		return nil, fmt.Errorf("%d bytes are more than the %d a policy file may have", st.Size(), maxFileBytes)
	}
	return os.ReadFile(file)
}

// ParsePolicies reads one policy file: a mapping with the list policies.
func ParsePolicies(file string, text []byte, base Policy) ([]NamedPolicy, []PolicyError) {
	if !utf8.Valid(text) {
		line := 1 + bytes.Count(text[:firstInvalid(text)], []byte("\n"))
		return nil, []PolicyError{{File: file, Line: line, Message: "not valid UTF-8: save the file as UTF-8"}}
	}
	tree, err := parseYAML(bytes.TrimPrefix(text, []byte("\uFEFF")))
	if err != nil {
		return nil, []PolicyError{syntaxProblem(file, err)}
	}
	d := decoder{file: file, lines: map[string]int{}}
	var out []NamedPolicy
	for i, doc := range tree.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType:
		case i > 0:
			d.problem(doc.Body, "", "a second YAML document: one file holds one list of policies")
		default:
			d.mapping(doc.Body, "", []string{"policies"}, func(_ string, list ast.Node) { out = d.policies(list, base) })
		}
	}
	if len(out) == 0 && len(d.problems) == 0 {
		d.problems = append(d.problems, PolicyError{File: file, Line: 1, Message: "it holds no policies: begin with the key policies and a list"})
	}
	return out, d.problems
}

// syntaxProblem takes the place out of a parser's error: "[3:1] message".
func syntaxProblem(file string, err error) PolicyError {
	p := PolicyError{File: file, Message: firstLine(err)}
	var at struct{ line, column int }
	if _, scan := fmt.Sscanf(err.Error(), "[%d:%d]", &at.line, &at.column); scan == nil {
		p.Line = at.line
	}
	return p
}

// parseYAML turns a panic of the library on odd text into an error: a file of
// the user's must never end the program.
func parseYAML(text []byte) (tree *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the YAML reader gave up: %v", p)
		}
	}()
	return parser.ParseBytes(text, 0)
}

// firstInvalid is the place of the first byte that is no UTF-8.
func firstInvalid(text []byte) int {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return len(text)
}

func (d *decoder) policies(list ast.Node, base Policy) []NamedPolicy {
	var out []NamedPolicy
	for i, n := range d.elements(list, "policies") {
		at := fmt.Sprintf("policies[%d]", i)
		p := NamedPolicy{Rules: base, File: d.file, Line: line(n)}
		// A list that a file gives replaces the one of the base; it must not grow into it.
		p.Rules.PageSeverities, p.Rules.DependsOn = slices.Clone(base.PageSeverities), slices.Clone(base.DependsOn)
		d.value(n, reflect.ValueOf(&p).Elem(), at)
		for _, err := range p.Validate() {
			where, _, _ := strings.Cut(err.Error(), ": ")
			d.problems = append(d.problems, PolicyError{File: d.file, Line: d.lineOf(at + "." + where), Message: at + "." + err.Error()})
		}
		if p.Freezes == nil {
			p.Freezes = []Freeze{}
		}
		out = append(out, p)
	}
	return out
}

// Validate lists what is wrong; each message begins with the field's path.
func (p NamedPolicy) Validate() []error {
	var errs []error
	if p.Name == "" || p.Name == DefaultName {
		errs = append(errs, fmt.Errorf("name: must be given and not be %q, which is the gate section's", DefaultName))
	}
	for _, err := range p.Rules.Validate() {
		errs = append(errs, fmt.Errorf("rules.%w", err))
	}
	for i, f := range p.Freezes {
		for _, err := range f.Validate() {
			errs = append(errs, fmt.Errorf("freezes[%d].%w", i, err))
		}
	}
	return append(errs, p.Match.validate()...)
}

func (s Selector) validate() (errs []error) {
	check := func(field, pattern string) {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			errs = append(errs, fmt.Errorf("match.%s: %q is no name or pattern", field, pattern))
		}
	}
	for _, v := range s.Services {
		check("services", v)
	}
	for _, v := range s.Teams {
		check("teams", v)
	}
	for _, v := range s.Environments {
		check("environments", v)
	}
	for _, v := range s.Labels {
		check("labels", v)
	}
	return errs
}

// Catalog holds the policies in force. Reload replaces them all or, when a file
// has an error, leaves the last good ones. It is safe for concurrent use.
type Catalog struct {
	base     Policy
	log      *slog.Logger
	current  atomic.Pointer[Set]
	problems atomic.Pointer[[]PolicyError]
	failed   prometheus.Gauge
	count    prometheus.Gauge
}

// NewCatalog makes a catalog without policy files.
func NewCatalog(base Policy, log *slog.Logger, reg prometheus.Registerer) (*Catalog, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Catalog{
		base: base, log: log,
		failed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "signalbox_gate_policy_load_failed", Help: "1 while the policy files have errors and the last good policies are in force.",
		}),
		count: prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_gate_policies", Help: "Budget policies of policy files in force."}),
	}
	c.current.Store(&Set{Default: base, Named: []NamedPolicy{}})
	c.problems.Store(&[]PolicyError{})
	if reg != nil {
		for _, m := range []prometheus.Collector{c.failed, c.count} {
			if err := reg.Register(m); err != nil {
				return nil, fmt.Errorf("register gate metrics: %w", err)
			}
		}
	}
	return c, nil
}

// Reload loads the files. The error joins every problem, one a line; then the
// policies that were in force stay.
func (c *Catalog) Reload(patterns []string) error {
	set, err := c.read(patterns)
	if err != nil {
		return err
	}
	c.count.Set(float64(len(set.Named)))
	c.current.Store(&set)
	if len(patterns) > 0 {
		c.log.Info("budget policies are in force", "policies", len(set.Named))
	}
	return nil
}

// Check reads the files as Reload does and remembers what is wrong with them,
// but puts nothing into force: another file of the same reload has an error.
func (c *Catalog) Check(patterns []string) error {
	_, err := c.read(patterns)
	return err
}

func (c *Catalog) read(patterns []string) (Set, error) {
	set, problems := LoadPolicies(patterns, c.base)
	c.problems.Store(&problems)
	if len(problems) == 0 {
		c.failed.Set(0)
		return set, nil
	}
	c.failed.Set(1)
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return set, errors.Join(errs...)
}

// Set is the policies in force. It is shared: do not change it.
func (c *Catalog) Set() Set { return *c.current.Load() }

// Problems is what the last load found, for the status page.
func (c *Catalog) Problems() []model.Problem {
	out := []model.Problem{}
	for _, p := range *c.problems.Load() {
		out = append(out, model.Problem{Severity: "critical", Message: p.Error() + " (the policies of the last good load stay in force)", Cure: "mend the file and reload again (SIGHUP or POST /-/reload)"})
	}
	return out
}
