package events

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

const (
	maintainEvery  = time.Second
	retentionEvery = time.Minute
	retrySeal      = 5 * time.Second
	closeIdleAfter = time.Minute

	// mergeAt small parts of one day and size class become one. A row is
	// rewritten at most once per size class, of which there are few.
	mergeAt = 8
)

// runSealer seals frozen heads until ctx is done, and again some time after an error.
func (db *DB) runSealer(ctx context.Context) {
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-db.seal.wake:
		case <-retry:
		}
		retry = nil
		if err := db.sealFrozen(); err != nil {
			db.log.Error("seal", "err", err)
			retry = time.After(retrySeal)
		}
	}
}

// runMaintenance does everything that has its time.
func (db *DB) runMaintenance(ctx context.Context) {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		db.maintain(n%int(retentionEvery/maintainEvery) == 0)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// maintain is one round; full adds what is done less often.
func (db *DB) maintain(full bool) {
	now := db.now()
	db.space.probe()
	db.logs.freezeOld(now, time.Duration(db.cfg.SealAfter), time.Duration(db.cfg.SealIdle))
	db.spans.freezeOld(now, time.Duration(db.cfg.SealAfter), time.Duration(db.cfg.SealIdle))
	if full {
		db.logs.expire(now.Add(-time.Duration(db.cfg.Retention.Logs)))
		db.spans.expire(now.Add(-time.Duration(db.cfg.Retention.Spans)))
	}
	if db.space.check() == nil {
		for _, merge := range []func() error{db.logs.merge, db.spans.merge} {
			if err := merge(); err != nil {
				db.log.Error("merge small parts", "err", err)
			}
		}
		for _, anew := range []func() error{db.logs.keepAsSet, db.spans.keepAsSet} {
			if err := anew(); err != nil {
				db.log.Error("keep parts as events.encrypt says", "err", err)
			}
		}
	}
	db.logs.tidy()
	db.spans.tidy()
}

// expire drops the parts whose every row is older than t, and empty day folders.
func (s *shelf[R, S]) expire(t time.Time) {
	s.db.seal.mu.Lock()
	defer s.db.seal.mu.Unlock()
	s.mu.Lock()
	parts := slices.Clone(s.parts)
	s.mu.Unlock()
	parts = slices.DeleteFunc(parts, func(p *part.Part) bool { return p.MaxTime >= t.UnixNano() || !s.take(p) })
	s.db.remember(nil, parts)
	for _, p := range parts {
		s.db.metrics.dropped.WithLabelValues(s.name(), "retention").Add(float64(p.Rows))
		s.db.log.Info("part dropped by retention", "signal", s.name(), "part", p.Name(), "rows", p.Rows)
		p.Doom()
		p.Release()
	}
	days, err := os.ReadDir(s.dir)
	if err != nil {
		s.db.log.Warn("list day folders", "err", err)
	}
	for _, d := range days {
		if d.Name() < t.UTC().Format(time.DateOnly) {
			_ = os.Remove(filepath.Join(s.dir, d.Name())) // fails while it holds files, as it should
		}
	}
}

// tidy closes unused files and sets the gauges.
func (s *shelf[R, S]) tidy() {
	s.mu.Lock()
	parts := s.parts
	s.mu.Unlock()
	bytes := int64(0)
	for _, p := range parts {
		p.CloseIdle(time.Now().Add(-closeIdleAfter))
		bytes += p.Size
	}
	rows, memory := s.memory()
	m := s.db.metrics
	m.parts.WithLabelValues(s.name()).Set(float64(len(parts)))
	m.partBytes.WithLabelValues(s.name()).Set(float64(bytes))
	m.headRows.WithLabelValues(s.name()).Set(float64(rows))
	m.headBytes.WithLabelValues(s.name()).Set(float64(memory))
}

// sizeClass groups parts that are worth merging: each class is 8 times the one below.
func sizeClass(rows int) int { return bits.Len(uint(rows)) / 3 }

// mergeable finds mergeAt parts of one day and size class; nil if there are none. Parts of at
// least half a head stay as they are.
func (s *shelf[R, S]) mergeable() []*part.Part {
	s.mu.Lock()
	defer s.mu.Unlock()
	type group struct {
		day   string
		class int
	}
	groups := map[group][]*part.Part{}
	for _, p := range s.parts {
		if p.Rows > s.db.cfg.HeadRows/2 || p.Size > s.db.cfg.HeadBytes/2 {
			continue
		}
		g := group{day: filepath.Base(filepath.Dir(p.Path())), class: sizeClass(p.Rows)}
		groups[g] = append(groups[g], p)
	}
	for _, list := range groups {
		slices.SortFunc(list, func(a, b *part.Part) int { return cmp.Compare(a.MinTime, b.MinTime) })
		rows := 0
		for i, p := range list {
			rows += p.Rows
			if full := rows >= s.db.cfg.HeadRows; i+1 >= mergeAt || full && i > 0 {
				return list[:i+1]
			}
		}
	}
	return nil
}

// merge replaces small parts by one, once. The rows are encoded again, which is fair for
// small parts only.
func (s *shelf[R, S]) merge() error {
	s.db.seal.mu.Lock()
	defer s.db.seal.mu.Unlock()
	if err := s.db.seal.roster.Flush(); err != nil { // or the parts of one merge could be missed after the next one
		return s.db.space.judge(err)
	}
	list := s.mergeable()
	if list == nil {
		return nil
	}
	id := s.db.ids.next()
	b := s.ops.newHead(id)
	opt := part.Options{ID: id, Keys: s.db.keys}
	for _, p := range list {
		if err := s.ops.read(s.db.keys, p.Path(), b); err != nil {
			s.verify(p, err)
			return fmt.Errorf("read %s: %w", p.Path(), err)
		}
		opt.Replaces = append(opt.Replaces, p.Name())
		opt.Segments = append(opt.Segments, s.stillLogged(p.Segments)...)
	}
	dir := filepath.Dir(list[0].Path())
	merged, err := s.ops.write(s.db.fs, dir, b.Snapshot(), opt)
	if err != nil {
		return s.db.space.judge(err)
	}
	merged.OnIndexDamage(s.indexDamaged)
	s.db.remember([]*part.Part{merged}, list)
	s.mu.Lock()
	s.parts = append(slices.DeleteFunc(slices.Clone(s.parts), func(p *part.Part) bool { return slices.Contains(list, p) }), merged)
	s.mu.Unlock()
	for _, p := range list {
		p.Doom()
		p.Release()
	}
	s.db.metrics.merges.WithLabelValues(s.name()).Add(float64(len(list)))
	return nil
}

// stillLogged are those of a part's segments whose file could not be deleted.
func (s *shelf[R, S]) stillLogged(ids []uint64) (out []uint64) {
	for _, id := range ids {
		if found, _ := filepath.Glob(filepath.Join(s.db.walDir(), fmt.Sprintf("*-%016x.wal", id))); len(found) > 0 {
			out = append(out, id)
		}
	}
	return out
}

// freezeLargest freezes the largest head if none is frozen already: many
// half-filled heads (a back-fill of many days) may use up the memory together.
func (s *shelf[R, S]) freezeLargest() {
	if s.nextFrozen() != nil {
		return
	}
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	var largest *loggedHead[R, S]
	for _, h := range s.open {
		if largest == nil || h.reserved > largest.reserved {
			largest = h
		}
	}
	if largest != nil {
		s.freeze(largest)
	}
}
