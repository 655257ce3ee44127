package mend_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/signalbox-project/signalbox/internal/store/metrics/mend"
)

const (
	series = 20
	hour   = int64(time.Hour / time.Millisecond)
	step   = int64(15_000)
)

var discard = slog.New(slog.DiscardHandler)

func openDB(dir string) (*tsdb.DB, error) {
	o := tsdb.DefaultOptions()
	o.WALSegmentSize = 64 << 10
	o.WALCompression = compression.Snappy
	o.RetentionDuration = 1000 * hour
	o.OutOfOrderTimeWindow = 4 * hour
	o.EnableMemorySnapshotOnShutdown = true
	return tsdb.Open(dir, discard, prometheus.NewRegistry(), o, nil)
}

// build writes 7 hours of samples so that every kind of file is there: blocks, a
// checkpoint, log segments, a log of late samples, mapped chunks and,
// after a clean stop, a snapshot of the head. The value of a sample is its time.
func build(t testing.TB, clean bool) string {
	t.Helper()
	dir := t.TempDir()
	db, err := openDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	db.DisableCompactions()
	write := func(at int64, name string) {
		app := db.Appender(context.Background())
		for i := range series {
			if _, err := app.Append(0, labels.FromStrings("__name__", name, "i", fmt.Sprint(i), "pad", strings.Repeat("x", 200)), at, float64(at)); err != nil {
				t.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	for at := int64(0); at < 7*hour; at += step {
		write(at, "early")
		if at > hour {
			write(at-hour-1, "late")
			write(at-hour-1-step, "later")
			write(at-hour-1-step-1, "later")
		}
		if at == 4*hour || at == 6*hour {
			if err := db.Compact(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if clean {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	killed := t.TempDir() // what a kill leaves
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(killed, "lock")); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return killed
}

// content is every sample of a database: series → times. A wrong value fails the test.
func content(t testing.TB, dir string) map[string][]int64 {
	t.Helper()
	db, err := openDB(dir)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer db.Close()
	q, err := db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	out := map[string][]int64{}
	set := q.Select(context.Background(), false, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+"))
	for set.Next() {
		key := set.At().Labels().Get("__name__") + set.At().Labels().Get("i")
		it := set.At().Iterator(nil)
		for it.Next() != 0 {
			at, v := it.At()
			if float64(at) != v {
				t.Fatalf("%s has %v at %d: a sample of another series", key, v, at)
			}
			out[key] = append(out[key], at)
		}
	}
	if err := set.Err(); err != nil {
		t.Fatalf("query: %v", err)
	}
	return out
}

func total(m map[string][]int64) (n int) {
	for _, times := range m {
		n += len(times)
	}
	return n
}

func clone(t testing.TB, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "db")
	if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return out
}

func files(t testing.TB, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no file like %s: %v", pattern, err)
	}
	slices.Sort(found)
	return found
}

func change(t testing.TB, path string, f func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func flip(at int) func([]byte) []byte {
	return func(b []byte) []byte { b[at] ^= 0x40; return b }
}

func zero(from, to int) func([]byte) []byte {
	return func(b []byte) []byte { clear(b[from:min(to, len(b))]); return b }
}

func cut(at int) func([]byte) []byte { return func(b []byte) []byte { return b[:at] } }

func TestAnIntactDatabaseIsLeftAlone(t *testing.T) {
	for _, clean := range []bool{true, false} {
		dir := build(t, clean)
		before := content(t, clone(t, dir))
		if found, err := mend.Folder(dir, discard); err != nil || len(found) > 0 {
			t.Errorf("clean stop %v: %v, %v", clean, found, err)
		}
		if n, want := total(content(t, dir)), total(before); n != want || want < 2*series*400 {
			t.Errorf("clean stop %v: %d samples, want %d", clean, n, want)
		}
	}
}

func TestDamageCostsOnlyItsOwnRangeAndIsNamed(t *testing.T) {
	dir := build(t, false)
	all := content(t, clone(t, dir))
	for _, c := range []struct {
		name    string
		file    string // the newest but one that matches, or the only one
		damage  func([]byte) []byte
		remove  bool
		folder  bool    // a folder stands in its place
		plain   bool    // an empty file stands in its place
		maxLost float64 // share of all samples
		unnamed bool    // nothing is lost, so nothing is to be named
	}{
		{name: "a bit of a record in the log", file: "wal/0*", damage: flip(40_000), maxLost: 0.01},
		{name: "a header in the log", file: "wal/0*", damage: func(b []byte) []byte { b[0] ^= 3; return b }, maxLost: 0.05},
		{name: "a page of zeros in the log", file: "wal/0*", damage: zero(32<<10, 64<<10), maxLost: 0.1},
		{name: "bytes of zeros in the log", file: "wal/0*", damage: zero(5000, 5100), maxLost: 0.05},
		{name: "a segment of zeros", file: "wal/0*", damage: zero(0, 1<<20), maxLost: 0.15},
		{name: "a segment cut short", file: "wal/0*", damage: cut(20_000), maxLost: 0.1},
		{name: "a segment cut to a part of a header", file: "wal/0*", damage: cut(3), maxLost: 0.15},
		{name: "a missing segment", file: "wal/0*", remove: true, maxLost: 0.15},
		{name: "a bit in the checkpoint", file: "wal/checkpoint.*/0*", damage: flip(1000), maxLost: 0.8},
		{name: "a missing checkpoint segment", file: "wal/checkpoint.*/0*", remove: true, maxLost: 0.8},
		{name: "a missing checkpoint", file: "wal/checkpoint.*", remove: true, maxLost: 0.8},
		{name: "a bit in the log of late samples", file: "wbl/0*", damage: flip(1000), maxLost: 0.01},
		{name: "a block's index", file: "0*/index", damage: cut(100), maxLost: 0.6},
		{name: "a block without an index", file: "0*/index", remove: true, maxLost: 0.6},
		{name: "a block's chunks", file: "0*/chunks/0*", damage: zero(0, 10), maxLost: 0.6},
		{name: "a block's description", file: "0*/meta.json", damage: flip(0), unnamed: true},
		{name: "a key of a block's description", file: "0*/meta.json", damage: func(b []byte) []byte { return bytes.Replace(b, []byte("minTime"), []byte("manTime"), 1) }, unnamed: true},
		{name: "a block without a description", file: "0*/meta.json", remove: true, unnamed: true},
		{name: "a folder for a block's description", file: "0*/meta.json", folder: true, unnamed: true},
		{name: "a block's deletions", file: "0*/tombstones", damage: flip(4)},
		{name: "a folder for a block's deletions", file: "0*/tombstones", folder: true},
		{name: "a folder for a block's index", file: "0*/index", folder: true, maxLost: 0.6},
		{name: "a folder for a segment", file: "wal/0*", folder: true, maxLost: 0.15},
		{name: "a file for the log of late samples", file: "wbl", plain: true, maxLost: 0.5},
		{name: "a file for the log", file: "wal", plain: true, maxLost: 0.9},
		{name: "a folder for mapped chunks", file: "chunks_head/0*", folder: true, unnamed: true},
		{name: "a file for mapped chunks", file: "chunks_head", plain: true},
		{name: "mapped chunks", file: "chunks_head/0*", damage: flip(300), unnamed: true},
		{name: "the beginning of mapped chunks", file: "chunks_head/0*", damage: flip(0), unnamed: true},
		{name: "missing mapped chunks", file: "chunks_head/0*", remove: true, unnamed: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := clone(t, dir)
			found := files(t, dir, c.file)
			victim := found[max(0, len(found)-2)]
			if c.damage != nil {
				change(t, victim, c.damage)
			} else {
				remove(t, victim)
			}
			if c.folder {
				mkdir(t, victim)
			}
			if c.plain {
				if err := os.WriteFile(victim, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			damages, err := mend.Folder(dir, discard)
			if err != nil {
				t.Fatal(err)
			}
			left := content(t, dir)
			if lost := float64(total(all)-total(left)) / float64(total(all)); lost > c.maxLost || lost < 0 {
				t.Errorf("%.3f of the samples are lost, want at most %.3f; damages %+v", lost, c.maxLost, damages)
			}
			if named := len(damages) > 0; named == c.unnamed {
				t.Errorf("damages %+v", damages)
			}
			if again, err := mend.Folder(dir, discard); err != nil || len(again) != len(damages) {
				t.Errorf("a second start finds %+v, %v", again, err)
			}
		})
	}
}

// A restart after a clean stop has the snapshot to read from: the log's damage
// before it costs nothing.
func TestTheSnapshotOfACleanStopSavesWhatTheLogLost(t *testing.T) {
	dir := build(t, true)
	all := content(t, clone(t, dir))
	for _, which := range []string{"first", "last"} {
		dir := clone(t, dir)
		segments := files(t, dir, "wal/0*")
		victim := segments[0]
		if which == "last" {
			victim = segments[len(segments)-1]
		}
		if err := os.Remove(victim); err != nil {
			t.Fatal(err)
		}
		if _, err := mend.Folder(dir, discard); err != nil {
			t.Fatal(err)
		}
		if left := content(t, dir); total(left) != total(all) {
			t.Errorf("without the %s segment %d samples, want %d", which, total(left), total(all))
		}
	}
}

func TestATornEndIsHowACrashLooks(t *testing.T) {
	dir := build(t, false)
	segments := files(t, dir, "wal/0*")
	newest := segments[len(segments)-1]
	change(t, newest, func(b []byte) []byte { return b[:len(b)-1] })
	if found, err := mend.Folder(dir, discard); err != nil || len(found) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
	content(t, dir)
}

func TestDamageIsNamedByTheTimesAroundIt(t *testing.T) {
	dir := build(t, false)
	segments := files(t, dir, "wal/0*")
	change(t, segments[1], flip(30_000))
	found, err := mend.Folder(dir, discard)
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	if d := found[0]; d.Start.IsZero() || d.End.Before(d.Start) || d.End.Sub(d.Start) > 10*time.Minute || d.File != "wal/"+filepath.Base(segments[1]) {
		t.Errorf("%+v", d)
	}
}

// New series must not be given the identifiers of those whose description was
// lost: at the next start the old samples would become theirs.
func TestLostSeriesDoNotHandTheirSamplesToOthers(t *testing.T) {
	dir := build(t, false)
	if err := os.RemoveAll(files(t, dir, "wal/checkpoint.*")[0]); err != nil {
		t.Fatal(err)
	}
	for _, path := range files(t, dir, "wal/0*")[:2] {
		change(t, path, zero(0, 1<<20))
	}
	damages, err := mend.Folder(dir, discard)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(damages, func(d mend.Damage) bool { return d.Orphans > 0 }) {
		t.Errorf("no orphans in %+v", damages)
	}
	db, err := openDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	db.DisableCompactions()
	app := db.Appender(context.Background())
	for i := range 2 * series {
		at := 8 * hour
		if _, err := app.Append(0, labels.FromStrings("__name__", "new", "i", fmt.Sprint(i)), at, float64(at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	killed := clone(t, dir)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for key, times := range content(t, killed) {
		if strings.HasPrefix(key, "new") && len(times) != 1 {
			t.Errorf("%s has %d samples, want its own one", key, len(times))
		}
	}
}

// Whatever happens to a segment, the TSDB opens and what it answers is true.
func FuzzAnyDamageToASegment(f *testing.F) {
	dir := build(f, false)
	f.Add(uint32(0), uint16(1), byte(0xff))
	f.Add(uint32(32767), uint16(3), byte(2))
	f.Add(uint32(40_000), uint16(30_000), byte(0))
	f.Fuzz(func(t *testing.T, at uint32, size uint16, with byte) {
		dir := clone(t, dir)
		segments := files(t, dir, "wal/0*")
		change(t, segments[len(segments)/2], func(b []byte) []byte {
			from := int(at) % len(b)
			for i := from; i < min(len(b), from+int(size)); i++ {
				b[i] ^= with
			}
			return b
		})
		if _, err := mend.Folder(dir, discard); err != nil {
			t.Fatal(err)
		}
		content(t, dir)
		if _, err := mend.Folder(dir, discard); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDamageIsSaidInWords(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	p := mend.Damage{File: "wal/00000007", Reason: "a checksum is wrong", Offset: 4096, Bytes: 311, Start: at, End: at.Add(time.Minute), Orphans: 3}.Problem()
	want := "wal/00000007 of the metrics store was damaged (a checksum is wrong): 311 bytes at 4096 are lost; " +
		"samples received between 2026-03-01T10:00:00Z and 2026-03-01T10:01:00Z are incomplete; 3 later samples are lost with it, as the labels of their series were there"
	if p.Message != want {
		t.Errorf("got  %s\nwant %s", p.Message, want)
	}
}

func TestADatabaseInUseIsNotTouched(t *testing.T) {
	dir := t.TempDir()
	db, err := openDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := mend.Folder(dir, discard); err == nil {
		t.Error("mended under the hands of another process")
	}
}
