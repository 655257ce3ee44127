package roll

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

var (
	format = Format{Magic: "SBTST\x00\x01\n", Key: 1, Slack: 4096}
	one    = Entry{Kind: 0, N: [Numbers]int64{7, -5, 1 << 60, 65536}}
	two    = Entry{Kind: 1, N: [Numbers]int64{1 << 60, 1, 2, 1}}
	three  = Entry{Kind: 0, N: [Numbers]int64{9, 3, 4, 2}}
)

func reopen(t *testing.T, path string) (*Roll, []Entry) {
	t.Helper()
	r, entries, err := Open(OS{}, path, format)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, entries
}

func want(t *testing.T, got []Entry, entries ...Entry) {
	t.Helper()
	order := func(list []Entry) []Entry {
		list = append([]Entry{}, list...)
		slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.N[0], b.N[0]) })
		return list
	}
	if diff := gocmp.Diff(order(entries), order(got)); diff != "" {
		t.Error(diff)
	}
}

func TestChangesSurviveAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "LIST")
	r, _, err := Open(OS{}, path, format)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	other := one
	other.N[3] = 1 // of the same name
	if err := errors.Join(r.Reset([]Entry{other}), r.Note([]Entry{one}, nil), r.Change([]Entry{two, three}, nil), r.Note(nil, []Entry{two})); err != nil {
		t.Fatal(err)
	}
	if have, ok := r.Have(other); !ok || have != one || len(r.All()) != 2 {
		t.Errorf("has %v, %t, %v", have, ok, r.All())
	}
	again, got := reopen(t, path) // the first one was not closed
	want(t, got, one, three)
	if err := errors.Join(again.Reset([]Entry{two}), again.Change([]Entry{one}, []Entry{two})); err != nil {
		t.Fatal(err)
	}
	_, got = reopen(t, path)
	want(t, got, one)
}

// What went, and what an entry was before, does not stay in the file for ever.
func TestTheFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "LIST")
	r, _, _ := Open(OS{}, path, format)
	t.Cleanup(func() { _ = r.Close() })
	if err := r.Reset([]Entry{two}); err != nil {
		t.Fatal(err)
	}
	many := make([]Entry, 500)
	for i := range many {
		many[i] = Entry{N: [Numbers]int64{int64(100 + i)}}
	}
	for range 10 { // 10,000 slots
		if err := errors.Join(r.Change(many, nil), r.Note(nil, many)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10_000 {
		if err := r.Note([]Entry{{Kind: 1, N: [Numbers]int64{1 << 60, int64(i)}}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > int64(8+(format.Slack+1500)*slotSize) {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	_, got := reopen(t, path)
	want(t, got, Entry{Kind: 1, N: [Numbers]int64{1 << 60, 9999}})
}

// full is a disk on which a write does half, and fails.
type full struct {
	OS
	is bool
}

type fullFile struct {
	File
	d *full
}

func (d *full) Replace(path string, content []byte) error {
	if d.is {
		return errors.New("full")
	}
	return d.OS.Replace(path, content)
}

func (d *full) Append(path string) (File, error) {
	f, err := d.OS.Append(path)
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
	path, d := filepath.Join(t.TempDir(), "LIST"), &full{}
	r, _, _ := Open(d, path, format)
	t.Cleanup(func() { _ = r.Close() })
	if err := r.Reset([]Entry{one}); err != nil {
		t.Fatal(err)
	}
	d.is = true
	if r.Change([]Entry{two}, []Entry{one}) == nil || r.Note([]Entry{three}, nil) == nil || r.Flush() == nil {
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
	whole := appendSlot(appendSlot([]byte(format.Magic), came, one), came, two)
	for n := len(format.Magic); n <= len(whole); n++ {
		for _, b := range [][]byte{whole[:n], append(append([]byte(nil), whole[:n]...), make([]byte, 2*slotSize-(n-8)%slotSize)...)} {
			got, err := parse(b, format)
			if err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
			want(t, got, []Entry{one, two}[:(n-8)/slotSize]...)
		}
	}
	for at := range whole {
		b := append([]byte(nil), whole...)
		b[at] ^= 0x11
		if _, err := parse(b, format); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	if _, err := parse(append(append([]byte(format.Magic), make([]byte, slotSize)...), whole[8:]...), format); !errors.Is(err, ErrDamaged) {
		t.Errorf("zeros before other entries: %v", err)
	}
	if _, err := parse(nil, format); !errors.Is(err, ErrDamaged) {
		t.Errorf("an empty file: %v", err)
	}
}

// A file of an earlier release is read by its own rules; a damaged one of today is not taken for such a file.
func TestAnOlderFormatIsRead(t *testing.T) {
	older := format
	older.Old = func(text []byte) ([]Entry, bool) { return []Entry{three}, string(text) == "older" }
	if got, err := parse([]byte("older"), older); err != nil {
		t.Error(err)
	} else {
		want(t, got, three)
	}
	b := appendSlot([]byte(format.Magic), came, one)
	b[0] ^= 1
	got, err := parse(b, older)
	if !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	want(t, got, one)
}

// Whatever is in the file, each entry that is read was written so, and what is read can be written.
func FuzzParse(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte(format.Magic))
	f.Add(appendSlot(appendSlot([]byte(format.Magic), came, one), went, one))
	f.Add(appendSlot(appendSlot([]byte(format.Magic), came, two), came, three)[:60])
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _ := parse(b, format)
		again := []byte(format.Magic)
		for _, e := range got {
			again = appendSlot(again, came, e)
		}
		back, err := parse(again, format)
		if err != nil || len(got) != len(back) {
			t.Errorf("%v, then %v, %v", got, back, err)
		}
	})
}
