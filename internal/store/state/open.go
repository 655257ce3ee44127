package state

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store/state/copies"
)

// lockFile says that a process uses the folder.
const lockFile = "LOCK"

// Open opens or creates the database and brings its schema up to date. A damaged one is repaired from
// its copy, or moved aside where it cannot be (see Problems); a disk without room opens it for reading, and
// writing resumes by itself. A folder that cannot be used is an error that names it and the cure.
func Open(ctx context.Context, cfg Config, deps Deps) (*Store, error) {
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, err
	}
	s := &Store{
		path: filepath.Join(cfg.Dir, FileName), log: deps.Logger, now: deps.Now, metrics: m, done: make(chan struct{}),
		copies: copies.New(filepath.Join(cfg.Dir, copies.Folder), cmp.Or(cfg.redoBytes, copies.MinBytes), deps.Logger),
	}
	s.rows.seen = map[string]int{}
	if err := s.prepareFolder(cfg.Dir); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.closeAll(), s.copies.Close(), s.unlock())
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	go s.maintain(run)
	return s, nil
}

// prepareFolder makes the folder, locks it and finds out whether anything can be written.
func (s *Store) prepareFolder(dir string) error {
	const cure = "choose another with --storage.path or make it writable for this user"
	aside, err := atomicfile.MakeDir(dir, 0o750, s.now())
	if err != nil {
		return fmt.Errorf("state folder %s: %w; %s", dir, err, cure)
	}
	if aside != "" {
		s.note("warning", fmt.Sprintf("%s was not a folder and is kept as %s.", dir, aside), "Look what it is; delete it if nobody needs it.")
	}
	if err := s.takeLock(dir); err != nil {
		return fmt.Errorf("state folder %s: %w", dir, err)
	}
	f, err := os.CreateTemp(dir, ".probe-*")
	if err == nil {
		_, err = f.Write(make([]byte, 64<<10)) // what SQLite needs at least to open a database
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		s.full = true
		s.readOnly.Store(true)
		s.log.Error("the disk is full; the state database is read-only until there is room", "folder", dir, "err", err)
	} else if err != nil {
		return errors.Join(fmt.Errorf("state folder %s cannot be written: %w; %s", dir, err, cure), s.unlock())
	}
	if aside, err := atomicfile.MakeDir(s.copies.Dir, 0o750, s.now()); err != nil {
		s.log.Error("the folder of the state's copy cannot be made", "folder", s.copies.Dir, "err", err)
	} else if aside != "" {
		s.note("warning", fmt.Sprintf("%s was not a folder and is kept as %s.", s.copies.Dir, aside), "Nothing is lost; check the disk, and delete it.")
	}
	return nil
}

// takeLock makes sure that no other process uses the folder: two would repair each other's files.
func (s *Store) takeLock(dir string) error {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil && !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		if _, asideErr := atomicfile.SetAside(path, s.now()); asideErr == nil {
			f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
		}
	}
	if err != nil {
		s.log.Warn("the state folder cannot be locked", "folder", dir, "err", err)
		return nil // what cannot be written needs no lock; the rest says why
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return errors.Join(fmt.Errorf("another process uses it (%w); stop that one or choose another folder with --storage.path", err), f.Close())
	}
	s.lock = f
	return nil
}

func (s *Store) unlock() error {
	if s.lock == nil {
		return nil
	}
	err := s.lock.Close()
	s.lock = nil
	return err
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
	if err := quickCheck(ctx, s.write, "quick_check"); err != nil {
		return err
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	// Quiet: goose writes a line per migration to standard output otherwise.
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.write, sub, goose.WithSlog(instrument.Silent()))
	if err != nil {
		return err
	}
	applied, err := provider.Up(ctx)
	if err != nil {
		return err
	}
	if len(applied) > 0 {
		s.copies.Outdated = true // its redo log would meet another schema
	}
	if s.full {
		s.read = s.write
		return nil
	}
	if s.read, err = sql.Open("sqlite", s.dsn("rw", "deferred")+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(4)
	return s.read.PingContext(ctx)
}

// dsn opens the database so that only checkpoint changes the file itself: what it is compared with at the
// next start is known then. On a full disk one connection does without the file that connections share.
func (s *Store) dsn(mode, txlock string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: s.path}).EscapedPath()}
	logging := "&_pragma=journal_mode(WAL)"
	if s.full {
		// The database says itself that it has a log; naming the mode here would open the shared file first.
		logging = "&_pragma=locking_mode(EXCLUSIVE)"
	}
	return u.String() + "?mode=" + mode + "&_txlock=" + txlock + "&_pragma=busy_timeout(5000)" + logging +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=wal_autocheckpoint(0)&_pragma=journal_size_limit(1048576)&_pragma=temp_store(MEMORY)"
}

// quickCheck reads every page of the file once. Hashing all content
// (integrity_check) costs much more; it is for a file that is under suspicion.
func quickCheck(ctx context.Context, db *sql.DB, pragma string) error {
	var first string
	if err := db.QueryRowContext(ctx, "PRAGMA "+pragma+"(1)").Scan(&first); err != nil {
		return err
	}
	if first != "ok" {
		return &corruptError{finding: first}
	}
	return nil
}
