package state

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// FileName is the database's name in its folder; SQLite adds -wal and -shm.
const FileName = "state.db"

// Config says where the state lives.
type Config struct {
	// Dir is the folder of the database; it is made when it is missing. It
	// comes from --storage.path, not from the configuration file.
	Dir string `yaml:"-"`
}

// Deps is what the store uses.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Now is the clock for times that the caller left out; time.Now by default.
	Now func() time.Time
}

// Store is the state store. Close it once, after its users stopped.
type Store struct {
	path     string
	write    *sql.DB // one connection
	read     *sql.DB
	log      *slog.Logger
	now      func() time.Time
	problems []model.Problem
	readOnly atomic.Bool
	metrics  *metrics
}

type metrics struct {
	writes      *prometheus.CounterVec
	quarantined prometheus.Counter
}

// Open opens or creates the database and brings its schema up to date. A
// damaged database is moved aside and an empty one takes its place (see
// Problems); a folder that cannot be written is an error that names it and the cure.
func Open(ctx context.Context, cfg Config, deps Deps) (*Store, error) {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	s := &Store{
		path: filepath.Join(cfg.Dir, FileName), log: deps.Logger, now: deps.Now,
		metrics: &metrics{
			writes: prometheus.NewCounterVec(prometheus.CounterOpts{
				Name: "signalbox_state_writes_total", Help: "Writes to the state store by table and outcome (ok, failed).",
			}, []string{"table", "outcome"}),
			quarantined: prometheus.NewCounter(prometheus.CounterOpts{
				Name: "signalbox_state_quarantined_total", Help: "Damaged state databases that were moved aside.",
			}),
		},
	}
	if deps.Registerer != nil {
		for _, c := range []prometheus.Collector{s.metrics.writes, s.metrics.quarantined} {
			if err := deps.Registerer.Register(c); err != nil {
				return nil, fmt.Errorf("register state metrics: %w", err)
			}
		}
	}
	if err := checkFolder(cfg.Dir); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// open opens the database, once more after moving a damaged one aside.
func (s *Store) open(ctx context.Context) error {
	err := s.connect(ctx)
	if err == nil || !isCorrupt(err) {
		return err
	}
	aside, moveErr := s.quarantine()
	if moveErr != nil {
		return fmt.Errorf("%w; moving it aside: %w", err, moveErr)
	}
	s.metrics.quarantined.Inc()
	s.log.Error("state database is damaged; moved aside and started empty", "file", aside, "err", err)
	s.problems = append(s.problems, model.Problem{
		Severity: "critical",
		Message:  fmt.Sprintf("The state database was damaged and is kept as %s: %v. Deployments, gate decisions, pages and the audit log start empty.", aside, err),
		Cure:     fmt.Sprintf("Restore %s from a backup, or recover the old file with `sqlite3 %s .recover`, while Signalbox is stopped.", s.path, aside),
	})
	return s.connect(ctx)
}

func (s *Store) connect(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(s.explain("open", err), s.closeAll())
		}
	}()
	if s.write, err = sql.Open("sqlite", s.dsn("rwc", "immediate")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if err := quickCheck(ctx, s.write); err != nil {
		return err
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	// Quiet: goose writes a line per migration to standard output otherwise.
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.write, sub, goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", s.dsn("rw", "deferred")+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(4)
	return s.read.PingContext(ctx)
}

func (s *Store) dsn(mode, txlock string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: s.path}).EscapedPath()}
	return u.String() + "?mode=" + mode + "&_txlock=" + txlock +
		"&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
}

// quickCheck reads every page of the file once. Hashing all content
// (integrity_check) costs much more and finds little more at start.
func quickCheck(ctx context.Context, db *sql.DB) error {
	var first string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&first); err != nil {
		return err
	}
	if first != "ok" {
		return &corruptError{finding: first}
	}
	return nil
}

// quarantine renames the database and its companions and answers the new name.
func (s *Store) quarantine() (string, error) {
	aside := s.path + ".corrupt-" + s.now().UTC().Format("20060102T150405Z")
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s.corrupt-%s-%d", s.path, s.now().UTC().Format("20060102T150405Z"), n)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err := os.Rename(s.path+suffix, aside+suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}

// Problems is what went wrong at Open and since.
func (s *Store) Problems() []model.Problem {
	ps := append([]model.Problem(nil), s.problems...)
	if s.readOnly.Load() {
		ps = append(ps, model.Problem{
			Severity: "critical",
			Message:  fmt.Sprintf("The state database %s cannot be written; gate decisions, pages and deployments are refused.", s.path),
			Cure:     "Free disk space or restore write permission on its folder; it resumes by itself.",
		})
	}
	return ps
}

// Path is the database's file, for messages and backups.
func (s *Store) Path() string { return s.path }

// Close closes the database; its write-ahead log is folded in.
func (s *Store) Close() error { return s.closeAll() }

func (s *Store) closeAll() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// inTx runs one write transaction and counts it under table.
func (s *Store) inTx(ctx context.Context, table string, fn func(*sql.Tx) error) error {
	err := s.tx(ctx, fn)
	if err == nil {
		s.readOnly.Store(false)
		s.metrics.writes.WithLabelValues(table, "ok").Inc()
		return nil
	}
	if errors.Is(err, store.ErrNotFound) {
		return err
	}
	s.metrics.writes.WithLabelValues(table, "failed").Inc()
	err = s.explain("write "+table, err)
	if errors.Is(err, store.ErrReadOnly) && !s.readOnly.Swap(true) {
		s.log.Error("state database became read-only", "err", err)
	}
	return err
}

func (s *Store) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

type corruptError struct{ finding string }

func (e *corruptError) Error() string { return "database is damaged: " + e.finding }

func isCorrupt(err error) bool {
	var own *corruptError
	if errors.As(err, &own) {
		return true
	}
	switch sqliteCode(err) {
	case sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB:
		return true
	}
	return false
}

// sqliteCode is the primary result code, 0 when err is not SQLite's.
func sqliteCode(err error) int {
	var se *sqlite.Error
	if errors.As(err, &se) {
		return se.Code() & 0xff
	}
	return 0
}

// explain wraps an error with the path, and with the cure where there is one.
func (s *Store) explain(op string, err error) error {
	switch sqliteCode(err) {
	case sqlitelib.SQLITE_FULL:
		return fmt.Errorf("%s: state database %s: %w: disk is full; free space on it: %w", op, s.path, store.ErrReadOnly, err)
	case sqlitelib.SQLITE_READONLY, sqlitelib.SQLITE_CANTOPEN, sqlitelib.SQLITE_PERM:
		return fmt.Errorf("%s: state database %s: %w: give this user write permission on the file and its folder: %w", op, s.path, store.ErrReadOnly, err)
	case sqlitelib.SQLITE_IOERR:
		return fmt.Errorf("%s: state database %s: %w: check the disk: %w", op, s.path, store.ErrReadOnly, err)
	}
	return fmt.Errorf("%s: state database %s: %w", op, s.path, err)
}

// checkFolder makes the folder and writes a file in it, so that a read-only or
// full disk is found at start, with a message a person can act on.
func checkFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("state folder %s: %w; choose another with --storage.path or make it writable for this user", dir, err)
	}
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return fmt.Errorf("state folder %s cannot be written: %w; choose another with --storage.path or make it writable for this user", dir, err)
	}
	_, err = f.Write(make([]byte, 4096))
	err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	if err != nil {
		return fmt.Errorf("state folder %s cannot be written: %w; free space on its disk", dir, err)
	}
	return nil
}

func limitOf(n int) int {
	if n <= 0 {
		return store.DefaultStateLimit
	}
	return n
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// startEnd turns a half-open range into bounds that SQL compares with.
func startEnd(start, end time.Time) (from, to int64) {
	if end.IsZero() {
		return nanos(start), 1<<63 - 1
	}
	return nanos(start), end.UnixNano()
}
