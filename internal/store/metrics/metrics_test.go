package metrics

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/store"
)

func open(t *testing.T, dir string, free func(string) (uint64, error)) *Store {
	t.Helper()
	s, err := Open(DefaultConfig(), Deps{Dir: dir, Registerer: prometheus.NewRegistry(), FreeBytes: free})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t *testing.T, s *Store, at time.Time, v float64, opts storage.AOptions) error {
	t.Helper()
	app := s.AppenderV2(context.Background())
	if _, err := app.Append(0, labels.FromStrings("__name__", "up", "job", "a"), 0, at.UnixMilli(), v, nil, nil, opts); err != nil {
		_ = app.Rollback()
		return err
	}
	return app.Commit()
}

func count(t *testing.T, s *Store, name string) (floats, histograms int) {
	t.Helper()
	q, err := s.Querier(0, time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", name))
	for set.Next() {
		it := set.At().Iterator(nil)
		for typ := it.Next(); typ != chunkenc.ValNone; typ = it.Next() {
			if typ == chunkenc.ValFloat {
				floats++
			} else {
				histograms++
			}
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return floats, histograms
}

func TestSamplesHistogramsAndExemplarsSurviveARestart(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := open(t, dir, nil)
	ex := exemplar.Exemplar{Labels: labels.FromStrings("trace_id", "abc"), Value: 1, Ts: now.UnixMilli(), HasTs: true}
	if err := put(t, s, now, 1, storage.AOptions{Exemplars: []exemplar.Exemplar{ex}}); err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, now.Add(-20*time.Hour), 2, storage.AOptions{}); err != nil {
		t.Fatalf("a sample inside the out-of-order window: %v", err)
	}
	app := s.AppenderV2(context.Background())
	if _, err := app.Append(0, labels.FromStrings("__name__", "lat"), 0, now.UnixMilli(), 0, tsdbutil.GenerateTestHistogram(3), nil, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir, nil)
	if n, _ := count(t, s, "up"); n != 2 {
		t.Errorf("floats after restart: %d, want 2", n)
	}
	if _, n := count(t, s, "lat"); n != 1 {
		t.Errorf("native histograms after restart: %d, want 1", n)
	}
	eq, err := s.ExemplarQuerier(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	res, err := eq.Select(0, now.Add(time.Hour).UnixMilli(), []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "__name__", "up")})
	if err != nil || len(res) != 1 {
		t.Errorf("exemplars after restart: %v, %v", res, err)
	}
}

// A kill leaves the files as they are while the store is open.
func TestWhatWasCommittedSurvivesAKill(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := open(t, dir, nil)
	for i := range 100 {
		at := now.Add(time.Duration(i) * time.Second)
		if i%10 == 9 {
			at = now.Add(-time.Duration(i) * time.Minute) // out of order: in a log of its own
		}
		if err := put(t, s, at, float64(i), storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	killed := t.TempDir()
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(killed, "lock")); err != nil {
		t.Fatal(err)
	}
	if n, _ := count(t, open(t, killed, nil), "up"); n != 100 {
		t.Errorf("%d samples after the kill, want 100", n)
	}
}

func TestASampleOlderThanTheWindowIsRefused(t *testing.T) {
	s, now := open(t, t.TempDir(), nil), time.Now()
	if err := put(t, s, now, 1, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, now.Add(-25*time.Hour), 1, storage.AOptions{}); !errors.Is(err, storage.ErrTooOldSample) {
		t.Errorf("got %v, want ErrTooOldSample", err)
	}
}

func TestWritesStopBeforeTheDiskIsFullAndResume(t *testing.T) {
	var room atomic.Uint64
	room.Store(1 << 40)
	s := open(t, t.TempDir(), func(string) (uint64, error) { return room.Load(), nil })
	now := time.Now()
	if err := put(t, s, now, 1, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	room.Store(1 << 20)
	s.checkDisk()
	err := put(t, s, now.Add(time.Second), 2, storage.AOptions{})
	if !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), "min_free_bytes") {
		t.Fatalf("got %v, want ErrReadOnly naming min_free_bytes", err)
	}
	if n, _ := count(t, s, "up"); n != 1 {
		t.Errorf("a refused batch left %d samples, want 1", n)
	}
	room.Store(1 << 40)
	s.checkDisk()
	if err := put(t, s, now.Add(time.Second), 2, storage.AOptions{}); err != nil {
		t.Errorf("after room was made: %v", err)
	}
}

func TestArrivalsFoldAndReachEverySubscriber(t *testing.T) {
	s, now := open(t, t.TempDir(), nil), time.Now()
	a, stopA := s.Arrivals()
	b, stopB := s.Arrivals()
	defer stopB()
	for i := range 3 {
		if err := put(t, s, now.Add(time.Duration(i)*time.Second), 1, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(a) != 1 || len(b) != 1 {
		t.Fatalf("queued: %d and %d, want 1 and 1", len(a), len(b))
	}
	<-a
	stopA()
	if err := put(t, s, now.Add(time.Minute), 1, storage.AOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(a) != 0 {
		t.Error("a stopped subscriber was told")
	}
	<-b
	quiet := []storage.AppenderTransaction{s.Appender(context.Background()), s.Quiet().AppenderV2(context.Background())}
	for _, tx := range quiet {
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if len(b) != 0 {
		t.Error("what rules and evaluations write woke a subscriber")
	}
}

func TestConfigNamesEveryWrongField(t *testing.T) {
	errs := Config{Retention: 1, MaxBytes: -1, OutOfOrderWindow: -1, MaxExemplars: -1, BlockRange: 2, MaxSeries: -1}.Validate()
	if len(errs) != 7 {
		t.Errorf("got %v", errs)
	}
	if errs := DefaultConfig().Validate(); errs != nil {
		t.Errorf("the default is invalid: %v", errs)
	}
}

func TestAFolderInUseSaysSo(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, nil)
	_, err := Open(DefaultConfig(), Deps{Dir: dir, Registerer: prometheus.NewRegistry()})
	if err == nil || !strings.Contains(err.Error(), "another process uses it") {
		t.Errorf("opened a second time: %v", err)
	}
}
