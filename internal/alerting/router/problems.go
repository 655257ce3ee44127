package router

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/mirror"
)

// damage is what was wrong with a file of the alert state at this start.
type damage struct {
	name string
	mirror.Finding
}

// Problems names what is wrong with the routes' file, and what was damaged.
func (r *Router) Problems() []model.Problem {
	return append(r.routes.Problems(), r.memory.Problems()...)
}

// Problems names what was damaged at this start, and what an earlier one set aside, until somebody
// removes it.
func (m *memory) Problems() []model.Problem {
	var out []model.Problem
	told := map[string]bool{}
	for _, d := range m.found {
		told[d.Aside] = true
		p := model.Problem{
			Severity: "warning",
			Message:  fmt.Sprintf("%s of the alert router was damaged (%v); it was repaired from its copy, nothing is lost%s", d.name, d.Cause, keptAs(d.Aside)),
			Cure:     "check the disk if this happens again; delete what was set aside once nobody needs it",
		}
		if d.Lost {
			p.Message = fmt.Sprintf("%s of the alert router was damaged and has no good copy (%v): %s%s", d.name, d.Cause, lostWith(d.name), keptAs(d.Aside))
			p.Cure = "check the disk; make the silences again that are missing; delete the file once you have"
		}
		out = append(out, p)
	}
	found := atomicfile.Aside(m.dir)
	for _, name := range []string{silencesFile, logFile, alertsFile} {
		path := filepath.Join(m.dir, name)
		found = slices.Concat(found, atomicfile.Aside(path), atomicfile.Aside(path+mirror.CopyExt))
	}
	for _, path := range found {
		if told[path] {
			continue
		}
		name, _, _ := strings.Cut(filepath.Base(path), ".corrupt-")
		out = append(out, model.Problem{
			Severity: "info",
			Message:  fmt.Sprintf("%s of the alert router was damaged at an earlier start and is kept as %s", name, path),
			Cure:     "delete it once nobody needs it",
		})
	}
	return out
}

func keptAs(aside string) string {
	if aside == "" {
		return ""
	}
	return "; the damaged one is kept as " + aside
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
