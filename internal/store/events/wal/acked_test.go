package wal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ackedIn(t *testing.T, path string) (*Acked, map[Name]int64) {
	t.Helper()
	a, sizes, err := OpenAcked(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a, sizes
}

func TestAcknowledgedSizesSurviveAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), AckedName)
	a, _ := ackedIn(t, path)
	logs, spans, gone := Name{"logs", "2026-11-21", 7}, Name{"spans", "2026-11-22", 1 << 60}, Name{"logs", "1969-12-31", 9}
	a.Set(logs, 8)
	a.Set(gone, 5)
	a.Set(spans, 1<<40)
	a.Set(logs, 900)
	a.Drop(gone)
	want := map[Name]int64{logs: 900, spans: 1 << 40}
	b, got := ackedIn(t, path) // the first one was not closed
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	b.Set(gone, 6) // in the free slot
	if info, err := os.Stat(path); err != nil || info.Size() != int64(3*slotSize) {
		t.Errorf("%d bytes for three segments, %v", info.Size(), err)
	}
}

// A damaged slot says nothing; it never says too much.
func TestADamagedSlotIsForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), AckedName)
	a, _ := ackedIn(t, path)
	one, two := Name{"logs", "2026-11-21", 7}, Name{"spans", "2026-11-22", 8}
	a.Set(one, 100)
	a.Set(two, 200)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		b := append([]byte(nil), whole...)
		b[at] ^= 0x55
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		want := map[Name]int64{one: 100, two: 200}
		delete(want, []Name{one, two}[at/slotSize])
		if _, got := ackedIn(t, path); cmp.Diff(want, got) != "" {
			t.Fatalf("byte %d: %v", at, got)
		}
	}
}

func TestWhatCannotBeRememberedIsNoHindrance(t *testing.T) {
	path := filepath.Join(t.TempDir(), AckedName)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	a, sizes, err := OpenAcked(path)
	if err == nil || len(sizes) != 0 {
		t.Errorf("%v, %v", sizes, err)
	}
	a.Set(Name{"logs", "2026-11-21", 7}, 100)
	a.Drop(Name{"logs", "2026-11-21", 7})
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzSlot(f *testing.F) {
	f.Add(slot(Name{"logs", "2026-11-21", 7}, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != slotSize {
			return
		}
		if name, size, ok := parseSlot(b); ok && string(slot(name, size)) != string(b) {
			t.Errorf("%v, %d", name, size)
		}
	})
}
