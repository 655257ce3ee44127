// Package copies keeps the state database a second time, in generations: a copy of the database, the sums of its
// pages, and a redo log of what was written after it.
//
// It opens no database and decides nothing about repair: the store does, with what it finds here. In: every
// committed transaction, and now and then the database itself. Out: the newest generation that is whole, and the
// transactions since.
//
// Invariants: a generation whose sums are there is whole; the newest whole one and the one before are kept; the
// transactions of redo logs follow on each other. Where nothing can be kept, Problems says so, and Wanted asks for
// a new generation.
//
// Start reading at Copies.
package copies

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store/state/pagesum"
	"github.com/signalbox-project/signalbox/internal/store/state/redo"
)

const (
	// Folder is the copies' own, beside the database.
	Folder = "copy"
	// SumsExt ends the name of a file with sums of pages: of a copy, and of the database itself.
	SumsExt = ".sums"
	// The endings of a generation's other files: the database as it was, and every transaction since. The sums are
	// Written last and make the generation whole.
	ext, redoExt = ".db", ".redo"
	// retry is how long a copy that could not be made waits for the next try.
	retry = 10 * time.Second
	// MinBytes is the least size of the redo log at which a new copy is made.
	MinBytes = 16 << 20
)

// Copies are the generations: a copy of the database and a redo log of what was written after it. Together they are
// always what the database holds.
type Copies struct {
	Dir string
	// Due is told when a copy may be due.
	Due <-chan struct{}
	// Outdated says that the database has another schema than the redo log was written for. It is set while the store opens.
	Outdated bool
	Making   sync.Mutex // held while a generation is made

	log     *slog.Logger
	written chan<- struct{}
	least   int64

	mu     sync.Mutex // guards what follows; held for one write to the redo log at most
	number int        // of the newest generation
	redo   *os.File   // its redo log; nil while nothing can be kept
	size   int64
	limit  int64
	broken error // why the copy is behind
	tried  time.Time
}

// New makes Copies in a folder. least is the least size of a redo log at which a new copy is made, in bytes.
func New(dir string, least int64, log *slog.Logger) *Copies {
	due := make(chan struct{}, 1)
	return &Copies{Dir: dir, Due: due, written: due, least: least, limit: least, log: log}
}

// Generation is what is found of one.
type Generation struct {
	Number            int  // counts up
	base, sums, Redos bool // its files
}

// Whole says that the copy of the database is there to the end.
func (g Generation) Whole() bool { return g.base && g.sums }

// Path is where a generation's copy of the database is.
func (c *Copies) Path(number int) string { return c.path(number, ext) }

func (c *Copies) path(number int, ext string) string {
	return filepath.Join(c.Dir, fmt.Sprintf("%08d%s", number, ext))
}

// List finds the generations, oldest first.
func (c *Copies) List() []Generation {
	entries, _ := os.ReadDir(c.Dir) // a folder that cannot be read holds none
	found := map[int]*Generation{}
	for _, e := range entries {
		ending := filepath.Ext(e.Name())
		n, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ending))
		if err != nil || n <= 0 {
			continue
		}
		if found[n] == nil {
			found[n] = &Generation{Number: n}
		}
		switch ending {
		case ext:
			found[n].base = true
		case SumsExt:
			found[n].sums = true
		case redoExt:
			found[n].Redos = true
		}
	}
	var out []Generation
	for _, g := range found {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b Generation) int { return a.Number - b.Number })
	return out
}

// Good is the newest generation at or below a number whose copy of the database can be used.
func (c *Copies) Good(below int) (number int, damaged error) {
	for _, g := range slices.Backward(c.List()) {
		if g.Number > below || !g.Whole() {
			continue
		}
		bad, err := pagesum.Check(c.path(g.Number, ext), c.path(g.Number, SumsExt), "")
		if err == nil && len(bad) == 0 {
			return g.Number, damaged
		}
		damaged = errors.Join(damaged, fmt.Errorf("copy %s is damaged: %d pages do not fit their checksum (%w)", c.path(g.Number, ext), len(bad), err))
	}
	return 0, damaged
}

// Records reads the redo logs from a generation on, as far as their numbers follow on each other.
func (c *Copies) Records(from int) (out []redo.Record, damaged error) {
	for _, g := range c.List() {
		if g.Number < from || !g.Redos {
			continue
		}
		text, err := os.ReadFile(c.path(g.Number, redoExt))
		if err != nil {
			return out, fmt.Errorf("redo log: %w", err)
		}
		more, err := redo.Parse(text)
		for _, r := range more {
			if len(out) > 0 && r.Number != out[len(out)-1].Number+1 {
				return out, fmt.Errorf("redo log %s: transaction %d follows on %d", c.path(g.Number, redoExt), r.Number, out[len(out)-1].Number)
			}
			out = append(out, r)
		}
		if err != nil {
			return out, fmt.Errorf("redo log %s: %w", c.path(g.Number, redoExt), err)
		}
	}
	return out, nil
}

// Resume appends to the newest generation.
func (c *Copies) Resume(number int) error {
	f, err := os.OpenFile(c.path(number, redoExt), os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	c.use(number, f, size)
	return nil
}

func (c *Copies) use(number int, f *os.File, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.redo != nil {
		_ = c.redo.Close() // every record is in it already
	}
	c.number, c.redo, c.size, c.broken = number, f, size, nil
}

// Append keeps a transaction. One that cannot be kept makes a new copy due; it is in the
// database all the same.
func (c *Copies) Append(r redo.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.redo == nil {
		return
	}
	b, err := redo.Append(nil, r)
	if err == nil {
		_, err = c.redo.Write(b)
	}
	if err != nil {
		c.fail(err)
		return
	}
	c.size += int64(len(b))
}

// Abandon gives a generation up whose copy could not be made.
func (c *Copies) Abandon(number int, err error) {
	c.mu.Lock()
	c.fail(err)
	c.mu.Unlock()
	if number > 0 {
		_ = os.Remove(c.path(number, redoExt)) // without its copy it is of no use
	}
}

// fail ends the redo log, which now misses something; c.mu is held.
func (c *Copies) fail(err error) {
	if c.redo != nil {
		_ = c.redo.Close() // it is of no use any more
	}
	c.redo, c.broken = nil, err
	c.log.Error("the copy of the state database is behind; it is made anew when that can be done", "folder", c.Dir, "err", err)
}

// Written makes a copy due where one is, after a write.
func (c *Copies) Written() {
	select {
	case c.written <- struct{}{}:
	default:
	}
}

// Wanted says that a new generation must be made now.
func (c *Copies) Wanted(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.redo == nil {
		return now.Sub(c.tried) >= retry
	}
	return c.size > c.limit
}

// Begin starts the redo log of the next generation; the caller holds the writing connection.
func (c *Copies) Begin(now time.Time) (number int, err error) {
	c.mu.Lock()
	c.tried = now
	c.mu.Unlock()
	number = 1
	if all := c.List(); len(all) > 0 {
		number = all[len(all)-1].Number + 1
	}
	path := c.path(number, redoExt)
	if err := atomicfile.WriteBytes(path, 0o600, []byte(redo.Magic)); err != nil {
		return 0, err
	}
	return number, c.Resume(number)
}

// Finish copies the database as the base of a generation that was begun.
func (c *Copies) Finish(ctx context.Context, db *sql.DB, number int) error {
	temp := c.path(number, ext) + ".tmp"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, temp); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := publish(temp, c.path(number, ext)); err != nil {
		return err
	}
	info, err := os.Stat(c.path(number, ext))
	if err != nil {
		return err
	}
	if err := pagesum.Write(c.path(number, ext), c.path(number, SumsExt)); err != nil {
		return err
	}
	c.mu.Lock()
	c.limit = max(c.least, info.Size())
	c.mu.Unlock()
	c.forget(number)
	return nil
}

// publish gives a finished file its name.
func publish(temp, path string) error {
	f, err := os.OpenFile(temp, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}

// forget deletes generations, but for the newest and the last whole one before it: a damaged copy
// is made up for by the one before and the redo logs of both.
func (c *Copies) forget(newest int) {
	keep := 0
	for _, g := range c.List() {
		if g.Number < newest && g.Whole() {
			keep = g.Number
		}
	}
	for _, g := range c.List() {
		if g.Number >= keep && keep > 0 || g.Number >= newest {
			continue
		}
		for _, ext := range []string{SumsExt, redoExt, ext} {
			_ = os.RemoveAll(c.path(g.Number, ext)) // what stays is tried again with the next copy
		}
	}
}

// Problems says that nothing can be kept, if so.
func (c *Copies) Problems() []model.Problem {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		return nil
	}
	return []model.Problem{{
		Severity: "warning",
		Message:  fmt.Sprintf("The copy of the state database in %s is behind: %v.", c.Dir, c.broken),
		Cure:     "Free disk space or restore write permission on the folder; it is made anew by itself.",
	}}
}

// Close ends the redo log.
func (c *Copies) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.redo == nil {
		return nil
	}
	err := errors.Join(c.redo.Sync(), c.redo.Close())
	c.redo = nil
	return err
}
