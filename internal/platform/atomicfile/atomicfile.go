// Package atomicfile replaces files so that a name shows its old or its new content, whole, whatever
// happens in between, and sets aside files that cannot be read.
//
// It knows nothing of what the files hold. In: a path and what to write. Out: nil once content and
// name are on the disk: temporary file in the same folder, sync, rename, sync of the folder. On an
// error the old content stands and the temporary file is gone; one that a crash left is
// removed by Clean. Functions are safe for concurrent use, also on one path: the last
// rename wins.
//
// Start reading at Write.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// File is a file being written.
type File interface {
	io.Writer
	// Sync makes what was written durable.
	Sync() error
	Close() error
}

// FS is a way of changing files. The operating system's is what Write uses; a store that
// must fail on demand in tests brings its own.
type FS[F File] interface {
	// Create makes a new file; it is an error if the name exists.
	Create(name string) (F, error)
	Rename(from, to string) error
	Remove(name string) error
	SyncDir(dir string) error
}

// tempMark is in the name of every temporary file of Write.
const tempMark = ".tmp-"

// Write replaces a file by what write writes.
func Write(path string, perm fs.FileMode, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+tempMark+"*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = write(f)
	if err == nil {
		err = f.Chmod(perm)
	}
	return finish(system{}, f, err, f.Name(), path)
}

// WriteBytes replaces a file by data.
func WriteBytes(path string, perm fs.FileMode, data []byte) error {
	return Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteOn is Write on another FS. The temporary file is path with ext after it, so one path
// has one writer at a time; one left by an attempt before is replaced.
func WriteOn[F File](fs FS[F], path, ext string, write func(io.Writer) error) error {
	temp := path + ext
	_ = fs.Remove(temp) // of an attempt that failed and could not clean up
	f, err := fs.Create(temp)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return finish(fs, f, write(f), temp, path)
}

func finish[F File](fs FS[F], f F, err error, temp, path string) error {
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = fs.Rename(temp, path)
	}
	if err != nil {
		_ = fs.Remove(temp) // the first error tells what happened
		return fmt.Errorf("write %s: %w", path, err)
	}
	return fs.SyncDir(filepath.Dir(path))
}

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error { return system{}.SyncDir(dir) }

// Clean removes the temporary files that a crash within Write left for path.
func Clean(path string) {
	left, _ := filepath.Glob(escape(path) + tempMark + "*") // the pattern is a good one
	for _, name := range left {
		_ = os.Remove(name) // nothing needs it; a read-only disk keeps it
	}
}

// asideMark stands between the name of a file that could not be used and when it was set aside.
const asideMark = ".corrupt-"

// SetAside renames a file or folder that cannot be used and answers the new name, which is a free one.
func SetAside(path string, now time.Time) (string, error) {
	at := path + asideMark + now.UTC().Format("20060102T150405Z")
	to := at
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = fmt.Sprintf("%s-%d", at, n)
	}
	if err := os.Rename(path, to); err != nil {
		return "", fmt.Errorf("set %s aside: %w", path, err)
	}
	return to, nil
}

// Aside lists what SetAside made of path, oldest first.
func Aside(path string) []string {
	found, _ := filepath.Glob(escape(path) + asideMark + "*") // sorted; the pattern is a good one
	return found
}

// MakeDir makes a folder. Something else under its name, a file or a dangling link, is set aside and
// answered.
func MakeDir(dir string, perm fs.FileMode, now time.Time) (aside string, err error) {
	err = os.MkdirAll(dir, perm)
	if err == nil {
		return "", nil
	}
	info, statErr := os.Stat(dir)
	if statErr == nil && info.IsDir() {
		return "", err
	}
	if parent, parentErr := os.Stat(filepath.Dir(dir)); parentErr != nil || !parent.IsDir() {
		return "", err // what is wrong is above it
	}
	if _, lerr := os.Lstat(dir); lerr != nil {
		return "", err
	}
	if aside, err = SetAside(dir, now); err != nil {
		return "", err
	}
	return aside, os.MkdirAll(dir, perm)
}

// escape makes a path a pattern that matches itself.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

type system struct{}

func (system) Create(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
}
func (system) Rename(from, to string) error { return os.Rename(from, to) }
func (system) Remove(name string) error     { return os.Remove(name) }

func (system) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return errors.Join(d.Sync(), d.Close())
}
