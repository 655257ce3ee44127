package atrest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// copyAll copies entries of a folder into another one, and reads the copies again.
func copyAll(from string, names []string, to string, v volume, tell Tell) error {
	total, err := sizeOf(from, names)
	if err != nil {
		return err
	}
	there, err := sizeOf(to, names)
	if err != nil {
		return err
	}
	free, err := v.Free(to)
	if err != nil {
		return err
	}
	if needed := total - there + spare; free < needed {
		return fmt.Errorf("%s: the data are copied, which takes %d MiB, and %d MiB are free: make room, or move the folder to a larger disk", from, needed>>20, free>>20)
	}
	c := copier{from: from, to: to, total: total, tell: tell}
	for _, name := range names {
		if err := c.tree(name); err != nil {
			return err
		}
	}
	return atomicfile.SyncDir(to)
}

// sizeOf is how many bytes lie in entries of a folder, those that are not there left out.
func sizeOf(dir string, names []string) (sum int64, err error) {
	for _, name := range names {
		err = errors.Join(err, filepath.WalkDir(filepath.Join(dir, name), func(_ string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			fi, err := e.Info()
			if err != nil {
				return err
			}
			sum += fi.Size()
			return nil
		}))
	}
	return sum, err
}

type copier struct {
	from, to    string
	total, done int64
	tell        Tell
}

// tree copies one entry with all below.
func (c *copier) tree(name string) error {
	var folders []string
	err := filepath.WalkDir(filepath.Join(c.from, name), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(c.from, path)
		if err != nil {
			return err
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		to := filepath.Join(c.to, rel)
		switch {
		case e.IsDir():
			folders = append(folders, to)
			return makeFolder(to, fi)
		case e.Type()&fs.ModeSymlink != 0:
			return copyLink(path, to)
		case e.Type().IsRegular():
			err := copyFile(path, to, fi)
			c.done += fi.Size()
			c.tell(c.done, c.total)
			return err
		}
		return fmt.Errorf("%s is neither file nor folder nor link: remove it, or move it elsewhere", path)
	})
	for _, f := range folders {
		if err != nil {
			break
		}
		err = atomicfile.SyncDir(f)
	}
	return err
}

func makeFolder(to string, like fs.FileInfo) error {
	if err := os.Mkdir(to, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(to, like.Mode().Perm())
}

func copyLink(from, to string) error {
	target, err := os.Readlink(from)
	if err != nil {
		return err
	}
	if had, err := os.Readlink(to); err == nil && had == target {
		return nil
	}
	return os.Symlink(target, to)
}

// copyFile copies one file, unless an earlier try did: it has its name only once it was read again.
func copyFile(from, to string, fi fs.FileInfo) error {
	if had, err := os.Lstat(to); err == nil && had.Mode().IsRegular() && had.Size() == fi.Size() && had.ModTime().Equal(fi.ModTime()) {
		return nil
	}
	temp := to + ".copying"
	sum, err := write(from, temp)
	if err != nil {
		return err
	}
	again, err := sumOf(temp)
	if err != nil {
		return err
	}
	if !bytes.Equal(sum, again) {
		return fmt.Errorf("%s: what was written to %s reads otherwise: check the disk", from, temp)
	}
	if err := errors.Join(os.Chmod(temp, fi.Mode().Perm()), os.Chtimes(temp, fi.ModTime(), fi.ModTime())); err != nil {
		return err
	}
	return os.Rename(temp, to)
}

// write copies a file to the disk and answers the hash of what it read.
func write(from, to string) (sum []byte, err error) {
	in, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	_, err = io.Copy(out, io.TeeReader(in, hash))
	if err == nil {
		err = out.Sync()
	}
	return hash.Sum(nil), errors.Join(err, out.Close())
}

func sumOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	return hash.Sum(nil), err
}
