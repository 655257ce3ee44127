package events

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Damage names what was lost or set aside.
type Damage struct {
	Found  time.Time
	Kind   string // part, index, segment, missing, missing parts, missing segment, folder, roster, acked
	Signal string // logs or spans
	File   string // name in quarantine/, or of the file or folder that is missing
	// Range is the time that the file covered; zero if that is unknown.
	Range  store.Range
	Reason string
}

// Problem says what d means for a person: what is missing, if anything is,
// and what to do.
func (d Damage) Problem() model.Problem {
	at := func(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }
	switch {
	case d.Kind == "index":
		return model.Problem{
			Severity: "info", Message: fmt.Sprintf("index %s of the event store was damaged (%s)", d.File, d.Reason),
			Cure: "nothing is missing; check the disk if this happens again, and delete the file from quarantine/",
		}
	case d.Kind == "missing segment":
		return model.Problem{
			Severity: "warning", Message: fmt.Sprintf("log segment %s of the event store is missing (%s): %s between %s and %s are incomplete", d.File, d.Reason, d.Signal, at(d.Range.Start), at(d.Range.End)),
			Cure: "restore it from a backup",
		}
	case d.Kind == "roster" || d.Kind == "acked":
		return d.listProblem()
	case d.Range == store.Range{}:
		return model.Problem{
			Severity: "warning", Message: fmt.Sprintf("%s does not belong in the event store's folder (%s) and was set aside in quarantine/", d.File, d.Reason),
			Cure: "look what it is; delete it from quarantine/ if nobody needs it",
		}
	case d.Kind == "missing" || d.Kind == "missing parts":
		what := map[bool]string{true: "part " + d.File + " of the event store is missing", false: "parts in " + d.File + " of the event store are missing"}[d.Kind == "missing"]
		return model.Problem{
			Severity: "warning", Message: fmt.Sprintf("%s (%s): %s between %s and %s are incomplete", what, d.Reason, d.Signal, at(d.Range.Start), at(d.Range.End)),
			Cure: "restore it from a backup",
		}
	}
	return model.Problem{
		Severity: "warning", Message: fmt.Sprintf("%s %s of the event store is damaged (%s): %s between %s and %s are incomplete", d.Kind, d.File, d.Reason, d.Signal, at(d.Range.Start), at(d.Range.End)),
		Cure: "restore it from a backup, or delete it from quarantine/ once you know what is missing",
	}
}

// damages is what was found.
type damages struct {
	mu   sync.Mutex
	list []Damage
}

func (d *damages) add(one Damage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, one)
}

func (d *damages) all() []Damage {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.list)
}

// Damages lists what was found damaged since the store was opened.
func (db *DB) Damages() []Damage { return db.damage.all() }

func (db *DB) report(d Damage) {
	d.Found = db.now()
	db.damage.add(d)
	db.metrics.quarantined.WithLabelValues(d.Kind).Inc()
	db.log.Error("event data is damaged", "kind", d.Kind, "signal", d.Signal, "file", d.File,
		"from", time.Unix(0, d.Range.Start).UTC(), "to", time.Unix(0, d.Range.End).UTC(), "reason", d.Reason)
}

// setAside moves a file to quarantine/; its name there begins with the signal.
func (db *DB) setAside(signal, path string) string {
	name := signal + "-" + filepath.Base(path)
	if err := db.fs.Rename(path, filepath.Join(db.quarantineDir(), name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		db.log.Error("move a damaged file to quarantine", "file", path, "err", err)
		return path
	}
	return name
}

// quarantinePart sets a pair aside, path without ending.
func (s *shelf[R, S]) quarantinePart(path string, r store.Range, cause error) {
	s.db.setAside(s.name(), path+part.IndexExt)
	file := s.db.setAside(s.name(), path+part.RowsExt)
	if r == (store.Range{}) {
		r = rangeOf(path)
	}
	s.db.report(Damage{Kind: "part", Signal: s.name(), File: file, Range: r, Reason: cause.Error()})
}

// rangeOf is what a file's name or, where that says nothing, its day folder says.
func rangeOf(path string) store.Range {
	if r, ok := part.RangeOfName(path); ok {
		return r
	}
	return rangeOfDay(filepath.Base(filepath.Dir(path)))
}

func rangeOfDay(day string) store.Range {
	start, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return store.Range{}
	}
	return store.RangeOf(start, start.AddDate(0, 0, 1))
}

// partDamaged is what a reader reports; p is nil when it failed in a head.
func (s *shelf[R, S]) partDamaged(p *part.Part, cause error) {
	if errors.Is(cause, context.Canceled) || errors.Is(cause, context.DeadlineExceeded) {
		return
	}
	if p == nil {
		s.db.log.Error("a head cannot be read", "signal", s.name(), "err", cause)
		return
	}
	s.db.seal.mu.Lock()
	defer s.db.seal.mu.Unlock()
	s.verify(p, cause)
}

// verify reads a part whole and, if that fails too, sets it aside: a reader
// may have failed for another reason. DB.seal.mu is held.
func (s *shelf[R, S]) verify(p *part.Part, cause error) {
	if err := s.ops.read(s.db.keys, p.Path(), s.ops.newHead(0)); err == nil {
		s.db.log.Warn("a part was reported as damaged, but reads well", "file", p.Path(), "err", cause)
		return
	} else if !errors.Is(err, part.ErrDamaged) && !errors.Is(err, fs.ErrNotExist) {
		s.db.log.Warn("a part cannot be read", "file", p.Path(), "err", err)
		return
	}
	if s.take(p) {
		s.db.remember(nil, []*part.Part{p})
		s.quarantinePart(s.pathOf(p), store.Range{Start: p.MinTime, End: p.MaxTime + 1}, cause)
		p.Release()
	}
}

// take removes a part from later views; false if it is not there any more.
func (s *shelf[R, S]) take(p *part.Part) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.parts, p)
	if i < 0 {
		return false
	}
	s.parts = slices.Delete(slices.Clone(s.parts), i, i+1)
	return true
}

func (s *shelf[R, S]) pathOf(p *part.Part) string {
	path := p.Path()
	return path[:len(path)-len(part.RowsExt)]
}

// indexDamaged rebuilds a part's index from its rows and replaces the part by
// one that uses it.
func (s *shelf[R, S]) indexDamaged(p *part.Part, cause error) {
	s.db.seal.rebuilds.Go(func() {
		s.db.seal.mu.Lock()
		defer s.db.seal.mu.Unlock()
		fresh, err := s.rebuild(s.pathOf(p), cause)
		if err != nil {
			s.db.log.Error("rebuild index", "file", p.IndexPath(), "err", err)
			return
		}
		s.replace(p, fresh)
	})
}

// replace has later views read fresh, which is p opened again.
func (s *shelf[R, S]) replace(p, fresh *part.Part) {
	fresh.OnIndexDamage(s.indexDamaged)
	s.mu.Lock()
	i := slices.Index(s.parts, p)
	if i >= 0 {
		s.parts = slices.Clone(s.parts)
		s.parts[i] = fresh
	}
	s.mu.Unlock()
	if i < 0 { // merged or deleted meanwhile
		if _, err := os.Stat(fresh.Path()); err != nil {
			fresh.Doom() // or its index would look like the trace of a lost file
		}
		p = fresh
	}
	p.Release()
}

// rebuild sets a damaged index aside and makes it anew.
func (s *shelf[R, S]) rebuild(path string, cause error) (*part.Part, error) {
	if _, err := os.Stat(path + part.IndexExt); err == nil {
		file := s.db.setAside(s.name(), path+part.IndexExt)
		s.db.report(Damage{Kind: "index", Signal: s.name(), File: file, Range: rangeOf(path), Reason: cause.Error() + "; it is rebuilt, no rows are lost"})
	}
	p, err := part.Rebuild(s.db.fs, s.db.keys, path)
	if err != nil {
		return nil, fmt.Errorf("rebuild index: %w", err)
	}
	p.OnIndexDamage(s.indexDamaged)
	s.db.metrics.rebuilt.Inc()
	s.db.log.Info("index rebuilt from its rows", "file", p.IndexPath())
	return p, nil
}
