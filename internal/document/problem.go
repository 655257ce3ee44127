// Package document reads files that people write: configuration, SLOs, policies, probes, detectors.
//
// One strict YAML reader (Parse, Object, Decode), one Problem with its place and its cure, one
// loader by glob patterns (Load) and one Catalog of what is in force. It knows nothing of what the
// documents mean: the rooms that own them ask for the keys they know, and everything else is a
// problem that names the nearest key.
//
// In: a file's name and text. Out: values and every problem of the file at once. Reading is
// pure and never panics, whatever the text; aliases are bounded, merge keys are laid in.
//
// Start reading at Parse.
package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
)

// Problem is one thing wrong with a file.
type Problem struct {
	File    string
	Line    int // 0 when it is about the whole file
	Column  int // 0 when it is about the whole line
	Message string
	Cure    string
	Warning bool // what stands there is used all the same
}

// Error is file:line: message; cure.
func (p Problem) Error() string {
	text := p.Message
	if p.Cure != "" {
		text += "; " + p.Cure
	}
	if p.Line == 0 {
		return p.File + ": " + text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, text)
}

// Failed reports whether one of the problems is more than a warning.
func Failed(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// DidYouMean is the cure of a name that is not known.
func DidYouMean(name string, known []string) string {
	if near := nearest.Name(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known are " + strings.Join(known, ", ")
}

// Err makes one error of problems, one a line; nil without one that is more than a warning.
func Err(problems []Problem) error {
	if Failed(problems) {
		return &LoadError{Problems: problems}
	}
	return nil
}
