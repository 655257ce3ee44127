package part

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

var errFull = errors.New("no space left on device")

// failing is a disk whose calls fail from one of them on.
type failing struct {
	disk.OS
	left  int
	stuck bool // nothing can be removed either
}

type failingFile struct {
	disk.File
	fs *failing
}

func (f *failing) fail() error {
	if f.left--; f.left < 0 {
		return errFull
	}
	return nil
}

func (f *failing) Create(name string) (disk.File, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	file, err := f.OS.Create(name)
	return &failingFile{file, f}, err
}

func (f *failing) Rename(from, to string) error {
	return errors.Join(f.fail(), f.or(os.Rename, from, to))
}

// or does it only while the disk works.
func (f *failing) or(do func(a, b string) error, a, b string) error {
	if f.left < 0 {
		return nil
	}
	return do(a, b)
}

func (f *failing) Remove(name string) error {
	if f.left < 0 && f.stuck {
		return errFull
	}
	return f.OS.Remove(name)
}

func (f *failing) MkdirAll(dir string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.OS.MkdirAll(dir)
}

func (f *failing) SyncDir(dir string) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.OS.SyncDir(dir)
}

func (f *failingFile) Write(b []byte) (int, error) {
	if err := f.fs.fail(); err != nil {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, err
	}
	return f.File.Write(b)
}

func (f *failingFile) Sync() error {
	if err := f.fs.fail(); err != nil {
		return err
	}
	return f.File.Sync()
}

func filesIn(t *testing.T, dir, ext string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"+ext))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Whichever call fails, the caller keeps the rows and writes them again, perhaps under another
// id: what is left of the attempt would be rows that come twice, or an index that tells of a loss.
func TestASealThatFailsLeavesNothing(t *testing.T) {
	b := head.NewLogs(1)
	b.Append(someLogs(20))
	for n := 0; ; n++ {
		dir := filepath.Join(t.TempDir(), "2026-11-21")
		p, err := WriteLogs(&failing{left: n}, dir, b.Snapshot(), Options{ID: 5})
		if err == nil {
			p.Release()
			if n < 10 { // folder, its sync, and five calls for each of the two files
				t.Errorf("nothing failed with only %d calls that work", n)
			}
			return
		}
		if !errors.Is(err, errFull) || errors.Is(err, os.ErrNotExist) {
			t.Errorf("call %d fails: %v", n, err)
		}
		if left := filesIn(t, dir, ""); len(left) > 0 {
			t.Errorf("call %d fails: %v are left", n, left)
		}
	}
}

// A disk that also refuses to remove leaves rows that are whole, or none, and says so.
func TestASealThatFailsOnADeadDiskLeavesNoHalfRows(t *testing.T) {
	b := head.NewLogs(1)
	b.Append(someLogs(20))
	for n := range 12 {
		dir := filepath.Join(t.TempDir(), "2026-11-21")
		if p, err := WriteLogs(&failing{left: n, stuck: true}, dir, b.Snapshot(), Options{ID: 5}); !errors.Is(err, errFull) {
			t.Fatalf("call %d fails: %v, %v", n, p, err)
		}
		for _, path := range filesIn(t, dir, RowsExt) {
			into := head.NewLogs(1)
			if err := ReadLogs(nil, path, into); err != nil || into.Snapshot().Rows != 20 {
				t.Errorf("call %d fails: %v, %d rows", n, err, into.Snapshot().Rows)
			}
		}
	}
}

func TestAPartIsNotWrittenOverAnother(t *testing.T) {
	b := head.NewLogs(1)
	b.Append(someLogs(20))
	dir := filepath.Join(t.TempDir(), "2026-11-21")
	for range 2 { // what a crash after the rename left is sealed again from the log
		p, err := WriteLogs(disk.OS{}, dir, b.Snapshot(), Options{ID: 5})
		if err != nil {
			t.Fatal(err)
		}
		p.Release()
	}
	if rows := filesIn(t, dir, RowsExt); len(rows) != 1 {
		t.Errorf("the same part twice: %v", rows)
	}
	p, err := WriteLogs(disk.OS{}, dir, b.Snapshot(), Options{ID: 6})
	if err != nil {
		t.Fatal(err)
	}
	p.Release()
	if rows := filesIn(t, dir, RowsExt); len(rows) != 2 {
		t.Errorf("two ids of the same times: %v", rows)
	}
}

// An index holds nothing that the rows do not: made anew from them it is the same to the byte.
func TestAnIndexMadeAnewIsTheSameToTheByte(t *testing.T) {
	dir, n := t.TempDir(), uint64(0)
	check := func(t *rapid.T, p *Part, err error) {
		if err != nil {
			t.Fatal(err)
		}
		defer func() { p.Doom(); p.Release() }()
		want, err := os.ReadFile(p.IndexPath())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p.IndexPath(), []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
		q, err := Rebuild(disk.OS{}, nil, p.path)
		if err != nil {
			t.Fatal(err)
		}
		q.Release()
		if got, err := os.ReadFile(p.IndexPath()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: %d bytes, want %d; metadata\n%+v\nwant\n%+v", err, len(got), len(want), q.Meta, p.Meta)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n++
		opt := Options{ID: n, Segments: rapid.SliceOfN(rapid.Uint64(), 0, 3).Draw(t, "segments"), Replaces: rapid.SliceOfN(rapid.StringMatching(`[0-9TZ-]{1,9}`), 0, 3).Draw(t, "replaces")}
		if rapid.Bool().Draw(t, "spans") {
			b := head.NewSpans(n)
			b.Append(rapid.SliceOfN(rapid.Custom(drawSpan), 1, 40).Draw(t, "rows"))
			p, err := WriteSpans(disk.OS{}, dir, b.Snapshot(), opt)
			check(t, p, err)
			return
		}
		b := head.NewLogs(n)
		b.Append(rapid.SliceOfN(rapid.Custom(drawRecord), 1, 40).Draw(t, "rows"))
		p, err := WriteLogs(disk.OS{}, dir, b.Snapshot(), opt)
		check(t, p, err)
	})
}

func TestARebuildThatCannotBeDoneSaysWhy(t *testing.T) {
	p := writeSomeLogs(t, someLogs(20))
	if _, err := Rebuild(&failing{left: 1}, nil, p.path); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
	if q, err := Rebuild(disk.OS{}, nil, p.path); err != nil {
		t.Errorf("after a full disk: %v", err)
	} else {
		q.Release()
	}
	if err := os.Truncate(p.Path(), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := Rebuild(disk.OS{}, nil, p.path); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), p.Path()) {
		t.Errorf("damaged rows: %v", err)
	}
	if _, err := Rebuild(disk.OS{}, nil, filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no rows: %v", err)
	}
}

func TestAFileThatIsNotOursIsNamed(t *testing.T) {
	type foreign struct {
		A int32 `parquet:"a"`
	}
	write := func(options ...parquet.WriterOption) []byte {
		var buf bytes.Buffer
		w := parquet.NewGenericWriter[foreign](&buf, options...)
		if _, err := w.Write([]foreign{{1}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	kv := parquet.KeyValueMetadata
	for name, b := range map[string][]byte{
		"empty":             {},
		"no Parquet":        []byte("timestamp,message\n"),
		"no format":         write(),
		"a format to come":  write(kv(keyFormat, "2"), kv(keyID, "1")),
		"no id":             write(kv(keyFormat, formatVersion)),
		"an id of letters":  write(kv(keyFormat, formatVersion), kv(keyID, "x")),
		"a segment missing": write(kv(keyFormat, formatVersion), kv(keyID, "1"), kv(keySegments, "1 x")),
	} {
		path := filepath.Join(t.TempDir(), "a.parquet")
		writeFile(t, path, b)
		if err := ReadLogs(nil, path, head.NewLogs(1)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	logs, spans := writeSomeLogs(t, someLogs(5)), writeSomeSpans(t, someSpans(5))
	if err := ReadLogs(nil, spans.Path(), head.NewLogs(1)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "not logs") {
		t.Errorf("spans as logs: %v", err)
	}
	if err := ReadSpans(nil, logs.Path(), head.NewSpans(1)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "not spans") {
		t.Errorf("logs as spans: %v", err)
	}
	if err := ReadSpans(nil, logs.Path()+"x", head.NewSpans(1)); !errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrDamaged) {
		t.Errorf("no file: %v", err)
	}
}

func TestListsOfIdsComeBack(t *testing.T) {
	for text, want := range map[string][]uint64{"": nil, "0": {0}, "1 18446744073709551615": {1, 1<<64 - 1}} {
		if got, err := parseIDs(text); err != nil || !slices.Equal(got, want) || formatIDs(want) != text {
			t.Errorf("%q is %v, %v, and written as %q", text, got, err, formatIDs(want))
		}
	}
	for _, text := range []string{"x", "1,2", "-1", "18446744073709551616", "1 2 3x"} {
		if got, err := parseIDs(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

// SQL reads heads in the form of parts, also one that holds nothing yet.
func TestAnUnsealedHeadReadsAsAPartDoes(t *testing.T) {
	for name, c := range map[string]struct {
		encode func(w io.Writer) error
		rows   int64
		schema string
	}{
		"no logs":  {func(w io.Writer) error { return EncodeLogs(w, head.NewLogs(1).Snapshot()) }, 0, "log"},
		"no spans": {func(w io.Writer) error { return EncodeSpans(w, head.NewSpans(1).Snapshot()) }, 0, "span"},
		"logs": {func(w io.Writer) error {
			b := head.NewLogs(1)
			b.Append([]model.LogRecord{{Message: "a"}, {Message: "b"}})
			return EncodeLogs(w, b.Snapshot())
		}, 2, "log"},
	} {
		var buf bytes.Buffer
		if err := c.encode(&buf); err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
		if err != nil || f.NumRows() != c.rows || f.Schema().Name() != c.schema {
			t.Fatalf("%s: %v, %d rows of %s", name, err, f.NumRows(), f.Schema().Name())
		}
		if f.Root().Column(ColTimestamp) == nil || f.Root().Column(ColResource) == nil {
			t.Errorf("%s: columns are missing: %s", name, f.Schema())
		}
	}
	if err := EncodeLogs(failingWriter{}, head.NewLogs(1).Snapshot()); !errors.Is(err, errFull) {
		t.Errorf("a reader that is gone: %v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errFull }
