package atomicfile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Odd lists what stands below a folder and is neither file nor folder nor a link to one: devices, pipes, sockets,
// links to nowhere or in a circle. Opening such a thing may wait for ever, and reading it never end. What was set aside
// is not looked at.
func Odd(root string) (found []string) {
	_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil: // whoever needs it says what is wrong
			return nil //nolint:nilerr // see above
		case strings.Contains(e.Name(), asideMark):
			if e.IsDir() {
				return filepath.SkipDir
			}
		case e.Type() == fs.ModeSymlink:
			if info, err := os.Stat(path); err != nil || !info.IsDir() && !info.Mode().IsRegular() {
				found = append(found, path)
			}
		case !e.IsDir() && !e.Type().IsRegular():
			found = append(found, path)
		}
		return nil
	})
	return found
}

// ReadAtMost reads a file that cannot be large: one that is, was damaged, and is not read into memory.
func ReadAtMost(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, fmt.Errorf("read %s: it has %d bytes, of at most %d", path, info.Size(), most)
	}
	return os.ReadFile(path)
}
