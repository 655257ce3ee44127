package slo

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// birth is the first minute with data of an hour of which the ledger keeps
// coarser slots only. The age of a young promise scales its budget: counted in hours it
// would be off by a percent on the fourth day.
type birth struct {
	hour, at time.Time
	wanted   time.Time // hour to be read
}

// firstData is when data begins in the window that ends now. mu is held.
func (p *promise) firstData(now time.Time) (time.Time, bool) {
	first, ok := p.ledger.First(now)
	hour, start := first.Truncate(time.Hour), now.Add(-p.ledger.Window())
	switch {
	case !ok || !hour.After(start):
		return first, ok
	case !hour.Before(p.ledger.Start(ledger.Minute, p.ledger.Sealed())):
		p.birth = birth{hour: hour, at: first}
	case p.birth.hour.Equal(hour):
		return p.birth.at, true
	default:
		p.birth.wanted = hour
	}
	return first, true
}

// queueBirth has the minutes of the first hour read if they are wanted.
func (p *promise) queueBirth() {
	p.mu.Lock()
	hour := p.birth.wanted
	p.birth.wanted = time.Time{}
	p.mu.Unlock()
	if !hour.IsZero() {
		p.queue = append(p.queue, chunk{tier: ledger.Minute, from: hour, to: hour.Add(time.Hour), birth: true})
	}
}

func (p *promise) keepBirth(hour time.Time, cells []ledger.Cell) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.birth = birth{hour: hour, at: hour}
	for i, c := range cells {
		if c.Minutes > 0 {
			p.birth.at = hour.Add(time.Duration(i) * time.Minute)
			return
		}
	}
}
