// Package spare finds room for the chunks that the TSDB writes whether there is room or not: it panics where it
// cannot, at the start while it reads its log, and later when it moves chunks out of memory.
//
// It knows no samples. In: the folder of a database and how much room its disk has. Out: a file that is there only to
// be deleted, and at the start, on a disk that is full, room: that file, then what the log can make again (snapshots
// of the head, mapped chunks), then another disk for the mapped chunks.
//
// Invariants: nothing is deleted that the log or a block does not have; the database is not open during
// AtStart. Methods are for one goroutine at a time.
//
// Start reading at Disk.
package spare

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// Name is the file that is deleted when room is needed.
	Name = "SPARE"
	// Bytes is its size: more chunks than a pass over the head of a million series moves.
	Bytes = 64 << 20
	// Critical is how little room makes the file go.
	Critical = 64 << 20
	// Memory is a disk that is none.
	Memory = "/dev/shm"
	// Slack is what is written beside chunks.
	Slack = 1 << 20

	mapped   = "chunks_head"
	awayName = "signalbox-chunks-"
)

// Disk is the room of one database.
type Disk struct {
	Dir  string
	Free func(dir string) (uint64, error)
	Log  *slog.Logger
	// Others are folders on other disks that may take mapped chunks; by default those for temporary files.
	Others []string

	away string // where mapped chunks are, if not in Dir
}

// AtStart makes room for what the TSDB writes while it reads its log. The error says that there is none anywhere.
func (d *Disk) AtStart() error {
	if err := d.back(); err != nil {
		return err
	}
	need := d.need()
	steps := []func() error{
		func() error { return os.Remove(filepath.Join(d.Dir, Name)) },
		func() error { return d.remove("chunk_snapshot.*") },
		func() error { return d.remove(filepath.Join(mapped, "*")) },
		func() error { return d.elsewhere(need) },
	}
	for i, step := range steps {
		if free, err := d.Free(d.Dir); err != nil || free >= need {
			return nil //nolint:nilerr // where it is not known the TSDB finds out
		}
		if i == 1 { // before, it is only what is there for this
			d.Log.Warn("the disk is full; what the log of metrics can make again is deleted to read the log", "folder", d.Dir, "needed", need)
		}
		if err := step(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// need is the most that chunks of all samples in the logs take: what is written there takes no less.
func (d *Disk) need() uint64 {
	total := uint64(Slack)
	for _, log := range []string{"wal", "wbl"} {
		_ = filepath.WalkDir(filepath.Join(d.Dir, log), func(_ string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil //nolint:nilerr // what cannot be read is not read back either
			}
			if info, err := e.Info(); err == nil {
				total += uint64(info.Size()) //nolint:gosec // a size
			}
			return nil
		})
	}
	return total
}

func (d *Disk) remove(pattern string) error {
	found, err := filepath.Glob(filepath.Join(d.Dir, pattern))
	for _, path := range found {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// elsewhere puts mapped chunks on another disk until the next start.
func (d *Disk) elsewhere(need uint64) error {
	others := d.Others
	if others == nil {
		others = []string{os.TempDir(), Memory}
	}
	for _, other := range others {
		if free, err := d.Free(other); err != nil || free < need+Critical {
			continue
		}
		away, err := os.MkdirTemp(other, awayName)
		if err != nil {
			continue
		}
		if err := errors.Join(os.RemoveAll(filepath.Join(d.Dir, mapped)), os.Symlink(away, filepath.Join(d.Dir, mapped))); err != nil {
			return errors.Join(err, os.RemoveAll(away))
		}
		d.away = away
		d.Log.Warn("the disk is full; chunks of metrics are on another one until the next start", "folder", d.Dir, "on", away)
		return nil
	}
	return fmt.Errorf("the disk of %s is full: reading the log of metrics back takes up to %d MiB, which %s has not either; free as much on one of them, or, where that is not encrypted, set TMPDIR", d.Dir, need>>20, strings.Join(others, " or "))
}

// back undoes elsewhere: what it left is made again from the log.
func (d *Disk) back() error {
	link := filepath.Join(d.Dir, mapped)
	target, err := os.Readlink(link)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EINVAL) {
		return nil // there is none, or it is no link
	}
	if err != nil || !strings.HasPrefix(filepath.Base(target), awayName) {
		return err // somebody else's
	}
	// A snapshot of the head says nothing of what is in mapped chunks: it goes first.
	if err := errors.Join(d.remove("chunk_snapshot.*"), os.Remove(link)); err != nil {
		return fmt.Errorf("put the folder of mapped chunks back: %w", err)
	}
	if err := os.RemoveAll(target); err != nil {
		d.Log.Warn("mapped chunks on another disk are of no use any more and cannot be deleted", "folder", target, "err", err)
	}
	return nil
}

// Away is where mapped chunks are, if not in the database's folder.
func (d *Disk) Away() string { return d.away }

// Keep makes the file if there is much room. A file system that cannot set room aside has none.
func (d *Disk) Keep(free, min uint64) {
	path := filepath.Join(d.Dir, Name)
	if _, err := os.Lstat(path); err == nil || free < min+2*Bytes {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return // the next look tries again
	}
	if err := errors.Join(reserve(f, Bytes), f.Close()); err != nil {
		_ = os.Truncate(path, 0) // it stays, so that this is not tried again all the time
	}
}

// Release deletes the file, so that there is room for what cannot be put off.
func (d *Disk) Release() {
	if err := os.Remove(filepath.Join(d.Dir, Name)); err == nil {
		d.Log.Warn("the disk is full; what was set aside is released", "folder", d.Dir, "bytes", Bytes)
	}
}
