package slo

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// head is what happened in the hour in which a calendar window begins, before
// it begins. Where the ledger keeps hours only, a zone that is half an hour off would
// have that hour cut in proportion.
type head struct {
	start time.Time // of the window
	cell  ledger.Cell
}

// queueHead has the head read next if it is not the one that is known.
func (p *promise) queueHead(at time.Time, again bool) {
	start, wants := p.def.WantsHead(at)
	if !wants || p.head.start.Equal(start) && !again {
		return
	}
	for _, c := range p.queue {
		if c.head && c.to.Equal(start) {
			return
		}
	}
	p.queue = append([]chunk{{tier: ledger.Minute, from: start.Truncate(time.Hour), to: start, head: true}}, p.queue...)
}

// keepHead keeps what was read of the minutes before a window. mu is not held.
func (p *promise) keepHead(start time.Time, cells []ledger.Cell) {
	var sum ledger.Cell
	for _, c := range cells {
		sum = sum.Add(c)
	}
	p.mu.Lock()
	p.head = head{start: start, cell: sum}
	p.mu.Unlock()
}

// ledgerSum is the ledger's sum of (from, to], exact where a calendar window
// begins. mu is held.
func (p *promise) ledgerSum(from, to time.Time) ledger.Cell {
	if !p.head.start.Equal(from) || !from.Before(p.ledger.Start(ledger.FiveMinutes, p.sealed)) || to.Before(from) {
		return p.ledger.Sum(from, to)
	}
	return without(p.ledger.Sum(from.Truncate(time.Hour), to), p.head.cell)
}
