package acked_test

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasAcknowledgedIsRemembered(t *testing.T) {
	dir := t.TempDir()
	a, err := acked.Open(dir)
	must(t, err)
	before := time.Now().Add(-time.Second)
	sample, late, gone := acked.Place{Log: acked.Samples, Segment: 7}, acked.Place{Log: acked.Late, Segment: 1 << 40}, acked.Place{Log: acked.Late}
	a.Set(sample, 100)
	a.Set(late, 5)
	a.Set(gone, 9)
	a.Set(sample, 300)
	a.Set(sample, 200) // never less
	a.Keep(func(p acked.Place) bool { return p != gone })
	must(t, a.Close())
	a, err = acked.Open(dir)
	must(t, err)
	a.Set(acked.Place{Log: acked.Samples, Segment: 8}, 1)
	must(t, a.Close())
	got, looked, err := acked.Read(dir)
	must(t, err)
	if diff := cmp.Diff(map[acked.Place]int64{sample: 300, late: 5, {Log: acked.Samples, Segment: 8}: 1}, got); diff != "" {
		t.Error(diff)
	}
	if looked.Before(before) {
		t.Errorf("looked at %s", looked)
	}
}

// Whatever happens to the file, no segment is remembered with more than was acknowledged of it.
func TestADamagedListSaysLess(t *testing.T) {
	dir := t.TempDir()
	want := map[acked.Place]int64{{Log: acked.Samples, Segment: 1}: 1000, {Log: acked.Late, Segment: 2}: 2000}
	must(t, acked.Write(dir, want))
	text, err := os.ReadFile(filepath.Join(dir, acked.Name))
	must(t, err)
	check := func(bad []byte) {
		must(t, os.WriteFile(filepath.Join(dir, acked.Name), bad, 0o600))
		got, _, err := acked.Read(dir)
		must(t, err)
		for p, size := range got {
			if size != want[p] {
				t.Fatalf("%v has %d bytes, want %d", p, size, want[p])
			}
		}
	}
	for i := range text {
		for _, x := range []byte{1, 0x55, 0xff} {
			bad := bytes.Clone(text)
			bad[i] ^= x
			check(bad)
		}
		check(text[:i])
		check(append(bytes.Clone(text[:i]), make([]byte, len(text)-i)...))
	}
}

// The end that is found without reading the records is the one that the TSDB's own reader reaches, at every size
// that a file of theirs can have.
func TestTheEndIsThatOfTheLastWholeRecord(t *testing.T) {
	dir := t.TempDir()
	w, err := wlog.NewSize(slog.New(slog.DiscardHandler), nil, dir, 1<<20, compression.Snappy)
	must(t, err)
	rnd := rand.New(rand.NewPCG(1, 2))
	path := wlog.SegmentName(dir, 0)
	ends := []int64{0}
	for range 200 {
		record := make([]byte, 1+rnd.IntN([]int{100, 5_000, 90_000}[rnd.IntN(3)]))
		for i := range record {
			record[i] = byte(rnd.UintN(256))
		}
		must(t, w.Log(record))
		info, err := os.Stat(path)
		must(t, err)
		if _, err := os.Stat(wlog.SegmentName(dir, 1)); err == nil {
			break // the log went on in the next segment
		}
		ends = append(ends, info.Size())
	}
	must(t, w.Close())
	text, err := os.ReadFile(path)
	must(t, err)
	file := bytes.NewReader(text)
	for i, end := range ends[1:] {
		for _, size := range []int64{end, end - 1, end - (end-ends[i])/2} {
			want := ends[i]
			if size == end {
				want = end
			}
			for _, from := range ends[max(0, i-3) : i+1] {
				got, err := acked.End(file, from, size)
				// A record that ends less than a header before a page does is padded: both are its end.
				if err != nil || got > want || want-got >= 7 {
					t.Fatalf("of %d bytes, from %d: %d, %v, want %d", size, from, got, err, want)
				}
			}
		}
	}
}
