package metrics

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// openShort opens a store that puts late samples into blocks soon.
func openShort(t *testing.T, dir string) *Store {
	t.Helper()
	cfg := DefaultConfig()
	cfg.LateLogBytes = 100
	s, err := Open(cfg, Deps{Dir: dir, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A long log of late samples is not left to the next start.
func TestALongLogOfLateSamplesGoesIntoBlocks(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := openShort(t, dir)
	for i, want := range []bool{false, true} {
		if err := putMany(s, "up", 1+100*i, now.Add(-5*time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := s.lateToBlocks(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		if got := len(s.db.Blocks()) > 0; got != want {
			t.Errorf("round %d: in a block: %v", i, got)
		}
	}
	if n := folderBytes(filepath.Join(dir, "wbl")); n > s.cfg.LateLogBytes {
		t.Errorf("the log still has %d bytes", n)
	}
}

// Each try that ends with a kill leaves blocks behind: a process that is killed after seconds does not try each time.
func TestProcessesThatDieEarlyStopTrying(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := openShort(t, dir)
	if err := putMany(s, "up", 1, now); err != nil {
		t.Fatal(err)
	}
	if err := putMany(s, "up", 100, now.Add(-5*time.Hour)); err != nil {
		t.Fatal(err)
	}
	tries := filepath.Join(dir, lateTries)
	if err := os.WriteFile(tries, []byte("5"), 0o600); err != nil { // as five kills leave it
		t.Fatal(err)
	}
	for _, c := range []struct {
		lived time.Duration
		want  bool
	}{{0, false}, {31 * time.Second, false}, {32 * time.Second, true}} {
		if err := s.lateToBlocks(context.Background(), c.lived); err != nil {
			t.Fatal(err)
		}
		if got := len(s.db.Blocks()) > 0; got != c.want {
			t.Errorf("after %s: in a block: %v", c.lived, got)
		}
	}
	if _, err := os.Stat(tries); err == nil {
		t.Error("after a success it still counts")
	}
	for tries, want := range map[int]time.Duration{0: 0, 1: 0, 2: 4 * time.Second, 9: 512 * time.Second, 10: 10 * time.Minute, 1 << 40: 10 * time.Minute} {
		if got := patience(tries); got != want {
			t.Errorf("after %d tries: %s, want %s", tries, got, want)
		}
	}
}
