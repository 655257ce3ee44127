package slo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Corrections keeps what people took out of promises; store/state does.
type Corrections interface {
	SLOCorrections(ctx context.Context) ([]model.SLOCorrection, error)
	AddSLOCorrection(ctx context.Context, c model.SLOCorrection) (model.SLOCorrection, error)
	// DeleteSLOCorrection answers store.ErrNotFound when an SLO has no such correction.
	DeleteSLOCorrection(ctx context.Context, slo, id string) error
}

// maxCorrection bounds a correction; a longer one is a change of the promise.
const maxCorrection = 31 * 24 * time.Hour

// Corrections lists what was taken out of a promise, oldest first.
func (e *Engine) Corrections(_ context.Context, name string) ([]model.SLOCorrection, error) {
	if e.find(name) == nil {
		return nil, fmt.Errorf("SLO %s: %w", name, store.ErrNotFound)
	}
	return slices.Clone((*e.corrections.Load())[name]), nil
}

// Correct takes a span of time out of a promise. The next evaluation counts
// without it.
func (e *Engine) Correct(ctx context.Context, c model.SLOCorrection) (model.SLOCorrection, error) {
	p := e.find(c.SLO)
	c.Author, c.Reason = strings.TrimSpace(c.Author), strings.TrimSpace(c.Reason)
	if c.Kind == "" {
		c.Kind = "maintenance"
	}
	switch {
	case p == nil:
		return c, fmt.Errorf("SLO %s: %w", c.SLO, store.ErrNotFound)
	case e.deps.Corrections == nil:
		return c, errors.New("corrections are not kept here")
	case p.definition().Group != nil:
		return c, badRange{fmt.Errorf("SLO %s is a group: correct %s, for all of its groups", c.SLO, p.definition().Group.Of)}
	case len(p.definition().Parts) > 0:
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

// exclusion is a span of minutes that does not count: corrections that touch
// are one.
type exclusion struct {
	from, to time.Time
	cells    []ledger.Cell // by minute, from from; those that were read
	known    []bool
}

// correct makes the promise follow its corrections. What it knows of spans
// that stay is kept; others are read.
func (p *promise) correct(list []model.SLOCorrection) {
	if slices.EqualFunc(list, p.corrections, func(a, b model.SLOCorrection) bool { return a.ID == b.ID && a.End.Equal(b.End) }) {
		return
	}
	var next []*exclusion
	for _, c := range list {
		if n := len(next); n > 0 && !c.Start.After(next[n-1].to) {
			next[n-1].to = times.Later(next[n-1].to, c.End)
			continue
		}
		next = append(next, &exclusion{from: c.Start, to: c.End})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range next {
		n := int(x.to.Sub(x.from) / time.Minute)
		x.cells, x.known = make([]ledger.Cell, n), make([]bool, n)
	}
	p.corrections, p.exclusions = slices.Clone(list), next
	p.queueExclusions(p.sealed)
}

// queueExclusions has the excluded minutes that ended before sealTo read first of all.
func (p *promise) queueExclusions(sealTo time.Time) {
	p.queue = slices.DeleteFunc(p.queue, func(c chunk) bool { return c.excluded })
	for _, x := range p.exclusions {
		for from := x.from; from.Before(times.Earlier(x.to, sealTo)); from = from.Add(8 * time.Hour) {
			to := times.Earlier(times.Earlier(from.Add(8*time.Hour), x.to), sealTo)
			p.queue = append([]chunk{{tier: ledger.Minute, from: from, to: to, excluded: true}}, p.queue...)
		}
	}
}

// exclude keeps the minutes of (from, …] that do not count. mu is held.
func (p *promise) exclude(from time.Time, cells []ledger.Cell) {
	for _, x := range p.exclusions {
		for i := range cells {
			if k := int(from.Add(time.Duration(i)*time.Minute).Sub(x.from) / time.Minute); k >= 0 && k < len(x.cells) && !from.Add(time.Duration(i)*time.Minute).Before(x.from) {
				x.cells[k], x.known[k] = cells[i], true
			}
		}
	}
}

// excludedIn is what happened in (from, to] and does not count, and how long
// that was. mu is held.
func (p *promise) excludedIn(from, to time.Time) (sum ledger.Cell, d time.Duration) {
	begin, end := p.cutAt(from)
	for _, x := range p.exclusions {
		if a, b := times.Later(from, x.from), times.Earlier(to, x.to); b.After(a) {
			d += b.Sub(a)
		}
		// Of the slot that the window cuts counts as much as of what it is taken from.
		if end.After(begin) {
			share := float64(end.Sub(from)) / float64(end.Sub(begin))
			sum = sum.Add(p.excludedOf(x, begin, times.Earlier(end, to)).Scale(share))
		}
		sum = sum.Add(p.excludedOf(x, end, to))
	}
	return sum, d
}

// cutAt is the ledger's slot that a window which begins at from cuts; begin and
// end are from where none is. mu is held.
func (p *promise) cutAt(from time.Time) (begin, end time.Time) {
	if p.head.start.Equal(from) || !from.Before(p.sealed) {
		return from, from
	}
	return p.ledger.Cut(from)
}

// excludedOf is what happened in (from, to] and in one exclusion. mu is held.
func (p *promise) excludedOf(x *exclusion, from, to time.Time) (sum ledger.Cell) {
	a, b := times.Later(from, x.from), times.Earlier(to, x.to)
	for at := a; at.Before(times.Earlier(b, p.sealed)); {
		k := int(at.Sub(x.from) / time.Minute)
		next := times.Earlier(times.Earlier(x.from.Add(time.Duration(k+1)*time.Minute), b), p.sealed)
		if x.known[k] {
			sum = sum.Add(x.cells[k].Scale(next.Sub(at).Minutes()))
		} else {
			sum = sum.Add(p.ledger.Sum(at, next))
		}
		at = next
	}
	// The live part counts in proportion until its minutes are sealed.
	if l, r := times.Later(a, p.sealed), times.Earlier(b, p.liveTo); r.After(l) && p.liveTo.After(p.sealed) {
		sum = sum.Add(p.live.Scale(float64(r.Sub(l)) / float64(p.liveTo.Sub(p.sealed))))
	}
	return sum
}

// without is sum less what does not count.
func without(sum, excluded ledger.Cell) ledger.Cell {
	c := sum.Sub(excluded)
	c.Minutes = max(c.Minutes, 0)
	return c
}
