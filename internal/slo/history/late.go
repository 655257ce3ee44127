package history

import (
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Requeue has the pieces of history read again that hold the hours.
func (h *History) Requeue(hours []time.Time) {
	for _, c := range h.plan(h.sealed) {
		from, to := time.Time{}, time.Time{}
		for _, hour := range hours {
			if !hour.Add(time.Hour).After(c.from) || !hour.Before(c.to) {
				continue
			}
			if from.IsZero() {
				from = times.Later(c.from, hour)
			}
			to = times.Earlier(c.to, hour.Add(time.Hour))
		}
		c.from, c.to, c.again = from, to, true
		if !from.IsZero() && !slices.Contains(h.queue, c) {
			h.queue = append(h.queue, c)
			h.kept = time.Unix(1, 0) // what is stored of it is wrong: store it again once it is read
		}
	}
	h.queueExclusions(h.sealed)
}

// forgets reports whether the store drops what was counted: old spans and logs. Metrics are kept for as long as the store is
// told to keep them, deployments for ever, and those change.
func (h *History) forgets() bool {
	s := indicator.EventsOf(h.def.Measure)
	return s != nil && s.Signal() != indicator.Deploys
}

// keepCounted puts back what the ledger has where less is read now: the store
// drops old spans and logs, and what was counted stays counted.
func (h *History) keepCounted(tier ledger.Tier, from time.Time, cells []ledger.Cell) {
	if !h.forgets() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range cells {
		if had := h.ledger.Get(tier, from.Add(time.Duration(i)*tier.Width())); had.Total > cells[i].Total {
			cells[i] = had
		}
	}
}
