package events

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

func encrypted(on bool) Config {
	cfg := DefaultConfig()
	cfg.Encrypt = on
	return cfg
}

// contents are all files of a folder.
func contents(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		out[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// marked are a record and a span in which the marker stands wherever text can. No compression takes it apart.
func marked(marker string, at time.Time) (model.LogRecord, model.Span) {
	attrs := model.Attrs{{Key: marker + "k", Value: model.StringValue(marker + "v")}}
	res := &model.Resource{Tenant: marker + "t", Service: marker + "s", Namespace: marker + "n", Attrs: attrs}
	return model.LogRecord{Time: at.UnixNano(), RequestID: marker + at.String(), Message: marker, Resource: res, Attrs: attrs},
		model.Span{TraceID: model.TraceID{1}, SpanID: model.SpanID{1}, Name: marker, Start: at.UnixNano(), Resource: res, Attrs: attrs}
}

// plainIn are the kinds of files below dir in which the marker stands.
func plainIn(t testing.TB, dir, marker string) (out []string) {
	t.Helper()
	seen := map[string]bool{}
	for path, b := range contents(t, dir) {
		if kind := filepath.Ext(path); bytes.Contains(b, []byte(marker)) && !seen[kind] {
			seen[kind] = true
			out = append(out, kind)
		}
	}
	return out
}

// Written, sealed, merged, damaged, rebuilt, replayed: no file has the text in plain, while without encryption each kind does.
func TestNoFileOfAnEncryptedStoreHoldsTextInPlain(t *testing.T) {
	t.Parallel()
	const marker = "Zq7xWv3k"
	for _, on := range []bool{true, false} {
		dir, seen := t.TempDir(), map[string]bool{}
		look := func(when string) {
			t.Helper()
			for _, kind := range plainIn(t, dir, marker) {
				seen[kind] = true
				if on {
					t.Errorf("%s: a %s holds the text in plain", when, kind)
				}
			}
		}
		deps := Deps{Dir: dir, Sealer: sealtest.Keys{"a"}}
		db := open(t, encrypted(on), deps)
		for i := range mergeAt {
			record, span := marked(marker, noon.Add(time.Duration(i)*time.Second))
			appendLogs(t, db, []model.LogRecord{record})
			if err := db.AppendSpans(t.Context(), []model.Span{span}); err != nil {
				t.Fatal(err)
			}
			look("appended")
			if err := db.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
			look("sealed")
		}
		db.maintain(true)
		look("merged")
		indexes, _ := filepath.Glob(filepath.Join(dir, "logs", "*", "*"+part.IndexExt))
		rows, _ := filepath.Glob(filepath.Join(dir, "spans", "*", "*"+part.RowsExt))
		if len(indexes) != 1 || len(rows) != 1 {
			t.Fatalf("not merged: %v, %v", indexes, rows)
		}
		record, _ := marked(marker, noon.Add(time.Hour))
		appendLogs(t, db, []model.LogRecord{record})
		if err := errors.Join(db.Close(), os.Truncate(indexes[0], 200), os.Truncate(rows[0], 300)); err != nil {
			t.Fatal(err)
		}
		db = open(t, encrypted(on), deps)
		look("rebuilt, set aside and replayed")
		if len(db.Damages()) != 2 {
			t.Errorf("damages: %+v", db.Damages())
		}
		if n := len(read(t, db)); n != mergeAt+1 {
			t.Errorf("%d rows", n)
		}
		if want := map[bool]int{true: 0, false: 3}[on]; len(seen) != want {
			t.Errorf("encrypt %v: the text is in %v", on, seen)
		}
	}
}

// Whatever there is when encryption is switched on, off, or to another key stays readable, is named, and is written anew.
func TestWhatIsThereIsKeptAsIsSetFromNowOn(t *testing.T) {
	t.Parallel()
	type setting struct {
		on   bool
		keys sealtest.Keys
	}
	plain, a, b := setting{keys: sealtest.Keys{"a", "b"}}, setting{true, sealtest.Keys{"a"}}, setting{true, sealtest.Keys{"b", "a"}}
	for name, c := range map[string]struct{ from, to setting }{
		"switched on": {plain, a}, "switched off": {a, plain}, "rotated": {a, b}, "as before": {a, a},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			rows := furnishBy(t, encrypted(c.from.on), Deps{Dir: dir, Sealer: c.from.keys})
			want := len(rows["early"]) + len(rows["late"]) + len(rows["wal"])
			db := open(t, encrypted(c.to.on), Deps{Dir: dir, Sealer: c.to.keys})
			view := db.View(part.Logs, wholeDay) // reads on what is written anew
			defer view.Release()
			if n := len(read(t, db)); n != want || len(db.Damages()) > 0 {
				t.Errorf("%d rows, want %d; %+v", n, want, db.Damages())
			}
			problems := db.Encryption()
			if changed := name != "as before"; changed != (len(problems) == 1) || changed && !strings.Contains(problems[0].Message, "3 parts") {
				t.Errorf("problems %+v", problems)
			}
			if err := db.sealFrozen(); err != nil { // what is in the log of before
				t.Fatal(err)
			}
			db.maintain(true)
			if got := db.Encryption(); len(got) != 0 {
				t.Errorf("after a round: %+v", got)
			}
			for _, p := range view.Parts {
				if _, err := p.File(); err != nil {
					t.Error(err)
				}
			}
			if n := len(read(t, db)); n != want {
				t.Errorf("%d rows, want %d", n, want)
			}
			view.Release()
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			// The former key may go, or all of them.
			last := Deps{Dir: dir, Sealer: c.to.keys[:1]}
			if !c.to.on {
				last.Sealer = nil
			}
			db = open(t, encrypted(c.to.on), last)
			if n := len(read(t, db)); n != want || len(db.Damages()) > 0 {
				t.Errorf("without the former key: %d rows, %+v", n, db.Damages())
			}
		})
	}
}

// A start without the key is refused with the cure, and leaves every file as it was.
func TestAStartWithoutTheKeyIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	original := t.TempDir()
	rows := furnishBy(t, encrypted(true), Deps{Dir: original, Sealer: sealtest.Keys{"a"}})
	files := contents(t, original)
	for name, c := range map[string]struct {
		on     bool
		sealer seal.Sealer
		keep   string // files of this ending alone
	}{
		"none": {false, nil, ""}, "another": {true, sealtest.Keys{"b"}, ""}, "another, off": {false, sealtest.Keys{"b"}, ""},
		"only the log": {false, nil, ".wal"}, "only an index": {false, nil, part.IndexExt}, "only rows": {false, nil, part.RowsExt},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			for path := range files {
				rel, _ := filepath.Rel(original, path)
				if c.keep != "" && filepath.Ext(path) != c.keep {
					if err := os.Remove(filepath.Join(dir, rel)); err != nil {
						t.Fatal(err)
					}
				}
			}
			before := contents(t, dir)
			_, err := Open(encrypted(c.on), Deps{Dir: dir, Now: newClock().now, Sealer: c.sealer})
			if !seal.Locked(err) || !strings.Contains(err.Error(), "seal.keys") {
				t.Fatalf("%v", err)
			}
			after := contents(t, dir)
			delete(after, filepath.Join(dir, "LOCK"))
			delete(before, filepath.Join(dir, "LOCK"))
			if len(after) != len(before) {
				t.Errorf("%d files, were %d", len(after), len(before))
			}
			for path, b := range before {
				if !bytes.Equal(after[path], b) {
					t.Errorf("%s was changed", path)
				}
			}
		})
	}
	db := open(t, encrypted(true), Deps{Dir: original, Sealer: sealtest.Keys{"a"}})
	if n, want := len(read(t, db)), len(rows["early"])+len(rows["late"])+len(rows["wal"]); n != want || len(db.Damages()) > 0 {
		t.Errorf("with the key: %d rows, want %d; %+v", n, want, db.Damages())
	}
}

func TestEncryptionWithoutAKeyIsRefused(t *testing.T) {
	_, err := Open(encrypted(true), Deps{Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "events.encrypt") || !strings.Contains(err.Error(), "seal.keys") {
		t.Errorf("%v", err)
	}
}

// A crash between the two files of a part that is written anew leaves one of each kind, which is read, and done again.
func TestACrashWhileAPartIsWrittenAnewLosesNothing(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	rows := furnish(t, dir)
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	deps := Deps{Dir: other, Sealer: sealtest.Keys{"a"}}
	db := open(t, encrypted(true), deps)
	db.maintain(true)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	indexes, _ := filepath.Glob(filepath.Join(other, "*", "*", "*"+part.IndexExt))
	for _, index := range indexes {
		b, err := os.ReadFile(index)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(other, index)
		if err := os.WriteFile(filepath.Join(dir, rel), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	deps.Dir = dir
	db = open(t, encrypted(true), deps)
	if n, want := len(read(t, db)), len(rows["early"])+len(rows["late"])+len(rows["wal"]); n != want || len(db.Damages()) > 0 || len(db.Encryption()) != 1 {
		t.Errorf("%d rows, want %d; %+v, %+v", n, want, db.Damages(), db.Encryption())
	}
	db.maintain(true)
	if got := db.Encryption(); len(got) != 0 {
		t.Errorf("not done again: %+v", got)
	}
}

// forgetful takes what no key is there for as lost, as the section seal's forget does.
type forgetful struct{ sealtest.Keys }

func (f forgetful) Open(kept []byte, what string) ([]byte, bool, error) {
	plain, current, err := f.Keys.Open(kept, what)
	if errors.Is(err, seal.ErrNoKey) {
		err = seal.ErrDamaged
	}
	return plain, current, err
}

func TestFilesOfAKeyThatIsGivenUpAreSetAsideAndNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rows := furnishBy(t, encrypted(true), Deps{Dir: dir, Sealer: sealtest.Keys{"lost"}})
	db := open(t, encrypted(true), Deps{Dir: dir, Sealer: forgetful{sealtest.Keys{"new"}}})
	if n := len(read(t, db)); n != 0 {
		t.Errorf("%d rows", n)
	}
	for name, list := range rows {
		if !named(db.Damages(), list) {
			t.Errorf("the range of %s is not named: %+v", name, db.Damages())
		}
	}
	appendLogs(t, db, lines("new", 3, noon))
	if err := errors.Join(db.Seal(t.Context()), db.Close()); err != nil {
		t.Fatal(err)
	}
	db = open(t, encrypted(true), Deps{Dir: dir, Sealer: sealtest.Keys{"new"}})
	if n := len(read(t, db)); n != 3 || len(db.Damages()) > 0 {
		t.Errorf("%d rows, %+v", n, db.Damages())
	}
}
