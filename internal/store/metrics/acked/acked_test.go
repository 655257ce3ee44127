package acked_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	sample = acked.Place{Log: acked.Samples, Segment: 7}
	late   = acked.Place{Log: acked.Late, Segment: 1 << 40}
	at     = time.UnixMilli(1_795_256_243_001)
)

func extent(bytes int64) acked.Extent { return acked.Extent{Bytes: bytes, Written: at} }

func TestWhatWasAcknowledgedIsRemembered(t *testing.T) {
	dir := t.TempDir()
	a, err := acked.Open(dir)
	must(t, err)
	gone, next := acked.Place{Log: acked.Late}, acked.Place{Log: acked.Samples, Segment: 8}
	one, two, three := ulid.MustNew(1, rand.NewChaCha8([32]byte{})), ulid.MustNew(2, nil), ulid.Make()
	a.Set(sample, extent(100))
	a.Set(late, extent(5))
	a.Set(gone, extent(9))
	a.Set(sample, extent(300))
	a.Set(sample, extent(200)) // never less
	a.Keep(func(p acked.Place) bool { return p != gone })
	must(t, a.Blocks(map[ulid.ULID]acked.Span{one: {Min: -5, Max: 6}, two: {}}))
	must(t, a.Blocks(map[ulid.ULID]acked.Span{one: {Min: -5, Max: 6}, three: {Min: 1, Max: 2}}))
	b, err := acked.Open(dir) // the first one was not closed
	must(t, err)
	b.Set(next, extent(1))
	must(t, b.Close())
	must(t, a.Close())
	got, err := acked.Read(dir)
	must(t, err)
	if diff := cmp.Diff(acked.List{
		Segments: map[acked.Place]acked.Extent{sample: extent(300), late: extent(5), next: extent(1)},
		Blocks:   map[ulid.ULID]acked.Span{one: {Min: -5, Max: 6}, three: {Min: 1, Max: 2}},
	}, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever happens to the file, no segment is remembered with more than was acknowledged of it, and damage is said.
func TestADamagedListSaysLess(t *testing.T) {
	dir := t.TempDir()
	want := acked.List{Segments: map[acked.Place]acked.Extent{sample: extent(1000), late: extent(2000)}}
	must(t, acked.Write(dir, want))
	text, err := os.ReadFile(filepath.Join(dir, acked.Name))
	must(t, err)
	check := func(bad []byte, damaged bool) {
		must(t, os.WriteFile(filepath.Join(dir, acked.Name), bad, 0o600))
		got, err := acked.Read(dir)
		if err != nil != damaged || err != nil && !errors.Is(err, roll.ErrDamaged) {
			t.Fatalf("%x: %v", bad, err)
		}
		for p, e := range got.Segments {
			if e != want.Segments[p] {
				t.Fatalf("%v is %v, want %v", p, e, want.Segments[p])
			}
		}
	}
	for i := range text {
		for _, x := range []byte{1, 0x55} {
			bad := bytes.Clone(text)
			bad[i] ^= x
			check(bad, true)
		}
		check(text[:i], i < 8)
	}
}

// oldList is of the first format: when the folders were looked at, two segments, and a free slot between them.
const oldList = "6f0000000000000000004d65d49a010000519886996107000000000000002c0100000000000034e3693500000000000000000000000000000000000000000062000000000001000005000000" +
	"00000000a08ccdf9"

func TestAListOfTheFirstFormatIsRead(t *testing.T) {
	dir := t.TempDir()
	text, err := hex.DecodeString(oldList)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, acked.Name), text, 0o600))
	written := time.UnixMilli(1764500000000).Add(-10 * time.Minute)
	for range 2 { // the second time as it is written today
		got, err := acked.Read(dir)
		must(t, err)
		if diff := cmp.Diff(map[acked.Place]acked.Extent{sample: {Bytes: 300, Written: written}, late: {Bytes: 5, Written: written}}, got.Segments); diff != "" {
			t.Error(diff)
		}
		a, err := acked.Open(dir)
		must(t, err)
		must(t, a.Close())
	}
}

func TestAListIsAbsentFromAFolderThatWasUsed(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "lock"), nil, 0o600))
	if acked.Absent(dir) {
		t.Error("missed before the first start")
	}
	must(t, os.Mkdir(filepath.Join(dir, "wal"), 0o700))
	if !acked.Absent(dir) {
		t.Error("not missed")
	}
	must(t, acked.Write(dir, acked.List{}))
	if acked.Absent(dir) {
		t.Error("missed while it is there")
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
