package mend

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// placeholder is the name of a series that keeps an identifier from being given again.
const placeholder = "signalbox_metrics_log_damaged"

// around finds the times of the samples right before and after a hole; zero
// where its segment has none.
func around(path string, h hole) (before, after time.Time, err error) {
	d := newDecoder()
	err = eachRecord(path, func(at int64, rec []byte) {
		samples := samplesOf(d, rec)
		switch {
		case len(samples) == 0:
		case at <= h.offset:
			before = time.UnixMilli(samples[len(samples)-1].T).UTC()
		case after.IsZero():
			after = time.UnixMilli(samples[0].T).UTC()
		}
	})
	if !after.IsZero() && after.Before(before) { // one of them came late
		before, after = after, before
	}
	return before, after, err
}

// orphans counts the samples of the log whose series' labels are lost, and
// keeps the identifiers of those series from being given to others, to whom
// the next replay would add the old samples.
func (m *mender) orphans(wal string) error {
	checkpoint, _, err := newestCheckpoint(wal)
	if err != nil {
		return err
	}
	var paths []string
	for _, dir := range []string{checkpoint, wal} {
		if dir == "" {
			continue
		}
		numbers, err := segmentsOf(dir)
		if err != nil {
			return err
		}
		for _, n := range numbers {
			paths = append(paths, filepath.Join(dir, segmentName(n)))
		}
	}
	lost, highest, err := lostSeries(paths)
	if err != nil || lost == 0 {
		return err
	}
	m.found[len(m.found)-1].Orphans = lost
	if highest == 0 {
		return nil
	}
	return reserve(wal, highest)
}

// lostSeries counts the samples whose series no record before them describes; highest is the
// largest identifier among them if it is above all described ones, else 0.
func lostSeries(paths []string) (samples int, highest chunks.HeadSeriesRef, err error) {
	d := newDecoder()
	known := map[chunks.HeadSeriesRef]bool{}
	var top chunks.HeadSeriesRef
	for _, path := range paths {
		err := eachRecord(path, func(_ int64, rec []byte) {
			if d.Type(rec) == record.Series {
				series, _ := d.Series(rec, nil) // damage was mended: the rest decodes
				for _, s := range series {
					known[s.Ref], top = true, max(top, s.Ref)
				}
				return
			}
			for _, s := range samplesOf(d, rec) {
				if !known[s.Ref] {
					samples, highest = samples+1, max(highest, s.Ref)
				}
			}
		})
		if err != nil {
			return 0, 0, err
		}
	}
	if highest <= top {
		highest = 0
	}
	return samples, highest, nil
}

// reserve appends a series with the given identifier to the log; it has no
// samples, so the TSDB drops it after the replay.
func reserve(wal string, ref chunks.HeadSeriesRef) error {
	w, err := wlog.New(instrument.Silent(), nil, wal, compression.None)
	if err != nil {
		return fmt.Errorf("open the log of metrics to reserve identifiers: %w", err)
	}
	var e record.Encoder
	text := e.Series([]record.RefSeries{{Ref: ref, Labels: labels.FromStrings(labels.MetricName, placeholder)}}, nil)
	if err := w.Log(text); err != nil {
		_ = w.Close()
		return fmt.Errorf("reserve identifiers in the log of metrics: %w", err)
	}
	return w.Close()
}

func samplesOf(d record.Decoder, rec []byte) []record.RefSample {
	switch d.Type(rec) {
	case record.Samples, record.SamplesV2:
		samples, _ := d.Samples(rec, nil) // damage was mended: the rest decodes
		return samples
	}
	return nil
}

// eachRecord reads the records of a mended segment; at is the offset of their end.
func eachRecord(path string, f func(at int64, rec []byte)) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open log segment: %w", err)
	}
	defer file.Close()
	r := wlog.NewReader(bufio.NewReaderSize(file, pageSize))
	for r.Next() {
		f(r.Offset(), r.Record())
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("read mended log segment %s: %w", path, err)
	}
	return nil
}
