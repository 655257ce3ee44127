package runbook

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Deps is what a Room is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // nil means time.Now
}

// Room has the runbooks in force.
type Room struct {
	*document.Catalog[[]Runbook]
	now func() time.Time
}

// New makes a Room without any runbook.
func New(deps Deps) (*Room, error) {
	failed := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "signalbox_runbook_load_failed", Help: "1 while runbooks have errors and their last good versions are in force.",
	})
	count := prometheus.NewGauge(prometheus.GaugeOpts{Name: "signalbox_runbooks", Help: "Runbooks in force."})
	if err := instrument.Register(deps.Registerer, "runbooks", failed, count); err != nil {
		return nil, err
	}
	r := &Room{now: deps.Now, Catalog: document.NewCatalog[[]Runbook](nil, document.Options[[]Runbook]{
		Files: Files(), Build: build, Log: instrument.Logger(deps.Logger), Failed: failed, Count: count,
		Size: func(list []Runbook) int { return len(list) },
	})}
	if r.now == nil {
		r.now = time.Now
	}
	return r, nil
}

// Listing is all runbooks.
type Listing struct {
	Summary  string    `json:"summary"`
	Runbooks []Runbook `json:"runbooks" doc:"by name"`
}

// List are those for an alert and a service, all without either, without their text.
func (r *Room) List(alert, service string) Listing {
	out := Listing{Runbooks: []Runbook{}}
	overdue := 0
	for _, b := range r.Value() {
		if alert != "" && !b.For(alert) || service != "" && !slices.Contains(b.Services, service) {
			continue
		}
		b = b.at(r.now())
		if b.Blocks = nil; b.Overdue {
			overdue++
		}
		out.Runbooks = append(out.Runbooks, b)
	}
	switch n := len(out.Runbooks); {
	case n == 0 && alert+service == "":
		out.Summary = "There is no runbook yet: name Markdown files in runbook_files."
	case n == 0:
		out.Summary = "No runbook is for that."
	case overdue > 0:
		out.Summary = fmt.Sprintf("%d of %d to be reviewed.", overdue, n)
	default:
		out.Summary = fmt.Sprintf("%d, each reviewed in time.", n)
	}
	return out
}

// ErrUnknown is wrapped where a runbook is asked for that is not there.
var ErrUnknown = store.ErrNotFound

// Get is one by its name.
func (r *Room) Get(name string) (Runbook, error) {
	var names []string
	for _, b := range r.Value() {
		if b.Name == name {
			return b.at(r.now()), nil
		}
		names = append(names, b.Name)
	}
	if len(names) == 0 {
		return Runbook{}, errors.Join(fmt.Errorf("there is no runbook yet, name Markdown files in runbook_files: %w", ErrUnknown))
	}
	return Runbook{}, fmt.Errorf("runbook %q: %w; %s", name, ErrUnknown, document.DidYouMean(name, names))
}
