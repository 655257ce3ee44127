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
	// The last part that every snapshot has; exemplars may follow it.
	snapshotTombstones = 2
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

// incomplete is why a snapshot cannot be relied on, or "".
func incomplete(dir string) string {
	numbers, err := segmentsOf(dir)
	if err != nil {
		return err.Error()
	}
	ended := false
	for i, n := range numbers {
		if i != n {
			return "a part is missing"
		}
		err = errors.Join(err, eachRecord(filepath.Join(dir, segmentName(n)), func(_ int64, rec []byte) {
			ended = ended || len(rec) > 0 && rec[0] == snapshotTombstones
		}))
	}
	switch {
	case err != nil:
		return err.Error()
	case !ended:
		return "it is incomplete"
	}
	return ""
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
