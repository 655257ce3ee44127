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

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/roster"
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
	// Sealer has the keys that files are encrypted by; nil has none.
	Sealer seal.Sealer
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

	place
	cfg     Config
	metrics *metrics
	space   space
	acked   *wal.Acked
	ids     numbering
	buffers sync.Pool

	logs  *shelf[model.LogRecord, head.Logs]
	spans *shelf[model.Span, head.Spans]

	seal   sealing
	room   room
	damage damages
}

// place is where the store lives and what it is surrounded by.
type place struct {
	dir  string
	lock *os.File
	fs   disk.FS
	keys *cipherfile.Keys
	log  *slog.Logger
	now  func() time.Time
}

func (p *place) walDir() string { return filepath.Join(p.dir, "wal") }

func (p *place) quarantineDir() string { return filepath.Join(p.dir, "quarantine") }

// numbering gives ids to heads, segments and parts.
type numbering struct{ last atomic.Uint64 }

// next is larger than every id before it, also those of earlier runs.
func (i *numbering) next() uint64 {
	now := uint64(time.Now().UnixMicro()) // not the store's clock: ids must grow
	for {
		last := i.last.Load()
		id := max(last+1, now)
		if i.last.CompareAndSwap(last, id) {
			return id
		}
	}
}

// saw keeps next above an id that is in use.
func (i *numbering) saw(id uint64) {
	const bound = 1 << 60 // a damaged name must not use up all ids
	if id < bound && id > i.last.Load() {
		i.last.Store(id)
	}
}

// sealing orders what turns heads into parts and parts into others.
type sealing struct {
	mu       sync.Mutex    // one at a time seals, merges or deletes
	wake     chan struct{} // there may be something to seal
	rebuilds sync.WaitGroup
	roster   *roster.Roster // under mu
}

func (s *sealing) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// room tells appends that wait for memory when a head was sealed.
type room struct {
	mu   sync.Mutex
	more chan struct{} // closed and replaced when there is more of it
}

func (r *room) announce() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.more)
	r.more = make(chan struct{})
}

// next is closed when there is more room than now.
func (r *room) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.more
}

// Open opens or makes a store and replays its log, which takes under a second for
// full heads. Damaged files are set aside, not an error.
func Open(cfg Config, deps Deps) (*DB, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("events: %w", errors.Join(errs...))
	}
	db := &DB{
		cfg: cfg, place: place{dir: deps.Dir, log: deps.Logger, fs: deps.FS, now: deps.Now}, metrics: newMetrics(deps.Registerer),
		seal: sealing{wake: make(chan struct{}, 1)}, room: room{more: make(chan struct{})},
		buffers: sync.Pool{New: func() any { return new([]byte) }},
	}
	db.log = instrument.Logger(db.log)
	if db.fs == nil {
		db.fs = disk.OS{}
	}
	if db.now == nil {
		db.now = time.Now
	}
	if err := db.openKeys(deps.Sealer); err != nil {
		return nil, err
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
	var v *part.View
	if signal == part.Spans {
		heads, parts := db.spans.view(r)
		v = part.NewView(signal, parts, nil, heads, db.spans.partDamaged)
	} else {
		heads, parts := db.logs.view(r)
		v = part.NewView(signal, parts, heads, nil, db.logs.partDamaged)
	}
	v.Encrypts = db.keys.Encrypts()
	return v
}

// Seal writes everything that is in memory as parts and returns when it is done.
func (db *DB) Seal(context.Context) error {
	db.logs.freezeAll()
	db.spans.freezeAll()
	return db.sealFrozen()
}

func (db *DB) sealFrozen() error {
	db.seal.mu.Lock()
	defer db.seal.mu.Unlock()
	return errors.Join(db.logs.sealFrozen(), db.spans.sealFrozen())
}

// awaitRoom waits until the heads' memory is below the bound: at most MaxWait,
// then it is store.ErrOverloaded.
func (db *DB) awaitRoom(ctx context.Context) error {
	var timeout <-chan time.Time
	for {
		more := db.room.next()
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
		case <-more:
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
	db.seal.rebuilds.Wait()
	db.seal.mu.Lock()
	defer db.seal.mu.Unlock()
	err := errors.Join(db.logs.close(), db.spans.close())
	if db.acked != nil {
		err = errors.Join(err, db.acked.Close())
	}
	if db.seal.roster != nil {
		err = errors.Join(err, db.seal.roster.Close())
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
