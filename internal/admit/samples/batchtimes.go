package samples

import (
	"math"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/storage"
)

// mostSlots bounds how many samples of a batch are remembered at once, 32 bytes each.
const mostSlots = 1 << 17

// batchTimes finds two values for one time of one series within a batch, wherever they stand. The
// store finds this only at Commit, where it drops one of the two without a word. It is a
// table of open addressing, because it sees every sample.
type batchTimes struct {
	slots []slot
	used  int
	batch uint32 // which slots are of this batch
}

type slot struct {
	ref   storage.SeriesRef
	t     int64
	bits  uint64
	batch uint32
}

// begin forgets everything.
func (w *batchTimes) begin() {
	if w.batch++; w.batch == 0 {
		clear(w.slots)
		w.batch = 1
	}
	w.used = 0
}

// conflict remembers a sample, or reports that another value was seen for its time.
func (w *batchTimes) conflict(ref storage.SeriesRef, t int64, bits uint64) bool {
	if w.used*2 >= len(w.slots) {
		w.grow()
	}
	s := w.find(ref, t)
	if s.batch == w.batch {
		return s.bits != bits
	}
	*s = slot{ref: ref, t: t, bits: bits, batch: w.batch}
	w.used++
	return false
}

func (w *batchTimes) find(ref storage.SeriesRef, t int64) *slot {
	h := (uint64(ref)*0x9e3779b97f4a7c15 ^ uint64(t)) * 0xff51afd7ed558ccd //nolint:gosec // bits of a hash
	mask := uint64(len(w.slots) - 1)                                       //nolint:gosec // at least 255
	for i := h >> 32; ; i++ {
		s := &w.slots[i&mask]
		if s.batch != w.batch || s.ref == ref && s.t == t {
			return s
		}
	}
}

func (w *batchTimes) grow() {
	old, batch := w.slots, w.batch
	if len(old) == mostSlots {
		w.begin()
		return
	}
	w.slots = make([]slot, max(256, 2*len(old)))
	for i := range old {
		if old[i].batch == batch {
			*w.find(old[i].ref, old[i].t) = old[i]
		}
	}
}

// bitsOf tells values apart; histograms by their count and sum.
func bitsOf(v float64, h *histogram.Histogram, fh *histogram.FloatHistogram) uint64 {
	const mark = 0x9e3779b97f4a7c15 // a histogram is no number
	switch {
	case h != nil:
		return math.Float64bits(h.Sum) ^ (h.Count+1)*mark
	case fh != nil:
		return math.Float64bits(fh.Sum) ^ (math.Float64bits(fh.Count)+1)*mark
	}
	return math.Float64bits(v)
}
