package history

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// birth is the first minute with data of an hour of which the ledger keeps
// coarser slots only. The age of a young SLO scales its budget: counted in hours it
// would be off by a percent on the fourth day.
type birth struct {
	hour, at time.Time
	wanted   time.Time // hour to be read
}

// firstData is when data begins in the window that ends now. mu is held.
func (h *History) firstData(now time.Time) (time.Time, bool) {
	first, ok := h.ledger.First(now)
	hour, start := first.Truncate(time.Hour), now.Add(-h.ledger.Window())
	switch {
	case !ok || !hour.After(start):
		return first, ok
	case !hour.Before(h.ledger.Start(ledger.Minute, h.ledger.Sealed())):
		h.birth = birth{hour: hour, at: first}
	case h.birth.hour.Equal(hour):
		return h.birth.at, true
	default:
		h.birth.wanted = hour
	}
	return first, true
}

// queueBirth has the minutes of the first hour read if they are wanted.
func (h *History) queueBirth() {
	h.mu.Lock()
	hour := h.birth.wanted
	h.birth.wanted = time.Time{}
	h.mu.Unlock()
	if !hour.IsZero() {
		h.queue = append(h.queue, chunk{tier: ledger.Minute, from: hour, to: hour.Add(time.Hour), birth: true})
	}
}

func (h *History) keepBirth(hour time.Time, cells []ledger.Cell) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.birth = birth{hour: hour, at: hour}
	for i, c := range cells {
		if c.Minutes > 0 {
			h.birth.at = hour.Add(time.Duration(i) * time.Minute)
			return
		}
	}
}
