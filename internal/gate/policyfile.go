package gate

import (
	"fmt"
	"log/slog"
	"path"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
)

// policyFiles are how policy files are found and read.
func policyFiles() document.Files {
	return document.Files{What: "policy file", Setting: "policy_files", MaxBytes: 1 << 20}
}

// LoadPolicies reads policy files by glob patterns. What a policy does not say
// is as base says it. The set is whole only without problems.
func LoadPolicies(patterns []string, base Policy) (Set, []document.Problem) {
	files, problems := policyFiles().Load(patterns)
	set, more := buildSet(base)(files)
	return set, append(problems, more...)
}

// buildSet makes the set of files as they were read.
func buildSet(base Policy) document.Build[Set] {
	return func(files []document.File) (Set, []document.Problem) {
		set := Set{Default: base, Named: []NamedPolicy{}}
		var problems []document.Problem
		first := map[string]NamedPolicy{}
		for _, f := range files {
			named, more := ParsePolicies(f.Path, f.Text, base)
			problems = append(problems, more...)
			for _, p := range named {
				if other, twice := first[p.Name]; twice {
					problems = append(problems, document.Problem{
						File: p.File, Line: p.Line, Cure: "give it another name",
						Message: fmt.Sprintf("name: %q stands for another policy already (%s:%d)", p.Name, other.File, other.Line),
					})
					continue
				}
				first[p.Name] = p
				set.Named = append(set.Named, p)
			}
		}
		return set, problems
	}
}

// ParsePolicies reads one policy file: a mapping with the list policies. A policy that has a problem
// is left out.
func ParsePolicies(file string, text []byte, base Policy) ([]NamedPolicy, []document.Problem) {
	r, docs := document.Parse(file, text)
	var out []NamedPolicy
	for i, doc := range docs {
		if i > 0 {
			doc.Problem("", "a second YAML document: one file holds one list of policies", "give it a file of its own")
			continue
		}
		o := doc.Object("")
		if o == nil {
			continue
		}
		for k, n := range o.List("policies", false) {
			before, at := r.Errors(), fmt.Sprintf("policies[%d]", k)
			p := NamedPolicy{Rules: base, File: file, Line: n.Line()}
			// A list that a file gives replaces the one of the base; it must not grow into it.
			p.Rules.PageSeverities, p.Rules.DependsOn = slices.Clone(base.PageSeverities), slices.Clone(base.DependsOn)
			n.Decode(&p, at)
			r.Invalid(at, p.Validate())
			if p.Freezes == nil {
				p.Freezes = []Freeze{}
			}
			if r.Errors() == before {
				out = append(out, p)
			}
		}
		o.End()
	}
	if len(out) == 0 && r.Errors() == 0 {
		r.Add(document.Problem{Line: 1, Message: "it holds no policies", Cure: "begin with the key policies and a list"})
	}
	return out, r.Problems()
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

// Catalog holds the policies in force. A file that has an error leaves its last good version in
// force and does not hold up the others. It is safe for concurrent use.
type Catalog struct {
	*document.Catalog[Set]
}

// NewCatalog makes a catalog without policy files.
func NewCatalog(base Policy, log *slog.Logger, reg prometheus.Registerer) (*Catalog, error) {
	failed := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_gate_policy_load_failed", Help: "1 while policy files have errors and their last good versions are in force.",
	})
	count := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_gate_policies", Help: "Budget policies of policy files in force."})
	if err := instrument.Register(reg, "gate", failed, count); err != nil {
		return nil, err
	}
	return &Catalog{document.NewCatalog(Set{Default: base, Named: []NamedPolicy{}}, document.Options[Set]{
		Files: policyFiles(), Build: buildSet(base), Log: log, Failed: failed, Count: count, Size: func(s Set) int { return len(s.Named) },
	})}, nil
}

// Set is the policies in force. It is shared: do not change it.
func (c *Catalog) Set() Set { return c.Value() }
