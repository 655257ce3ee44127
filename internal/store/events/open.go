package events

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/roster"
	"github.com/signalbox-project/signalbox/internal/store/events/wal"
)

// recover brings the folder into the state that the invariants demand and
// loads it: parts first, because they tell which log segments are done with.
func (db *DB) recover() error {
	if err := db.makeFolders(); err != nil {
		return err
	}
	if err := db.takeLock(); err != nil {
		return err
	}
	if err := db.checkKeys(); err != nil { // before anything is changed
		return err
	}
	hadLists := db.hadLists()
	acked, ackedErr := db.openAcked(hadLists)
	segments, err := db.listSegments()
	if err != nil {
		return err
	}
	found := inventory{sealed: map[uint64]bool{}, there: map[uint64]bool{}}
	for _, load := range []func([]wal.Name, *inventory) error{db.logs.load, db.spans.load} {
		if err := load(segments, &found); err != nil {
			return err
		}
	}
	db.openRoster(&found, hadLists, len(segments)) // before what the parts hold is deleted from the log
	db.haveLists()
	sealed := found.sealed
	for _, name := range segments {
		if err := db.replaySegment(name, sealed[name.ID], acked[name]); err != nil {
			return err
		}
		delete(acked, name)
	}
	db.missingSegments(acked, sealed, ackedErr)
	return nil
}

// listSegments lists the log by id, which is the order of writing.
func (db *DB) listSegments() ([]wal.Name, error) {
	entries, err := os.ReadDir(db.walDir())
	if err != nil {
		return nil, err
	}
	var out []wal.Name
	for _, e := range entries {
		name, ok := wal.ParseName(e.Name())
		switch {
		case strings.HasSuffix(e.Name(), disk.TempExt):
			_ = db.fs.Remove(filepath.Join(db.walDir(), e.Name())) // nothing needs it; a read-only disk keeps it
		case !ok || name.Signal != db.logs.name() && name.Signal != db.spans.name():
			file := db.setAside("wal", filepath.Join(db.walDir(), e.Name()))
			db.report(Damage{Kind: "segment", File: file, Reason: "the name is not a log segment's"})
		default:
			out = append(out, name)
			db.ids.saw(name.ID)
		}
	}
	slices.SortFunc(out, func(a, b wal.Name) int { return int(min(1, max(-1, int64(a.ID)-int64(b.ID)))) })
	return out, nil
}

func (db *DB) replaySegment(name wal.Name, sealed bool, acked int64) error {
	path := filepath.Join(db.walDir(), name.FileName())
	if sealed {
		db.acked.Drop(name)
		if err := db.fs.Remove(path); err != nil {
			db.log.Warn("delete sealed log segment", "file", path, "err", err)
		}
		return nil
	}
	if err := readable(path); err != nil {
		db.setAside("wal", path)
		db.acked.Drop(name)
		db.report(Damage{Kind: "segment", Signal: name.Signal, File: "wal-" + name.FileName(), Range: rangeOfDay(name.Day), Reason: err.Error()})
		return nil //nolint:nilerr // what is lost is reported
	}
	var rep wal.Report
	var err error
	if name.Signal == db.spans.name() {
		rep, err = db.spans.replay(name, path)
	} else {
		rep, err = db.logs.replay(name, path)
	}
	if err != nil {
		return err
	}
	if end := rep.Intact(); end < acked && acked > wal.EmptySize {
		db.keepCopy(name, path)
		db.report(Damage{
			Kind: "segment", Signal: name.Signal, File: name.FileName(), Range: rangeOfDay(name.Day),
			Reason: fmt.Sprintf("its end is gone: bytes %d to %d had been acknowledged; %d records before are kept", end, acked, rep.Records),
		})
	}
	db.acked.Set(name, max(1, rep.Intact()))
	if rep.Torn > 0 {
		db.metrics.torn.Inc()
		db.log.Warn("log segment was cut off by a crash; what was acknowledged is kept", "file", path, "bytes", rep.Torn)
		if rep.Torn == rep.Size {
			return nil // nothing of it can be read, which does not prove that nothing is in it
		}
		if err := os.Truncate(path, rep.Size-rep.Torn); err != nil {
			db.log.Warn("truncate log segment", "file", path, "err", err)
		}
	}
	if len(rep.Damaged) > 0 {
		db.keepCopy(name, path)
	}
	for _, d := range rep.Damaged {
		db.report(Damage{
			Kind: "segment", Signal: name.Signal, File: name.FileName(), Range: rangeOfDay(name.Day),
			Reason: fmt.Sprintf("bytes %d to %d are damaged and skipped; %d records around them are kept", d.From, d.To, rep.Records),
		})
	}
	return nil
}

// keepCopy links a damaged segment into quarantine/: its intact rows live on in
// the store, and the file itself is deleted once they are sealed.
func (db *DB) keepCopy(name wal.Name, path string) {
	err := os.Link(path, filepath.Join(db.quarantineDir(), name.FileName()))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		db.log.Warn("keep a copy of a damaged log segment", "file", path, "err", err)
	}
}

// replay reads a segment into the head of its day.
func (s *shelf[R, S]) replay(name wal.Name, path string) (wal.Report, error) {
	h := s.open[name.Day]
	if h != nil {
		if _, bytes := h.rows.Size(); h.reserved >= s.db.cfg.HeadRows/2 || int64(bytes) >= s.db.cfg.HeadBytes/2 {
			s.freeze(h) // the next segment may be a full one
			h = nil
		}
	}
	if h == nil {
		now := s.db.now()
		h = &loggedHead[R, S]{id: s.db.ids.next(), day: name.Day, since: now, last: now}
		h.rows = s.ops.newHead(h.id)
		s.open[name.Day] = h
		s.heads = append(s.heads, h)
	}
	h.ids, h.paths = append(h.ids, name.ID), append(h.paths, path)
	rep, err := wal.Replay(s.db.keys, path, func(payload []byte) error {
		rows, err := s.ops.decode(payload)
		if err != nil {
			return err
		}
		h.rows.Append(rows)
		h.reserved += len(rows)
		s.db.metrics.replayed.WithLabelValues(s.name()).Add(float64(len(rows)))
		return nil
	})
	if !rep.Kept.Current {
		s.freeze(h) // what it holds is kept as is set now once it is sealed
	}
	return rep, err
}

// load opens all parts and notes the segments they stand for.
func (s *shelf[R, S]) load(segments []wal.Name, found *inventory) error {
	days, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	logged := map[uint64]bool{}
	for _, n := range segments {
		logged[n.ID] = true
	}
	var g errgroup.Group
	g.SetLimit(4)
	for _, d := range days {
		path := filepath.Join(s.dir, d.Name())
		names, err := partNames(path)
		if err != nil || !d.IsDir() {
			reason := "it is not the folder of a day"
			if err != nil {
				reason = err.Error()
			}
			file := s.db.setAside(s.name(), path)
			s.db.report(Damage{Kind: "folder", Signal: s.name(), File: file, Range: rangeOfDay(d.Name()), Reason: reason})
			continue
		}
		for path, exts := range names {
			found.saw(path)
			g.Go(func() error { return s.loadPart(path, exts, logged) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, p := range s.parts {
		for _, name := range p.Replaces {
			found.saw(name)
		}
	}
	s.dropReplaced()
	for _, p := range s.parts {
		found.there[p.ID] = true // whatever the file is called
		found.parts = append(found.parts, roster.EntryOf(p))
		s.db.ids.saw(p.ID)
		for _, id := range p.Segments {
			found.sealed[id] = true
			s.db.ids.saw(id)
		}
	}
	return nil
}

// partNames lists a day folder: paths without ending, with the endings found.
func partNames(dir string) (map[string][]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch ext := filepath.Ext(path); ext {
		case part.RowsExt, part.IndexExt:
			path = strings.TrimSuffix(path, ext)
			out[path] = append(out[path], ext)
		case disk.TempExt:
			_ = os.Remove(path) // of a seal that a crash ended; the log has its rows
		}
	}
	return out, nil
}

// loadPart opens a part, or sets it aside. Its error is that a key is not there.
func (s *shelf[R, S]) loadPart(path string, exts []string, logged map[uint64]bool) error {
	if !slices.Contains(exts, part.RowsExt) {
		return s.loneIndex(path, logged)
	}
	p, err := part.Open(s.db.keys, path)
	var broken *part.IndexError
	if errors.As(err, &broken) && !seal.Locked(err) {
		p, err = s.rebuild(path, err)
	}
	if seal.Locked(err) {
		return err
	}
	if err == nil && p.Signal != s.ops.signal {
		err = fmt.Errorf("%w: holds %s", part.ErrDamaged, p.Signal)
	}
	if err != nil {
		s.quarantinePart(path, store.Range{}, err)
		return nil
	}
	p.OnIndexDamage(s.indexDamaged)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = append(s.parts, p)
	return nil
}

// loneIndex judges an index without rows: left over from a seal or merge that a crash ended, or
// the trace of a file that somebody deleted.
func (s *shelf[R, S]) loneIndex(path string, logged map[uint64]bool) error {
	meta, err := part.ReadMeta(s.db.keys, path)
	if seal.Locked(err) {
		return err
	}
	unfinished := err == nil && slices.ContainsFunc(meta.Segments, func(id uint64) bool { return logged[id] })
	for _, name := range meta.Replaces {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), name+part.RowsExt)); err == nil {
			unfinished = true
		}
	}
	if unfinished {
		if err := s.db.fs.Remove(path + part.IndexExt); err != nil {
			s.db.log.Warn("delete the index of an unfinished part", "file", path+part.IndexExt, "err", err)
		}
		return nil
	}
	r := rangeOf(path)
	reason := "the rows' file is missing"
	if err == nil {
		reason += fmt.Sprintf(": %d rows", meta.Rows)
		r = store.Range{Start: meta.MinTime, End: meta.MaxTime + 1}
	}
	s.db.setAside(s.name(), path+part.IndexExt)
	s.db.report(Damage{Kind: "missing", Signal: s.name(), File: filepath.Base(path) + part.RowsExt, Range: r, Reason: reason})
	return nil
}

// dropReplaced deletes the parts that a merged part stands for: a crash came
// between its appearance and their deletion.
func (s *shelf[R, S]) dropReplaced() {
	replaced := map[string]bool{}
	for _, p := range s.parts {
		for _, name := range p.Replaces {
			replaced[name] = true
		}
	}
	s.parts = slices.DeleteFunc(s.parts, func(p *part.Part) bool {
		if !replaced[p.Name()] {
			return false
		}
		p.Doom()
		p.Release()
		return true
	})
}

// close closes segments and gives the parts' references back.
func (s *shelf[R, S]) close() error {
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, h := range s.heads {
		if h.seg != nil {
			errs = append(errs, h.seg.Close())
		}
	}
	for _, p := range s.parts {
		p.Release()
	}
	s.parts, s.heads = nil, nil
	clear(s.open)
	return errors.Join(errs...)
}
