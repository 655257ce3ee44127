package events

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
)

// space decides whether the store may write: not when the disk is nearly full,
// so that sealing and deleting still have room, and not after a write failed for want
// of room. It resumes by itself.
type space struct {
	db *DB

	mu     sync.Mutex
	reason string // why nothing is accepted; "" if all is well
}

// check is store.ErrReadOnly with the reason, or nil.
func (s *space) check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", store.ErrReadOnly, s.reason)
}

// judge turns an error that means "disk full" into store.ErrReadOnly, and stops writing.
func (s *space) judge(err error) error {
	if err == nil || !disk.IsFull(err) {
		return err
	}
	s.set(err.Error())
	return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
}

func (s *space) set(reason string) {
	s.mu.Lock()
	before := s.reason
	s.reason = reason
	s.mu.Unlock()
	switch {
	case before == "" && reason != "":
		s.db.metrics.readOnly.Set(1)
		s.db.log.Error("events are read-only", "reason", reason, "cure", "free disk space or shorten events.retention; writing resumes by itself")
	case before != "" && reason == "":
		s.db.metrics.readOnly.Set(0)
		s.db.log.Info("events are writable again")
	}
}

// probe looks at the disk and, to resume, tries to write.
func (s *space) probe() {
	wasOK := s.check() == nil
	free, total, err := s.db.fs.Free(s.db.dir)
	if err != nil {
		s.set(fmt.Sprintf("free space of %s is unknown: %v", s.db.dir, err))
		return
	}
	s.db.metrics.freeBytes.Set(float64(free))
	limit := min(s.db.cfg.MinFreeBytes, total/10)
	if !wasOK {
		limit += limit / 10 // resume only with some room, or it would flap
	}
	if free < limit {
		s.set(fmt.Sprintf("%d MiB left on the disk of %s, under min_free_bytes (%d MiB)", free>>20, s.db.dir, limit>>20))
		return
	}
	if wasOK {
		return
	}
	if err := s.tryWrite(); err != nil {
		s.set(err.Error())
		return
	}
	s.set("")
}

func (s *space) tryWrite() error {
	name := filepath.Join(s.db.walDir(), "probe"+disk.TempExt)
	f, err := s.db.fs.Create(name)
	if err != nil {
		_ = s.db.fs.Remove(name) // left over from a crash within the probe
		return err
	}
	_, err = f.Write(make([]byte, 64<<10))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), s.db.fs.Remove(name))
}
