package events

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/roster"
)

// inventory is what the folders of parts hold at the start.
type inventory struct {
	parts  []roster.Entry  // those that answer
	sealed map[uint64]bool // segments whose rows are in them
	there  map[uint64]bool // parts of which any file is there, or that one stands for
}

// saw notes a part by its name, with or without folders.
func (i *inventory) saw(name string) {
	if id, err := strconv.ParseUint(name[strings.LastIndexByte(name, '-')+1:], 16, 64); err == nil {
		i.there[id] = true
	}
}

// openRoster names the parts that an earlier run had and that are gone, and has those that are there
// remembered. Parts that a crash left unrecorded become known here.
func (db *DB) openRoster(found *inventory, had bool, segments int) {
	path := filepath.Join(db.dir, roster.Name)
	db.clearWay(path)
	known, entries, err := roster.Open(db.fs, path)
	db.seal.roster = known
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent || absent && (had || segments+len(found.there) > 0) {
		reason := absentBefore
		switch {
		case !absent:
			reason = err.Error()
		case had:
			reason = absentNow
		}
		db.report(Damage{Kind: "roster", File: roster.Name, Reason: reason})
	}
	for _, d := range db.missingParts(roster.Missing(entries, found.there)) {
		if err != nil {
			d.Reason += "; " + roster.Name + " is damaged: they may have been merged or have expired"
		}
		db.report(d)
	}
	if err := known.Reset(found.parts); err != nil {
		db.log.Warn("which parts there are cannot be remembered for now", "file", path, "err", err)
	}
}

// Why a list is absent: a release without it made the folder, or somebody deleted it.
const (
	absentBefore = "it is absent"
	absentNow    = "it was deleted"
)

// hadLists reports whether an earlier run had both lists; haveLists says so to the next. A file of one byte, since the lists cannot say it
// themselves once they are gone; before the first of them are whole a crash leaves none.
func (db *DB) hadLists() bool {
	if db.lock == nil {
		return false
	}
	info, err := db.lock.Stat()
	return err == nil && info.Size() > 0
}

func (db *DB) haveLists() {
	if db.lock == nil || db.hadLists() || db.seal.roster.Flush() != nil || db.acked.Flush() != nil {
		return
	}
	_, _ = db.lock.Write([]byte{'1'}) // without it, deleted lists are not missed
}

// missingParts makes one damage a day and signal of parts that are gone. Those that retention
// would have deleted by now are nobody's loss.
func (db *DB) missingParts(gone []roster.Entry) (out []Damage) {
	keep := map[part.Signal]time.Duration{part.Logs: time.Duration(db.cfg.Retention.Logs), part.Spans: time.Duration(db.cfg.Retention.Spans)}
	type group struct {
		folder      string
		parts, rows int64
		at          int
	}
	groups := map[string]*group{}
	for _, e := range gone {
		if e.MaxTime < db.now().Add(-keep[e.Signal]).UnixNano() {
			continue
		}
		folder := e.Signal.String() + "/" + part.DayOf(e.MinTime)
		g := groups[folder]
		if g == nil {
			g = &group{folder: folder, at: len(out)}
			groups[folder] = g
			file := part.Name(e.MinTime, e.MaxTime, e.ID) + part.RowsExt
			out = append(out, Damage{Kind: "missing", Signal: e.Signal.String(), File: file, Range: store.Range{Start: e.MinTime, End: e.MaxTime + 1}})
		}
		g.parts, g.rows = g.parts+1, g.rows+e.Rows
		d := &out[g.at]
		d.Range.End = max(d.Range.End, e.MaxTime+1)
		d.Reason = fmt.Sprintf("%d rows", g.rows)
		if g.parts > 1 {
			d.Kind, d.File, d.Reason = "missing parts", folder, fmt.Sprintf("%d parts, %d rows", g.parts, g.rows)
		}
	}
	return out
}

// remember records parts that came, before the log that held their rows is deleted, and parts that went, before
// their files are. Where that fails the work goes on: deleting makes the room that writing
// needs, the next change or merge writes everything anew, and a start tells from the parts themselves
// what was merged or is too old. DB.seal.mu is held.
func (db *DB) remember(come, gone []*part.Part) {
	if len(come)+len(gone) == 0 {
		return
	}
	if err := db.seal.roster.Change(entriesOf(come), entriesOf(gone)); err != nil {
		db.log.Warn("which parts there are cannot be remembered for now", "err", err)
	}
}

func entriesOf(parts []*part.Part) (out []roster.Entry) {
	for _, p := range parts {
		out = append(out, roster.EntryOf(p))
	}
	return out
}

// listProblem says that parts or segments may be missing which nothing can name.
func (d Damage) listProblem() model.Problem {
	if d.Kind == "acked" {
		return model.Problem{
			Severity: map[bool]string{true: "warning", false: "info"}[d.Reason == absentNow],
			Message:  fmt.Sprintf("the event store's list of what was acknowledged, %s, could not be read whole (%s): it was made anew; a log segment that was cut off or deleted before is missing without being named", d.File, d.Reason),
			Cure:     "nothing, after a power cut; otherwise compare the folder wal of the event store with a backup",
		}
	}
	p := model.Problem{
		Severity: "warning",
		Message:  fmt.Sprintf("the event store's list of its parts, %s, could not be read whole (%s): it was made anew from the parts that are there; logs or spans of parts that were deleted before are missing without being named", d.File, d.Reason),
		Cure:     "compare the folders logs and spans of the event store with a backup",
	}
	if d.Reason == absentBefore {
		p.Severity = "info"
		p.Cure = "nothing, after an upgrade from a version without it; otherwise " + p.Cure
	}
	return p
}
