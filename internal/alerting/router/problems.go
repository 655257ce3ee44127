package router

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Problems names the damaged files that were set aside, until somebody removes them.
func (r *Router) Problems() []model.Problem {
	found, _ := filepath.Glob(filepath.Join(r.dir, "*.corrupt-*")) // the pattern is a good one
	slices.Sort(found)
	var out []model.Problem
	for _, path := range found {
		name, _, _ := strings.Cut(filepath.Base(path), ".corrupt-")
		out = append(out, model.Problem{
			Severity: "warning",
			Message:  fmt.Sprintf("%s of the alert router was damaged and is kept as %s: %s", name, filepath.Base(path), lostWith(name)),
			Cure:     "check the disk; make the silences again that are missing; delete the file once you have",
		})
	}
	return out
}

// lostWith says what a reader must expect without a file.
func lostWith(name string) string {
	switch name {
	case silencesFile:
		return "silences made before are gone, so their alerts notify again"
	case logFile:
		return "alerts that fire now are notified once more, with the same dedup key"
	default:
		return "alerts that fire now are known again when their rules are next evaluated"
	}
}
