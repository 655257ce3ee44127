package mend

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/encoding"
	"github.com/prometheus/prometheus/tsdb/record"
)

// names finds, for the log of late samples, which numbers are of one series. The replay gives a series the number
// of the first description that it reads, from the snapshot of the head if there is one, else from the log's
// checkpoint and the log. A snapshot that hides a description which late samples need is removed.
func (m *mender) names() error {
	if len(m.late.numbers) == 0 {
		return nil
	}
	snapshot, _ := lastSnapshot(m.dir)
	known, err := m.knows(snapshot)
	if err != nil {
		return err
	}
	if snapshot != "" && len(known) < len(m.late.numbers) {
		all, err := m.knows("")
		if err != nil {
			return err
		}
		for ref := range all {
			if !known[ref] {
				m.log.Info("the snapshot of the head lacks series that have late samples; the log is read instead", "snapshot", m.relative(snapshot))
				if err := os.RemoveAll(snapshot); err != nil {
					return fmt.Errorf("remove snapshot of the head: %w", err)
				}
				snapshot = ""
				break
			}
		}
	}
	return m.oneNumber(snapshot)
}

// knows is which of the numbers with late samples the replay finds described.
func (m *mender) knows(snapshot string) (map[chunks.HeadSeriesRef]bool, error) {
	known := map[chunks.HeadSeriesRef]bool{}
	err := m.eachSeries(snapshot, func(ref chunks.HeadSeriesRef, _ labels.Labels) {
		if m.late.numbers[ref] {
			known[ref] = true
		}
	})
	return known, err
}

// oneNumber fills late.to. Labels are compared by their hash first, and exactly only where two are alike.
func (m *mender) oneNumber(snapshot string) error {
	first, alike := map[uint64]chunks.HeadSeriesRef{}, map[uint64]bool{}
	err := m.eachSeries(snapshot, func(ref chunks.HeadSeriesRef, ls labels.Labels) {
		hash := ls.Hash()
		if before, ok := first[hash]; !ok {
			first[hash] = ref
		} else if before != ref && m.late.numbers[ref] {
			alike[hash] = true
		}
	})
	if err != nil || len(alike) == 0 {
		return err
	}
	m.late.to = map[chunks.HeadSeriesRef]chunks.HeadSeriesRef{}
	byLabels := map[string]chunks.HeadSeriesRef{}
	return m.eachSeries(snapshot, func(ref chunks.HeadSeriesRef, ls labels.Labels) {
		if !alike[ls.Hash()] {
			return
		}
		key := string(ls.Bytes(nil))
		if stays, ok := byLabels[key]; !ok {
			byLabels[key] = ref
		} else if stays != ref && m.late.numbers[ref] {
			m.late.to[ref] = stays
		}
	})
}

// eachSeries reads the descriptions of series in the order of the replay.
func (m *mender) eachSeries(snapshot string, f func(chunks.HeadSeriesRef, labels.Labels)) error {
	d := newDecoder()
	wal := filepath.Join(m.dir, "wal")
	checkpoint, covered, err := newestCheckpoint(wal)
	if err != nil {
		return err
	}
	from := covered + 1
	inLog := func(rec []byte) {
		if d.Type(rec) != record.Series {
			return
		}
		series, _ := d.Series(rec, nil) // damage was mended: the rest decodes
		for _, s := range series {
			f(s.Ref, s.Labels)
		}
	}
	if snapshot != "" {
		_, from = lastSnapshot(m.dir)
		err = eachOf(snapshot, 0, func(rec []byte) {
			if len(rec) > 0 && rec[0] == snapshotSeries {
				buf := encoding.Decbuf{B: rec[1:]}
				ref := chunks.HeadSeriesRef(buf.Be64())
				f(ref, d.DecodeLabels(&buf))
			}
		})
	} else if checkpoint != "" {
		err = eachOf(checkpoint, 0, inLog)
	}
	if err != nil {
		return err
	}
	return eachOf(wal, from, inLog)
}

// eachOf reads the records of a log's segments, beginning with one.
func eachOf(dir string, from int, f func(rec []byte)) error {
	numbers, err := segmentsOf(dir)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if n < from {
			continue
		}
		if err := eachRecord(filepath.Join(dir, segmentName(n)), func(_ int64, rec []byte) { f(rec) }); err != nil {
			return err
		}
	}
	return nil
}

// lastSnapshot is the snapshot of the head that the TSDB reads, with the segment at which it was made: "", -1 where
// there is none.
func lastSnapshot(dir string) (path string, segment int) {
	segment, offset := -1, 0
	found, _ := filepath.Glob(filepath.Join(dir, snapshotPrefix+"*.*"))
	for _, candidate := range found {
		at, place, _ := strings.Cut(strings.TrimPrefix(filepath.Base(candidate), snapshotPrefix), ".")
		n, err1 := strconv.Atoi(at)
		o, err2 := strconv.Atoi(place)
		if err1 == nil && err2 == nil && (n > segment || n == segment && o > offset) {
			path, segment, offset = candidate, n, o
		}
	}
	return path, segment
}
