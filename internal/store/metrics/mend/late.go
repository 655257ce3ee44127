package mend

import (
	"fmt"
	"path/filepath"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

// lateLog mends the log of late samples and makes it the one place that they are read from.
//
// Its markers say that the samples of a series before them are in mapped chunks, so that the
// replay drops them. They are not to be believed: the TSDB writes them while those
// chunks still stand in a buffer in memory; an earlier process's marker points at what a
// later one wrote; and of a series that was made anew under another number the replay takes
// the chunks of one number only. So the markers go, the replay keeps all samples that
// no block has yet, and the mapped chunks of late samples go, too: with them in place each start
// would map all late samples once more beside what earlier starts mapped.
//
// Where the log itself was damaged the mapped chunks stay, as they may hold what it lost.
func (m *mender) lateLog() error {
	dir := filepath.Join(m.dir, acked.Late)
	m.late = lateSamples{decoder: newDecoder(), numbers: map[chunks.HeadSeriesRef]bool{}}
	before := len(m.found)
	numbers, err := m.segments(dir)
	if err != nil {
		return err
	}
	m.lateMissing(numbers)
	m.visit = m.late.visit
	err = m.oneLog(dir, -1, -1)
	m.visit = nil
	if err != nil || len(m.found) > before {
		return err
	}
	if m.lateDamaged() {
		return nil
	}
	return m.unmapLate()
}

// lateDamaged reports whether the log lacks what an earlier start could not read, and no late samples were put into
// blocks since.
func (m *mender) lateDamaged() bool {
	earlier, _ := m.earlier() // an unreadable list is named where it is written
	for _, d := range earlier {
		if (d.File == acked.Late || filepath.Dir(d.File) == acked.Late) && !d.Found.Before(m.lateWritten) {
			return true
		}
	}
	return false
}

func newDecoder() record.Decoder {
	return record.NewDecoder(labels.NewSymbolTable(), instrument.Silent())
}

// lateSamples is what is known of the log of late samples.
type lateSamples struct {
	decoder record.Decoder
	numbers map[chunks.HeadSeriesRef]bool // series that have samples in it
	to      map[chunks.HeadSeriesRef]chunks.HeadSeriesRef
}

// visit notes the numbers of a record and has markers removed.
func (l *lateSamples) visit(rec []byte) (remove bool) {
	if l.decoder.Type(rec) == record.MmapMarkers {
		return true
	}
	_ = l.each(rec, func(ref *chunks.HeadSeriesRef) { l.numbers[*ref] = true })
	return false
}

// each calls f with the number of every sample of a record, which f may change; written is what then is to be
// written in its place.
func (l *lateSamples) each(rec []byte, f func(ref *chunks.HeadSeriesRef)) (written func() (main, custom []byte)) {
	typ := l.decoder.Type(rec)
	enc := record.Encoder{EnableSTStorage: typ == record.SamplesV2 || typ == record.HistogramSamplesV2 || typ == record.FloatHistogramSamplesV2}
	// What does not decode is a hole, found before by its checksum.
	switch typ {
	case record.Samples, record.SamplesV2:
		samples, _ := l.decoder.Samples(rec, nil)
		for i := range samples {
			f(&samples[i].Ref)
		}
		return func() (main, custom []byte) { return enc.Samples(samples, nil), nil }
	case record.HistogramSamples, record.CustomBucketsHistogramSamples, record.HistogramSamplesV2:
		samples, _ := l.decoder.HistogramSamples(rec, nil)
		for i := range samples {
			f(&samples[i].Ref)
		}
		return func() (main, custom []byte) {
			main, rest := enc.HistogramSamples(samples, nil)
			return main, customBuckets(rest, enc.CustomBucketsHistogramSamples)
		}
	case record.FloatHistogramSamples, record.CustomBucketsFloatHistogramSamples, record.FloatHistogramSamplesV2:
		samples, _ := l.decoder.FloatHistogramSamples(rec, nil)
		for i := range samples {
			f(&samples[i].Ref)
		}
		return func() (main, custom []byte) {
			main, rest := enc.FloatHistogramSamples(samples, nil)
			return main, customBuckets(rest, enc.CustomBucketsFloatHistogramSamples)
		}
	}
	return func() (main, custom []byte) { return nil, nil }
}

// customBuckets is the record of those that need one of their own.
func customBuckets[T any](rest []T, encode func([]T, []byte) []byte) []byte {
	if len(rest) == 0 {
		return nil
	}
	return encode(rest, nil)
}

// renumbered is what a record says under the numbers that stay, or nil if it names no other.
func (l *lateSamples) renumbered(rec []byte) (out [][]byte) {
	changed := false
	written := l.each(rec, func(ref *chunks.HeadSeriesRef) {
		if stays, ok := l.to[*ref]; ok {
			*ref, changed = stays, true
		}
	})
	if !changed {
		return nil
	}
	main, custom := written()
	for _, text := range [][]byte{main, custom} {
		if len(text) > 0 {
			out = append(out, text)
		}
	}
	return out
}

// renumber writes the late samples of series that have several numbers once more, under the one that the replay
// gives the series, and then removes them where they stood. The TSDB drops the other numbers'
// labels with its next checkpoint, also while late samples still need them.
func (m *mender) renumber() error {
	if len(m.late.to) == 0 {
		return nil
	}
	dir := filepath.Join(m.dir, acked.Late)
	numbers, err := segmentsOf(dir)
	if err != nil {
		return err
	}
	w, err := wlog.New(instrument.Silent(), nil, dir, compression.Snappy) // begins a segment of its own
	if err != nil {
		return fmt.Errorf("open the log of late samples: %w", err)
	}
	for _, n := range numbers {
		var failed error
		err := eachRecord(filepath.Join(dir, segmentName(n)), func(_ int64, rec []byte) {
			if texts := m.late.renumbered(rec); texts != nil && failed == nil {
				failed = w.Log(texts...)
			}
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			_ = w.Close()
			return fmt.Errorf("renumber late samples: %w", err)
		}
	}
	if err := w.Close(); err != nil { // which brings them to the disk
		return fmt.Errorf("renumber late samples: %w", err)
	}
	m.visit = func(rec []byte) bool { return m.late.renumbered(rec) != nil }
	defer func() { m.visit = nil }()
	m.log.Info("late samples of series with several numbers were brought under one", "series", len(m.late.to))
	for _, n := range numbers {
		if err := m.oneSegment(filepath.Join(dir, segmentName(n)), false); err != nil {
			return err
		}
	}
	return nil
}
