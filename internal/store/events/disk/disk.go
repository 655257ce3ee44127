// Package disk is the event store's way of changing files: create, sync,
// rename, remove. Reading goes through package os.
//
// It exists so that tests can fail every change as a full or broken disk does. It does
// not decide anything. In: paths. Out: files and errors of package os. A name is durable after
// SyncDir of its folder, content after Sync.
package disk

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
)

// File is a file being written.
type File interface {
	Write(b []byte) (int, error)
	// Sync makes what was written durable.
	Sync() error
	// Truncate cuts the file, and later writes go to its new end.
	Truncate(size int64) error
	Close() error
}

// FS changes files. Implementations are safe for concurrent use.
type FS interface {
	// Create makes a new file; it is an error if the name exists.
	Create(name string) (File, error)
	// Append opens a file that exists; writes go to its end.
	Append(name string) (File, error)
	Rename(from, to string) error
	Remove(name string) error
	MkdirAll(dir string) error
	SyncDir(dir string) error
	// Free is the free and the total space, in bytes, of the file system that
	// holds dir.
	Free(dir string) (free, total uint64, err error)
}

// OS is the real one.
type OS struct{}

type osFile struct{ *os.File }

// Sync syncs the data and the length; a file's times do not matter.
func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Truncate(size int64) error {
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	_, err := f.Seek(size, 0)
	return err
}

// Create implements FS.
func (OS) Create(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Append implements FS.
func (OS) Append(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// MkdirAll implements FS.
func (OS) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o750) }

// SyncDir implements FS.
func (OS) SyncDir(dir string) error { return atomicfile.SyncDir(dir) }

// Free implements FS.
func (OS) Free(dir string) (free, total uint64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}

// TempExt ends the names of files that are being written; they are removed at the next start.
const TempExt = ".tmp"

// Publish writes data to name so that the name appears whole or not at all:
// temporary file, sync, rename, sync of the folder.
func Publish(fs FS, name string, data []byte) error {
	return atomicfile.WriteOn[File](fs, name, TempExt, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// IsFull reports whether an error says that nothing can be written at all:
// disk full, quota, or a file system that went read-only.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS)
}

// Rolls is how lists of what the store has are written.
type Rolls struct{ FS }

// Replace implements roll.FS.
func (r Rolls) Replace(path string, content []byte) error { return Publish(r.FS, path, content) }

// Append implements roll.FS.
func (r Rolls) Append(path string) (roll.File, error) { return r.FS.Append(path) }
