package events

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
	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/scan"
	"github.com/signalbox-project/signalbox/internal/store/events/wal"
)

// Deps are what the store is given.
type Deps struct {
	Dir        string // its own folder, made if missing
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil registers nothing
	// FS changes files; nil is the operating system's.
	FS disk.FS
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

var (
	_ store.EventWriter = (*DB)(nil)
	_ store.LogReader   = (*DB)(nil)
	_ store.SpanReader  = (*DB)(nil)
	_ part.Source       = (*DB)(nil)
)

// DB is an open event store, safe for concurrent use. It needs Run to seal and
// clean up: without it appends end in store.ErrOverloaded once the heads are full.
type DB struct {
	*scan.Scanner // store.LogReader and store.SpanReader

	cfg     Config
	dir     string
	log     *slog.Logger
	fs      disk.FS
	now     func() time.Time
	metrics *metrics
	space   space
	lock    *os.File
	acked   *wal.Acked
	lastID  atomic.Uint64
	wg      sync.WaitGroup // index rebuilds
	buffers sync.Pool

	logs  *shelf[model.LogRecord, head.Logs]
	spans *shelf[model.Span, head.Spans]

	sealMu sync.Mutex    // one at a time seals, merges or deletes
	wake   chan struct{} // there may be something to seal

	roomMu sync.Mutex
	room   chan struct{} // closed and replaced when a head was sealed

	damageMu sync.Mutex
	damage   []Damage
}

// Open opens or makes a store and replays its log, which takes under a second for
// full heads. Damaged files are set aside, not an error.
func Open(cfg Config, deps Deps) (*DB, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("events: %w", errors.Join(errs...))
	}
	db := &DB{
		cfg: cfg, dir: deps.Dir, log: deps.Logger, fs: deps.FS, now: deps.Now, metrics: newMetrics(deps.Registerer),
		wake: make(chan struct{}, 1), room: make(chan struct{}),
		buffers: sync.Pool{New: func() any { return new([]byte) }},
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.fs == nil {
		db.fs = disk.OS{}
	}
	if db.now == nil {
		db.now = time.Now
	}
	db.space.db = db
	db.Scanner = scan.New(db)
	db.logs, db.spans = newShelf(db, logOps()), newShelf(db, spanOps())
	if err := db.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("open events in %s: %w", db.dir, err), db.Close())
	}
	db.space.probe()
	return db, nil
}

func (db *DB) walDir() string { return filepath.Join(db.dir, "wal") }

func (db *DB) quarantineDir() string { return filepath.Join(db.dir, "quarantine") }

// newID is larger than every id before it, also those of earlier runs.
func (db *DB) newID() uint64 {
	now := uint64(time.Now().UnixMicro()) // not db.now: ids must grow
	for {
		last := db.lastID.Load()
		id := max(last+1, now)
		if db.lastID.CompareAndSwap(last, id) {
			return id
		}
	}
}

func (db *DB) observeSync(d time.Duration) { db.metrics.walSync.Observe(d.Seconds()) }

// AppendLogs implements store.EventWriter.
func (db *DB) AppendLogs(ctx context.Context, records []model.LogRecord) error {
	return db.logs.append(ctx, records)
}

// AppendSpans implements store.EventWriter.
func (db *DB) AppendSpans(ctx context.Context, spans []model.Span) error {
	return db.spans.append(ctx, spans)
}

// View implements part.Source.
func (db *DB) View(signal part.Signal, r store.Range) *part.View {
	if signal == part.Spans {
		heads, parts := db.spans.view(r)
		return part.NewView(signal, parts, nil, heads, db.spans.partDamaged)
	}
	heads, parts := db.logs.view(r)
	return part.NewView(signal, parts, heads, nil, db.logs.partDamaged)
}

// Seal writes everything that is in memory as parts and returns when it is done.
func (db *DB) Seal(context.Context) error {
	db.logs.freezeAll()
	db.spans.freezeAll()
	return db.sealFrozen()
}

func (db *DB) sealFrozen() error {
	db.sealMu.Lock()
	defer db.sealMu.Unlock()
	return errors.Join(db.logs.sealFrozen(), db.spans.sealFrozen())
}

func (db *DB) wakeSealer() {
	select {
	case db.wake <- struct{}{}:
	default:
	}
}

// announceRoom wakes appends that wait for memory.
func (db *DB) announceRoom() {
	db.roomMu.Lock()
	defer db.roomMu.Unlock()
	close(db.room)
	db.room = make(chan struct{})
}

// awaitRoom waits until the heads' memory is below the bound: at most MaxWait,
// then it is store.ErrOverloaded.
func (db *DB) awaitRoom(ctx context.Context) error {
	var timeout <-chan time.Time
	for {
		db.roomMu.Lock()
		room := db.room
		db.roomMu.Unlock()
		_, a := db.logs.memory()
		_, b := db.spans.memory()
		if int64(a+b) < db.cfg.MaxBytes {
			return nil
		}
		db.logs.freezeLargest()
		db.spans.freezeLargest()
		if timeout == nil {
			t := time.NewTimer(time.Duration(db.cfg.MaxWait))
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-room:
		case <-timeout:
			return fmt.Errorf("%w: %d MiB of events wait to be sealed", store.ErrOverloaded, (a+b)>>20)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Run seals, merges and deletes until ctx is done.
func (db *DB) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { db.runSealer(ctx); return nil })
	g.Go(func() error { db.runMaintenance(ctx); return nil })
	return g.Wait()
}

// Close closes all files. What was acknowledged is durable already, and is replayed at the
// next start. Nothing may be appended any more; views may still be open.
func (db *DB) Close() error {
	db.wg.Wait()
	db.sealMu.Lock()
	defer db.sealMu.Unlock()
	err := errors.Join(db.logs.close(), db.spans.close())
	if db.acked != nil {
		err = errors.Join(err, db.acked.Close())
	}
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
		db.lock = nil
	}
	return err
}

// takeLock makes sure that no other process uses the folder. On a disk that
// cannot be written there is nothing to protect.
func (db *DB) takeLock() error {
	path := filepath.Join(db.dir, "LOCK")
	db.clearWay(path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		if disk.IsFull(err) {
			return nil
		}
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("another process uses it: %w", err), f.Close())
	}
	db.lock = f
	return nil
}
