package events

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/wal"
)

var wholeDay = store.RangeOf(noon.Add(-12*time.Hour), noon.Add(12*time.Hour))

// furnish makes a closed store with two sealed parts of logs, one of spans and
// three batches in the log, and tells which rows each file holds.
func furnish(t *testing.T, dir string) (rows map[string][]model.LogRecord) {
	t.Helper()
	return furnishBy(t, DefaultConfig(), Deps{Dir: dir})
}

func furnishBy(t *testing.T, cfg Config, deps Deps) (rows map[string][]model.LogRecord) {
	t.Helper()
	db := open(t, cfg, deps)
	rows = map[string][]model.LogRecord{}
	for i, name := range []string{"early", "late"} {
		rows[name] = lines(name, 1100, noon.Add(time.Duration(2*i-1)*time.Hour))
		appendLogs(t, db, rows[name])
		if err := db.AppendSpans(t.Context(), []model.Span{span(byte(i+1), noon)}); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			db.spans.freezeAll()
		}
		db.logs.freezeAll()
		if err := db.sealFrozen(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		batch := lines(fmt.Sprintf("wal%d", i), 20, noon)
		rows["wal"] = append(rows["wal"], batch...)
		appendLogs(t, db, batch)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// read collects the records that a query gives, and tells when one came twice.
func read(t *testing.T, db *DB) map[string]model.LogRecord {
	t.Helper()
	out := map[string]model.LogRecord{}
	for r, err := range db.Logs(t.Context(), store.LogQuery{Range: wholeDay}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := out[r.RequestID]; twice {
			t.Fatalf("row %s is there twice", r.RequestID)
		}
		out[r.RequestID] = r
	}
	return out
}

type damaging struct {
	name string
	do   func(b []byte) []byte
}

// damagings flips, cuts and zeroes at places all over a file of n bytes.
func damagings(n int) []damaging {
	out := []damaging{
		{"deleted", nil},
		{"emptied", func([]byte) []byte { return nil }},
		{"zeroed", func(b []byte) []byte { clear(b); return b }},
	}
	for i := range 5 {
		at := n * i / 5
		out = append(out,
			damaging{fmt.Sprintf("byte %d flipped", at), func(b []byte) []byte { b[at] ^= 0x21; return b }},
			damaging{fmt.Sprintf("cut to %d bytes", at), func(b []byte) []byte { return b[:at] }},
			damaging{fmt.Sprintf("zeroed from %d", at), func(b []byte) []byte { clear(b[at:min(n, at+64)]); return b }})
	}
	return out
}

func TestADamagedFileCostsOnlyItsOwnRangeWhichIsNamed(t *testing.T) {
	t.Parallel()
	damageEachFile(t, DefaultConfig(), Deps{})
}

func TestADamagedEncryptedFileCostsOnlyItsOwnRangeWhichIsNamed(t *testing.T) {
	t.Parallel()
	damageEachFile(t, encrypted(true), Deps{Sealer: sealtest.Keys{"a"}})
}

func damageEachFile(t *testing.T, cfg Config, deps Deps) {
	original := t.TempDir()
	deps.Dir = original
	rows := furnishBy(t, cfg, deps)
	files, err := filepath.Glob(filepath.Join(original, "*", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	segments, _ := filepath.Glob(filepath.Join(original, "wal", "*"))
	files = append(files, segments...)
	if len(files) != 7 {
		t.Fatalf("%d files, want three pairs and a segment: %v", len(files), files)
	}
	for _, file := range files {
		rel, _ := filepath.Rel(original, file)
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range damagings(len(whole)) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			target := filepath.Join(dir, rel)
			if d.do == nil {
				err = os.Remove(target)
			} else {
				err = os.WriteFile(target, d.do(append([]byte(nil), whole...)), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			deps.Dir = dir
			checkDamaged(t, cfg, deps, rel, d.name, rows)
			if t.Failed() {
				return
			}
		}
	}
}

// hit is which rows a damaged file may cost.
func hit(rel string) string {
	switch {
	case strings.HasPrefix(rel, "wal"):
		return "wal"
	case strings.HasPrefix(rel, "logs") && strings.Contains(rel, "T110000Z") && strings.HasSuffix(rel, part.RowsExt):
		return "early"
	case strings.HasPrefix(rel, "logs") && strings.HasSuffix(rel, part.RowsExt):
		return "late"
	}
	return ""
}

func checkDamaged(t *testing.T, cfg Config, deps Deps, rel, what string, rows map[string][]model.LogRecord) {
	t.Helper()
	deps.Now = newClock().now
	db, err := Open(cfg, deps)
	if err != nil {
		t.Errorf("%s %s: does not start: %v", rel, what, err)
		return
	}
	defer db.Close()
	read(t, db)
	got := read(t, db) // the second time damaged parts are out
	db.seal.rebuilds.Wait()
	if _, err := db.Trace(t.Context(), "", model.TraceID{1, 1}, store.Range{}); err != nil && !strings.HasPrefix(rel, "spans") {
		t.Errorf("%s %s: trace: %v", rel, what, err)
	}
	lost := 0
	for name, list := range rows {
		for _, want := range list {
			r, ok := got[want.RequestID]
			if !ok {
				lost++
				if name != hit(rel) {
					t.Errorf("%s %s: row %s of %s is lost", rel, what, want.RequestID, name)
					return
				}
				continue
			}
			if !reflect.DeepEqual(want, r) {
				t.Errorf("%s %s: row %s is %+v, was %+v", rel, what, want.RequestID, r, want)
				return
			}
		}
	}
	if lost > 0 && !named(db.Damages(), rows[hit(rel)]) {
		t.Errorf("%s %s: %d rows are lost, and nothing names their range: %+v", rel, what, lost, db.Damages())
	}
}

func named(list []Damage, rows []model.LogRecord) bool {
	for _, d := range list {
		if d.Range.Start <= rows[0].Time && d.Range.End > rows[len(rows)-1].Time {
			return true
		}
	}
	return false
}

func TestDamagedFilesAreKeptInQuarantine(t *testing.T) {
	dir := t.TempDir()
	furnish(t, dir)
	files, _ := filepath.Glob(filepath.Join(dir, "logs", "*", "*"+part.RowsExt))
	if err := os.WriteFile(files[0], []byte("not Parquet"), 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(t, DefaultConfig(), Deps{Dir: dir})
	if kept, err := os.ReadFile(filepath.Join(dir, "quarantine", "logs-"+filepath.Base(files[0]))); err != nil || string(kept) != "not Parquet" {
		t.Errorf("kept %q, %v", kept, err)
	}
	if _, err := os.Stat(files[0]); !os.IsNotExist(err) {
		t.Errorf("the damaged file is still in its place: %v", err)
	}
	if d := db.Damages(); len(d) != 1 || d[0].Kind != "part" {
		t.Errorf("damages: %+v", d)
	}
}

func TestALostIndexIsRebuiltAtStartAndWhileRunning(t *testing.T) {
	dir := t.TempDir()
	furnish(t, dir)
	indexes, _ := filepath.Glob(filepath.Join(dir, "logs", "*", "*"+part.IndexExt))
	if err := os.Remove(indexes[0]); err != nil {
		t.Fatal(err)
	}
	db := open(t, DefaultConfig(), Deps{Dir: dir})
	if _, err := os.Stat(indexes[0]); err != nil {
		t.Errorf("not rebuilt at start: %v", err)
	}
	b, err := os.ReadFile(indexes[1])
	if err != nil {
		t.Fatal(err)
	}
	clear(b[len(b)/2:])
	if err := os.WriteFile(indexes[1], b, 0o600); err != nil {
		t.Fatal(err)
	}
	v := db.View(part.Logs, store.Range{})
	for _, p := range v.Parts {
		p.Candidates(1, 2, 3)
	}
	v.Release()
	db.seal.rebuilds.Wait()
	if _, err := part.ReadMeta(nil, strings.TrimSuffix(indexes[1], part.IndexExt)); err != nil {
		t.Errorf("not rebuilt while running: %v", err)
	}
	if n := len(read(t, db)); n != 2260 {
		t.Errorf("%d rows, want 2260", n)
	}
}

func TestAForeignFileInTheLogIsSetAside(t *testing.T) {
	dir := t.TempDir()
	furnish(t, dir)
	for _, name := range []string{"core", "metrics-2026-11-21-0000000000000001" + wal.Ext} {
		if err := os.WriteFile(filepath.Join(dir, "wal", name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db := open(t, DefaultConfig(), Deps{Dir: dir})
	if n := len(db.Damages()); n != 2 {
		t.Errorf("%d damages, want 2: %+v", n, db.Damages())
	}
	if n := len(read(t, db)); n != 2260 {
		t.Errorf("%d rows, want 2260", n)
	}
}

func TestAFolderThatCannotBeMadeIsAClearError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(DefaultConfig(), Deps{Dir: filepath.Join(file, "events")})
	var path *fs.PathError
	if err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("err = %v (%T), want one that names the folder", err, path)
	}
}

func TestAProblemSaysWhatIsMissingAndNoMore(t *testing.T) {
	for _, tc := range []struct {
		name          string
		damage        Damage
		severity      string
		says, saysNot string
	}{
		{"a part", Damage{Kind: "part", Signal: "logs", File: "a.parquet", Range: wholeDay, Reason: "checksum"}, "warning", "logs between", ""},
		{"a rebuilt index", Damage{Kind: "index", Signal: "spans", File: "a.idx", Range: wholeDay, Reason: "it is rebuilt, no rows are lost"}, "info", "no rows are lost", "between"},
		{"a file of nobody's", Damage{Kind: "segment", File: "wal-foo", Reason: "the name is not a log segment's"}, "warning", "does not belong", "1970"},
		{"a missing part", Damage{Kind: "missing", Signal: "spans", File: "b.parquet", Range: wholeDay, Reason: "65501 rows"}, "warning", "is missing (65501 rows)", "damaged"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := tc.damage.Problem()
			if p.Severity != tc.severity || !strings.Contains(p.Message, tc.says) || tc.saysNot != "" && strings.Contains(p.Message, tc.saysNot) || p.Cure == "" {
				t.Errorf("%+v", p)
			}
		})
	}
}
