package auditlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promodel "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Config says where the log lives and for how long.
type Config struct {
	// Dir is the log's folder; it comes from --storage.path.
	Dir string `yaml:"-"`
	// Retention is how long a month is kept after its end.
	Retention promodel.Duration `yaml:"retention"`
	// Queue is how many entries of queries wait for the disk at most.
	Queue int `yaml:"queue"`
}

// DefaultConfig keeps two years.
func DefaultConfig() Config {
	return Config{Retention: promodel.Duration(730 * 24 * time.Hour), Queue: 8192}
}

// Validate lists what is wrong.
func (c Config) Validate() []error {
	var errs []error
	if c.Retention < promodel.Duration(24*time.Hour) {
		errs = append(errs, fmt.Errorf("retention: must be at least 1d, got %s", c.Retention))
	}
	if c.Queue < 1 {
		errs = append(errs, fmt.Errorf("queue: must be >= 1, got %d", c.Queue))
	}
	return errs
}

// Deps is what the log uses.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // time.Now by default
	// Former is the log of before there were files: the chain goes on from its end. Nil where there was none.
	Former store.AuditLog
}

const monthForm = "2006-01"

// Log is an audit log. Run must run for Note; Close it once, after its users stopped.
type Log struct {
	cfg    Config
	log    *slog.Logger
	now    func() time.Time
	former store.AuditLog
	met    *metrics
	notes  notes
	queue  chan model.AuditEntry

	retain sync.RWMutex // held for reading while files are read, for writing while one is replaced or removed
	mu     sync.Mutex
	closed []partition // before the current one, oldest first
	cur    *current    // nil before the first entry
	end    end

	sync syncing
}

// syncing is what is on the disk for sure.
type syncing struct {
	mu     sync.Mutex
	head   *os.File
	done   end
	kept   atomic.Int64          // done.ID, for who does not wait
	broken atomic.Pointer[error] // after a sync failed nobody knows what the disk holds
}

// current is the partition that is added to.
type current struct {
	partition
	file    *os.File
	index   *os.File
	size    int64
	indexed int64
	open    block // of lines that the index does not have yet
}

// Audit implements store.AuditLog: the entry is on the disk when it is answered.
func (l *Log) Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	if err := ctx.Err(); err != nil {
		return model.AuditEntry{}, fmt.Errorf("audit %s: %w", e.Action, err)
	}
	out := []model.AuditEntry{e}
	if err := l.append(out); err != nil {
		l.met.entries.WithLabelValues("failed").Inc()
		return model.AuditEntry{}, l.explain(err)
	}
	if err := l.syncTo(out[0].ID); err != nil {
		l.met.entries.WithLabelValues("failed").Inc()
		return model.AuditEntry{}, l.explain(err)
	}
	l.met.entries.WithLabelValues("synced").Inc()
	return out[0], nil
}

// Kept is the number of the newest entry that is on the disk for sure.
func (l *Log) Kept() int64 { return l.sync.kept.Load() }

// append writes entries to the end of the chain, and gives them their numbers and times. All are written, or none.
func (l *Log) append(entries []model.AuditEntry) error {
	if broken := l.sync.broken.Load(); broken != nil {
		return *broken
	}
	now := l.now().UTC()
	l.mu.Lock()
	defer func() { l.mu.Unlock() }()
	for l.cur == nil || l.cur.header.Partition < now.Format(monthForm) { // a clock that goes back turns nothing
		l.mu.Unlock()
		err := l.turn(now.Format(monthForm))
		if l.mu.Lock(); err != nil {
			return err
		}
	}
	var buf []byte
	at, hashes := l.end, make([]string, len(entries))
	sizes := make([]int64, len(entries))
	for i := range entries {
		entries[i] = bounded(entries[i], now)
		entries[i].ID = at.ID + 1
		var err error
		before := len(buf)
		if buf, at.Hash, err = appendLine(buf, at.Hash, entries[i]); err != nil {
			return err
		}
		at.ID, hashes[i], sizes[i] = entries[i].ID, at.Hash, int64(len(buf)-before)
	}
	// Behind what is known to be whole: what a write that failed left there is cut, or overwritten by the next.
	if _, err := l.cur.file.WriteAt(buf, l.cur.size); err != nil {
		return errors.Join(err, l.cur.file.Truncate(l.cur.size))
	}
	l.end = at
	for i, e := range entries {
		l.cur.grow(e, hashes[i], sizes[i])
	}
	return nil
}

// grow takes a line that was written into the index.
func (c *current) grow(e model.AuditEntry, hash string, size int64) {
	c.open.add(e, hash)
	c.size += size
	if c.open.length = c.size - c.open.offset; c.open.length >= blockBytes {
		c.flush()
	}
}

// flush writes the record of the open block. The index can be made again: an error leaves the block out of it, and the
// next start makes it.
func (c *current) flush() {
	b := c.open.closed()
	c.open = block{offset: c.size}
	record := b.record()
	if _, err := c.index.WriteAt(record, c.indexed); err == nil {
		c.indexed += int64(len(record))
	}
}

// turn begins a new partition.
func (l *Log) turn(month string) error {
	l.sync.mu.Lock()
	defer l.sync.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.cur
	if old != nil && old.header.Partition >= month {
		return nil // somebody else did
	}
	if old != nil {
		// What is written next is synced by itself; what was written must not be forgotten.
		if err := l.syncLocked(old.file, l.end); err != nil {
			return err
		}
	}
	next, err := l.begin(month)
	if err != nil {
		return err
	}
	if l.cur = next; old == nil {
		return nil
	}
	if old.open.words != nil {
		old.flush()
	}
	l.closed = append(l.closed, old.partition)
	return errors.Join(old.file.Close(), old.index.Close())
}

// syncTo makes all up to an entry durable, for everybody who waits at the same time.
func (l *Log) syncTo(id int64) error {
	l.sync.mu.Lock()
	defer l.sync.mu.Unlock()
	if broken := l.sync.broken.Load(); broken != nil {
		return *broken
	}
	if l.sync.done.ID >= id {
		return nil
	}
	l.mu.Lock()
	cur, at := l.cur, l.end
	l.mu.Unlock()
	if cur == nil {
		return nil
	}
	return l.syncLocked(cur.file, at)
}

// syncLocked needs sync.mu.
func (l *Log) syncLocked(f *os.File, at end) error {
	err := syscall.Fdatasync(int(f.Fd()))
	if err == nil {
		if err = writeHead(l.sync.head, at); err == nil {
			err = syscall.Fdatasync(int(l.sync.head.Fd()))
		}
	}
	if err != nil {
		err = fmt.Errorf("sync: %w", err)
		l.sync.broken.Store(&err)
		return err
	}
	l.sync.done = at
	l.sync.kept.Store(at.ID)
	return nil
}

// explain says what a failed write means.
func (l *Log) explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("audit log %s: %w: disk is full; free space on it: %w", l.cfg.Dir, store.ErrReadOnly, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EIO):
		return fmt.Errorf("audit log %s: %w: make it writable and check the disk: %w", l.cfg.Dir, store.ErrReadOnly, err)
	}
	return fmt.Errorf("audit log %s: %w", l.cfg.Dir, err)
}

// begin makes the file of a month.
func (l *Log) begin(month string) (*current, error) {
	h := header{Partition: month, First: l.end.ID + 1, Prev: l.end.Hash, Format: format}
	path := filepath.Join(l.cfg.Dir, month+plainExt)
	for n := 2; taken(path) || taken(partition{path: path}.index()) || taken(path+".zst"); n++ {
		path = filepath.Join(l.cfg.Dir, fmt.Sprintf("%s.%d%s", month, n, plainExt))
	}
	return createCurrent(partition{path: path, header: h})
}

func taken(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
