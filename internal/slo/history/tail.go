package history

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
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
func (h *History) readTails(ctx context.Context, limits judgement.Limits, q indicator.Querier, now time.Time) error {
	var tails []tail
	start, _ := h.def.Span(now)
	starts := []time.Time{start}
	for _, w := range limits.Windows(h.def) {
		starts = append(starts, now.Add(-w))
	}
	for _, from := range starts {
		if !from.After(h.sealed) || !from.Before(now) {
			continue
		}
		begin := from
		if _, events := h.def.Measure.(*indicator.Ratio); !events {
			begin = from.Truncate(time.Minute) // values and slices stand for whole minutes
		}
		c, err := h.def.Measure.Live(ctx, q, begin, now)
		if err != nil {
			return err
		}
		tails = append(tails, tail{from, c})
	}
	h.mu.Lock()
	h.tails = tails
	h.mu.Unlock()
	return nil
}

// liveSince is the live part of a window that begins at from. mu is held.
func (h *History) liveSince(from time.Time) ledger.Cell {
	if !from.Before(h.liveTo) { // a calendar window begins this moment
		return ledger.Cell{}
	}
	for _, t := range h.tails {
		if t.from.Equal(from) {
			return t.cell
		}
	}
	return h.live
}
