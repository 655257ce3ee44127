package metrics

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

// Blocks that the database makes, merges and deletes are followed, so that one which somebody else deleted is missed, once, and nothing is
// that was merged or has expired.
func TestADeletedBlockIsMissed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	begin := time.Now().Add(-16 * time.Hour).Truncate(2 * time.Hour)
	for at := begin; at.Before(time.Now()); at = at.Add(10 * time.Minute) {
		if err := put(t, s, at, 1, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	blocks := s.db.Blocks()
	list, err := acked.Read(dir)
	if err != nil || len(list.Blocks) != len(blocks) || len(blocks) < 2 {
		t.Fatalf("%d blocks, listed are %v, %v", len(blocks), list.Blocks, err)
	}
	merged := false
	for _, b := range blocks {
		merged = merged || b.Meta().Compaction.Level > 1
		if _, ok := list.Blocks[b.Meta().ULID]; !ok {
			t.Errorf("%s is not listed", b)
		}
	}
	if !merged {
		t.Fatal("nothing was merged")
	}
	gone := blocks[0].Meta()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, nil)
	if got := s.Damages(); len(got) > 0 {
		t.Errorf("nothing is gone: %+v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, gone.ULID.String())); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it stays a problem until somebody deletes the quarantine
		s = open(t, dir, nil)
		got := s.Damages()
		if len(got) != 1 || got[0].File != gone.ULID.String() || got[0].Start.UnixMilli() != gone.MinTime || got[0].End.UnixMilli() != gone.MaxTime {
			t.Errorf("%+v, want %s", got, gone.ULID)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// What retention deletes, or is written anew, is not missed, though the process is killed at once.
func TestAnExpiredBlockIsNotMissed(t *testing.T) {
	dir := t.TempDir()
	cfg := DefaultConfig()
	s := open(t, dir, nil)
	for at := time.Now().Add(-20 * time.Hour); at.Before(time.Now()); at = at.Add(10 * time.Minute) {
		if err := put(t, s, at, 1, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := len(s.db.Blocks())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Retention = cfg.BlockRange
	s, err := Open(cfg, Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	all := labels.MustNewMatcher(labels.MatchEqual, "__name__", "up")
	if err := s.Delete(context.Background(), time.Now().Add(-5*time.Hour).UnixMilli(), time.Now().Add(-4*time.Hour).UnixMilli(), all); err != nil {
		t.Fatal(err)
	}
	if err := s.CleanTombstones(); err != nil { // writes blocks anew, and reads the folder again
		t.Fatal(err)
	}
	if now := len(s.db.Blocks()); now >= before {
		t.Fatalf("%d of %d blocks are left", now, before)
	}
	copied := filepath.Join(t.TempDir(), "killed")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := open(t, copied, nil).Damages(); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}

// What is over goes by the clock, also when nothing new comes: the newest block is no measure of time.
func TestABlockThatIsOverGoesThoughNothingNewCame(t *testing.T) {
	dir := t.TempDir()
	last := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, at := range []time.Time{last.Add(-3 * 24 * time.Hour), last} {
		series := storage.NewListSeries(labels.FromStrings("__name__", "up"), []chunks.Sample{floatSample(at.UnixMilli())})
		if _, err := tsdb.CreateBlock([]storage.Series{series}, dir, (2 * time.Hour).Milliseconds(), slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir, nil)
	keep := s.Retention()
	for name, c := range map[string]struct {
		now  time.Time
		want int
	}{
		"young": {last, 0}, "the older is over": {last.Add(keep - 24*time.Hour), 1},
		"just not over": {last.Add(keep), 1}, "over": {last.Add(keep + time.Second), 2},
		"a clock that is behind": {last.Add(-10 * keep), 0},
	} {
		k := &knownBlocks{list: s.synced.acked, log: s.log, keep: keep, now: func() time.Time { return c.now }}
		k.db.Store(s.db)
		if gone := k.toDelete(s.db.Blocks()); len(gone) != c.want {
			t.Errorf("%s: %d go, want %d", name, len(gone), c.want)
		}
	}
}

// floatSample is a sample of 1 at a time.
type floatSample int64

func (floatSample) ST() int64                     { return 0 }
func (s floatSample) T() int64                    { return int64(s) }
func (floatSample) F() float64                    { return 1 }
func (floatSample) H() *histogram.Histogram       { return nil }
func (floatSample) FH() *histogram.FloatHistogram { return nil }
func (floatSample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s floatSample) Copy() chunks.Sample         { return s }
