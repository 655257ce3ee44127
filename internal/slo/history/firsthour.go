package history

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// firstHour is what happened in the hour in which a calendar window begins, before
// it begins. Where the ledger keeps hours only, a zone that is half an hour off would
// have that hour cut in proportion.
type firstHour struct {
	start time.Time // of the window
	cell  ledger.Cell
}

// queueFirstHour has it read next if it is not the one that is known.
func (h *History) queueFirstHour(at time.Time, again bool) {
	start, wants := h.def.WantsFirstHour(at)
	if !wants || h.firstHour.start.Equal(start) && !again {
		return
	}
	for _, c := range h.queue {
		if c.firstHour && c.to.Equal(start) {
			return
		}
	}
	h.queue = append([]chunk{{tier: ledger.Minute, from: start.Truncate(time.Hour), to: start, firstHour: true}}, h.queue...)
}

// keepHead keeps what was read of the minutes before a window. mu is not held.
func (h *History) keepHead(start time.Time, cells []ledger.Cell) {
	var sum ledger.Cell
	for _, c := range cells {
		sum = sum.Add(c)
	}
	h.mu.Lock()
	h.firstHour = firstHour{start: start, cell: sum}
	h.mu.Unlock()
}

// ledgerSum is the ledger's sum of (from, to], exact where a calendar window
// begins. mu is held.
func (h *History) ledgerSum(from, to time.Time) ledger.Cell {
	if !h.firstHour.start.Equal(from) || !from.Before(h.ledger.Start(ledger.FiveMinutes, h.sealed)) || to.Before(from) {
		return h.ledger.Sum(from, to)
	}
	return without(h.ledger.Sum(from.Truncate(time.Hour), to), h.firstHour.cell)
}
