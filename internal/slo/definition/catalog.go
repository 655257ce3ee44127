package definition

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// Load reads SLO files by glob patterns and answers what is usable and
// everything that is wrong with them. `check slos` and Catalog use it alike.
func Load(patterns []string) ([]*Definition, []Problem) {
	docs, problems := openslo.ReadFiles(patterns)
	defs, ps := Define(docs)
	return defs, append(problems, ps...)
}

// Catalog holds the definitions in force. Reload replaces them all or, when a
// file has an error, leaves the last good ones and keeps the errors to show.
// It is safe for concurrent use.
type Catalog struct {
	log     *slog.Logger
	current atomic.Pointer[catalogState]
	failed  prometheus.Gauge
	count   prometheus.Gauge
}

type catalogState struct {
	defs     []*Definition
	problems []Problem
	stale    bool // defs are of an earlier load
	loaded   bool // some load went well
}

// LoadError is a load that found errors.
type LoadError struct{ Problems []Problem }

// Error lists every problem, one a line.
func (e *LoadError) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		if !p.Warning {
			lines = append(lines, p.Error())
		}
	}
	return strings.Join(lines, "\n")
}

// NewCatalog makes an empty catalog.
func NewCatalog(log *slog.Logger, reg prometheus.Registerer) (*Catalog, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Catalog{
		log: log,
		failed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "signalbox_slo_load_failed", Help: "1 while the SLO files have errors and the last good definitions are in force.",
		}),
		count: prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_slo_definitions", Help: "SLOs in force."}),
	}
	c.current.Store(&catalogState{})
	if reg != nil {
		for _, m := range []prometheus.Collector{c.failed, c.count} {
			if err := reg.Register(m); err != nil {
				return nil, fmt.Errorf("register slo metrics: %w", err)
			}
		}
	}
	return c, nil
}

// Reload loads the files. With errors it returns a *LoadError; the first load ever then
// takes what is usable, because nothing good came before.
func (c *Catalog) Reload(patterns []string) error { return c.load(patterns, true) }

// Check reads the files as Reload does and remembers what is wrong with them,
// but puts nothing into force: another file of the same reload has an error.
func (c *Catalog) Check(patterns []string) error { return c.load(patterns, false) }

func (c *Catalog) load(patterns []string, apply bool) error {
	defs, problems := Load(patterns)
	failed := slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
	last := c.current.Load()
	next := &catalogState{defs: defs, problems: problems, loaded: last.loaded || apply && !failed}
	if !apply || failed && last.loaded {
		next.defs, next.stale = last.defs, true
	}
	c.current.Store(next)
	c.count.Set(float64(len(next.defs)))
	for _, p := range problems {
		if p.Warning {
			c.log.Warn("SLO file", "problem", p.Error())
		}
	}
	if !failed {
		c.failed.Set(0)
		return nil
	}
	c.failed.Set(1)
	return &LoadError{Problems: problems}
}

// Definitions are those in force, sorted by name. The slice is shared: do not change it.
func (c *Catalog) Definitions() []*Definition { return c.current.Load().defs }

// Problems is what the last load found, for the status page.
func (c *Catalog) Problems() []model.Problem {
	st := c.current.Load()
	out := make([]model.Problem, 0, len(st.problems))
	for _, p := range st.problems {
		mp := model.Problem{Severity: "warning", Message: Problem{File: p.File, Line: p.Line, Message: p.Message}.Error(), Cure: p.Cure}
		if !p.Warning {
			mp.Severity = "critical"
			if st.stale {
				mp.Message += " (the SLOs of the last good load stay in force)"
			}
		}
		out = append(out, mp)
	}
	return out
}
