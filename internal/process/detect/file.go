package detect

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Files are how detector files are found and read.
func Files() document.Files {
	return document.Files{What: "detector file", Setting: "detector_files", MaxBytes: 1 << 20}
}

// Load reads detector files by glob patterns and answers what is usable and everything that is wrong with
// them. `check detectors` and the catalog use it alike.
func Load(patterns []string) ([]Definition, []document.Problem) {
	return document.Build[[]Definition](buildDetectors).Load(Files(), patterns)
}

// buildDetectors makes the detectors of files as they were read.
func buildDetectors(files []document.File) ([]Definition, []document.Problem) {
	name := func(d Definition) string { return d.Name }
	return document.ParseNamed(files, Parse, name, func(again, first Definition) document.Problem {
		return document.Problem{
			File: again.file, Line: again.line, Cure: "give it another name",
			Message: fmt.Sprintf("name: %q is another detector already (%s:%d)", again.Name, first.file, first.line),
		}
	})
}

// Parse reads one detector file: a mapping with the list `detectors`. A detector that has a problem is left out.
func Parse(file string, text []byte) ([]Definition, []document.Problem) {
	r, docs := document.Parse(file, text)
	var out []Definition
	for _, doc := range docs {
		o := doc.Object("")
		if o == nil {
			continue
		}
		for i, n := range o.List("detectors", false) {
			before, at := r.Errors(), fmt.Sprintf("detectors[%d]", i)
			d := withDefaults()
			d.file, d.line = file, n.Line()
			n.Decode(&d, at)
			// What could not be read was not given: its check would say what was said already.
			if r.Errors() == before {
				r.Invalid(at, d.validate())
			}
			if r.Errors() == before {
				out = append(out, d)
			}
		}
		o.End()
	}
	if len(docs) == 0 && r.Errors() == 0 {
		r.Add(document.Problem{Line: 1, Message: "it holds no detectors", Cure: "begin with the key detectors and a list, or delete the file", Warning: true})
	}
	return out, r.Problems()
}

// newCatalog makes the catalog of detectors in force, without any.
func newCatalog(deps Deps, apply func([]Definition) error) (*document.Catalog[[]Definition], error) {
	failed := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_detect_load_failed", Help: "1 while detector files have errors and their last good versions are in force.",
	})
	count := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_detect_definitions", Help: "Detectors in force."})
	if err := instrument.Register(deps.Registerer, "detector", failed, count); err != nil {
		return nil, err
	}
	return document.NewCatalog(nil, document.Options[[]Definition]{
		Files: Files(), Build: buildDetectors, Apply: apply, Log: deps.Logger, Failed: failed, Count: count, Size: func(defs []Definition) int { return len(defs) },
	}), nil
}
