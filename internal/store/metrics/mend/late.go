package mend

import (
	"path/filepath"
	"slices"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/record"
)

// lateLog mends the log of late samples and takes its markers that are not true
// out of it.
//
// A marker says that the samples of a series before it are in mapped chunks, so
// that the replay drops them. The TSDB writes it while those chunks still stand in a
// buffer in memory: after a kill the marker is there and the chunks are not, or
// an earlier process's marker points at what a later one wrote. Here a marker
// is true only if every sample that it would drop stands in the mapped chunks that are
// on the disk. Without the marker the replay keeps the samples; those that
// are in mapped chunks, too, come out of queries once.
func (m *mender) lateLog() error {
	judge := &lateJudge{
		decoder: record.NewDecoder(labels.NewSymbolTable(), promslog.NewNopLogger()),
		waiting: map[chunks.HeadSeriesRef][]int64{},
		onDisk:  m.mapped.late,
	}
	m.visit = judge.untrue
	err := m.oneLog(filepath.Join(m.dir, "wbl"), -1, -1)
	m.visit = nil
	if judge.taken > 0 {
		m.log.Info("the log of late samples said that samples are in mapped chunks which are not on the disk; they are read from the log", "records", judge.taken)
	}
	return err
}

// lateJudge reads the log of late samples from its beginning.
type lateJudge struct {
	decoder record.Decoder
	// waiting are the times of the samples that the replay holds in memory when it
	// comes to the current record; as markers that stay clear it, so does the judge.
	waiting map[chunks.HeadSeriesRef][]int64
	onDisk  map[chunks.HeadSeriesRef][]int64 // sorted
	taken   int
}

// untrue reports whether rec is a marker that would lose samples.
func (j *lateJudge) untrue(rec []byte) bool {
	switch j.decoder.Type(rec) {
	case record.Samples, record.SamplesV2:
		samples, _ := j.decoder.Samples(rec, nil) // what does not decode is a hole, found by its checksum
		for _, s := range samples {
			j.waiting[s.Ref] = append(j.waiting[s.Ref], s.T)
		}
	case record.HistogramSamples, record.CustomBucketsHistogramSamples, record.HistogramSamplesV2:
		samples, _ := j.decoder.HistogramSamples(rec, nil)
		for _, s := range samples {
			j.waiting[s.Ref] = append(j.waiting[s.Ref], s.T)
		}
	case record.FloatHistogramSamples, record.CustomBucketsFloatHistogramSamples, record.FloatHistogramSamplesV2:
		samples, _ := j.decoder.FloatHistogramSamples(rec, nil)
		for _, s := range samples {
			j.waiting[s.Ref] = append(j.waiting[s.Ref], s.T)
		}
	case record.MmapMarkers:
		return j.marker(rec)
	}
	return false
}

func (j *lateJudge) marker(rec []byte) bool {
	markers, _ := j.decoder.MmapMarkers(rec, nil)
	for _, mark := range markers {
		if !j.stored(mark.Ref) {
			j.taken++
			return true
		}
	}
	for _, mark := range markers {
		delete(j.waiting, mark.Ref)
	}
	return false
}

// stored reports whether all that waits of a series is on the disk.
func (j *lateJudge) stored(ref chunks.HeadSeriesRef) bool {
	there := j.onDisk[ref]
	for _, at := range j.waiting[ref] {
		if _, found := slices.BinarySearch(there, at); !found {
			return false
		}
	}
	return true
}
