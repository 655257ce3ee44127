package atrest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/seal"
)

// Config is the section `storage`.
type Config struct {
	// Encrypt has the file system encrypt everything below --storage.path, with a key that opens by the section seal alone (Linux; ext4 with
	// its feature encrypt, F2FS, UBIFS). Data that are there already are moved by `signalbox storage encrypt`.
	Encrypt bool `yaml:"encrypt"`
}

// What lies in a storage folder that is encrypted.
const (
	folder   = "encrypted"             // the data
	keyFile  = "encryption.key"        // the sealed key
	unready  = "encrypted.unfinished"  // becomes folder once it is whole
	plainNew = "plain.unfinished"      // what a move back has copied
	marker   = "encryption.unfinished" // names the move that is under way
	lockFile = "encryption.lock"
)

// Folders are those of a storage folder that hold data.
func Folders() []string {
	return []string{"alerting", "audit", "auth", "events", "gate", "metrics", "sql", "state", "stream", "tenants"}
}

// Of is where the data of a storage folder are.
func Of(root string) string {
	if fi, err := os.Stat(filepath.Join(root, folder)); err == nil && fi.IsDir() {
		return filepath.Join(root, folder)
	}
	return root
}

// Opened is a storage folder that can be used.
type Opened struct {
	// Dir is where the data are.
	Dir string
	// Behind says why the key could not be sealed as it is to be, nil if it is.
	Behind error

	lock *os.File
	take func() (busy bool, err error) // takes the key away
}

// Close takes the key away from the kernel, which forgets what was decrypted, and lets others open the folder. Busy says that files are
// still open, which stay readable.
func (o *Opened) Close() (busy bool, err error) {
	if o.take != nil {
		busy, err = o.take()
	}
	if o.lock != nil {
		err = errors.Join(err, o.lock.Close())
	}
	return busy, err
}

// Open makes the storage folder root ready to be used as cfg says. An error says what to do.
func Open(root string, cfg Config, s seal.Sealer) (*Opened, error) {
	return open(root, cfg, s, kernel{})
}

func open(root string, cfg Config, s seal.Sealer, v volume) (_ *Opened, err error) {
	if move, err := os.ReadFile(filepath.Join(root, marker)); err == nil {
		return nil, fmt.Errorf("%s: `signalbox storage %s` was interrupted: run it again, it goes on where it was", root, strings.TrimSpace(string(move)))
	}
	encrypted := exists(filepath.Join(root, folder))
	if !cfg.Encrypt {
		if encrypted {
			return nil, fmt.Errorf("the data in %s are encrypted: set storage.encrypt: true, or have them plain with `signalbox storage decrypt`", root)
		}
		return &Opened{Dir: root}, nil
	}
	if plain := plainIn(root); len(plain) > 0 {
		return nil, fmt.Errorf("storage.encrypt: %s holds plain data (%s): stop Signalbox and move them with `signalbox storage encrypt`", root, strings.Join(plain, ", "))
	}
	if err := os.MkdirAll(root, 0o750); err != nil {
		return nil, err
	}
	o := &Opened{Dir: filepath.Join(root, folder)}
	if o.lock, err = lock(filepath.Join(root, lockFile)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_, closing := o.Close()
			err = errors.Join(err, closing)
		}
	}()
	k, err := unlock(root, s, v, !encrypted)
	if err != nil {
		return nil, err
	}
	o.take, o.Behind = k.take, k.behind
	if encrypted {
		return o, k.opens(o.Dir)
	}
	if err := k.make(filepath.Join(root, unready)); err != nil {
		return nil, err
	}
	return o, finish(root)
}

// finish gives the encrypted folder its name.
func finish(root string) error {
	if err := os.Rename(filepath.Join(root, unready), filepath.Join(root, folder)); err != nil {
		return err
	}
	return atomicfile.SyncDir(root)
}

// there are the folders of data that a storage folder has, empty ones too.
func there(root string) (found []string) {
	for _, name := range Folders() {
		if exists(filepath.Join(root, name)) {
			found = append(found, name)
		}
	}
	return found
}

// plainIn names what plain data there are in a storage folder.
func plainIn(root string) (found []string) {
	for _, name := range Folders() {
		if entries, err := os.ReadDir(filepath.Join(root, name)); err == nil && len(entries) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
			found = append(found, name)
		}
	}
	return found
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Look opens a storage folder for a command that reads it beside a server that may run: its server has the key in the kernel, and keeps it;
// otherwise the key is the command's until Close. A plain folder needs no Sealer.
func Look(root string, sealer func() (seal.Sealer, error)) (*Opened, error) {
	return look(root, sealer, kernel{})
}

func look(root string, sealer func() (seal.Sealer, error), v volume) (*Opened, error) {
	dir := Of(root)
	if dir == root {
		return &Opened{Dir: root}, nil
	}
	held, err := lock(filepath.Join(root, lockFile))
	if err != nil {
		return &Opened{Dir: dir}, nil //nolint:nilerr // the server runs
	}
	if err := held.Close(); err != nil {
		return nil, err
	}
	s, err := sealer()
	if err != nil {
		return nil, err
	}
	return open(root, Config{Encrypt: true}, s, v)
}
