package events

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/roster"
	"github.com/signalbox-project/signalbox/internal/store/events/wal"
)

// remove deletes everything that matches, and there must be something.
func remove(t *testing.T, dir string, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		found, _ := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
		if len(found) == 0 {
			t.Fatalf("nothing is called %s", pattern)
		}
		for _, path := range found {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func brief(list []Damage) (out []string) {
	for _, d := range list {
		out = append(out, strings.Join([]string{d.Kind, d.Signal, d.Reason}, ": "))
	}
	slices.Sort(out)
	return out
}

// What furnish makes: 1,100 rows of logs at 11:00, as many at 13:00, two spans at 12:00.
func TestDeletedPartsAreNamedOnceWithWhatTheyHeld(t *testing.T) {
	original := t.TempDir()
	rows := furnish(t, original)
	for _, c := range []struct {
		name   string
		delete []string
		want   []string
		lost   []string
	}{
		{"nothing", nil, nil, nil},
		{"one part", []string{"logs/*/*T110000Z-*"}, []string{"missing: logs: 1100 rows"}, []string{"early"}},
		{"only its rows", []string{"logs/*/*T110000Z-*.parquet"}, []string{"missing: logs: the rows' file is missing: 1100 rows"}, []string{"early"}},
		{"a day's folder", []string{"logs/2026-11-21"}, []string{"missing parts: logs: 2 parts, 2200 rows"}, []string{"early", "late"}},
		{"a part of spans", []string{"spans/*/*"}, []string{"missing: spans: 2 rows"}, nil},
		{"all", []string{"logs", "spans"}, []string{"missing parts: logs: 2 parts, 2200 rows", "missing: spans: 2 rows"}, []string{"early", "late"}},
		{"the list", []string{roster.Name}, []string{"roster: : it was deleted"}, nil},
		{"both lists", []string{roster.Name, wal.AckedName}, []string{"acked: : it was deleted", "roster: : it was deleted"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			remove(t, dir, c.delete...)
			db := open(t, DefaultConfig(), Deps{Dir: dir})
			if got := brief(db.Damages()); !slices.Equal(got, c.want) {
				t.Errorf("damages %q, want %q", got, c.want)
			}
			for _, name := range c.lost {
				if !named(db.Damages(), rows[name]) {
					t.Errorf("the range of %s is not named: %+v", name, db.Damages())
				}
			}
			for _, d := range db.Damages() {
				if p := d.Problem(); p.Cure == "" || !strings.Contains(p.Message, d.File) || !strings.Contains(p.Message, d.Reason) {
					t.Errorf("problem %+v", p)
				}
			}
			if n, want := len(read(t, db)), 2260-1100*len(c.lost); n != want {
				t.Errorf("%d rows, want %d", n, want)
			}
			appendLogs(t, db, lines("after", 3, noon))
			if err := errors.Join(db.Seal(t.Context()), db.Close()); err != nil {
				t.Fatal(err)
			}
			db = open(t, DefaultConfig(), Deps{Dir: dir})
			if got := db.Damages(); len(got) != 0 {
				t.Errorf("after another start: %+v", got)
			}
		})
	}
}

// A part that comes back, from a backup or under another name, is taken; it is missed when it goes again.
func TestAPartThatComesBackIsKnownAgain(t *testing.T) {
	dir := t.TempDir()
	furnish(t, dir)
	backup := t.TempDir()
	start := func(want ...string) {
		t.Helper()
		db := open(t, DefaultConfig(), Deps{Dir: dir})
		defer db.Close()
		if got := brief(db.Damages()); !slices.Equal(got, want) {
			t.Errorf("damages %q, want %q", got, want)
		}
	}
	if err := os.CopyFS(backup, os.DirFS(filepath.Join(dir, "logs"))); err != nil {
		t.Fatal(err)
	}
	remove(t, dir, "logs")
	start("missing parts: logs: 2 parts, 2200 rows")
	if err := os.CopyFS(filepath.Join(dir, "logs"), os.DirFS(backup)); err != nil {
		t.Fatal(err)
	}
	start()
	early, _ := filepath.Glob(filepath.Join(dir, "logs", "*", "*T110000Z-*"))
	for _, path := range early {
		if err := os.Rename(path, filepath.Join(filepath.Dir(path), "renamed"+filepath.Ext(path))); err != nil {
			t.Fatal(err)
		}
	}
	start()
	remove(t, dir, "logs/*/renamed*")
	start("missing: logs: 1100 rows")
}

// Lists that are deleted with all that they list are missed; those that a release before them never made are not, or as such.
func TestListsThatAreGoneWithAllTheyListAreMissed(t *testing.T) {
	original := t.TempDir()
	furnish(t, original)
	for _, c := range []struct {
		old    bool // of a release without lists
		delete []string
		want   []string
	}{
		{false, []string{roster.Name, wal.AckedName, "logs", "spans", "wal", "quarantine"}, []string{"acked: : it was deleted warning", "roster: : it was deleted warning"}},
		{true, []string{roster.Name, wal.AckedName}, []string{"roster: : it is absent info"}},
		{true, []string{roster.Name, wal.AckedName, "logs", "spans", "wal", "quarantine"}, nil},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
			t.Fatal(err)
		}
		remove(t, dir, c.delete...)
		if c.old {
			if err := os.Truncate(filepath.Join(dir, "LOCK"), 0); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 2 {
			db := open(t, DefaultConfig(), Deps{Dir: dir})
			got := brief(db.Damages())
			for i, d := range db.Damages() {
				got[i] += " " + d.Problem().Severity
			}
			if i == 0 && !slices.Equal(got, c.want) || i > 0 && len(got) > 0 {
				t.Errorf("start %d: %q, want %q", i, got, c.want)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// An end that is cut off or zeros is what a crash leaves, and says nothing wrong; anything else is damage.
func TestADamagedListIsSaidAndMadeAnew(t *testing.T) {
	original := t.TempDir()
	furnish(t, original)
	whole, err := os.ReadFile(filepath.Join(original, roster.Name))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range damagings(len(whole)) {
		if d.do == nil {
			continue
		}
		damaged := d.do(slices.Clone(whole))
		crash := len(damaged) > 0 && bytes.HasPrefix(whole, bytes.TrimRight(damaged, "\x00")) && bytes.HasPrefix(damaged, whole[:8])
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, roster.Name), damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		db := open(t, DefaultConfig(), Deps{Dir: dir})
		if got := db.Damages(); crash && len(got) != 0 || !crash && (len(got) != 1 || got[0].Kind != "roster" || got[0].Problem().Severity != "warning") {
			t.Errorf("%s: crash %t: %+v", d.name, crash, got)
		}
		if n := len(read(t, db)); n != 2260 {
			t.Errorf("%s: %d rows, want 2260", d.name, n)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		remove(t, dir, "logs")
		db = open(t, DefaultConfig(), Deps{Dir: dir})
		if got := brief(db.Damages()); !slices.Equal(got, []string{"missing parts: logs: 2 parts, 2200 rows"}) {
			t.Errorf("%s: made anew: %q", d.name, got)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Retention and merging delete on purpose. Death at every file operation of them: nothing is missed.
func TestWhatMergingAndRetentionDeletedIsNotMissed(t *testing.T) {
	t.Parallel()
	original := t.TempDir()
	db := open(t, DefaultConfig(), Deps{Dir: original})
	for i := range mergeAt {
		appendLogs(t, db, lines(fmt.Sprintf("m%d", i), 2, noon))
		if err := db.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.AppendSpans(t.Context(), []model.Span{span(1, noon.AddDate(0, 0, -20))}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Seal(t.Context()), db.Close()); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		dir, clk := t.TempDir(), newClock()
		if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
			t.Fatal(err)
		}
		fs := &mortal{left: -1, err: errDead}
		db := open(t, DefaultConfig(), Deps{Dir: dir, FS: fs, Now: clk.now})
		fs.left = n
		_ = db.logs.merge()
		clk.advance(11 * 24 * time.Hour)
		db.maintain(true)
		alive := fs.left > 0
		if alive && (countParts(db, part.Logs) != 1 || countParts(db, part.Spans) != 0) {
			t.Fatal("nothing was merged or nothing expired")
		}
		_ = db.Close()
		cfg := DefaultConfig()
		if alive {
			cfg.Retention.Logs, cfg.Retention.Spans = 10*cfg.Retention.Logs, 10*cfg.Retention.Spans // what expired is not missed later
		}
		db = open(t, cfg, Deps{Dir: dir, Now: clk.now})
		if got := db.Damages(); len(got) != 0 {
			t.Errorf("death at operation %d: %+v", n, got)
		}
		if got := ids(t, db, store.Range{}); len(got) != 2*mergeAt {
			t.Errorf("death at operation %d: %d rows", n, len(got))
		}
		_ = db.Close()
		if alive || t.Failed() {
			return
		}
	}
}

func TestAMergedPartIsKnownInPlaceOfThoseItStandsFor(t *testing.T) {
	dir := t.TempDir()
	db := open(t, DefaultConfig(), Deps{Dir: dir})
	for i := range mergeAt {
		appendLogs(t, db, lines(fmt.Sprintf("m%d", i), 2, noon))
		if err := db.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(db.logs.merge(), db.Close()); err != nil {
		t.Fatal(err)
	}
	remove(t, dir, "logs/*/*")
	db = open(t, DefaultConfig(), Deps{Dir: dir})
	if got := brief(db.Damages()); !slices.Equal(got, []string{"missing: logs: 16 rows"}) {
		t.Errorf("damages %q", got)
	}
}

// A list that could not be written is written by maintenance, without waiting for another part.
func TestAListThatCouldNotBeWrittenIsMadeGood(t *testing.T) {
	dir := t.TempDir()
	db := open(t, DefaultConfig(), Deps{Dir: dir})
	appendLogs(t, db, lines("a", 5, noon))
	if err := errors.Join(db.Seal(t.Context()), db.seal.roster.Close()); err != nil { // as a failed write leaves it
		t.Fatal(err)
	}
	remove(t, dir, roster.Name)
	db.maintain(false)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	remove(t, dir, "logs/*")
	db = open(t, DefaultConfig(), Deps{Dir: dir})
	if got := brief(db.Damages()); !slices.Equal(got, []string{"missing: logs: 5 rows"}) {
		t.Errorf("damages %q", got)
	}
}

// lostUnnamed deletes all parts of logs and answers how many of the acknowledged rows neither come back from
// the log nor are counted in what a start names.
func lostUnnamed(t *testing.T, dir string, acked map[string]bool) int {
	t.Helper()
	remove(t, dir, "logs")
	db := open(t, DefaultConfig(), Deps{Dir: dir})
	defer db.Close()
	lost := len(acked) - len(ids(t, db, store.Range{}))
	for _, d := range db.Damages() {
		var parts, rows int
		if n, _ := fmt.Sscanf(d.Reason, "%d parts, %d rows", &parts, &rows); n < 2 {
			if _, err := fmt.Sscanf(d.Reason, "%d rows", &rows); err != nil {
				t.Errorf("%+v: %v", d, err)
			}
		}
		lost -= rows
	}
	return lost
}

// A process that dies at any file operation, and a start after it that dies too: if then all parts are deleted, what they
// held is named to the row.
func TestAfterDeathAtAnyFileOperationDeletedPartsAreStillNamed(t *testing.T) {
	t.Parallel()
	for n := 10; n < 400; n += 1 + n/4 {
		original, acked := t.TempDir(), map[string]bool{}
		db := open(t, DefaultConfig(), Deps{Dir: original, FS: &mortal{left: n, err: errDead}})
		story(db, acked)
		_ = db.Close()
		for k := 0; ; k += 1 + k/2 {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			fs := &mortal{left: k, err: errDead}
			if db, err := Open(DefaultConfig(), Deps{Dir: dir, FS: fs, Now: newClock().now}); err == nil {
				if got := db.Damages(); len(got) != 0 {
					t.Errorf("death at operation %d, of the start at %d: %+v", n, k, got)
				}
				_ = db.Close()
			}
			if lost := lostUnnamed(t, dir, acked); lost > 0 {
				t.Errorf("death at operation %d, of the start at %d: %d rows are lost without a word", n, k, lost)
			}
			if t.Failed() {
				return
			}
			if fs.left > 0 {
				break
			}
		}
	}
}
