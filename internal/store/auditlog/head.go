package auditlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

const headFile = "head"

// end is the last entry of the chain.
type end struct {
	ID   int64  `json:"id"`
	Hash string `json:"hash"`
}

// headBytes is what the file always has: one write of less than a sector is whole or not there.
const headBytes = 256

// openHead opens the record of the chain's end and reads it; known says whether there was one.
func openHead(dir string) (f *os.File, e end, known bool, err error) {
	path := filepath.Join(dir, headFile)
	text, err := atomicfile.ReadAtMost(path, 2*headBytes)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, e, false, fmt.Errorf("audit log: %w", err)
	}
	known = json.Unmarshal(text, &e) == nil && len(e.Hash) == hashLen && e.ID > 0
	if !known {
		e = end{}
	}
	if f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640); err != nil {
		return nil, e, known, fmt.Errorf("audit log: %w", err)
	}
	return f, e, known, nil
}

// writeHead replaces the record.
func writeHead(f *os.File, e end) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	line := make([]byte, headBytes)
	for i := range line {
		line[i] = ' '
	}
	line[headBytes-1] = '\n'
	copy(line, text)
	_, err = f.WriteAt(line, 0)
	return err
}
