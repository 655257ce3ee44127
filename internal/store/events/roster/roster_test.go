package roster

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

var (
	one   = Entry{Signal: part.Logs, ID: 7, MinTime: -5, MaxTime: 1 << 60, Rows: 65536}
	two   = Entry{Signal: part.Spans, ID: 1 << 60, MinTime: 1, MaxTime: 2, Rows: 1}
	three = Entry{Signal: part.Logs, ID: 9, MinTime: 3, MaxTime: 4, Rows: 2}
)

func TestPartsAreRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	r, _, err := Open(disk.OS{}, path)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := errors.Join(r.Reset([]Entry{one}), r.Change([]Entry{two, three}, nil), r.Change(nil, []Entry{one}), r.Flush(), r.Close()); err != nil {
		t.Fatal(err)
	}
	r, got, err := Open(disk.OS{}, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if diff := cmp.Diff(map[uint64]Entry{two.ID: two, three.ID: three}, got); diff != "" {
		t.Error(diff)
	}
}

// oldList has one and two come, and one go.
const oldList = "534250525400010a2b000700000000000000fbffffffffffffff000000000000001000000100000000009dfa52bb2b0100000000000000100100000000000000020000000000000001000000" +
	"0000000099c0eaeb2d000700000000000000fbffffffffffffff000000000000001000000100000000008ab485b8"

// The bytes are those of the first release that had the list.
func TestAnOldListIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	text, err := hex.DecodeString(oldList)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	r, got, err := Open(disk.OS{}, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	if diff := cmp.Diff(map[uint64]Entry{two.ID: two}, got); diff != "" {
		t.Error(diff)
	}
	text[20] ^= 1
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(disk.OS{}, path); !errors.Is(err, roll.ErrDamaged) {
		t.Error(err)
	}
}

func TestMissingIsWhatIsNotThereInOrderOfTime(t *testing.T) {
	got := Missing(map[uint64]Entry{1: one, 2: two, 3: three, 4: {ID: 4}}, map[uint64]bool{4: true, 5: true})
	if diff := cmp.Diff([]Entry{one, two, three}, got); diff != "" {
		t.Error(diff)
	}
}
