package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// maxAside bounds the file of records that were put aside: with more, somebody must look first.
const maxAside = 64 << 20

// AsideFile is a stream.Aside: a file with one JSON object a line.
type AsideFile struct {
	path string
	max  int64

	mu    sync.Mutex
	count int // records in the file
}

// OpenAside opens the file in a folder of its own, which is made with the first record.
func OpenAside(dir string) (*AsideFile, error) {
	f := &AsideFile{path: filepath.Join(dir, "aside.jsonl"), max: maxAside}
	text, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read records that were put aside: %w", err)
	}
	f.count = bytes.Count(text, []byte("\n"))
	return f, nil
}

// Put implements stream.Aside: the record is on the disk when it returns nil.
func (f *AsideFile) Put(_ context.Context, d stream.Dead) error {
	line, err := json.Marshal(struct {
		Time   time.Time        `json:"time"`
		Signal string           `json:"signal"`
		Reason string           `json:"reason"`
		Log    *model.LogRecord `json:"log,omitempty"`
		Span   *model.Span      `json:"span,omitempty"`
	}{time.Now().UTC(), d.Signal, d.Reason, d.Log, d.Span})
	if err != nil {
		return fmt.Errorf("write a record down: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(f.path), 0o750); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	st, err := file.Stat()
	switch {
	case err != nil:
		return err
	case st.Size()+int64(len(line)) > f.max:
		return fmt.Errorf("%s is full (%d bytes): look at it and delete it", f.path, st.Size())
	case st.Size() == 0:
		f.count = 0 // somebody has looked at it
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		return errors.Join(err, file.Truncate(st.Size()))
	}
	f.count++
	return file.Sync()
}

// Problems names what was put aside, until somebody removes the file.
func (f *AsideFile) Problems() []model.Problem {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := os.Stat(f.path); err != nil || f.count == 0 {
		return nil
	}
	return []model.Problem{{
		Severity: "warning", Message: fmt.Sprintf("%d log records or spans can never be stored and were put aside in %s, each with its reason", f.count, f.path),
		Cure: "look at the reasons, mend their sender or the limits it breaks, and delete the file",
	}}
}
