package events

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/wal"
)

// makeFolders makes the store's folders; what stands in the way of one is set aside. On a full
// disk one that is missing stays so until there is room.
func (db *DB) makeFolders() error {
	for _, dir := range []string{db.dir, db.quarantineDir(), db.walDir(), db.logs.dir, db.spans.dir} {
		err := db.fs.MkdirAll(dir)
		if err == nil || disk.IsFull(err) {
			continue
		}
		aside, asideErr := atomicfile.MakeDir(dir, 0o750, db.now())
		if asideErr != nil || aside == "" {
			return errors.Join(err, asideErr)
		}
		db.report(Damage{Kind: "folder", File: aside, Reason: "it stood where the folder " + filepath.Base(dir) + " belongs"})
	}
	return nil
}

// clearWay sets aside a folder that stands where a file belongs.
func (db *DB) clearWay(path string) {
	if info, err := os.Lstat(path); err != nil || !info.IsDir() {
		return
	}
	aside, err := atomicfile.SetAside(path, db.now())
	if err != nil {
		db.log.Error("a folder stands where a file belongs", "file", path, "err", err)
		return
	}
	db.report(Damage{Kind: "folder", File: aside, Reason: "it stood where the file " + filepath.Base(path) + " belongs"})
}

// openAcked answers how much of each segment was acknowledged, as far as that is remembered. had says that there was a
// list before.
func (db *DB) openAcked(had bool) (map[wal.Name]int64, error) {
	path := filepath.Join(db.dir, wal.AckedName)
	db.clearWay(path)
	acked, sizes, err := wal.OpenAcked(disk.Rolls{FS: db.fs}, path)
	db.acked = acked
	switch {
	case errors.Is(err, fs.ErrNotExist) && had:
		db.report(Damage{Kind: "acked", File: wal.AckedName, Reason: absentNow})
	case errors.Is(err, roll.ErrDamaged):
		db.report(Damage{Kind: "acked", File: wal.AckedName, Reason: err.Error()})
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		db.log.Warn("how much of the log was acknowledged is not remembered", "file", path, "err", err)
	}
	return sizes, err
}

// missingSegments names segments that held acknowledged records, are in no part, and are gone.
func (db *DB) missingSegments(acked map[wal.Name]int64, sealed map[uint64]bool, listErr error) {
	for name, size := range acked {
		db.acked.Drop(name)
		db.ids.saw(name.ID)
		if sealed[name.ID] || size <= wal.EmptySize {
			continue
		}
		d := Damage{
			Kind: "missing segment", Signal: name.Signal, File: name.FileName(), Range: rangeOfDay(name.Day),
			Reason: fmt.Sprintf("%d bytes of it had been acknowledged", size),
		}
		if errors.Is(listErr, roll.ErrDamaged) {
			d.Reason += "; " + wal.AckedName + " is damaged: it may have been sealed"
		}
		db.report(d)
	}
}

// readable says why a file cannot be read, if it cannot.
func readable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is not a file")
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}
