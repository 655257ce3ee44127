package slo

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// tail is what happened in a window that began after the newest sealed minute:
// one of a minute or two, or a calendar window that has just begun. The live part of
// the ledger is longer than that.
type tail struct {
	from time.Time
	cell ledger.Cell
}

// readTails reads the windows that begin within the live part.
func (p *promise) readTails(ctx context.Context, cfg Config, q Querier, now time.Time) error {
	var tails []tail
	start, _ := p.def.Span(now)
	starts := []time.Time{start}
	for _, w := range p.def.BurnWindows(cfg.BurnAlerts) {
		starts = append(starts, now.Add(-w))
	}
	for _, from := range starts {
		if !from.After(p.sealed) || !from.Before(now) {
			continue
		}
		begin := from
		if _, events := p.def.Measure.(*indicator.Ratio); !events {
			begin = from.Truncate(time.Minute) // values and slices stand for whole minutes
		}
		c, err := p.def.Measure.Live(ctx, q, begin, now)
		if err != nil {
			return err
		}
		tails = append(tails, tail{from, c})
	}
	p.mu.Lock()
	p.tails = tails
	p.mu.Unlock()
	return nil
}

// liveSince is the live part of a window that begins at from. mu is held.
func (p *promise) liveSince(from time.Time) ledger.Cell {
	if !from.Before(p.liveTo) { // a calendar window begins this moment
		return ledger.Cell{}
	}
	for _, t := range p.tails {
		if t.from.Equal(from) {
			return t.cell
		}
	}
	return p.live
}
