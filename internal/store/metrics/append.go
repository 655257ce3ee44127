package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"syscall"

	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/store"
)

// Appender starts a batch (the older interface, which the rules manager
// speaks). It is quiet: what rules record must not wake those who wait for arrivals,
// or rules would wake themselves.
func (s *Store) Appender(ctx context.Context) storage.Appender {
	return &appender{Appender: s.db.Appender(ctx), s: s}
}

// AppenderV2 starts a batch. Commit fails with store.ErrReadOnly while the disk
// is nearly full.
func (s *Store) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &appenderV2{AppenderV2: s.db.AppenderV2(ctx), s: s, loud: true}
}

// Quiet is the way in for results that are computed when samples arrive: it
// makes no arrival.
func (s *Store) Quiet() storage.AppendableV2 { return quiet{s} }

type quiet struct{ s *Store }

func (q quiet) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &appenderV2{AppenderV2: q.s.db.AppenderV2(ctx), s: q.s}
}

type appender struct {
	storage.Appender
	s *Store
}

func (a *appender) Commit() error { return a.s.commit(a.Appender, false) }

type appenderV2 struct {
	storage.AppenderV2
	s    *Store
	loud bool
}

func (a *appenderV2) Commit() error { return a.s.commit(a.AppenderV2, a.loud) }

func (s *Store) commit(tx storage.AppenderTransaction, loud bool) error {
	if err := s.Ready(); err != nil {
		if rerr := tx.Rollback(); rerr != nil {
			return errors.Join(err, rerr)
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		if diskTrouble(err) {
			reason := err.Error()
			s.readOnly.Store(&reason) // the next look at the disk lifts it
			return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
		}
		return fmt.Errorf("commit samples: %w", err)
	}
	if loud {
		s.arrivals.notify()
	}
	return nil
}

func diskTrouble(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Arrivals is a channel that has an element soon after samples were committed;
// many commits fold into one. Each caller has its own channel until it calls stop.
func (s *Store) Arrivals() (c <-chan struct{}, stop func()) { return s.arrivals.subscribe() }

type broadcast struct {
	mu   sync.RWMutex
	subs map[chan struct{}]struct{}
}

func (b *broadcast) subscribe() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subs == nil {
		b.subs = map[chan struct{}]struct{}{}
	}
	b.subs[c] = struct{}{}
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, c)
	}
}

func (b *broadcast) notify() {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for c := range b.subs {
		select {
		case c <- struct{}{}:
		default:
		}
	}
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
