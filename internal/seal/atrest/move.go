package atrest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/seal"
)

// What the marker says.
const (
	encrypting = "encrypt"
	decrypting = "decrypt"
)

// stateLock is held by whatever process uses the data.
var stateLock = filepath.Join("state", "LOCK")

// moved is the encrypted folder after all of it was copied back.
const moved = "encrypted.moved"

// spare is left free on the disk beside a copy.
const spare = 64 << 20

// Tell is told how far a move is, in bytes.
type Tell func(done, total int64)

// Encrypt moves the plain data of a storage folder into an encrypted one. Nothing may use the folder. It copies, reads the copy again and
// only then removes the plain files; what of them is left in freed blocks of the disk is not reached. It goes on where it was
// interrupted.
func Encrypt(root string, s seal.Sealer, tell Tell) error { return encrypt(root, s, kernel{}, tell) }

func encrypt(root string, s seal.Sealer, v volume, tell Tell) error {
	return locked(root, encrypting, func(begun bool) error {
		done := exists(filepath.Join(root, folder))
		plain := plainIn(root)
		switch {
		case !begun && done && len(plain) > 0:
			return fmt.Errorf("%s holds encrypted data and plain ones (%s): move away those that are not the server's", root, strings.Join(plain, ", "))
		case !begun && done:
			return fmt.Errorf("the data in %s are encrypted already", root)
		case !begun && len(plain) == 0:
			return fmt.Errorf("%s holds no data: start Signalbox with storage.encrypt: true", root)
		}
		k, err := unlock(root, s, v, !done)
		if err != nil {
			return err
		}
		defer func() { _, _ = k.take() }()
		if !done {
			if err := begin(root, encrypting); err != nil {
				return err
			}
			if err := k.make(filepath.Join(root, unready)); err != nil {
				return err
			}
			if err := copyAll(root, there(root), filepath.Join(root, unready), v, tell); err != nil {
				return err
			}
			if err := finish(root); err != nil {
				return err
			}
		}
		for _, name := range Folders() {
			if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
				return err
			}
		}
		return end(root)
	})
}

// Decrypt moves encrypted data back, so that they lie in the storage folder plain. It goes on where it was interrupted.
func Decrypt(root string, s seal.Sealer, tell Tell) error { return decrypt(root, s, kernel{}, tell) }

func decrypt(root string, s seal.Sealer, v volume, tell Tell) error {
	return locked(root, decrypting, func(begun bool) error {
		if plain := plainIn(root); !begun && len(plain) > 0 {
			return fmt.Errorf("%s holds plain data too (%s): move them away", root, strings.Join(plain, ", "))
		}
		if exists(filepath.Join(root, folder)) {
			if err := copyBack(root, s, v, tell); err != nil {
				return err
			}
		} else if !begun {
			return fmt.Errorf("the data in %s are not encrypted", root)
		}
		if err := place(filepath.Join(root, plainNew), root); err != nil {
			return err
		}
		// What is encrypted is not needed any more, and its key neither.
		for _, name := range []string{moved, keyFile} {
			if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
				return err
			}
		}
		return end(root)
	})
}

// copyBack copies what is encrypted beside it.
func copyBack(root string, s seal.Sealer, v volume, tell Tell) error {
	from := filepath.Join(root, folder)
	k, err := unlock(root, s, v, false)
	if err != nil {
		return err
	}
	defer func() { _, _ = k.take() }()
	if err := k.opens(from); err != nil {
		return err
	}
	if err := begin(root, decrypting); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	to := filepath.Join(root, plainNew)
	if err := os.MkdirAll(to, 0o750); err != nil {
		return err
	}
	if err := copyAll(from, names, to, v, tell); err != nil {
		return err
	}
	if err := os.Rename(from, filepath.Join(root, moved)); err != nil {
		return err
	}
	return atomicfile.SyncDir(root)
}

// place moves each entry of a folder one up.
func place(from, to string) error {
	entries, err := os.ReadDir(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		target := filepath.Join(to, e.Name())
		if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) { // an empty folder
			return err
		}
		if err := os.Rename(filepath.Join(from, e.Name()), target); err != nil {
			return err
		}
	}
	return errors.Join(atomicfile.SyncDir(to), os.Remove(from))
}

// locked runs a move while nothing else uses the folder; begun says that it was interrupted before.
func locked(root, move string, run func(begun bool) error) error {
	fi, err := os.Stat(root)
	if err != nil {
		return fmt.Errorf("%w; name the server's folder with --storage.path", err)
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to the user with the number %d: run this as that one, as the server does, which could not read what another makes", root, st.Uid)
	}
	held, err := lock(filepath.Join(root, lockFile))
	if err != nil {
		return err
	}
	defer held.Close()
	if exists(filepath.Join(root, stateLock)) { // that of encrypted data cannot be held without the lock above
		state, err := lock(filepath.Join(root, stateLock))
		if err != nil {
			return err
		}
		defer state.Close()
	}
	text, err := os.ReadFile(filepath.Join(root, marker))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if under := strings.TrimSpace(string(text)); under != "" && under != move {
		return fmt.Errorf("`signalbox storage %s` was interrupted: run it again first", under)
	}
	return run(err == nil)
}

func begin(root, move string) error {
	return atomicfile.WriteBytes(filepath.Join(root, marker), 0o640, []byte(move+"\n"))
}

func end(root string) error {
	if err := os.Remove(filepath.Join(root, marker)); err != nil {
		return err
	}
	return atomicfile.SyncDir(root)
}
