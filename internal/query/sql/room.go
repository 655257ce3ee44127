package sql

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// room is where the rows of one query stand that DuckDB cannot read where they are: unsealed ones, encrypted ones, and those that are
// set apart for who sees only some. What the event store encrypts is in memory, behind a path of this process's open files, and on
// no disk.
type room struct {
	dir    string
	limit  int64 // bytes in memory
	used   int64
	memory []*os.File
}

// leave gives everything up.
func (r *room) leave() {
	_ = os.RemoveAll(r.dir)
	for _, f := range r.memory {
		_ = f.Close() // the last name of what is in memory
	}
}

// take counts what is held in memory.
func (r *room) take(bytes int64) error {
	if r.used += bytes; r.used <= r.limit {
		return nil
	}
	return &Error{
		Message: fmt.Sprintf("the query would hold %d MiB of the encrypted event store open in memory, and sql.encrypted_bytes allows %d MiB", r.used>>20, r.limit>>20), At: -1, Kind: "refused",
		Advice: "bound timestamp by constants in the WHERE of each SELECT from logs or spans, such as timestamp > ago(INTERVAL 1 HOUR)",
	}
}

// place makes a file and answers its path.
func (r *room) place(name string, secret bool) (*os.File, string, error) {
	if secret {
		f, path, err := inMemory(name)
		if err != nil {
			return nil, "", fmt.Errorf("hold rows in memory: %w", err)
		}
		r.memory = append(r.memory, f)
		return f, path, nil
	}
	path := filepath.Join(r.dir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, "", fmt.Errorf("write unsealed rows: %w", err)
	}
	return f, path, nil
}

// head writes unsealed rows.
func (r *room) head(name string, secret bool, encode func(io.Writer) error) (string, error) {
	f, path, err := r.place(name, secret)
	if err != nil {
		return "", err
	}
	err = encode(f)
	if secret && err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil {
			return path, r.take(info.Size())
		}
	}
	if !secret {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return "", fmt.Errorf("write unsealed rows to %s: %w", path, err)
	}
	return path, nil
}

// part is where the rows of a part can be read.
func (r *room) part(view *part.View, p *part.Part) (string, error) {
	if !p.Kept.Encrypted {
		path, err := filepath.Abs(p.Path())
		if err != nil {
			return "", fmt.Errorf("name part: %w", err)
		}
		return path, nil
	}
	if err := r.take(p.Size); err != nil {
		return "", err
	}
	f, path, err := r.place(p.Name(), true)
	if err != nil {
		return "", err
	}
	if err := p.CopyRows(f); err != nil {
		view.Damaged(p, err)
		return "", fmt.Errorf("read encrypted rows: %w", err)
	}
	return path, nil
}
