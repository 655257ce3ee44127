package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync/atomic"
	"syscall"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/signalbox-project/signalbox/internal/store"
)

// Appender starts a batch (the older interface, which the rules manager
// speaks). It is quiet: what rules record must not wake those who wait for arrivals,
// or rules would wake themselves.
func (s *Store) Appender(ctx context.Context) storage.Appender {
	return &appender{Appender: s.db.Appender(ctx), s: s, made: s.names.made.Load(), behind: s.news.behind()}
}

// AppenderV2 starts a batch. Commit fails with store.ErrReadOnly while the disk
// is nearly full.
func (s *Store) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &appenderV2{AppenderV2: s.db.AppenderV2(ctx), s: s, loud: true, made: s.names.made.Load(), behind: s.news.behind()}
}

// Quiet is the way in for results that are computed when samples arrive: it
// makes no arrival.
func (s *Store) Quiet() storage.AppendableV2 { return quiet{s} }

type quiet struct{ s *Store }

func (q quiet) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &appenderV2{AppenderV2: q.s.db.AppenderV2(ctx), s: q.s, made: q.s.names.made.Load(), behind: q.s.news.behind()}
}

// appender makes series that its samples are the first of, so they come one after the other.
type appender struct {
	storage.Appender
	s      *Store
	made   int64
	behind behind
}

// Append looks whether a sample is late.
func (a *appender) Append(ref storage.SeriesRef, ls labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	a.s.names.making.Lock()
	got, err := a.Appender.Append(ref, ls, t, v)
	a.s.names.making.Unlock()
	if err == nil {
		a.behind.see(t, ls)
	}
	return got, err
}

// AppendHistogram looks whether a sample is late.
func (a *appender) AppendHistogram(ref storage.SeriesRef, ls labels.Labels, t int64, h *histogram.Histogram, fh *histogram.FloatHistogram) (storage.SeriesRef, error) {
	a.s.names.making.Lock()
	got, err := a.Appender.AppendHistogram(ref, ls, t, h, fh)
	a.s.names.making.Unlock()
	if err == nil {
		a.behind.see(t, ls)
	}
	return got, err
}

func (a *appender) Commit() error {
	if err := a.s.named(); err != nil {
		return errors.Join(err, a.Rollback())
	}
	return a.s.commit(a.Appender, false, a.made, &a.behind)
}

func (a *appender) Rollback() error {
	a.behind.drop()
	return a.s.rollback(a.Appender, a.made)
}

type appenderV2 struct {
	storage.AppenderV2
	s      *Store
	loud   bool
	made   int64
	names  namer
	behind behind
}

func (a *appenderV2) Commit() error {
	if err := a.s.named(); err != nil {
		return errors.Join(err, a.Rollback())
	}
	return a.s.commit(a.AppenderV2, a.loud, a.s.names.made.Load(), &a.behind)
}

func (a *appenderV2) Rollback() error {
	a.behind.drop()
	if err := a.s.names.end(&a.names); err != nil {
		a.s.unlogged(neverMade, err)
	}
	return a.s.rollback(a.AppenderV2, a.made)
}

// neverMade is no count of series.
const neverMade = -1

// named brings the labels of all series that the batches under way have made to the log.
func (s *Store) named() error {
	if err := s.names.write(); err != nil {
		s.unlogged(neverMade, err)
		return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
	}
	return nil
}

// seriesCount counts the series that were made, each of which the batch that made it writes to the log when it ends.
type seriesCount struct{ *atomic.Int64 }

func (c seriesCount) PreCreation(labels.Labels) error                     { return nil }
func (c seriesCount) PostCreation(labels.Labels)                          { c.Add(1) }
func (c seriesCount) PostDeletion(map[chunks.HeadSeriesRef]labels.Labels) {}

// unlogged stops writes if series were made since an appender was begun and now the log could not be written: they are
// in memory, so that later samples of them would be taken, but no start would know whose samples these are.
func (s *Store) unlogged(made int64, cause error) {
	if s.names.made.Load() == made {
		return
	}
	s.breakDown(fmt.Sprintf("new series could not be written to the log (%v); repair the disk, then restart", cause))
}

// breakDown stops writes until a restart.
func (s *Store) breakDown(reason string) {
	s.broken.CompareAndSwap(nil, &reason)
	s.checkDisk()
}

func (s *Store) rollback(tx storage.AppenderTransaction, made int64) error {
	err := tx.Rollback() // which writes new series to the log
	if err != nil {
		s.unlogged(made, err)
	}
	return err
}

func (s *Store) commit(tx storage.AppenderTransaction, loud bool, made int64, late *behind) error {
	if err := s.Ready(); err != nil {
		late.drop()
		if rerr := s.rollback(tx, made); rerr != nil {
			return errors.Join(err, rerr)
		}
		return err
	}
	failed := s.late.failed.Load()
	if err := s.inTurn(func() error { return late.commit(tx.Commit) }); err != nil {
		if diskTrouble(err) {
			reason := err.Error()
			s.readOnly.Store(&reason) // the next look at the disk lifts it
		}
		s.unlogged(made, err)
		if diskTrouble(err) {
			return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
		}
		return fmt.Errorf("commit samples: %w", err)
	}
	if s.late.failed.Load() != failed { // ours or one beside it: the sender's next try is told apart
		s.checkDisk()
		if trouble := s.late.trouble(); trouble != "" {
			return fmt.Errorf("%w: %s", store.ErrReadOnly, trouble)
		}
	}
	if loud {
		s.news.arrivals.notify()
	}
	return nil
}

// inTurn runs one commit after the other. The TSDB writes a batch to the log and then to memory: of two batches with samples of one
// series the later could be the first in the log and the second in memory, where both are in order, while the next start reads the
// earlier one as late, and drops it because the log of late samples has none. The disk is waited for elsewhere.
//
// A panic of a commit ends the process, also where whoever called recovers: the TSDB leaves the series locked that it was at, so that
// every later commit, query and compaction of that series would wait for ever. The next start reads the log.
func (s *Store) inTurn(commit func() error) error {
	s.names.turn.Lock()
	defer s.names.turn.Unlock()
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("the process ends because a commit of samples panicked", "panic", cause, "stack", string(debug.Stack()))
			go panic(cause) // out of reach of any recover
			select {}
		}
	}()
	return commit()
}

func diskTrouble(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// freeBytes is what an unprivileged process may still write.
func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// diskBytes is the size of the file system of a folder, without what only root
// may use, as df counts it.
func diskBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	return (st.Blocks - st.Bfree + st.Bavail) * uint64(st.Bsize), nil
}

func orNaN(n uint64, err error) float64 {
	if err != nil {
		return math.NaN()
	}
	return float64(n)
}
