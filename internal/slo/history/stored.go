package history

import (
	"hash/fnv"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/signalbox-project/signalbox/internal/store"
)

// Resume takes what the last run counted, where it counted the same; what
// passed since is read as if the process had slept.
func (h *History) Resume(l store.SLOLedger, now time.Time) {
	if l.Slots == nil || l.Measures != h.def.Measures() || l.Sealed.After(now) || now.Sub(l.Sealed) > h.def.Window {
		return
	}
	slots, err := s2.Decode(nil, l.Slots)
	if err != nil || h.ledger.Unmarshal(slots) != nil {
		return // damaged: history is read
	}
	h.sealed, h.loaded, h.kept = l.Sealed, h.def.Window, now
	h.backoff, h.nextScan = wholeRescan, now.Add(wholeRescan)
	if last, ok := h.ledger.Last(); ok {
		h.lastData = last
	}
}

// Stored is the ledger as it is kept from one run to the next, in which all changes up to heard are read; false when it is not
// worth keeping yet.
func (h *History) Stored(heard uint64) (store.SLOLedger, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.parts) > 0 || h.loaded < h.def.Window || len(h.queue) > 0 || h.owed {
		return store.SLOLedger{}, false
	}
	return store.SLOLedger{
		Name: h.def.Name, Measures: h.def.Measures(), Sealed: h.sealed, Heard: heard, Slots: s2.Encode(nil, h.ledger.Marshal()),
	}, true
}

// keepEvery is how often a ledger is stored: less often means that more is read at a start.
const keepEvery = time.Hour

// KeepDue reports whether the ledger is to be stored: each at its own time of the hour.
func (h *History) KeepDue(now time.Time) bool {
	if h.kept.IsZero() {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(h.def.Name))
		h.kept = now.Add(-time.Duration(hash.Sum32()) % keepEvery)
	}
	return now.Sub(h.kept) >= keepEvery
}

// Kept notes that it was.
func (h *History) Kept(now time.Time) { h.kept = now }
