// Package metrics keeps samples, native histograms and exemplars in a
// Prometheus TSDB.
//
// It opens the database with settings that suit a store others push into (out of order
// window, exemplars, snapshot of the head on a clean stop), refuses writes
// before the disk is full, and tells subscribers that new samples arrived. It
// neither admits nor counts samples (admit/samples does) nor evaluates queries
// (query/promql does).
//
// In: appends through storage.Appendable and storage.AppendableV2. Out:
// storage.Queryable, ChunkQueryable, ExemplarQueryable, and the statistics that
// Prometheus' API serves.
//
// Invariants: a Commit that returned nil has been written to the log with
// write(2), so it survives kill -9; one by way of Acknowledged has also been synced, so
// that it survives a power cut. After store.ErrReadOnly nothing of the batch is
// kept, unless the reason was a sync that failed, then it may be, and the store takes no
// more until a restart, or the log of late samples, then its samples are kept and the store takes
// no more until they are in a block. Methods are safe for concurrent use; a
// batch is committed after the other, and no other lock is held while the TSDB is called.
//
// Start reading at Open.
package metrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
	"github.com/signalbox-project/signalbox/internal/store/metrics/mend"
	"github.com/signalbox-project/signalbox/internal/store/metrics/past"
	"github.com/signalbox-project/signalbox/internal/store/numbers"
	"github.com/signalbox-project/signalbox/internal/telemetry"
)

// maxBlockRange bounds how far blocks are merged.
const maxBlockRange = 31 * 24 * time.Hour

// diskCheckEvery is how often Run looks at the free space.
const diskCheckEvery = 2 * time.Second

// Deps is what the store is given.
type Deps struct {
	Dir        string // its own folder, made if missing
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// FreeBytes says how much room the disk of a folder has; nil asks the
	// operating system.
	FreeBytes func(dir string) (uint64, error)
	// MemoryLimit is what the whole process may use, in bytes; 0 is no limit.
	MemoryLimit int64
	// Sharing is how many stores there are in the process, each with an equal share; 0 is this one alone.
	Sharing int
	// Small is for a store that is one of many: what is idle of it takes less memory.
	Small bool
	// Encrypted is for a folder that the file system encrypts: nothing of the samples goes to a disk that may not be.
	Encrypted bool
	// Settled is how old a sample is that comes too late for who reads the newest minutes again; see Store.Changes. 0 is 11 minutes.
	Settled time.Duration
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Fsync brings a file to the disk; nil is os.File.Sync.
	Fsync func(*os.File) error
}

// Store is an open database.
type Store struct {
	cfg      Config
	dir      string
	log      *slog.Logger
	db       *tsdb.DB
	free     func(string) (uint64, error)
	readOnly atomic.Pointer[string] // the reason, nil while writable
	broken   atomic.Pointer[string] // why no write is taken until a restart, nil while all is well
	news     news
	damages  []mend.Damage
	wounds   *wounds
	synced   *logSync
	room     *room
	disk     *disk
	late     *lateState
	names    namers
}

// Open opens or makes the database and replays its log; after an unclean stop
// that takes about 0.1 s per million samples.
func Open(cfg Config, deps Deps) (*Store, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s := &Store{cfg: cfg, dir: deps.Dir, log: deps.Logger, free: deps.FreeBytes, room: newRoom(cfg, deps.MemoryLimit, max(1, deps.Sharing))}
	s.log = instrument.Logger(s.log)
	if s.free == nil {
		s.free = freeBytes
	}
	if err := os.MkdirAll(deps.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("make metrics folder %s: %w", deps.Dir, err)
	}
	var err error
	s.disk = newDisk(deps.Dir, s.free, s.log, deps.Encrypted)
	absent := acked.Absent(deps.Dir)
	if s.damages, err = mend.Folder(deps.Dir, s.log, s.disk.spare.AtStart); err != nil {
		if errors.Is(err, syscall.EAGAIN) {
			return nil, fmt.Errorf("open metrics store %s: another process uses it; stop that one or choose another folder: %w", deps.Dir, err)
		}
		return nil, fmt.Errorf("mend metrics store %s: %w", deps.Dir, err)
	}
	if absent {
		s.damages = append(s.damages, mend.Damage{File: acked.Name, Reason: "it is absent", List: true, Found: time.Now()})
	}
	if deps.Fsync == nil {
		deps.Fsync = (*os.File).Sync
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	s.news = news{past: past.Open(deps.Dir, s.log, deps.Now, deps.Fsync), settled: cmp.Or(deps.Settled, usuallySettled), now: deps.Now}
	s.synced = newLogSync(deps.Dir, deps.Fsync, s.log)
	s.wounds = newWounds(s.log)
	opts := options(cfg)
	if deps.Small {
		opts.StripeSize = smallStripes
	}
	s.wounds.use(opts)
	opts.SeriesLifecycleCallback = seriesCount{&s.names.made}
	watched := newLateLog(telemetry.Quiet(s.log))
	s.late = watched.state
	blocks := &knownBlocks{list: s.synced.acked, log: s.log, keep: time.Duration(cfg.Retention), now: deps.Now}
	opts.BlocksToDelete = blocks.toDelete
	db, err := tsdb.Open(deps.Dir, slog.New(watched), deps.Registerer, opts, nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open metrics store %s: %w", deps.Dir, err), s.synced.close(), s.news.past.Close())
	}
	s.db = db
	blocks.db.Store(db)
	if err := s.disk.begin(db); err != nil {
		return nil, errors.Join(fmt.Errorf("open metrics store %s: %w", deps.Dir, err), db.Close(), s.synced.close())
	}
	s.registerMetrics(deps.Registerer)
	s.checkDisk()
	return s, nil
}

// smallStripes is how many parts the series of a small store are in, each with a lock and maps, where 16,384 is usual.
const smallStripes = 512

func options(cfg Config) *tsdb.Options {
	retention := time.Duration(cfg.Retention)
	o := tsdb.DefaultOptions()
	o.RetentionDuration = retention.Milliseconds()
	o.MaxBytes = cfg.MaxBytes
	blockRange := time.Duration(cfg.BlockRange)
	o.MinBlockDuration = blockRange.Milliseconds()
	o.MaxBlockDuration = max(blockRange, min(maxBlockRange, retention/10)).Milliseconds()
	o.BlockReloadInterval = time.Duration(cfg.CompactEvery)
	o.WALCompression = compression.Snappy
	o.OutOfOrderTimeWindow = time.Duration(cfg.OutOfOrderWindow).Milliseconds()
	// A counter that begins with its first sample would hide what it counted before: a start time
	// says that it was zero then.
	o.EnableSTAsZeroSample = true
	o.EnableExemplarStorage = true
	o.MaxExemplars = cfg.MaxExemplars
	o.EnableMemorySnapshotOnShutdown = true
	return o
}

func (s *Store) registerMetrics(reg prometheus.Registerer) {
	if reg == nil {
		return
	}
	took := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "signalbox_metrics_store_sync_seconds",
		Help:    "Time to bring the log to the disk before samples are acknowledged; one sync serves all that wait.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
	})
	s.synced.took = func(d time.Duration) { took.Observe(d.Seconds()) }
	reg.MustRegister(
		took,
		s.room.refused,
		s.late.failures,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signalbox_metrics_store_max_series",
			Help: "How many series may be active, by metrics.max_series or the memory; 0 is no limit.",
		}, func() float64 { return float64(s.room.maxSeries) }),
		// The Thanos sidecar waits for this one by name.
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "prometheus_tsdb_lowest_timestamp_seconds",
			Help: "Lowest timestamp value stored in the database.",
		}, func() float64 {
			if bs := s.db.Blocks(); len(bs) > 0 {
				return float64(bs[0].Meta().MinTime / 1000)
			}
			return float64(s.db.Head().MinTime() / 1000)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signalbox_metrics_store_read_only",
			Help: "1 while the metrics store refuses writes because its disk is nearly full or not writable.",
		}, func() float64 {
			if s.readOnly.Load() != nil {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signalbox_storage_free_bytes",
			Help: "What may still be written to the disk of the metrics store; NaN when that is unknown.",
		}, func() float64 { return orNaN(s.free(s.dir)) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "signalbox_storage_size_bytes",
			Help: "Size of the disk of the metrics store; NaN when that is unknown.",
		}, func() float64 { return orNaN(diskBytes(s.dir)) }),
	)
}

// Run watches disk and memory until ctx is done, keeps the log of late samples short, and reads every block once.
func (s *Store) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	beside.Go(func() { _ = s.scrub(ctx, rest) }) // ends early only with ctx
	beside.Go(func() { s.keepLate(ctx) })
	beside.Go(func() {
		if err := s.disk.holdBack(ctx, s.db); err != nil {
			s.breakDown(fmt.Sprintf("%v; repair the disk, then restart", err))
		}
	})
	defer beside.Wait()
	tick, look := time.NewTicker(diskCheckEvery), time.NewTicker(lookEvery)
	defer tick.Stop()
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.checkDisk()
			s.synced.look()
		case <-look.C:
			s.room.look()
		}
	}
}

// ReadOnly is the reason why writes are refused, or "".
func (s *Store) ReadOnly() string {
	if r := s.readOnly.Load(); r != nil {
		return *r
	}
	return ""
}

// Damages is what could not be read when the store was opened, then or earlier, and
// what cannot be read of its blocks.
func (s *Store) Damages() []mend.Damage { return append(slices.Clone(s.damages), s.wounds.list()...) }

// Ready is an error while the store refuses writes.
func (s *Store) Ready() error {
	if r := s.ReadOnly(); r != "" {
		return fmt.Errorf("%w: %s", store.ErrReadOnly, r)
	}
	return nil
}

// Close writes a snapshot of the head and closes the files. No append may be
// under way.
func (s *Store) Close() error {
	s.disk.beforeClose()
	if err := errors.Join(s.db.Close(), s.synced.close(), s.news.past.Close()); err != nil {
		return fmt.Errorf("close metrics store: %w", err)
	}
	return nil
}

// Querier reads series between mint and maxt, Unix milliseconds. Selectors of le and quantile
// compare numbers.
func (s *Store) Querier(mint, maxt int64) (storage.Querier, error) {
	q, err := s.db.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return numbers.Querier(q), nil
}

// ChunkQuerier reads encoded chunks.
func (s *Store) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	q, err := s.db.ChunkQuerier(mint, maxt)
	if err != nil {
		return nil, err
	}
	return numbers.ChunkQuerier(q), nil
}

// ExemplarQuerier reads exemplars.
func (s *Store) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	return s.db.ExemplarQuerier(ctx)
}

// StartTime is the time of the oldest sample, Unix milliseconds.
func (s *Store) StartTime() (int64, error) { return s.db.StartTime() }

// Dir is the database's folder.
func (s *Store) Dir() string { return s.dir }

// Retention is how long samples are kept.
func (s *Store) Retention() time.Duration { return time.Duration(s.cfg.Retention) }

// OutOfOrderWindow is how late a sample may be.
func (s *Store) OutOfOrderWindow() time.Duration { return time.Duration(s.cfg.OutOfOrderWindow) }

// Stats are the cardinality figures of the head.
func (s *Store) Stats(label string, limit int) (*tsdb.Stats, error) {
	return s.db.Head().Stats(label, limit), nil
}

// WALReplayStatus is always complete: Open returns after the replay.
func (s *Store) WALReplayStatus() (tsdb.WALReplayStatus, error) { return tsdb.WALReplayStatus{}, nil }

// BlockMetas describes the blocks on disk.
func (s *Store) BlockMetas() ([]tsdb.BlockMeta, error) { return s.db.BlockMetas(), nil }

// CleanTombstones removes deleted series from the disk.
func (s *Store) CleanTombstones() error { return s.db.CleanTombstones() }

// Delete deletes matching series in a range of Unix milliseconds.
func (s *Store) Delete(ctx context.Context, mint, maxt int64, ms ...*labels.Matcher) error {
	late := s.news.behind()
	late.span(s.oldest(), mint, maxt, ms)
	return late.commit(func() error { return s.db.Delete(ctx, mint, maxt, ms...) })
}

// oldest is the time of the oldest sample, Unix milliseconds, or one before it.
func (s *Store) oldest() int64 {
	t := min(s.db.Head().MinTime(), s.db.Head().MinOOOTime())
	for _, b := range s.db.Blocks() {
		t = min(t, b.MinTime())
	}
	return t
}

// Snapshot writes a copy of the database into dir.
func (s *Store) Snapshot(dir string, withHead bool) error { return s.db.Snapshot(dir, withHead) }
