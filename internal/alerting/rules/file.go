package rules

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Set is the rules of files, as they were read.
type Set []RuleFile

// Paths are the files that a set is made of.
func (s Set) Paths() []string {
	out := make([]string, len(s))
	for i, f := range s {
		out[i] = f.Path
	}
	return out
}

// RuleFile is the rules of one file.
type RuleFile struct {
	Path   string
	Groups *rulefmt.RuleGroups
}

// ruleFiles are how rule files are found and read.
func ruleFiles() document.Files {
	return document.Files{What: "rule file", Setting: "rule_files", MaxBytes: 16 << 20}
}

// LoadFiles reads, with a parser, the rule files that patterns match, and answers what is usable and
// everything that is wrong with them. `check rules` and the rules in force use it alike.
func LoadFiles(patterns []string, p parser.Parser) (Set, []document.Problem) {
	return buildSet(p).Load(ruleFiles(), patterns)
}

// buildSet makes the rules of files as they were read. Prometheus' own code reads them; a
// file with an error in any rule is left out as a whole, as there.
func buildSet(p parser.Parser) document.Build[Set] {
	return func(files []document.File) (set Set, problems []document.Problem) {
		// Of each file by its name, whatever pattern found it first.
		files = slices.SortedFunc(slices.Values(files), func(a, b document.File) int { return strings.Compare(a.Path, b.Path) })
		for _, f := range files {
			groups, more := readFile(f, p)
			problems = append(problems, more...)
			if !document.Failed(more) {
				set = append(set, RuleFile{f.Path, groups})
			}
		}
		return set, problems
	}
}

func readFile(f document.File, p parser.Parser) (*rulefmt.RuleGroups, []document.Problem) {
	if bad := f.Unreadable(); bad != nil {
		return nil, []document.Problem{*bad}
	}
	groups, errs := parse(f.Text, false, prommodel.UTF8Validation, p, instrument.Silent())
	foreign := document.Foreign{File: f, Names: document.NamesOf(rulefmt.RuleGroups{}), Line: 1}
	var problems []document.Problem
	for _, err := range errs {
		for _, p := range foreign.Problems(err) {
			// The file is decoded twice, and what fits neither time is said twice.
			if !slices.Contains(problems, p) {
				problems = append(problems, p)
			}
		}
	}
	if parts := documents(f.Text); len(parts) > 1 && !kindRE.Match(f.Text) && len(problems) == 0 {
		problems = append(problems, document.Problem{
			File: f.Path, Line: firstLine(parts[1]), Warning: true,
			Message: "a second YAML document: Prometheus' format has one, and only the first is read", Cure: "give it a file of its own",
		})
	}
	return groups, problems
}

// firstLine is where a part of a file begins, which empty lines stand for what is before it.
func firstLine(part []byte) int {
	line := 1
	for _, c := range part {
		if c != '\n' {
			return line
		}
		line++
	}
	return line
}

// newCatalog makes the catalog of the rules in force, without any.
func newCatalog(deps Deps, apply func(Set) error) (*document.Catalog[Set], error) {
	failed := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_rules_load_failed", Help: "1 while rule files have errors and their last good versions are in force.",
	})
	count := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_rule_files", Help: "Rule files in force."})
	if err := instrument.Register(deps.Registerer, "rule", failed, count); err != nil {
		return nil, err
	}
	return document.NewCatalog(nil, document.Options[Set]{
		Files: ruleFiles(), Build: buildSet(deps.Parser), Apply: apply, Log: deps.Logger, Failed: failed, Count: count,
		Size: func(s Set) int { return len(s) },
	}), nil
}
