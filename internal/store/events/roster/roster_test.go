package roster

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

var (
	one   = Entry{Signal: part.Logs, ID: 7, MinTime: -5, MaxTime: 1 << 60, Rows: 65536}
	two   = Entry{Signal: part.Spans, ID: 1 << 60, MinTime: 1, MaxTime: 2, Rows: 1}
	three = Entry{Signal: part.Logs, ID: 9, MinTime: 3, MaxTime: 4, Rows: 2}
)

func reopen(t *testing.T, path string) (*Roster, map[uint64]Entry) {
	t.Helper()
	r, entries, err := Open(disk.OS{}, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, entries
}

func want(t *testing.T, got map[uint64]Entry, entries ...Entry) {
	t.Helper()
	m := map[uint64]Entry{}
	for _, e := range entries {
		m[e.ID] = e
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
}

func TestChangesSurviveAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	r, _, err := Open(disk.OS{}, path)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if err := errors.Join(r.Reset([]Entry{one}), r.Change([]Entry{two, three}, nil), r.Change(nil, []Entry{one})); err != nil {
		t.Fatal(err)
	}
	again, got := reopen(t, path) // the first one was not closed
	want(t, got, two, three)
	if err := errors.Join(again.Reset([]Entry{two}), again.Change([]Entry{one}, []Entry{two})); err != nil {
		t.Fatal(err)
	}
	_, got = reopen(t, path)
	want(t, got, one)
}

// What went does not stay in the file for ever.
func TestTheFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	r, _, _ := Open(disk.OS{}, path)
	t.Cleanup(func() { _ = r.Close() })
	if err := r.Reset([]Entry{two}); err != nil {
		t.Fatal(err)
	}
	many := make([]Entry, 500)
	for i := range many {
		many[i] = Entry{ID: uint64(100 + i)}
	}
	for range 10 { // 10,000 slots
		if err := errors.Join(r.Change(many, nil), r.Change(nil, many)); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > int64(len(magic)+(slack+1500)*slotSize) {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	_, got := reopen(t, path)
	want(t, got, two)
}

// full is a disk on which a write does half, and fails.
type full struct {
	disk.OS
	is bool
}

type fullFile struct {
	disk.File
	d *full
}

func (d *full) Create(name string) (disk.File, error) {
	f, err := d.OS.Create(name)
	return fullFile{f, d}, err
}

func (d *full) Append(name string) (disk.File, error) {
	f, err := d.OS.Append(name)
	return fullFile{f, d}, err
}

func (f fullFile) Write(b []byte) (int, error) {
	if f.d.is {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, errors.New("full")
	}
	return f.File.Write(b)
}

func TestAFailedWriteIsMadeGood(t *testing.T) {
	path, d := filepath.Join(t.TempDir(), Name), &full{}
	r, _, _ := Open(d, path)
	t.Cleanup(func() { _ = r.Close() })
	if err := r.Reset([]Entry{one}); err != nil {
		t.Fatal(err)
	}
	d.is = true
	if r.Change([]Entry{two}, []Entry{one}) == nil || r.Change([]Entry{three}, nil) == nil || r.Flush() == nil {
		t.Error("a full disk is no error")
	}
	_, got := reopen(t, path)
	want(t, got, one, two) // half of it
	d.is = false
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	_, got = reopen(t, path)
	want(t, got, two, three)
}

func TestATornEndIsNoDamageAndAFlippedByteIs(t *testing.T) {
	whole := appendSlot(appendSlot([]byte(magic), came, one), came, two)
	for n := len(magic); n <= len(whole); n++ {
		for _, b := range [][]byte{whole[:n], append(append([]byte(nil), whole[:n]...), make([]byte, 2*slotSize-(n-len(magic))%slotSize)...)} {
			got, err := parse(b)
			if err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
			want(t, got, []Entry{one, two}[:(n-len(magic))/slotSize]...)
		}
	}
	for at := range whole {
		b := append([]byte(nil), whole...)
		b[at] ^= 0x11
		if _, err := parse(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	if _, err := parse(append(append([]byte(magic), make([]byte, slotSize)...), whole[len(magic):]...)); !errors.Is(err, ErrDamaged) {
		t.Errorf("zeros before other entries: %v", err)
	}
	if _, err := parse(nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("an empty file: %v", err)
	}
}

func TestMissingIsWhatIsNotThereInOrderOfTime(t *testing.T) {
	got := Missing(map[uint64]Entry{1: one, 2: two, 3: three, 4: {ID: 4}}, map[uint64]bool{4: true, 5: true})
	if diff := cmp.Diff([]Entry{one, two, three}, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever is in the file, each entry that is read was written so, and what is read can be written.
func FuzzParse(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(magic))
	f.Add(appendSlot(appendSlot([]byte(magic), came, one), went, one))
	f.Add(appendSlot(appendSlot([]byte(magic), came, two), came, three)[:60])
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _ := parse(b)
		again := []byte(magic)
		for _, e := range got {
			again = appendSlot(again, came, e)
		}
		back, err := parse(again)
		if err != nil || !cmp.Equal(got, back) {
			t.Errorf("%v, then %v, %v", got, back, err)
		}
	})
}
