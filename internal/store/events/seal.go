package events

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/wal"
)

// nextFrozen is the oldest head that waits to be sealed.
func (s *shelf[R, S]) nextFrozen() *loggedHead[R, S] {
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.heads {
		if h.frozen {
			return h
		}
	}
	return nil
}

// sealFrozen seals all frozen heads, oldest first. DB.seal.mu is held.
func (s *shelf[R, S]) sealFrozen() error {
	for h := s.nextFrozen(); h != nil; h = s.nextFrozen() {
		if err := s.seal(h); err != nil {
			s.db.metrics.sealErrors.WithLabelValues(s.name()).Inc()
			return fmt.Errorf("seal %s of %s: %w", s.name(), h.day, s.db.space.judge(err))
		}
		s.db.room.announce()
	}
	return nil
}

// seal writes a frozen head as a part and puts the part in its place. After an error the
// head stays as it was, and may be sealed again.
func (s *shelf[R, S]) seal(h *loggedHead[R, S]) error {
	h.writers.Wait()
	start := s.db.now()
	if h.seg != nil {
		if err := h.seg.Close(); err != nil {
			s.db.log.Warn("close log segment", "file", h.seg.Path(), "err", err)
		}
	}
	var p *part.Part
	if rows, _ := h.rows.Size(); rows > 0 {
		var err error
		p, err = s.ops.write(s.db.fs, filepath.Join(s.dir, h.day), h.rows.Snapshot(), part.Options{ID: h.id, Segments: h.ids, Keys: s.db.keys})
		if err != nil {
			return err
		}
		p.OnIndexDamage(s.indexDamaged)
		s.db.remember([]*part.Part{p}, nil)
		s.db.metrics.sealedBytes.WithLabelValues(s.name()).Add(float64(p.Size))
		s.db.metrics.sealSeconds.WithLabelValues(s.name()).Observe(s.db.now().Sub(start).Seconds())
	}
	s.mu.Lock()
	s.heads = slices.DeleteFunc(s.heads, func(o *loggedHead[R, S]) bool { return o == h })
	if p != nil {
		s.parts = append(s.parts, p)
	}
	s.mu.Unlock()
	for _, path := range h.paths {
		if name, ok := wal.ParseName(path); ok {
			s.db.acked.Drop(name)
		}
		if err := s.db.fs.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			// Harmless: the part names the segment, so the next start deletes it.
			s.db.log.Warn("delete sealed log segment", "file", path, "err", err)
		}
	}
	return nil
}

// freezeAll takes every head out of writing.
func (s *shelf[R, S]) freezeAll() {
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	for _, h := range s.open {
		s.freeze(h)
	}
}

// freezeOld freezes heads that are older than maxAge, and those of other days than
// the newest that got nothing for maxIdle.
func (s *shelf[R, S]) freezeOld(now time.Time, maxAge, maxIdle time.Duration) {
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	newest := ""
	for day := range s.open {
		newest = max(newest, day)
	}
	for day, h := range s.open {
		if now.Sub(h.since) >= maxAge || day != newest && now.Sub(h.last) >= maxIdle {
			s.freeze(h)
		}
	}
}
