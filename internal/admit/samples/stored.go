package samples

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

const (
	// readerLength is what one reader of the store sees: Unix milliseconds from a multiple of it on.
	readerLength = int64(2 * time.Hour / time.Millisecond)
	// stretchSamples is how many samples of a series are read at once, beginning with the time of one that is late: late
	// samples come in runs, and what is stored after it is in the same few chunks.
	stretchSamples = 480
	// mostReaders and mostKnown bound what one batch keeps of what it read.
	mostReaders = 8
	mostKnown   = 1 << 16
)

// storedTimes finds for late samples of one batch whether the store has another value at their time. The store looks only at the
// newest sample of a series; of late ones it drops the second without a word, or keeps both, and a query gives one of them.
type storedTimes struct {
	store   storage.Queryable
	readers map[int64]storage.Querier // by the time from which on they see
	known   map[uint64]stretch        // by the hash of a series' labels
	values  int                       // in known
}

// stretch is what is stored of a series from one time to another, both included.
type stretch struct {
	from, to int64
	values   map[int64]uint64
}

// put gives the store one sample, unless another value is there for its time: in the batch, or, where the sample is late, in the store.
func (ap *appender) put(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions) (storage.SeriesRef, error) {
	if ap.seen == nil {
		ap.seen = ap.a.seen.Get().(*batchTimes)
		ap.seen.begin()
	}
	series, bits := ls.Hash(), bitsOf(v, h, fh)
	if ap.seen.conflict(series, t, bits) {
		return ref, storage.ErrDuplicateSampleForTimestamp
	}
	ask := !opts.RejectOutOfOrder && ap.a.looksBack()
	got, err := storage.SeriesRef(0), storage.ErrOutOfOrderSample
	// Only the store knows which sample of a series is its newest, so it is asked. What follows a late one is late, too, as a rule.
	if !ask || !ap.past.knows(series) {
		first := opts
		first.RejectOutOfOrder = opts.RejectOutOfOrder || ask
		got, err = ap.next.Append(ref, ls, st, t, v, h, fh, first)
	}
	if ask && errors.Is(err, storage.ErrOutOfOrderSample) {
		if ap.past == nil {
			ap.past = &storedTimes{store: ap.a.deps.Stored}
		}
		if ap.past.differs(ls, series, t, plainBits(v, h, fh)) {
			return ref, storage.ErrDuplicateSampleForTimestamp
		}
		got, err = ap.next.Append(ref, ls, st, t, v, h, fh, opts)
	}
	if err == nil || isPartial(err) {
		ap.seen.remember(series, t, bits)
	}
	return got, err
}

// looksBack reports whether the store takes late samples, and can be asked what it has.
func (a *Admission) looksBack() bool { return a.deps.Stored != nil && a.deps.OutOfOrderWindow > 0 }

// knows reports whether a sample of the series was late in this batch.
func (s *storedTimes) knows(series uint64) bool {
	if s == nil {
		return false
	}
	_, ok := s.known[series]
	return ok
}

// differs reports whether another value is stored for the time. What cannot be read keeps no sample out.
func (s *storedTimes) differs(ls labels.Labels, series uint64, t int64, bits uint64) bool {
	known, ok := s.known[series]
	if !ok || t < known.from || t > known.to {
		known = s.read(ls, t)
		if s.values += len(known.values) + 1; s.known == nil || s.values > mostKnown {
			s.known, s.values = map[uint64]stretch{}, len(known.values)+1
		}
		s.known[series] = known
	}
	other, ok := known.values[t]
	return ok && other != bits
}

func (s *storedTimes) read(ls labels.Labels, t int64) stretch {
	start := t - ((t%readerLength)+readerLength)%readerLength
	out := stretch{from: t, to: start + readerLength - 1, values: map[int64]uint64{}}
	q := s.reader(start, out.to)
	if q == nil {
		return out
	}
	matchers := make([]*labels.Matcher, 0, ls.Len())
	ls.Range(func(l labels.Label) {
		matchers = append(matchers, labels.MustNewMatcher(labels.MatchEqual, l.Name, l.Value))
	})
	set := q.Select(context.Background(), false, nil, matchers...)
	for set.Next() {
		if series := set.At(); labels.Equal(series.Labels(), ls) { // not one with more labels
			out.collect(series.Iterator(nil))
		}
	}
	return out
}

func (s *storedTimes) reader(start, end int64) storage.Querier {
	q, ok := s.readers[start]
	if ok {
		return q
	}
	q, err := s.store.Querier(start, end)
	if err != nil {
		return nil
	}
	if len(s.readers) >= mostReaders {
		s.close()
	}
	if s.readers == nil {
		s.readers = map[int64]storage.Querier{}
	}
	s.readers[start] = q
	return q
}

func (s *stretch) collect(it chunkenc.Iterator) {
	for kind := it.Seek(s.from); kind != chunkenc.ValNone; kind = it.Next() {
		t := it.AtT()
		switch kind {
		case chunkenc.ValFloat:
			_, v := it.At()
			s.values[t] = plainBits(v, nil, nil)
		case chunkenc.ValHistogram:
			_, h := it.AtHistogram(nil)
			s.values[t] = plainBits(0, h, nil)
		case chunkenc.ValFloatHistogram:
			_, fh := it.AtFloatHistogram(nil)
			s.values[t] = plainBits(0, nil, fh)
		case chunkenc.ValNone: // the loop's end
		}
		if len(s.values) == stretchSamples {
			s.to = t
			return
		}
	}
}

// plainBits are bitsOf a sample as it reads after it was stored: an end of a series has the type of what is around it, and a
// histogram the buckets of its chunk, of which some are empty.
func plainBits(v float64, h *histogram.Histogram, fh *histogram.FloatHistogram) uint64 {
	switch {
	case h != nil && value.IsStaleNaN(h.Sum), fh != nil && value.IsStaleNaN(fh.Sum):
		return value.StaleNaN
	case h != nil:
		return bitsOf(0, h.Copy().Compact(0), nil)
	case fh != nil:
		return bitsOf(0, nil, fh.Copy().Compact(0))
	}
	return math.Float64bits(v)
}

// forget ends what was read: the next batch sees what this one stores.
func (ap *appender) forget() {
	if ap.past != nil {
		ap.past.close()
		ap.past = nil
	}
}

func (s *storedTimes) close() {
	for _, q := range s.readers {
		_ = q.Close()
	}
	s.readers = nil
}
