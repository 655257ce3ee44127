package state

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
	// copyFolder holds the second copy of the database.
	copyFolder = "copy"
	// The endings of a generation's files: the database as it was, the sums of its pages, which are written
	// last and make the generation whole, and every transaction since.
	copyExt, sumsExt, redoExt = ".db", ".sums", ".redo"
	// copyRetry is how long a copy that could not be made waits for the next try.
	copyRetry = 10 * time.Second
	// minCopyBytes is the least size of the redo log at which a new copy is made.
	minCopyBytes = 16 << 20
)

// copies keeps the state a second time, in generations: a copy of the database and a redo log of what was written
// after it. Together they are always what the database holds.
type copies struct {
	dir string
	log *slog.Logger
	due chan struct{}
	// outdated says that the database has another schema than the redo log was written for. It is set while the store opens.
	outdated bool

	mu     sync.Mutex // guards what follows; held for one write to the redo log at most
	number int        // of the newest generation
	redo   *os.File   // its redo log; nil while nothing can be kept
	size   int64
	limit  int64
	broken error // why the copy is behind
	tried  time.Time
}

// generation is what is found of one.
type generation struct {
	number            int
	base, sums, redos bool // its files
}

func (g generation) whole() bool { return g.base && g.sums }

func (c *copies) path(number int, ext string) string {
	return filepath.Join(c.dir, fmt.Sprintf("%08d%s", number, ext))
}

// list finds the generations, oldest first.
func (c *copies) list() []generation {
	entries, _ := os.ReadDir(c.dir) // a folder that cannot be read holds none
	found := map[int]*generation{}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		n, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ext))
		if err != nil || n <= 0 {
			continue
		}
		if found[n] == nil {
			found[n] = &generation{number: n}
		}
		switch ext {
		case copyExt:
			found[n].base = true
		case sumsExt:
			found[n].sums = true
		case redoExt:
			found[n].redos = true
		}
	}
	var out []generation
	for _, g := range found {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b generation) int { return a.number - b.number })
	return out
}

// good is the newest generation at or below a number whose copy of the database can be used.
func (c *copies) good(below int) (number int, damaged error) {
	for _, g := range slices.Backward(c.list()) {
		if g.number > below || !g.whole() {
			continue
		}
		bad, err := pagesum.Check(c.path(g.number, copyExt), c.path(g.number, sumsExt), "")
		if err == nil && len(bad) == 0 {
			return g.number, damaged
		}
		damaged = errors.Join(damaged, fmt.Errorf("copy %s is damaged: %d pages do not fit their checksum (%w)", c.path(g.number, copyExt), len(bad), err))
	}
	return 0, damaged
}

// records reads the redo logs from a generation on, as far as their numbers follow on each other.
func (c *copies) records(from int) (out []redo.Record, damaged error) {
	for _, g := range c.list() {
		if g.number < from || !g.redos {
			continue
		}
		text, err := os.ReadFile(c.path(g.number, redoExt))
		if err != nil {
			return out, fmt.Errorf("redo log: %w", err)
		}
		more, err := redo.Parse(text)
		for _, r := range more {
			if len(out) > 0 && r.Number != out[len(out)-1].Number+1 {
				return out, fmt.Errorf("redo log %s: transaction %d follows on %d", c.path(g.number, redoExt), r.Number, out[len(out)-1].Number)
			}
			out = append(out, r)
		}
		if err != nil {
			return out, fmt.Errorf("redo log %s: %w", c.path(g.number, redoExt), err)
		}
	}
	return out, nil
}

// resume appends to the newest generation.
func (c *copies) resume(number int) error {
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

func (c *copies) use(number int, f *os.File, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.redo != nil {
		_ = c.redo.Close() // every record is in it already
	}
	c.number, c.redo, c.size, c.broken = number, f, size, nil
}

// append keeps a transaction. One that cannot be kept makes a new copy due; it is in the
// database all the same.
func (c *copies) append(r redo.Record) {
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

// abandon gives a generation up whose copy could not be made.
func (c *copies) abandon(number int, err error) {
	c.mu.Lock()
	c.fail(err)
	c.mu.Unlock()
	if number > 0 {
		_ = os.Remove(c.path(number, redoExt)) // without its copy it is of no use
	}
}

// fail ends the redo log, which now misses something; c.mu is held.
func (c *copies) fail(err error) {
	if c.redo != nil {
		_ = c.redo.Close() // it is of no use any more
	}
	c.redo, c.broken = nil, err
	c.log.Error("the copy of the state database is behind; it is made anew when that can be done", "folder", c.dir, "err", err)
}

// written makes a copy due where one is, after a write.
func (c *copies) written() {
	select {
	case c.due <- struct{}{}:
	default:
	}
}

// wanted says that a new generation must be made now.
func (c *copies) wanted(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.redo == nil {
		return now.Sub(c.tried) >= copyRetry
	}
	return c.size > c.limit
}

// begin starts the redo log of the next generation; the caller holds the writing connection.
func (c *copies) begin(now time.Time) (number int, err error) {
	c.mu.Lock()
	c.tried = now
	c.mu.Unlock()
	number = 1
	if all := c.list(); len(all) > 0 {
		number = all[len(all)-1].number + 1
	}
	path := c.path(number, redoExt)
	if err := atomicfile.WriteBytes(path, 0o600, []byte(redo.Magic)); err != nil {
		return 0, err
	}
	return number, c.resume(number)
}

// finish copies the database as the base of a generation that was begun.
func (c *copies) finish(ctx context.Context, db *sql.DB, number int) error {
	temp := c.path(number, copyExt) + ".tmp"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, temp); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := publish(temp, c.path(number, copyExt)); err != nil {
		return err
	}
	info, err := os.Stat(c.path(number, copyExt))
	if err != nil {
		return err
	}
	if err := pagesum.Write(c.path(number, copyExt), c.path(number, sumsExt)); err != nil {
		return err
	}
	c.mu.Lock()
	c.limit = max(minCopyBytes, info.Size())
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
func (c *copies) forget(newest int) {
	keep := 0
	for _, g := range c.list() {
		if g.number < newest && g.whole() {
			keep = g.number
		}
	}
	for _, g := range c.list() {
		if g.number >= keep && keep > 0 || g.number >= newest {
			continue
		}
		for _, ext := range []string{sumsExt, redoExt, copyExt} {
			_ = os.RemoveAll(c.path(g.number, ext)) // what stays is tried again with the next copy
		}
	}
}

func (c *copies) problems() []model.Problem {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		return nil
	}
	return []model.Problem{{
		Severity: "warning",
		Message:  fmt.Sprintf("The copy of the state database in %s is behind: %v.", c.dir, c.broken),
		Cure:     "Free disk space or restore write permission on the folder; it is made anew by itself.",
	}}
}

func (c *copies) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.redo == nil {
		return nil
	}
	err := errors.Join(c.redo.Sync(), c.redo.Close())
	c.redo = nil
	return err
}
