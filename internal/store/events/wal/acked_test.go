package wal

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
)

func ackedIn(t *testing.T, path string) (*Acked, map[Name]int64, error) {
	t.Helper()
	a, sizes, err := OpenAcked(roll.OS{}, path)
	t.Cleanup(func() { _ = a.Close() })
	return a, sizes, err
}

func TestAcknowledgedSizesSurviveAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), AckedName)
	a, _, err := ackedIn(t, path)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	logs, spans, gone := Name{"logs", "2026-11-21", 7}, Name{"spans", "2026-11-22", 1 << 63}, Name{"logs", "1969-12-31", 9}
	a.Set(logs, 8)
	a.Set(gone, 5)
	a.Set(spans, 1<<40)
	a.Set(logs, 900)
	a.Drop(gone)
	_, got, err := ackedIn(t, path) // the first one was not closed
	if diff := cmp.Diff(map[Name]int64{logs: 900, spans: 1 << 40}, got); diff != "" || err != nil {
		t.Fatal(err, diff)
	}
}

// Whatever byte is damaged, nothing is said of a segment that was not acknowledged of it, and that the list is damaged is.
func TestADamagedSlotIsForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), AckedName)
	a, _, _ := ackedIn(t, path)
	want := map[Name]int64{{"logs", "2026-11-21", 7}: 100, {"spans", "2026-11-22", 8}: 200}
	for name, size := range want {
		a.Set(name, size)
	}
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
		_, got, err := ackedIn(t, path)
		if !errors.Is(err, roll.ErrDamaged) || at >= 8 && len(got) != 1 {
			t.Fatalf("byte %d: %v, %v", at, got, err)
		}
		for name, size := range got {
			if want[name] != size {
				t.Fatalf("byte %d: %v has %d", at, name, size)
			}
		}
	}
}

func TestWhatCannotBeRememberedIsNoHindrance(t *testing.T) {
	path := filepath.Join(t.TempDir(), AckedName)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	a, sizes, err := ackedIn(t, path)
	if err == nil || len(sizes) != 0 {
		t.Errorf("%v, %v", sizes, err)
	}
	a.Set(Name{"logs", "2026-11-21", 7}, 100)
	a.Drop(Name{"logs", "2026-11-21", 7})
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// oldList is of the first format: two segments, and a free slot between them.
const oldList = "6c323032362d31312d323107000000000000008403000000000000fbc2760a0000000000000000000000000000000000000000000000000000000000000073323032362d31312d3232000000" +
	"00000000100000000000010000b47e39d6"

func TestAListOfTheFirstFormatIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), AckedName)
	text, err := hex.DecodeString(oldList)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text []byte
		want map[Name]int64
	}{
		{text, map[Name]int64{{"logs", "2026-11-21", 7}: 900, {"spans", "2026-11-22", 1 << 60}: 1 << 40}},
		{make([]byte, 62), map[Name]int64{}}, // all are free
	} {
		if err := os.WriteFile(path, c.text, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time as it is written today
			if _, got, err := ackedIn(t, path); err != nil || cmp.Diff(c.want, got) != "" {
				t.Errorf("%v, %v", got, err)
			}
		}
	}
}
