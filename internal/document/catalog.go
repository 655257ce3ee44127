package document

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Build makes the value of a set of files and says what is wrong with them. What has an
// error is left out of the value, and nothing else.
type Build[T any] func(files []File) (T, []Problem)

// Load reads files by glob patterns and answers what is usable and everything that is wrong with them:
// what a check does, and a catalog.
func (b Build[T]) Load(k Files, patterns []string) (T, []Problem) {
	files, problems := k.Load(patterns)
	value, more := b(files)
	return value, append(problems, more...)
}

// Options say what a catalog is of.
type Options[T any] struct {
	Files Files
	Build Build[T]
	Size  func(T) int // how many things are in force
	// Whole is for files that have a meaning only together: with an error in one, all that is in force stays.
	Whole bool
	// Apply has what runs take a value over; after an error it must run on what it had. Nil where
	// whoever needs the value asks for it.
	Apply func(T) error

	Log           *slog.Logger     // for warnings; nil for none
	Failed, Count prometheus.Gauge // 1 while files have errors; Size; nil for none
}

// Catalog holds the value that files of one kind have put into force. A file that has an error
// does not hold up the others: the last good version of it stays. It is safe for concurrent use.
type Catalog[T any] struct {
	opts  Options[T]
	first *state[T]
	force *Force
}

type state[T any] struct {
	value    T
	good     map[string]File // the last version of each file without an error
	problems []Problem
	loaded   bool
}

// NewCatalog makes a catalog with the value that stands before any file is read.
func NewCatalog[T any](value T, opts Options[T]) *Catalog[T] {
	return &Catalog[T]{opts: opts, first: &state[T]{value: value}, force: NewForce()}
}

// Join makes the catalog part of what is swapped together, with what it holds by now. It must not run
// beside anything else that is done with the catalog.
func (c *Catalog[T]) Join(f *Force) {
	c.first = c.in(c.force.View())
	c.force = f
}

// Value is what is in force. It is shared: do not change it.
func (c *Catalog[T]) Value() T { return c.in(c.force.View()).value }

// In is what was in force at the moment of a View.
func (c *Catalog[T]) In(v *View) T { return c.in(v).value }

func (c *Catalog[T]) in(v *View) *state[T] {
	if s, ok := v.values[c]; ok {
		return s.(*state[T])
	}
	return c.first
}

// Prepared is a value that is ready to be put into force; it is a Change.
type Prepared[T any] struct {
	c    *Catalog[T]
	next *state[T]
}

// Value is what will be in force.
func (p *Prepared[T]) Value() T { return p.next.value }

// Err lists every error, one a line; nil without any. Commit may be called all the same.
func (p *Prepared[T]) Err() error { return Err(p.next.problems) }

// Commit puts the value into force, and says what was odd.
func (p *Prepared[T]) Commit() error { return p.c.force.Commit(p) }

func (p *Prepared[T]) wrong() error { return p.Err() }

func (p *Prepared[T]) apply() error {
	if p.c.opts.Apply == nil {
		return nil
	}
	return p.c.opts.Apply(p.next.value)
}

func (p *Prepared[T]) undo() error {
	if p.c.opts.Apply == nil {
		return nil
	}
	return p.c.opts.Apply(p.c.Value())
}

func (p *Prepared[T]) stage(values map[any]any) { values[p.c] = p.next }

func (p *Prepared[T]) done() {
	o := p.c.opts
	if o.Count != nil && o.Size != nil {
		o.Count.Set(float64(o.Size(p.next.value)))
	}
	if o.Failed != nil {
		o.Failed.Set(map[bool]float64{true: 1}[Failed(p.next.problems)])
	}
	for _, pr := range p.next.problems {
		if pr.Warning && o.Log != nil {
			o.Log.Warn(o.Files.What, "problem", pr.Error())
		}
	}
}

// Prepare reads the files that patterns find, once, and makes the next value. It changes nothing.
func (c *Catalog[T]) Prepare(patterns []string) *Prepared[T] {
	files, unread := c.opts.Files.Load(patterns)
	return c.prepare(files, unread)
}

// Reload reads the files and puts into force what is good. The error lists what is not.
func (c *Catalog[T]) Reload(patterns []string) error {
	p := c.Prepare(patterns)
	if err := p.Commit(); err != nil {
		return err
	}
	return p.Err()
}

// LoadError is a load that found errors.
type LoadError struct{ Problems []Problem }

// Error lists every error, one a line.
func (e *LoadError) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		if !p.Warning {
			lines = append(lines, p.Error())
		}
	}
	return strings.Join(lines, "\n")
}

// What is said of a file with an error, beside the error.
const (
	keptFile  = " (the last good version of the file stays in force)"
	keptParts = " (the rest of the file is in force)"
	keptAll   = " (the files of the last good load stay in force)"
)

// prepare makes the next value of files as they were just read, and of what was wrong with
// reading them.
func (c *Catalog[T]) prepare(files []File, unread []Problem) *Prepared[T] {
	last, build := c.in(c.force.View()), c.opts.Build
	set := last.keep(files, unread)
	value, found := build(set)
	next := &state[T]{value: value, good: map[string]File{}, loaded: true, problems: append(slices.Clone(unread), found...)}
	bad := failing(found)
	for _, f := range set {
		if !bad[f.Path] {
			next.good[f.Path] = f
		}
	}
	switch {
	case c.opts.Whole && last.loaded && Failed(next.problems):
		next.value, next.good = last.value, last.good
	case len(bad) > 0:
		last.fallBack(next, set, bad, build)
	}
	next.note(last, bad)
	return &Prepared[T]{c, next}
}

// keep adds the last good version of files that are there and cannot be read.
func (s *state[T]) keep(files []File, unread []Problem) []File {
	out := slices.Clone(files)
	for _, p := range unread {
		if f, known := s.good[p.File]; known && !p.Warning {
			out = append(out, f)
		}
	}
	return out
}

// failing are the files that have an error.
func failing(problems []Problem) map[string]bool {
	bad := map[string]bool{}
	for _, p := range problems {
		if !p.Warning {
			bad[p.File] = true
		}
	}
	return bad
}

// fallBack takes the last good version of each file that has an error. Where files that nobody changed
// have one, others are to blame, and no version but the last good one of all fits together.
func (s *state[T]) fallBack(next *state[T], set []File, bad map[string]bool, build Build[T]) {
	var attempt []File
	unchanged, replaced := false, false
	for _, f := range set {
		old, known := s.good[f.Path]
		if bad[f.Path] && known {
			unchanged = unchanged || bytes.Equal(old.Text, f.Text)
			f, replaced = old, true
		}
		attempt = append(attempt, f)
	}
	if !replaced {
		return // all of them are new: their good parts are in force
	}
	value, found := build(attempt)
	for path := range failing(found) {
		_, known := s.good[path]
		unchanged = unchanged || known
	}
	if unchanged {
		next.value, next.good = s.value, s.good
		return
	}
	next.value = value
	for path := range bad {
		if old, known := s.good[path]; known {
			next.good[path] = old
		}
	}
}

// note says beside each error what is in force instead.
func (s *state[T]) note(last *state[T], bad map[string]bool) {
	whole := last.loaded && maps.EqualFunc(s.good, last.good, func(a, b File) bool { return bytes.Equal(a.Text, b.Text) })
	for i := range s.problems {
		p := &s.problems[i]
		if p.Warning {
			continue
		}
		switch _, kept := s.good[p.File]; {
		case whole && len(last.good) > 0:
			p.Message += keptAll
		case kept:
			p.Message += keptFile
		case bad[p.File]:
			p.Message += keptParts
		}
	}
}

// Files are those in force at the moment of a View, as they were read, by path: of a file with an
// error, its last good version.
func (c *Catalog[T]) Files(v *View) []File {
	st := c.in(v)
	out := make([]File, 0, len(st.good))
	for _, path := range slices.Sorted(maps.Keys(st.good)) {
		out = append(out, st.good[path])
	}
	return out
}

// Problems is what the last load found, for the status page.
func (c *Catalog[T]) Problems() []model.Problem {
	st := c.in(c.force.View())
	out := make([]model.Problem, 0, len(st.problems))
	for _, p := range st.problems {
		mp := model.Problem{Severity: "critical", Message: Problem{File: p.File, Line: p.Line, Message: p.Message}.Error(), Cure: p.Cure}
		if p.Warning {
			mp.Severity = "warning"
		}
		out = append(out, mp)
	}
	return out
}

// ParseNamed reads files of definitions whose names are unique over all of them. The first of a name is
// taken; twice says what is wrong with each further one.
func ParseNamed[T any](files []File, parse func(path string, text []byte) ([]T, []Problem), name func(T) string, twice func(again, first T) Problem) (out []T, problems []Problem) {
	first := map[string]T{}
	for _, f := range files {
		defs, more := parse(f.Path, f.Text)
		problems = append(problems, more...)
		for _, d := range defs {
			if other, known := first[name(d)]; known {
				problems = append(problems, twice(d, other))
				continue
			}
			first[name(d)] = d
			out = append(out, d)
		}
	}
	return out, problems
}
