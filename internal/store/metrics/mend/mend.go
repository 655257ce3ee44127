// Package mend repairs the files of a Prometheus TSDB before it is opened, so
// that damage costs only the records it lies in.
//
// The TSDB's own repair deletes every log segment newer than a damaged one,
// and refuses to open with a damaged block, checkpoint or gap. This package finds the
// damage first: in the write-ahead logs (wal, its checkpoint, wbl) it overwrites
// what cannot be read by records that the TSDB ignores, in place, so that
// offsets stay; a block that does not open is moved away; a missing segment is
// made anew, empty. It does not look into the chunks of blocks: they carry
// checksums that are verified when they are read.
//
// It also takes back what the log was told too early, or of the wrong series. The TSDB notes in the log of
// late samples that they are in mapped chunks while those still stand in a buffer, forgets the second
// number of a series while late samples stand under it, and skips the log up to a snapshot of the head that
// may be incomplete or older than the log's checkpoint; see lateLog, names and snapshots.
//
// In: the folder of a database that nobody has open. Out: []Damage, kept in
// quarantine/damages.json with copies of the bytes that were replaced.
//
// Invariants: a log without damage and untrue markers is only read; a mended log has
// none; what is removed from mapped chunks and snapshots stands in the log; a
// record that ends in the middle of the newest segment, behind what was acknowledged (package acked), is how a crash
// looks, is removed and is no damage.
//
// Start reading at Folder.
package mend

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

// QuarantineDir is where damaged data goes, below the database's folder.
const QuarantineDir = "quarantine"

// maxJSON is more than any of the JSON files here has.
const maxJSON = 64 << 20

// Damage is data that could not be read.
type Damage struct {
	File   string `json:"file"`   // relative to the database's folder
	Reason string `json:"reason"` // what was wrong with it
	Offset int64  `json:"offset,omitempty"`
	Bytes  int64  `json:"bytes"`
	// Start and End bound the times of what is lost, as far as the records
	// before and after or the block's description tell; zero where unknown.
	Start time.Time `json:"start,omitzero"`
	End   time.Time `json:"end,omitzero"`
	// Orphans is how many later samples of the log are lost with it, because the labels of their series were there.
	Orphans int `json:"orphans,omitempty"`
	// List says that it is the list of what was acknowledged, without which other damage may not be seen.
	List  bool      `json:"list,omitempty"`
	Found time.Time `json:"found"`
}

// Problem says what d means for a person.
func (d Damage) Problem() model.Problem {
	if d.List {
		return model.Problem{
			Severity: "info",
			Message:  fmt.Sprintf("the metrics store's list of what was acknowledged, %s, could not be read whole (%s): it was made anew; the end of a log file, or a block, that was deleted before is missing without being named", d.File, d.Reason),
			Cure:     "nothing, after an upgrade from a version without it, or a power cut; otherwise compare the folder with a backup",
		}
	}
	what := fmt.Sprintf("%s of the metrics store was damaged (%s)", d.File, d.Reason)
	if d.Bytes > 0 {
		what += fmt.Sprintf(": %d bytes at %d are lost", d.Bytes, d.Offset)
	}
	switch {
	case !d.Start.IsZero() && !d.End.IsZero():
		what += fmt.Sprintf("; samples received between %s and %s are incomplete", d.Start.Format(time.RFC3339), d.End.Format(time.RFC3339))
	case !d.Start.IsZero():
		what += "; samples received after " + d.Start.Format(time.RFC3339) + " are incomplete"
	case !d.End.IsZero():
		what += "; samples received before " + d.End.Format(time.RFC3339) + " are incomplete"
	}
	if d.Orphans > 0 {
		what += fmt.Sprintf("; %d later samples are lost with it, as the labels of their series were there", d.Orphans)
	}
	return model.Problem{
		Severity: "warning", Message: what,
		Cure: "check the disk; restore the data from a backup if it matters; delete " + filepath.Join("metrics", QuarantineDir) + " once you know what is missing",
	}
}

// Folder mends the database in dir and says what was lost: all damages found now
// and earlier, until somebody deletes quarantine/damages.json.
// The error is a syscall.EAGAIN if another process has the database open. What else is to be done while nobody has it
// open comes first.
func Folder(dir string, log *slog.Logger, first ...func() error) ([]Damage, error) {
	if err := plainLock(dir); err != nil {
		return nil, err
	}
	lock, err := tsdbutil.NewDirLocker(dir, "tsdb", log, nil)
	if err != nil {
		return nil, fmt.Errorf("lock metrics folder %s: %w", dir, err)
	}
	if err := lock.Lock(); err != nil {
		return nil, fmt.Errorf("lock metrics folder %s: %w", dir, err)
	}
	for _, do := range first {
		err = errors.Join(err, do())
	}
	var found []Damage
	if err == nil {
		found, err = mendLocked(dir, log)
	}
	return found, errors.Join(err, lock.Release())
}

// plainLock makes room for the lock if a folder bears its name.
func plainLock(dir string) error {
	path := filepath.Join(dir, "lock")
	info, err := os.Lstat(path)
	if err == nil && info.Mode().IsRegular() || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the lock of the metrics folder: %w", err)
	}
	if err := os.Rename(path, path+".damaged."+strconv.FormatInt(time.Now().UnixNano(), 10)); err != nil {
		return fmt.Errorf("make room for the lock of the metrics folder: %w", err)
	}
	return nil
}

func mendLocked(dir string, log *slog.Logger) ([]Damage, error) {
	m := &mender{dir: dir, log: log, now: time.Now().UTC().Truncate(time.Second), validFrom: math.MinInt64}
	steps := []func() error{m.readAcked, m.blocks, m.headChunks, m.lateLog, m.snapshots, m.logs, m.names, m.renumber}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	all, err := m.remember()
	if err != nil {
		return nil, err
	}
	return all, m.settle()
}

type mender struct {
	dir   string
	log   *slog.Logger
	now   time.Time
	found []Damage

	validFrom int64 // where the blocks of samples in order end
	mapped    mappedChunks
	late      lateSamples
	visit     func(record []byte) (remove bool) // sees the records of the log under way

	acked       acked.List // how much of each segment was acknowledged, and which blocks there were
	knownBlocks int        // how many those were
	lateWritten time.Time  // when the newest block of late samples was made
	merged      time.Time  // when blocks were merged last
}

func (m *mender) note(d Damage) {
	d.Found = m.now
	m.found = append(m.found, d)
	m.log.Error("metrics store is damaged", "file", d.File, "reason", d.Reason, "offset", d.Offset, "bytes", d.Bytes,
		"start", d.Start, "end", d.End, "orphans", d.Orphans)
}

// relative is a path as messages name it.
func (m *mender) relative(path string) string {
	if rel, err := filepath.Rel(m.dir, path); err == nil {
		return rel
	}
	return path
}

// folder lists a folder; there is none yet, or a file in its place, which is moved
// away, that is an empty list.
func (m *mender) folder(dir string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return entries, nil
	case errors.Is(err, syscall.ENOTDIR):
		m.note(Damage{File: m.relative(dir), Reason: "a file stands where a folder is expected"})
		return nil, m.moveAside(dir)
	}
	return nil, fmt.Errorf("list %s: %w", dir, err)
}

// quarantine is the folder for damaged data; what else has its name is renamed.
func (m *mender) quarantine() (string, error) {
	dir := filepath.Join(m.dir, QuarantineDir)
	if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
		if err := os.Rename(dir, dir+"."+strconv.FormatInt(m.now.UnixNano(), 10)); err != nil {
			return "", fmt.Errorf("make room for the folder %s: %w", dir, err)
		}
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("make folder %s: %w", dir, err)
	}
	return dir, nil
}

// setAside keeps a copy of bytes before they are overwritten.
func (m *mender) setAside(name string, data []byte) error {
	dir, err := m.quarantine()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o640); err != nil { //nolint:gosec // the operator's group may read it
		return fmt.Errorf("keep damaged bytes in %s: %w", path, err)
	}
	return nil
}

// earlier is the list of damages on the disk.
func (m *mender) earlier() (all []Damage, err error) {
	text, err := atomicfile.ReadAtMost(filepath.Join(m.dir, QuarantineDir, "damages.json"), maxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(text, &all)
}

// remember adds what was found to the list on disk and returns the whole list.
func (m *mender) remember() ([]Damage, error) {
	path := filepath.Join(m.dir, QuarantineDir, "damages.json")
	all, err := m.earlier()
	if err != nil {
		m.note(Damage{File: m.relative(path), Reason: "the list of earlier damages cannot be read: " + err.Error()})
		if err := m.moveAside(path); err != nil {
			return nil, err
		}
	}
	all = append(all, m.found...)
	if len(m.found) == 0 {
		return all, nil
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the list of damages: %w", err)
	}
	if err := m.setAside("damages.json", append(text, '\n')); err != nil {
		return nil, err
	}
	return all, nil
}
