package metrics

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/wlog"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

// Acknowledged is the way in for samples whose sender forgets them once it has its
// answer: Commit returns when they are on the disk, not just handed to the
// operating system. Commits at the same time share one fsync. Without
// sync_before_ack it is AppenderV2.
func (s *Store) Acknowledged() storage.AppendableV2 {
	if !s.cfg.SyncBeforeAck {
		return s
	}
	return acknowledged{s}
}

type acknowledged struct{ s *Store }

func (a acknowledged) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &syncedAppender{AppenderV2: a.s.AppenderV2(ctx), s: a.s}
}

type syncedAppender struct {
	storage.AppenderV2
	s *Store
}

func (a *syncedAppender) Commit() error {
	if err := a.AppenderV2.Commit(); err != nil {
		return err
	}
	return a.s.sync()
}

// sync returns when all that was committed before is on the disk. After an
// fsync has failed nobody knows what the disk holds, and the next one may succeed
// without it (Linux forgets pages that it could not write): writes stop until
// a restart, which reads what is really there.
func (s *Store) sync() error {
	if err := errors.Join(s.synced.wait(), s.news.past.Sync()); err != nil {
		s.breakDown(fmt.Sprintf("the log could not be brought to the disk (%v); repair the disk, then restart", err))
		return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
	}
	return nil
}

// logSync brings the database's two logs to the disk, one fsync for all who wait.
// The database keeps its log's files to itself, but fsync works on the file, whoever
// opened it: each of those that may have grown since the last time is opened
// and synced.
//
// Lock order: turn, then mu.
type logSync struct {
	acked *acked.File
	logs  []*openLog
	fsync func(*os.File) error
	took  func(time.Duration)

	mu   sync.Mutex
	next *group // those who wait for a sync that has not begun

	turn sync.Mutex // held while syncing
}

type group struct {
	size int  // guarded by logSync.mu
	done bool // guarded by logSync.turn
	err  error
}

// newLogSync also remembers in the folder how much was acknowledged, where that can be
// written.
func newLogSync(dir string, fsync func(*os.File) error, log *slog.Logger) *logSync {
	remembered, err := acked.Open(dir)
	if err != nil {
		log.Warn("what is acknowledged cannot be noted; if the newest file of a log is cut off, that is not seen", "folder", dir, "err", err)
	}
	l := &logSync{fsync: fsync, took: func(time.Duration) {}, next: &group{}, acked: remembered}
	for _, name := range []string{acked.Samples, acked.Late} {
		l.logs = append(l.logs, &openLog{name: name, dir: filepath.Join(dir, name), newest: -1, acked: remembered})
	}
	return l
}

// look forgets the files that the database deleted because blocks hold what stood in them.
func (l *logSync) look() {
	l.acked.Keep(func(p acked.Place) bool {
		for _, o := range l.logs {
			if o.name == p.Log {
				_, err := os.Lstat(wlog.SegmentName(o.dir, p.Segment))
				return !errors.Is(err, fs.ErrNotExist)
			}
		}
		return false
	})
}

// wait returns after a sync that began after the call.
func (l *logSync) wait() error {
	l.mu.Lock()
	mine := l.next
	mine.size++
	l.mu.Unlock()
	l.turn.Lock()
	defer l.turn.Unlock()
	if mine.done {
		return mine.err
	}
	l.mu.Lock()
	l.next = &group{}
	l.mu.Unlock()
	begin := time.Now()
	for _, o := range l.logs {
		mine.err = errors.Join(mine.err, o.sync(l.fsync))
	}
	l.took(time.Since(begin))
	mine.done = true
	return mine.err
}

// close closes the files; the database syncs its own when it is closed.
func (l *logSync) close() error {
	l.turn.Lock()
	defer l.turn.Unlock()
	l.look()
	errs := []error{l.acked.Close()}
	for _, o := range l.logs {
		errs = append(errs, o.close())
	}
	return errors.Join(errs...)
}

// openLog is a log's folder of numbered files, of which only the newest grows.
type openLog struct {
	name   string
	dir    string
	acked  *acked.File
	newest int // the file that grew last; -1: none was seen
	file   *os.File
	end    int64 // where its last known record ends
}

// sync syncs every file from the one that grew last to the newest.
func (o *openLog) sync(fsync func(*os.File) error) error {
	for {
		if o.file == nil {
			found, err := o.open(fsync)
			if err != nil || !found {
				return err
			}
		}
		info, err := o.file.Stat()
		if err != nil {
			return fmt.Errorf("look at %s: %w", o.file.Name(), err)
		}
		if err := fsync(o.file); err != nil {
			return fmt.Errorf("sync %s: %w", o.file.Name(), err)
		}
		// Files are made and, by truncation, deleted in ascending order. So if there is
		// no next one, and after that this one is still there, then this one is the newest.
		next, err := exists(wlog.SegmentName(o.dir, o.newest+1))
		if err != nil {
			return err
		}
		still := false
		if !next {
			if still, err = exists(o.file.Name()); err != nil {
				return err
			}
		}
		if err := o.remember(info); err != nil || still {
			return err
		}
		if next {
			o.newest++
		}
		if err := o.close(); err != nil {
			return fmt.Errorf("close a file of %s: %w", o.dir, err)
		}
	}
}

// remember notes up to where whole records of the open file are on the disk.
func (o *openLog) remember(info os.FileInfo) (err error) {
	if o.end, err = acked.End(o.file, o.end, info.Size()); err != nil {
		return fmt.Errorf("look at %s: %w", o.file.Name(), err)
	}
	o.acked.Set(acked.Place{Log: o.name, Segment: o.newest}, acked.Extent{Bytes: o.end, Written: info.ModTime()})
	return nil
}

// open opens the file that grew last, or the oldest one if that is not there:
// what stood in files that were truncated is in a block, which is on the disk. It
// reports false while there is no file.
func (o *openLog) open(fsync func(*os.File) error) (bool, error) {
	f, err := os.Open(wlog.SegmentName(o.dir, o.newest))
	for errors.Is(err, fs.ErrNotExist) {
		first, _, lerr := wlog.Segments(o.dir)
		if errors.Is(lerr, fs.ErrNotExist) || lerr == nil && first < 0 {
			return false, nil
		}
		if lerr != nil {
			return false, fmt.Errorf("list %s: %w", o.dir, lerr)
		}
		o.newest = first
		f, err = os.Open(wlog.SegmentName(o.dir, first))
	}
	if err != nil {
		return false, err
	}
	o.file, o.end = f, 0
	return true, syncFolder(o.dir, fsync) // the file's name must last, too
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (o *openLog) close() error {
	if o.file == nil {
		return nil
	}
	f := o.file
	o.file = nil
	return f.Close()
}

func syncFolder(dir string, fsync func(*os.File) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(fsync(d), d.Close())
}
