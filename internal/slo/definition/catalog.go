package definition

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// Load reads SLO files by glob patterns and answers what is usable and
// everything that is wrong with them. `check slos` and Catalog use it alike.
func Load(patterns []string) ([]*Definition, []Problem) {
	files, problems := openslo.Files().Load(patterns)
	defs, more := build(files)
	return defs, append(problems, more...)
}

// Parse reads one text as Load does a file of that name.
func Parse(name string, text []byte) ([]*Definition, []Problem) {
	docs, problems := openslo.Parse(name, text)
	defs, more := Define(docs)
	return defs, append(problems, more...)
}

// build makes the definitions of files as they were read.
func build(files []document.File) ([]*Definition, []Problem) {
	docs, problems := openslo.ParseAll(files)
	defs, more := Define(docs)
	return defs, append(problems, more...)
}

// Catalog holds the definitions in force. A file that has an error leaves its last good
// version in force and does not hold up the others. It is safe for concurrent use.
type Catalog struct {
	*document.Catalog[[]*Definition]
}

// NewCatalog makes an empty catalog.
func NewCatalog(log *slog.Logger, reg prometheus.Registerer) (*Catalog, error) {
	failed := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_slo_load_failed", Help: "1 while SLO files have errors and their last good versions are in force.",
	})
	count := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_slo_definitions", Help: "SLOs in force."})
	if err := instrument.Register(reg, "SLO", failed, count); err != nil {
		return nil, err
	}
	return &Catalog{document.NewCatalog(nil, document.Options[[]*Definition]{
		Files: openslo.Files(), Build: build, Log: log, Failed: failed, Count: count, Size: func(defs []*Definition) int { return len(defs) },
	})}, nil
}

// Definitions are those in force, sorted by name. The slice is shared: do not change it.
func (c *Catalog) Definitions() []*Definition { return c.Value() }
