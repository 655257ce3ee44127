package history

import (
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// chunk is a piece of history to read into one tier.
type chunk struct {
	tier      ledger.Tier
	from, to  time.Time
	excluded  bool // only for the minutes that corrections take out
	firstHour bool // only for the minutes before a calendar window
	birth     bool // only for the first minute with data
	again     bool // read before; events came since
}

// special reports whether the chunk is for something else than the ledger.
func (c chunk) special() bool { return c.excluded || c.firstHour || c.birth }

// How often history is read again: soon while parts of the window are
// missing (somebody may be filling them), rarely once it is whole.
const (
	firstRescan = 5 * time.Second // also after an error
	maxRescan   = 30 * time.Minute
	wholeRescan = 6 * time.Hour
)

// plan lists the chunks of a full read, newest first.
func (h *History) plan(sealTo time.Time) []chunk {
	var out []chunk
	hour := sealTo.Truncate(time.Hour)
	end := sealTo
	for _, part := range []struct {
		tier ledger.Tier
		size time.Duration
	}{{ledger.Minute, 8 * time.Hour}, {ledger.FiveMinutes, 24 * time.Hour}, {ledger.Hour, 7 * 24 * time.Hour}} {
		start := h.ledger.Start(part.tier, sealTo)
		if windowStart := hour.Add(-h.def.Window); start.Before(windowStart) {
			start = windowStart
		}
		for end.After(start) {
			from := end.Add(-part.size).Truncate(time.Hour)
			if from.Before(start) {
				from = start
			}
			out = append(out, chunk{tier: part.tier, from: from, to: end})
			end = from
		}
	}
	return out
}

// rescan queues all history to be read again.
func (h *History) rescan(sealTo time.Time) {
	h.owed = false
	h.queue = h.plan(sealTo)
	h.mu.Lock()
	h.birth = birth{} // samples may have come that are older
	h.mu.Unlock()
	h.queueFirstHour(sealTo, true)
	h.queueExclusions(sealTo)
}

// catchUp queues what passed since the newest sealed minute: the process was
// asleep or not running. Older history that was still to be read stays so.
func (h *History) catchUp(sealTo time.Time) {
	h.mu.Lock()
	h.loaded = 0 // what lies between is not known
	h.mu.Unlock()
	if h.owed || slices.ContainsFunc(h.queue, func(c chunk) bool { return !c.special() && !c.again }) {
		h.rescan(sealTo)
		return
	}
	changed := slices.DeleteFunc(slices.Clone(h.queue), func(c chunk) bool { return !c.again })
	since := h.sealed.Add(-h.def.Measure.Reread()).Truncate(time.Hour)
	h.rescan(sealTo)
	h.queue = slices.DeleteFunc(h.queue, func(c chunk) bool { return !c.special() && !c.to.After(since) })
	for i := range h.queue {
		if c := &h.queue[i]; !c.special() {
			c.from = times.Later(c.from, since)
		}
	}
	h.replan(changed, sealTo)
}
