package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb/wlog"
)

// lateLogFailure is what the TSDB says, and all that it says, when it keeps late samples in memory that it could
// not write to their log: Commit returns no error then.
const lateLogFailure = "Failed to log out of order samples into the WAL"

// lateLog hears from the database's messages what happened to the log of late samples. Methods are safe for
// concurrent use.
type lateLog struct {
	slog.Handler // where the messages go

	state *lateState
}

type lateState struct {
	failed   atomic.Int64 // how often it could not be written
	inBlocks atomic.Int64 // how many of those times' samples are in blocks since
	reason   atomic.Pointer[string]
	failures prometheus.Counter
}

func newLateLog(log *slog.Logger) lateLog {
	return lateLog{log.Handler(), &lateState{failures: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "signalbox_metrics_store_late_log_failures_total",
		Help: "Batches whose late samples could not be written to their log, so that their senders got an error.",
	})}}
}

// Enabled lets the one message through that matters here.
func (l lateLog) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError || l.Handler.Enabled(ctx, level)
}

// Handle notes a failure. The TSDB logs in the goroutine that commits, so that the failure is noted when
// Commit returns.
func (l lateLog) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == lateLogFailure {
		reason := "unknown"
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "err" {
				reason = a.Value.String()
			}
			return true
		})
		l.state.reason.Store(&reason)
		l.state.failed.Add(1)
		l.state.failures.Inc()
	}
	if !l.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs keeps watching.
func (l lateLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return lateLog{l.Handler.WithAttrs(attrs), l.state}
}

// WithGroup keeps watching.
func (l lateLog) WithGroup(name string) slog.Handler {
	return lateLog{l.Handler.WithGroup(name), l.state}
}

// trouble is why no writes may come, or "": late samples are in memory only. A sender that
// repeats them would be told that all is well, because memory has them, while the log has not.
func (l *lateState) trouble() string {
	if l.failed.Load() == l.inBlocks.Load() {
		return ""
	}
	return fmt.Sprintf("late samples could not be written to their log (%s); writes are taken again when they are in a block", *l.reason.Load())
}

// lateRetryMost bounds the pause after failures to put late samples into blocks.
const lateRetryMost = time.Minute

// keepLate puts late samples into blocks when their log has become long, so that the next start does not have to read
// all of it, and when it could not be written. The database itself does so only after samples in order have filled a block,
// which processes that are killed often never reach.
func (s *Store) keepLate(ctx context.Context) {
	begin := time.Now()
	for pause := diskCheckEvery; ; {
		if err := s.lateToBlocks(ctx, time.Since(begin)); err != nil {
			s.log.Error("late samples could not be put into blocks", "err", err)
			pause = min(2*pause, lateRetryMost)
		} else {
			pause = diskCheckEvery
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// lateTries is a file beside the logs with the number of times in a row that late samples were to go into blocks
// because their log was long, and the process did not live to see the end. Each leaves some of the blocks behind, which the next
// start opens, so that a process that is killed after seconds must not try each time.
const lateTries = "LATE"

// patience is how long a process lives before it tries again.
func patience(tries int) time.Duration {
	if tries < 2 {
		return 0
	}
	return min(time.Second<<min(tries, 20), 10*time.Minute)
}

func (s *Store) lateToBlocks(ctx context.Context, lived time.Duration) error {
	failed := s.late.failed.Load()
	long := failed == s.late.inBlocks.Load()
	if long && folderBytes(filepath.Join(s.dir, wlog.WblDirName)) <= s.cfg.LateLogBytes {
		return nil
	}
	if s.disk.low.Load() {
		return nil // it begins with writing chunks, where the TSDB panics without room
	}
	tries := filepath.Join(s.dir, lateTries)
	if long {
		text, _ := os.ReadFile(tries) // none, or one that makes no sense, is no reason to wait
		n, _ := strconv.Atoi(string(text))
		if lived < patience(n) {
			return nil
		}
		_ = os.WriteFile(tries, []byte(strconv.Itoa(max(n, 0)+1)), 0o640) //nolint:gosec // as the other files
	}
	begin := time.Now()
	if err := s.db.CompactOOOHead(ctx); err != nil {
		return err
	}
	_ = os.Remove(tries)
	s.late.inBlocks.Store(failed)
	s.log.Debug("late samples were put into blocks", "took", time.Since(begin))
	s.checkDisk()
	return nil
}

// folderBytes is the size of the files of a folder; what cannot be read counts nothing.
func folderBytes(dir string) (sum int64) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			sum += info.Size()
		}
	}
	return sum
}
