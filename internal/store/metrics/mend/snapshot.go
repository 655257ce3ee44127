package mend

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	snapshotPrefix = "chunk_snapshot."
	// The kinds of record, in the order in which a snapshot has them. Tombstones are the last that every
	// snapshot has.
	snapshotSeries     = 1
	snapshotTombstones = 2
	snapshotExemplars  = 3
)

// snapshots removes snapshots of the head from which the TSDB would read less than
// the log holds. A snapshot only saves time: without it everything is read
// from the log. With an incomplete one the TSDB skips the log up to it, and with one
// older than the checkpoint it forgets the mapped chunks of late samples.
func (m *mender) snapshots() error {
	found, err := filepath.Glob(filepath.Join(m.dir, snapshotPrefix+"*"))
	if err != nil {
		return err
	}
	_, covered, err := newestCheckpoint(filepath.Join(m.dir, "wal"))
	if err != nil {
		return err
	}
	for _, path := range found {
		at, _, isName := strings.Cut(strings.TrimPrefix(filepath.Base(path), snapshotPrefix), ".")
		segment, err := strconv.Atoi(at)
		switch {
		case strings.HasSuffix(path, ".tmp"):
			continue // the TSDB removes it
		case !isName || err != nil:
			err = m.dropSnapshot(path, "its name makes no sense")
		case segment <= covered:
			m.log.Info("the snapshot of the head is older than the log's checkpoint; the log is read instead", "snapshot", m.relative(path))
			err = os.RemoveAll(path)
		default:
			if reason := incomplete(path); reason != "" {
				err = m.dropSnapshot(path, reason)
			}
		}
		if err != nil {
			return fmt.Errorf("remove snapshot of the head: %w", err)
		}
	}
	return nil
}

// incomplete is why a snapshot cannot be relied on, or "". The TSDB takes what it reads for what it
// wrote, and panics where records are empty or in another order.
func incomplete(dir string) string {
	numbers, err := segmentsOf(dir)
	if err != nil {
		return err.Error()
	}
	var at snapshotOrder
	for i, n := range numbers {
		if i != n {
			return "a part is missing"
		}
		err = errors.Join(err, eachRecord(filepath.Join(dir, segmentName(n)), func(_ int64, rec []byte) { at.see(rec) }))
	}
	switch {
	case err != nil:
		return err.Error()
	case at.wrong != "":
		return at.wrong
	case !at.ended:
		return "it is incomplete"
	}
	return ""
}

// snapshotOrder follows the records of a snapshot.
type snapshotOrder struct {
	kind   byte // of the record before
	series bool // there was one
	ended  bool // the tombstones were there
	wrong  string
}

func (o *snapshotOrder) see(rec []byte) {
	switch {
	case o.wrong != "":
	case len(rec) == 0:
		o.wrong = "a record is empty"
	case rec[0] < snapshotSeries || rec[0] > snapshotExemplars:
		o.wrong = fmt.Sprintf("a record is of the unknown kind %d", rec[0])
	case rec[0] < o.kind:
		o.wrong = "its records are out of order"
	case rec[0] == snapshotExemplars && !o.series:
		o.wrong = "it has exemplars of no series"
	default:
		o.kind = rec[0]
		o.series = o.series || rec[0] == snapshotSeries
		o.ended = o.ended || rec[0] == snapshotTombstones
	}
}

func (m *mender) dropSnapshots(reason string) error {
	found, err := filepath.Glob(filepath.Join(m.dir, snapshotPrefix+"*"))
	for _, path := range found {
		err = errors.Join(err, m.dropSnapshot(path, reason))
	}
	return err
}

func (m *mender) dropSnapshot(path, reason string) error {
	m.log.Warn("the snapshot of the head cannot be used; the log is read instead", "snapshot", m.relative(path), "reason", reason)
	return m.moveAside(path)
}
