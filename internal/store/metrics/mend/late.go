package mend

import (
	"path/filepath"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/record"

	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

// lateLog mends the log of late samples and takes its markers out of it.
//
// A marker says that the samples of a series before it are in mapped chunks, so
// that the replay drops them. It is not to be believed: the TSDB writes it while those
// chunks still stand in a buffer in memory; an earlier process's marker points at what a
// later one wrote; and of a series that was made anew under another number the replay takes
// the chunks of one number only, so that those of the other are on the disk and not seen.
// Without markers the replay keeps all samples that no block has yet; those that are in
// mapped chunks, too, come out of queries and compactions once.
func (m *mender) lateLog() error {
	decoder := record.NewDecoder(labels.NewSymbolTable(), promslog.NewNopLogger())
	taken := 0
	m.visit = func(rec []byte) bool {
		marker := decoder.Type(rec) == record.MmapMarkers
		if marker {
			taken++
		}
		return marker
	}
	dir := filepath.Join(m.dir, acked.Late)
	numbers, err := m.segments(dir)
	if err == nil {
		m.lateMissing(numbers)
		err = m.oneLog(dir, -1, -1)
	}
	m.visit = nil
	if taken > 0 {
		m.log.Debug("late samples are read from their log, also where it says that they are in mapped chunks", "records", taken)
	}
	return err
}
