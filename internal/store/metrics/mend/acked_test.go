package mend_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
	"github.com/signalbox-project/signalbox/internal/store/metrics/mend"
)

// acknowledge notes that all that the logs hold was acknowledged.
func acknowledge(t *testing.T, dir string) {
	t.Helper()
	list := acked.List{Segments: map[acked.Place]acked.Extent{}, Blocks: map[ulid.ULID]acked.Span{}}
	for _, log := range []string{acked.Samples, acked.Late} {
		for _, path := range files(t, dir, log+"/0*") {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			end, err := acked.End(f, 0, info.Size())
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(filepath.Base(path))
			if err != nil {
				t.Fatal(err)
			}
			list.Segments[acked.Place{Log: log, Segment: n}] = acked.Extent{Bytes: end, Written: info.ModTime()}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, path := range files(t, dir, "01*") {
		if id, err := ulid.ParseStrict(filepath.Base(path)); err == nil {
			list.Blocks[id] = acked.Span{Min: 1000, Max: 2000}
		}
	}
	if err := acked.Write(dir, list); err != nil {
		t.Fatal(err)
	}
}

// The end of the newest segment is where a crash leaves half a record, which is no damage. What had been
// acknowledged there is: it is named, once, whatever became of the file.
func TestWhatWasAcknowledgedIsMissedAtTheEndOfALog(t *testing.T) {
	dir := build(t, false)
	acknowledge(t, dir)
	if found, err := mend.Folder(clone(t, dir), discard); err != nil || len(found) > 0 {
		t.Fatalf("undamaged: %+v, %v", found, err)
	}
	half := func(b []byte) []byte { return b[:len(b)/2] }
	for what, damage := range map[string]func(t *testing.T, file string){
		"a byte short": func(t *testing.T, file string) { change(t, file, func(b []byte) []byte { return b[:len(b)-1] }) },
		"half":         func(t *testing.T, file string) { change(t, file, half) },
		"empty":        func(t *testing.T, file string) { change(t, file, cut(0)) },
		"zeros":        func(t *testing.T, file string) { change(t, file, zero(0, 1<<30)) },
		"zeros at the end": func(t *testing.T, file string) {
			change(t, file, func(b []byte) []byte { clear(b[len(b)/2:]); return b })
		},
		"a bit at the end": func(t *testing.T, file string) { change(t, file, func(b []byte) []byte { b[len(b)-2] ^= 1; return b }) },
		"gone":             remove,
		"a folder":         func(t *testing.T, file string) { remove(t, file); mkdir(t, file) },
	} {
		for _, log := range []string{acked.Samples, acked.Late} {
			t.Run(log+" "+what, func(t *testing.T) {
				dir := clone(t, dir)
				all := files(t, dir, log+"/0*")
				newest := all[len(all)-1]
				damage(t, newest)
				found, err := mend.Folder(dir, discard)
				if err != nil || len(found) == 0 {
					t.Fatalf("%+v, %v", found, err)
				}
				for _, d := range found {
					if d.File != filepath.Join(log, filepath.Base(newest)) {
						t.Errorf("%s is named, %s is damaged", d.File, newest)
					}
				}
				content(t, dir)
				if again, err := mend.Folder(dir, discard); err != nil || len(again) != len(found) {
					t.Errorf("a second start finds %+v, %v", again, err)
				}
			})
		}
	}
}

// A log that is gone as a whole is missed, too.
func TestALogThatIsGoneIsNamed(t *testing.T) {
	for _, log := range []string{acked.Samples, acked.Late} {
		dir := build(t, false)
		acknowledge(t, dir)
		remove(t, filepath.Join(dir, log))
		found, err := mend.Folder(dir, discard)
		if err != nil || len(found) == 0 {
			t.Errorf("%s: %+v, %v", log, found, err)
		}
		content(t, dir)
	}
}

// A block that is gone is named with its times; not one that stands in another, and not twice.
func TestABlockThatIsGoneIsNamed(t *testing.T) {
	dir := build(t, false)
	acknowledge(t, dir)
	block := files(t, dir, "01*")[0]
	text, err := os.ReadFile(filepath.Join(block, "meta.json"))
	if err != nil {
		t.Fatal(err)
	}
	var meta tsdb.BlockMeta
	if err := json.Unmarshal(text, &meta); err != nil {
		t.Fatal(err)
	}
	list, err := acked.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	merged := meta.Compaction.Parents[0].ULID
	list.Blocks[merged] = acked.Span{Min: 1, Max: 2}
	if err := acked.Write(dir, list); err != nil {
		t.Fatal(err)
	}
	if found, err := mend.Folder(clone(t, dir), discard); err != nil || len(found) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
	remove(t, block)
	for range 2 {
		found, err := mend.Folder(dir, discard)
		if err != nil || len(found) != 2 {
			t.Fatalf("%+v, %v", found, err)
		}
		for _, d := range found {
			if d.File != merged.String() && d.File != filepath.Base(block) || d.Reason != "the block is missing" || d.Start.IsZero() || d.End.IsZero() {
				t.Errorf("%+v", d)
			}
		}
	}
}

// A list that is damaged says so, and the rest of it counts.
func TestADamagedListOfWhatWasAcknowledgedIsSaid(t *testing.T) {
	dir := build(t, false)
	acknowledge(t, dir)
	change(t, filepath.Join(dir, acked.Name), flip(20))
	for range 2 {
		found, err := mend.Folder(dir, discard)
		if err != nil || len(found) != 1 || !found[0].List || found[0].Problem().Severity != "info" {
			t.Errorf("%+v, %v", found, err)
		}
	}
}

// Another file under a segment's name has good checksums. It is named, and costs only that segment.
func TestASegmentThatIsAnotherFileIsNamed(t *testing.T) {
	dir := build(t, true)
	snapshot, segments := files(t, dir, "chunk_snapshot.*/0*")[0], files(t, dir, "wal/0*")
	text, err := os.ReadFile(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	victim := segments[len(segments)/2]
	if err := os.WriteFile(victim, text, 0o600); err != nil {
		t.Fatal(err)
	}
	remove(t, filepath.Dir(snapshot)) // or nothing would be read from the log
	found, err := mend.Folder(dir, discard)
	if err != nil || len(found) == 0 || found[0].File != filepath.Join("wal", filepath.Base(victim)) {
		t.Errorf("%+v, %v", found, err)
	}
	last := 0
	for key, times := range content(t, dir) {
		if strings.HasPrefix(key, "early") {
			last = max(last, int(times[len(times)-1]))
		}
	}
	if want := int(7*hour - step); last != want {
		t.Errorf("the last sample is of %d, want %d: what follows the segment is lost", last, want)
	}
}

// What was not acknowledged may be gone, and is not missed.
func TestATornEndBehindWhatWasAcknowledgedIsACrash(t *testing.T) {
	dir := build(t, false)
	acknowledge(t, dir)
	for _, log := range []string{acked.Samples, acked.Late} {
		all := files(t, dir, log+"/0*")
		f, err := os.OpenFile(all[len(all)-1], os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("\x01\x00\x80half a record"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := mend.Folder(dir, discard); err != nil || len(found) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
	content(t, dir)
}

func TestAListOfWhatWasAcknowledgedThatIsNoneStopsNothing(t *testing.T) {
	dir := build(t, false)
	mkdir(t, filepath.Join(dir, acked.Name))
	found, err := mend.Folder(dir, discard)
	if err != nil || len(found) != 1 || !strings.Contains(found[0].Reason, "nothing else is lost") {
		t.Errorf("%+v, %v", found, err)
	}
	content(t, dir)
}

// The TSDB's readers panic on some damages. Every length that a list of deletions can be cut to, and every
// byte of it that changes, is survived and named.
func TestAListOfDeletionsMayBeAnything(t *testing.T) {
	dir := build(t, false)
	whole, err := os.ReadFile(files(t, dir, "0*/tombstones")[0])
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		path := files(t, dir, "0*/tombstones")[0]
		change(t, path, func([]byte) []byte { return whole[:n] })
		if found, err := mend.Folder(dir, discard); err != nil || len(found) != 1 {
			t.Errorf("cut to %d bytes: %+v, %v", n, found, err)
		}
		remove(t, filepath.Join(dir, mend.QuarantineDir))
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The zeros that fill the last page of a segment hold nothing: without some of them nothing is missed, and nothing that
// follows is lost.
func TestMissingPaddingIsMadeUpFor(t *testing.T) {
	dir := build(t, false)
	acknowledge(t, dir)
	want := total(content(t, clone(t, dir)))
	cutAny := false
	for _, log := range []string{acked.Samples, acked.Late} {
		all := files(t, dir, log+"/0*")
		for _, older := range all[:len(all)-1] {
			change(t, older, func(b []byte) []byte {
				if b[len(b)-1] != 0 {
					return b
				}
				cutAny = true
				return b[:len(b)-1]
			})
		}
	}
	if !cutAny {
		t.Fatal("no segment ends in zeros")
	}
	if found, err := mend.Folder(dir, discard); err != nil || len(found) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
	if got := total(content(t, dir)); got != want {
		t.Errorf("%d samples, want %d", got, want)
	}
}
