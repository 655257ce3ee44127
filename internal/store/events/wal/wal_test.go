package wal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
)

func written(t testing.TB, payloads ...string) (path string, ends []int64) {
	t.Helper()
	return writtenBy(t, nil, payloads...)
}

func writtenBy(t testing.TB, keys *cipherfile.Keys, payloads ...string) (path string, ends []int64) {
	t.Helper()
	s, err := Create(disk.OS{}, keys, t.TempDir(), Name{Signal: "logs", Day: "2026-11-21", ID: 7}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range payloads {
		if err := s.Append([]byte(p)); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, s.size)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Path(), ends
}

func replayed(data []byte) (got []string, rep Report) {
	rep, _ = replay(nil, "x", data, func(p []byte) error {
		got = append(got, string(p))
		return nil
	})
	return got, rep
}

var three = []string{"first payload", "the second payload, somewhat longer", "third"}

func TestReplayGivesBackWhatWasAppended(t *testing.T) {
	path, _ := written(t, three...)
	var got []string
	rep, err := Replay(nil, path, func(p []byte) error {
		got = append(got, string(p))
		return nil
	})
	if err != nil || !slices.Equal(got, three) || rep.Records != 3 || rep.Torn != 0 || len(rep.Damaged) != 0 {
		t.Errorf("got %q, %+v, %v", got, rep, err)
	}
	if n, ok := ParseName(path); !ok || n != (Name{Signal: "logs", Day: "2026-11-21", ID: 7}) {
		t.Errorf("name = %+v, %v", n, ok)
	}
}

func TestASegmentCutAnywhereKeepsAllWholeRecords(t *testing.T) {
	path, ends := written(t, three...)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range data {
		whole := 0
		for whole < len(ends) && ends[whole] <= int64(cut) {
			whole++
		}
		got, rep := replayed(data[:cut])
		if !slices.Equal(got, three[:whole]) {
			t.Fatalf("cut to %d: got %q, want the first %d", cut, got, whole)
		}
		if len(rep.Damaged) != 0 {
			t.Fatalf("cut to %d: a torn tail is reported as damage %v", cut, rep.Damaged)
		}
		zeroed := append(slices.Clone(data[:cut]), make([]byte, len(data)-cut)...)
		if got, _ := replayed(zeroed); len(got) < whole || !slices.Equal(got[:whole], three[:whole]) {
			t.Fatalf("zeroed from %d: got %q, want at least the first %d", cut, got, whole)
		}
	}
}

func TestAFlippedByteCostsOnlyItsRecordAndIsNamed(t *testing.T) {
	path, ends := written(t, three...)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		bad := slices.Clone(data)
		bad[i] ^= 0x5a
		hit := 0
		for ends[hit] <= int64(i) {
			hit++
		}
		want := slices.Delete(slices.Clone(three), hit, hit+1)
		if i < len(segmentMagic) {
			want = three
		}
		got, rep := replayed(bad)
		if !slices.Equal(got, want) {
			t.Fatalf("byte %d flipped: got %q, want %q", i, got, want)
		}
		named := rep.Torn > 0 && int64(i) >= rep.Size-rep.Torn
		for _, d := range rep.Damaged {
			named = named || d.From <= int64(i) && int64(i) < d.To
		}
		if !named {
			t.Fatalf("byte %d flipped: not within %+v", i, rep)
		}
	}
}

func TestAPayloadThatCannotBeDecodedIsNamed(t *testing.T) {
	path, ends := written(t, three...)
	rep, err := Replay(nil, path, func(p []byte) error {
		if string(p) == three[1] {
			return ErrBatch
		}
		return nil
	})
	if err != nil || rep.Records != 2 || len(rep.Damaged) != 1 || rep.Damaged[0] != (Extent{ends[0], ends[1]}) {
		t.Errorf("report %+v, %v", rep, err)
	}
}

// failing is a file that fails as a full disk does.
type failing struct {
	disk.OS
	writeErr, syncErr, truncateErr error
	syncs                          int
	mu                             sync.Mutex
}

type failingFile struct {
	disk.File
	fs *failing
}

func (fs *failing) Create(name string) (disk.File, error) {
	f, err := fs.OS.Create(name)
	return failingFile{f, fs}, err
}

func (f failingFile) Write(b []byte) (int, error) {
	if f.fs.writeErr != nil {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, f.fs.writeErr
	}
	return f.File.Write(b)
}

func (f failingFile) Sync() error {
	f.fs.mu.Lock()
	f.fs.syncs++
	f.fs.mu.Unlock()
	if f.fs.syncErr != nil {
		return f.fs.syncErr
	}
	return f.File.Sync()
}

func (f failingFile) Truncate(n int64) error {
	if f.fs.truncateErr != nil {
		return f.fs.truncateErr
	}
	return f.File.Truncate(n)
}

func TestAfterAHalfWrittenRecordTheSegmentGoesOn(t *testing.T) {
	fs := &failing{}
	s, err := Create(fs, nil, t.TempDir(), Name{Signal: "logs", Day: "2026-11-21", ID: 1}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	fs.writeErr = errors.New("no space left on device")
	if err := s.Append([]byte("lost")); err == nil {
		t.Fatal("a failed write was acknowledged")
	}
	fs.writeErr = nil
	if err := s.Append([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	data, _ := os.ReadFile(s.Path())
	if got, rep := replayed(data); !slices.Equal(got, []string{"kept"}) || rep.Torn+int64(len(rep.Damaged)) != 0 {
		t.Errorf("got %q, %+v", got, rep)
	}
}

func TestAfterAFailedSyncTheSegmentTakesNoMore(t *testing.T) {
	fs := &failing{}
	s, err := Create(fs, nil, t.TempDir(), Name{Signal: "logs", Day: "2026-11-21", ID: 1}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fs.syncErr = errors.New("input/output error")
	if err := s.Append([]byte("a")); err == nil {
		t.Fatal("a failed sync was acknowledged")
	}
	fs.syncErr = nil
	if err := s.Append([]byte("b")); !errors.Is(err, ErrBroken) {
		t.Fatalf("err = %v, want ErrBroken", err)
	}
}

func TestConcurrentAppendsShareSyncs(t *testing.T) {
	fs := &failing{}
	s, err := Create(fs, nil, t.TempDir(), Name{Signal: "logs", Day: "2026-11-21", ID: 1}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for j := range 5 {
				if err := s.Append(fmt.Appendf(nil, "%d/%d", i, j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	_ = s.Close()
	data, _ := os.ReadFile(filepath.Clean(s.Path()))
	got, _ := replayed(data)
	if len(got) != 320 {
		t.Errorf("%d records, want 320", len(got))
	}
	if fs.syncs >= 320 {
		t.Errorf("%d syncs for 320 appends of 64 writers: none was shared", fs.syncs)
	}
}

func sampleLogs() []model.LogRecord {
	res := &model.Resource{Tenant: "default", Service: "edge", Attrs: model.Attrs{{Key: "host", Value: model.StringValue("h")}}}
	return []model.LogRecord{
		{
			Time: 5, Level: model.LevelWarn, TraceID: model.TraceID{1}, SpanID: model.SpanID{2}, RequestID: "r", Message: "m", Resource: res,
			Attrs: model.Attrs{
				{Key: "i", Value: model.IntValue(-3)},
				{Key: "f", Value: model.FloatValue(1.5)},
				{Key: "b", Value: model.BoolValue(true)},
				{Key: "j", Value: model.JSONValue("[1]")},
				{Key: "e"},
			},
		},
		{Time: 3, Resource: res},
		{Time: -4, Message: "other", Resource: &model.Resource{Service: "layout"}},
	}
}

func sampleSpans() []model.Span {
	res := &model.Resource{Tenant: "default", Service: "edge"}
	return []model.Span{
		{
			TraceID: model.TraceID{1}, SpanID: model.SpanID{2}, ParentID: model.SpanID{3}, Name: "n", Kind: 2, Start: 10, Duration: 4, Status: 1,
			StatusMessage: "sm", TraceState: "ts", Scope: "sc", Resource: res, Attrs: model.Attrs{{Key: "k", Value: model.StringValue("v")}},
			Events: []model.SpanEvent{{Time: 11, Name: "e", Attrs: model.Attrs{{Key: "k", Value: model.IntValue(1)}}}},
			Links:  []model.SpanLink{{TraceID: model.TraceID{4}, SpanID: model.SpanID{5}}},
		},
		{TraceID: model.TraceID{1}, SpanID: model.SpanID{6}, Resource: res},
	}
}

var values = cmp.Comparer(func(a, b model.Value) bool { return a == b })

func TestBatchesComeBackEqual(t *testing.T) {
	logs, err := DecodeLogs(EncodeLogs(nil, sampleLogs()))
	if d := cmp.Diff(sampleLogs(), logs, values); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	spans, err := DecodeSpans(EncodeSpans(nil, sampleSpans()))
	if d := cmp.Diff(sampleSpans(), spans, values); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if logs[0].Resource != logs[1].Resource {
		t.Error("a shared resource was decoded twice")
	}
}

func FuzzReplay(f *testing.F) {
	path, _ := written(f, three...)
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		rep, _ := replay(nil, "x", b, func(p []byte) error {
			if _, err := DecodeLogs(p); err == nil {
				return nil
			}
			_, err := DecodeSpans(p)
			return err
		})
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

func FuzzDecodeBatch(f *testing.F) {
	f.Add(EncodeLogs(nil, sampleLogs()))
	f.Add(EncodeSpans(nil, sampleSpans()))
	f.Fuzz(func(t *testing.T, b []byte) {
		if logs, err := DecodeLogs(b); err == nil {
			again, err := DecodeLogs(EncodeLogs(nil, logs))
			if err != nil || len(again) != len(logs) {
				t.Fatalf("does not survive another round: %v", err)
			}
		}
		if spans, err := DecodeSpans(b); err == nil {
			if _, err := DecodeSpans(EncodeSpans(nil, spans)); err != nil {
				t.Fatalf("does not survive another round: %v", err)
			}
		}
	})
}
