package wal

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
)

func encrypting(t testing.TB, names ...string) *cipherfile.Keys {
	t.Helper()
	k, err := cipherfile.New(sealtest.Keys(names), true)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func replayedBy(k *cipherfile.Keys, name string, data []byte) (got []string, rep Report, err error) {
	rep, err = replay(k, name, data, func(p []byte) error {
		got = append(got, string(p))
		return nil
	})
	return got, rep, err
}

func TestAnEncryptedSegmentCutAnywhereKeepsAllWholeRecords(t *testing.T) {
	k := encrypting(t, "a")
	path, ends := writtenBy(t, k, three...)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range three {
		if bytes.Contains(data, []byte(payload)) {
			t.Errorf("%q is there in plain", payload)
		}
	}
	for cut := range len(data) + 1 {
		whole := 0
		for whole < len(ends) && ends[whole] <= int64(cut) {
			whole++
		}
		got, rep, err := replayedBy(k, filepath.Base(path), data[:cut])
		if err != nil || !slices.Equal(got, three[:whole]) || len(rep.Damaged) != 0 {
			t.Fatalf("cut to %d: got %q, %+v, %v, want the first %d", cut, got, rep, err, whole)
		}
	}
}

func TestAFlippedByteOfAnEncryptedSegmentCostsOnlyItsRecordOrItsSegment(t *testing.T) {
	k := encrypting(t, "a")
	path, ends := writtenBy(t, k, three...)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head := bytes.Index(data, []byte(recordMagic))
	for i := range data {
		bad := slices.Clone(data)
		bad[i] ^= 0x21
		got, rep, err := replayedBy(k, filepath.Base(path), bad)
		if err != nil {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
		hit := 0
		for ends[hit] <= int64(i) {
			hit++
		}
		if i >= head && !slices.Equal(got, slices.Delete(slices.Clone(three), hit, hit+1)) || i < head && len(got) != 0 {
			t.Fatalf("byte %d flipped: got %q", i, got)
		}
		named := rep.Torn > 0 && int64(i) >= rep.Size-rep.Torn
		for _, d := range rep.Damaged {
			named = named || i < head || d.From <= int64(i) && int64(i) < d.To
		}
		if !named {
			t.Fatalf("byte %d flipped: not within %+v", i, rep)
		}
	}
}

func TestASegmentWithoutItsKeyIsLocked(t *testing.T) {
	path, _ := writtenBy(t, encrypting(t, "a"), three...)
	for _, k := range []*cipherfile.Keys{nil, encrypting(t, "b")} {
		if _, err := Replay(k, path, func([]byte) error { return nil }); !seal.Locked(err) {
			t.Errorf("%v", err)
		}
	}
	rep, err := Replay(encrypting(t, "b", "a"), path, func([]byte) error { return nil })
	if err != nil || rep.Records != 3 || rep.Kept != (cipherfile.Kept{Encrypted: true}) {
		t.Errorf("%+v, %v", rep, err)
	}
}

// What is acknowledged is counted without the header, whatever is in it: an empty segment is no loss.
func TestAnEncryptedSegmentIsAcknowledgedAsAPlainOneIs(t *testing.T) {
	k, name := encrypting(t, "a"), Name{Signal: "logs", Day: "2026-11-21", ID: 7}
	sizes := func(records int) (fromReplay, fromList int64) {
		dir := t.TempDir()
		acked, _, _ := OpenAcked(disk.Rolls{FS: disk.OS{}}, filepath.Join(dir, AckedName))
		s, err := Create(disk.OS{}, k, dir, name, nil, acked)
		if err != nil {
			t.Fatal(err)
		}
		for range records {
			if err := s.Append([]byte("a payload")); err != nil {
				t.Fatal(err)
			}
		}
		rep, err := Replay(k, s.Path(), func([]byte) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		_ = acked.Close()
		_, list, err := OpenAcked(disk.Rolls{FS: disk.OS{}}, filepath.Join(dir, AckedName))
		if err != nil {
			t.Fatal(err)
		}
		return rep.Intact(), list[name]
	}
	if a, b := sizes(0); a != EmptySize || b != EmptySize {
		t.Errorf("empty: %d, %d", a, b)
	}
	if a, b := sizes(2); a != b || a <= EmptySize {
		t.Errorf("two records: %d, %d", a, b)
	}
}

func FuzzReplayEncrypted(f *testing.F) {
	k := encrypting(f, "a")
	path, _ := writtenBy(f, k, three...)
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Add(data[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		_, rep, _ := replayedBy(k, filepath.Base(path), b)
		if rep.Torn < 0 || rep.Torn > rep.Size {
			t.Fatalf("report %+v", rep)
		}
		for _, d := range rep.Damaged {
			if d.From >= d.To || d.To > rep.Size {
				t.Fatalf("report %+v", rep)
			}
		}
	})
}
