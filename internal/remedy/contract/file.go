package contract

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/document"
)

// Files are how remedies are found and read.
func Files() document.Files {
	return document.Files{What: "remedy file", Setting: "remedy_files", MaxBytes: 1 << 20}
}

// Load reads remedies by glob patterns and answers what is usable and everything that is wrong with them.
func Load(patterns []string) ([]Remedy, []document.Problem) {
	return document.Build[[]Remedy](Build).Load(Files(), patterns)
}

// Build makes the remedies of files as they were read, by name.
func Build(files []document.File) (out []Remedy, problems []document.Problem) {
	out, problems = document.ParseNamed(files, Parse, func(r Remedy) string { return r.Name }, func(again, first Remedy) document.Problem {
		return document.Problem{
			File: again.File, Line: again.Line, Message: fmt.Sprintf("name: %q stands for another remedy already (%s:%d)", again.Name, first.File, first.Line),
			Cure: "names are unique over all files: give it another",
		}
	})
	slices.SortFunc(out, func(a, b Remedy) int { return cmp.Compare(a.Name, b.Name) })
	return out, problems
}

// Parse reads one file. A remedy with an error is left out.
func Parse(file string, text []byte) (out []Remedy, problems []document.Problem) {
	r, docs := document.Parse(file, text)
	given := false
	for i, doc := range docs {
		if i > 0 {
			doc.Problem("", "a second YAML document: one file holds one list of remedies", "give it a file of its own")
			continue
		}
		o := doc.Object("")
		if o == nil {
			continue
		}
		list := o.List("remedies", false)
		given = given || len(list) > 0
		for k, n := range list {
			one := Remedy{File: file, Line: n.Line()}
			one.SetDefaults()
			if n.Read(&one, fmt.Sprintf("remedies[%d]", k), one.validate) {
				one.Action.anchor(filepath.Dir(file))
				out = append(out, one)
			}
		}
		o.End()
	}
	if !given && r.Errors() == 0 {
		r.Add(document.Problem{Line: 1, Message: "it holds no remedies", Cure: "begin with the key remedies and a list"})
	}
	return out, r.Problems()
}

var nameRE = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// validate lists what is wrong; each message begins with the field's path.
func (r *Remedy) validate() []error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameRE.MatchString(r.Name) {
		add("name: must be small letters, digits and '-', got %q", r.Name)
	}
	if r.Owner == "" {
		add("owner: must not be empty: whom does one ask about it?")
	}
	if r.Runbook == "" {
		add("runbook: must not be empty: what does a person do where it does not help?")
	}
	if r.Mode != Suggest && r.Mode != Approve && r.Mode != Auto {
		add("mode: must be suggest, approve or auto, got %q", r.Mode)
	}
	if r.Undo != UndoAuto && r.Undo != UndoNever {
		add("undo: must be auto or never, got %q", r.Undo)
	}
	errs = append(errs, r.Trigger.validate()...)
	if len(r.Precondition) == 0 {
		add("precondition: must have a query: without one it acts on an alert alone, and an alert may be wrong")
	}
	for i, q := range r.Precondition {
		if _, err := q.parse(); err != nil {
			add("precondition[%d]: %w", i, err)
		}
	}
	if _, err := r.Effect.Query.parse(); err != nil {
		add("expected_effect.query: %w", err)
	}
	if v := r.Verification; v != nil {
		if _, err := v.Query.parse(); err != nil {
			add("verification.query: %w", err)
		}
		errs = append(errs, within("verification.for", v.For)...)
	}
	errs = append(errs, within("expected_effect.within", r.Effect.Within)...)
	errs = append(errs, r.bounds()...)
	errs = append(errs, r.Action.validate()...)
	return append(errs, r.fenced()...)
}

const longest = 24 * time.Hour

func within(field string, d prom.Duration) []error {
	if d <= 0 || time.Duration(d) > longest {
		return []error{fmt.Errorf("%s: must be > 0 and at most 1d, got %s", field, d)}
	}
	return nil
}

func (r *Remedy) bounds() (errs []error) {
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	b, l := r.Blast, r.Limits
	if b.MaxTargets < 1 || b.MaxTargets > 100 {
		add("blast_radius.max_targets: must be 1 to 100, got %d", b.MaxTargets)
	}
	if b.MaxPercent <= 0 || b.MaxPercent > 1000 {
		add("blast_radius.max_percent: must be > 0 and <= 1000, got %v", b.MaxPercent)
	}
	if b.MinReplicas < 0 || b.MaxReplicas < 0 || b.MaxReplicas > 0 && b.MinReplicas > b.MaxReplicas {
		add("blast_radius.min_replicas: must be >= 0 and <= max_replicas, got %d and %d", b.MinReplicas, b.MaxReplicas)
	}
	if r.Action.Scale != nil && b.MaxReplicas == 0 {
		add("blast_radius.max_replicas: must be given where something is scaled")
	}
	if l.PerHour < 1 || l.PerHour > 60 {
		add("limits.per_hour: must be 1 to 60, got %d", l.PerHour)
	}
	if l.PerDay < l.PerHour || l.PerDay > 500 {
		add("limits.per_day: must be at least per_hour and at most 500, got %d", l.PerDay)
	}
	if l.Cooldown < prom.Duration(time.Minute) || l.Cooldown > prom.Duration(longest) {
		add("limits.cooldown: must be 1m to 1d, got %s", l.Cooldown)
	}
	if r.Freeze.DeployWithin < 0 || r.Freeze.DeployWithin > prom.Duration(longest) {
		add("freeze.deploy_within: must be >= 0 and at most 1d, got %s", r.Freeze.DeployWithin)
	}
	return errs
}

// fenced demands a matcher for each label that names a target: whoever may send an alert would choose it otherwise.
func (r *Remedy) fenced() (errs []error) {
	matchers, _ := r.Trigger.matchers()
	kind := r.Action.Kind()
	for _, text := range r.Action.names(kind) {
		for _, name := range labelsOf(*text) {
			if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return m.Name == name && limits(m) }) {
				errs = append(errs, fmt.Errorf("trigger.matchers: the action takes %s from the alert, and no matcher says which it may be: whoever sends alerts would choose the target. "+
					"Write for example '%s=~\"one|another\"'", name, name))
			}
		}
	}
	return errs
}

// limits reports whether a matcher allows some values only.
func limits(m *labels.Matcher) bool {
	switch m.Type {
	case labels.MatchEqual:
		return m.Value != ""
	case labels.MatchRegexp:
		return !m.Matches("") && !m.Matches("signalbox-is-anything-allowed-here")
	}
	return false
}

func (t Trigger) validate() (errs []error) {
	if t.Alert == "" {
		errs = append(errs, fmt.Errorf("trigger.alert: must not be empty"))
	}
	if t.For < 0 || t.For > prom.Duration(longest) {
		errs = append(errs, fmt.Errorf("trigger.for: must be >= 0 and at most 1d, got %s", t.For))
	}
	if _, err := t.matchers(); err != nil {
		errs = append(errs, fmt.Errorf("trigger.matchers: %w", err))
	}
	return errs
}

func (t Trigger) matchers() (out labels.Matchers, err error) {
	for _, text := range t.Matchers {
		m, err := labels.ParseMatcher(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		out = append(out, m)
	}
	return out, nil
}

// Matches reports whether an alert is one of the remedy's.
func (t Trigger) Matches(of map[string]string) bool {
	return of["alertname"] == t.Alert && t.Allows(of)
}

// Allows reports whether labels are what the matchers allow, whatever the alert is called.
func (t Trigger) Allows(of map[string]string) bool {
	matchers, err := t.matchers()
	if err != nil {
		return false
	}
	for _, m := range matchers {
		if !m.Matches(of[m.Name]) {
			return false
		}
	}
	return true
}
