package slo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Corrections keeps what people took out of SLOs; store/state does.
type Corrections interface {
	SLOCorrections(ctx context.Context) ([]model.SLOCorrection, error)
	AddSLOCorrection(ctx context.Context, c model.SLOCorrection) (model.SLOCorrection, error)
	// DeleteSLOCorrection answers store.ErrNotFound when an SLO has no such correction.
	DeleteSLOCorrection(ctx context.Context, slo, id string) error
}

// maxCorrection bounds a correction; a longer one is a change of the objective.
const maxCorrection = 31 * 24 * time.Hour

// Corrections lists what was taken out of an SLO, oldest first.
func (e *Engine) Corrections(_ context.Context, name string) ([]model.SLOCorrection, error) {
	if e.find(name) == nil {
		return nil, fmt.Errorf("SLO %s: %w", name, store.ErrNotFound)
	}
	return slices.Clone((*e.corrections.Load())[name]), nil
}

// Correct takes a span of time out of an SLO. The next evaluation counts
// without it.
func (e *Engine) Correct(ctx context.Context, c model.SLOCorrection) (model.SLOCorrection, error) {
	o := e.find(c.SLO)
	c.Author, c.Reason = strings.TrimSpace(c.Author), strings.TrimSpace(c.Reason)
	if c.Kind == "" {
		c.Kind = "maintenance"
	}
	switch {
	case o == nil:
		return c, fmt.Errorf("SLO %s: %w", c.SLO, store.ErrNotFound)
	case e.deps.Corrections == nil:
		return c, errors.New("corrections are not kept here")
	case o.definition().Group != nil:
		return c, badRange{fmt.Errorf("SLO %s is a group: correct %s, for all of its groups", c.SLO, o.definition().Group.Of)}
	case len(o.definition().Parts) > 0:
		return c, badRange{fmt.Errorf("SLO %s is a composite: correct its parts", c.SLO)}
	case c.Author == "" || c.Reason == "":
		return c, badRange{errors.New("a correction needs an author and a reason")}
	case c.Kind != "maintenance" && c.Kind != "exclusion":
		return c, badRange{fmt.Errorf("kind %q is neither maintenance nor exclusion", c.Kind)}
	case !c.End.After(c.Start):
		return c, badRange{fmt.Errorf("the correction ends at %s, before it begins at %s", c.End, c.Start)}
	case c.End.Sub(c.Start) > maxCorrection:
		return c, badRange{fmt.Errorf("a correction of %s is longer than %s", c.End.Sub(c.Start), maxCorrection)}
	}
	c.Start = c.Start.UTC().Truncate(time.Minute)
	if end := c.End.UTC().Truncate(time.Minute); end.Before(c.End) {
		c.End = end.Add(time.Minute)
	}
	c.End, c.Created = c.End.UTC(), e.deps.Now().UTC()
	stored, err := e.deps.Corrections.AddSLOCorrection(ctx, c)
	if err != nil {
		return c, err
	}
	return stored, e.loadCorrections(ctx)
}

// Uncorrect takes a correction back.
func (e *Engine) Uncorrect(ctx context.Context, name, id string) error {
	if e.deps.Corrections == nil {
		return fmt.Errorf("correction %s: %w", id, store.ErrNotFound)
	}
	if err := e.deps.Corrections.DeleteSLOCorrection(ctx, name, id); err != nil {
		return err
	}
	return e.loadCorrections(ctx)
}

func (e *Engine) loadCorrections(ctx context.Context) error {
	if e.deps.Corrections == nil {
		return nil
	}
	all, err := e.deps.Corrections.SLOCorrections(ctx)
	if err != nil {
		return fmt.Errorf("read SLO corrections: %w", err)
	}
	by := map[string][]model.SLOCorrection{}
	for _, c := range all {
		by[c.SLO] = append(by[c.SLO], c)
	}
	for _, list := range by {
		slices.SortFunc(list, func(a, b model.SLOCorrection) int { return a.Start.Compare(b.Start) })
	}
	e.corrections.Store(&by)
	return nil
}
