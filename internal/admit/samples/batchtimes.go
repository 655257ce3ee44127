package samples

import (
	"math"

	"github.com/prometheus/prometheus/model/histogram"
)

// mostSlots bounds how many samples of a batch are remembered at once, 32 bytes each.
const mostSlots = 1 << 17

// batchTimes finds two values for one time of one series within a batch, wherever they stand. The
// store finds this only at Commit, where it drops one of the two without a word, or keeps both and reads the later. It is a
// table of open addressing, because it sees every sample.
type batchTimes struct {
	slots []slot
	used  int
	batch uint32 // which slots are of this batch
}

type slot struct {
	series uint64 // the hash of its labels
	t      int64
	bits   uint64
	batch  uint32
}

// begin forgets everything.
func (w *batchTimes) begin() {
	if w.batch++; w.batch == 0 {
		clear(w.slots)
		w.batch = 1
	}
	w.used = 0
}

// conflict reports whether another value was remembered for the time.
func (w *batchTimes) conflict(series uint64, t int64, bits uint64) bool {
	if w.used == 0 {
		return false
	}
	s := w.find(series, t)
	return s.batch == w.batch && s.bits != bits
}

// remember keeps the first value of a time.
func (w *batchTimes) remember(series uint64, t int64, bits uint64) {
	if w.used*2 >= len(w.slots) {
		w.grow()
	}
	if s := w.find(series, t); s.batch != w.batch {
		*s = slot{series: series, t: t, bits: bits, batch: w.batch}
		w.used++
	}
}

func (w *batchTimes) find(series uint64, t int64) *slot {
	h := (series*0x9e3779b97f4a7c15 ^ uint64(t)) * 0xff51afd7ed558ccd //nolint:gosec // bits of a hash
	mask := uint64(len(w.slots) - 1)                                  //nolint:gosec // at least 255
	for i := h >> 32; ; i++ {
		s := &w.slots[i&mask]
		if s.batch != w.batch || s.series == series && s.t == t {
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
			*w.find(old[i].series, old[i].t) = old[i]
		}
	}
}

// bitsOf tells values apart.
func bitsOf(v float64, h *histogram.Histogram, fh *histogram.FloatHistogram) uint64 {
	m := mix(0x9e3779b97f4a7c15) // a histogram is no number
	switch {
	case h != nil:
		m.add(h.Count, math.Float64bits(h.Sum), h.ZeroCount, math.Float64bits(h.ZeroThreshold), uint64(uint32(h.Schema))) //nolint:gosec // bits
		m.spans(h.PositiveSpans, h.NegativeSpans)
		for _, list := range [][]int64{h.PositiveBuckets, h.NegativeBuckets} {
			for _, n := range list {
				m.add(uint64(n)) //nolint:gosec // bits
			}
		}
		m.floats(h.CustomValues)
		return uint64(m)
	case fh != nil:
		m.floats([]float64{fh.Count, fh.Sum, fh.ZeroCount, fh.ZeroThreshold, float64(fh.Schema)})
		m.spans(fh.PositiveSpans, fh.NegativeSpans)
		m.floats(fh.PositiveBuckets)
		m.floats(fh.NegativeBuckets)
		m.floats(fh.CustomValues)
		return uint64(m)
	}
	return math.Float64bits(v)
}

// mix is a hash of what was added.
type mix uint64

func (m *mix) add(bits ...uint64) {
	for _, b := range bits {
		*m = (*m ^ mix(b)) * 0xff51afd7ed558ccd
		*m ^= *m >> 32
	}
}

func (m *mix) floats(list []float64) {
	for _, v := range list {
		m.add(math.Float64bits(v))
	}
}

func (m *mix) spans(lists ...[]histogram.Span) {
	for _, list := range lists {
		m.add(uint64(len(list)))
		for _, s := range list {
			m.add(uint64(uint32(s.Offset)), uint64(s.Length)) //nolint:gosec // bits
		}
	}
}
