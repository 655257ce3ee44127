package metrics

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// withBlocks makes a store with three blocks of 120 samples each, closes it, and says how many
// samples it has.
func withBlocks(t *testing.T, dir string) (cfg Config, samples int) {
	t.Helper()
	cfg = DefaultConfig()
	cfg.BlockRange = model.Duration(2 * time.Minute)
	s, err := Open(cfg, Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	s.db.DisableCompactions()
	begin := time.Now().Add(-time.Hour).Truncate(2 * time.Minute)
	for i := range 8 * 60 {
		if err := put(t, s, begin.Add(time.Duration(i)*time.Second), float64(i), storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(s.db.Blocks()); n != 3 {
		t.Fatalf("%d blocks", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return cfg, 8 * 60
}

func reopen(t *testing.T, cfg Config, dir string) *Store {
	t.Helper()
	s, err := Open(cfg, Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func flipByte(t *testing.T, path string, at func(size int) int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at(len(b))] ^= 0x55
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func unhurried(context.Context) error { return nil }

// A bad byte costs the chunk that it lies in; queries go on, and both the status and
// the answer say that something is missing. The same by way of the index.
func TestABlocksDamageCostsOnlyWhatCannotBeRead(t *testing.T) {
	for _, c := range []struct {
		name, file string
		at         func(size int) int
		lost       int
	}{
		{"a chunk", "chunks/000001", func(size int) int { return size - 20 }, 120},
		{"the index", "index", func(size int) int { return size / 4 }, 120},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			cfg, all := withBlocks(t, dir)
			blocks, _ := filepath.Glob(filepath.Join(dir, "0*"))
			flipByte(t, filepath.Join(blocks[1], c.file), c.at)
			s := reopen(t, cfg, dir)
			if err := s.scrub(t.Context(), unhurried); err != nil {
				t.Fatal(err)
			}
			found := s.Damages()
			if len(found) != 1 || !strings.HasPrefix(found[0].File, filepath.Base(blocks[1])) || found[0].End.Sub(found[0].Start) > 2*time.Minute || found[0].Start.IsZero() {
				t.Fatalf("damages %+v", found)
			}
			if n, _ := count(t, s, "up"); n != all-c.lost && n != all {
				t.Errorf("%d samples, want %d", n, all-c.lost)
			}
			warned := warnings(t, s)
			if inQuarantine, _ := filepath.Glob(filepath.Join(dir, "quarantine", filepath.Base(blocks[1]))); len(inQuarantine) == 0 && !warned {
				t.Error("the answer does not say that something is missing")
			}
			if _, _, err := labelNames(t, s); err != nil {
				t.Error(err)
			}
		})
	}
}

func warnings(t *testing.T, s *Store) bool {
	t.Helper()
	q, err := s.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "up"))
	for set.Next() {
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return len(set.Warnings()) > 0
}

func labelNames(t *testing.T, s *Store) (int, int, error) {
	t.Helper()
	q, err := s.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	names, warn, err := q.LabelNames(t.Context(), nil)
	return len(names), len(warn), err
}
