package atrest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/signalbox-project/signalbox/internal/seal"
)

const (
	// keyBytes is the longest master key that the kernel takes (FSCRYPT_MAX_KEY_SIZE); it derives the keys of files from it.
	keyBytes = 64
	what     = "storage encryption key" // under which it is sealed
)

// identity names a key, as the kernel derives it from the key.
type identity [16]byte

// volume is the file system below a storage folder.
type volume interface {
	// Add gives a key to the file system of a folder.
	Add(root string, key []byte) (identity, error)
	// Remove takes it away; busy says that files are still open.
	Remove(root string, id identity) (busy bool, err error)
	// Encrypt has an empty folder encrypted by a key.
	Encrypt(dir string, id identity) error
	// KeyOf names the key that a folder is encrypted by; plain is false with it.
	KeyOf(dir string) (id identity, plain bool, err error)
	// Free is how many bytes can still be written.
	Free(root string) (int64, error)
}

// key is one that the kernel has.
type key struct {
	root   string
	id     identity
	v      volume
	behind error
}

// unlock gives the key of a storage folder to the kernel. A key is made only where there are no data that another one encrypted.
func unlock(root string, s seal.Sealer, v volume, fresh bool) (*key, error) {
	path := filepath.Join(root, keyFile)
	plain, behind, err := seal.ReadFile(path, keyBytes, s, what)
	switch {
	case err == nil && len(plain) != keyBytes:
		err = fmt.Errorf("%s: %w", path, seal.ErrDamaged)
	case errors.Is(err, fs.ErrNotExist) && fresh:
		plain = make([]byte, keyBytes)
		_, _ = rand.Read(plain) // never fails
		err = seal.WriteFile(path, plain, s, what)
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%s is missing: without it nobody can read the data; restore it from a backup", path)
	}
	if errors.Is(err, seal.ErrDamaged) {
		err = fmt.Errorf("%w; restore it from a backup: without it nobody can read the data", err)
	}
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	k := &key{root: root, v: v, behind: behind}
	if k.id, err = v.Add(root, plain); err != nil {
		return nil, fmt.Errorf("storage.encrypt: %s: %w", root, err)
	}
	return k, nil
}

func (k *key) take() (bool, error) { return k.v.Remove(k.root, k.id) }

// opens refuses a folder that another key encrypted, or none.
func (k *key) opens(dir string) error {
	id, plain, err := k.v.KeyOf(dir)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", dir, err)
	case plain:
		return fmt.Errorf("%s is not encrypted, as after a copy to another file system: move what is in it one folder up, remove it and run `signalbox storage encrypt`", dir)
	case id != k.id:
		return fmt.Errorf("%s is encrypted by another key than that in %s: restore the file from a backup of the same time", dir, keyFile)
	}
	return nil
}

// make makes an empty encrypted folder; one that an earlier try left is taken.
func (k *key) make(dir string) error {
	if exists(dir) && k.opens(dir) == nil {
		return nil
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		return err
	}
	if err := k.v.Encrypt(dir, k.id); err != nil {
		return fmt.Errorf("storage.encrypt: %s: %w", k.root, err)
	}
	return nil
}

// lock makes sure that one process alone gives the key and takes it away: it would be taken from under the other.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another process uses this storage folder (%w): stop that one, or choose another with --storage.path", filepath.Dir(path), err), f.Close())
	}
	return f, nil
}
