package metrics

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// A truncation never finds that all files of mapped chunks are gone, so that it never counts from one again beside a commit
// that begins the first. Starts leave none of those files behind.
func TestAFileOfMappedChunksIsThereBeforeAnyTruncation(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	first := ""
	for start := range 3 {
		s, err := Open(DefaultConfig(), Deps{Dir: dir, Registerer: prometheus.NewRegistry()})
		if err != nil {
			t.Fatal(err)
		}
		if d := s.Damages(); len(d) != 0 && start > 0 {
			t.Fatalf("start %d found %v", start, d)
		}
		if start == 0 {
			for i, ago := range []time.Duration{9 * time.Hour, 0} { // two series of one chunk each: nothing to map, and a head to compact
				app := s.AppenderV2(context.Background())
				if _, err := app.Append(0, labels.FromStrings("__name__", "a", "n", string(rune('a'+i))), 0, now.Add(-ago).UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
					t.Fatal(err)
				}
				if err := app.Commit(); err != nil {
					t.Fatal(err)
				}
			}
		}
		before := mappedFiles(t, dir)
		if len(before) != 1 {
			t.Fatalf("start %d: the files of mapped chunks are %v", start, before)
		}
		if err := s.db.Compact(context.Background()); err != nil {
			t.Fatal(err)
		}
		if start == 0 {
			if len(s.db.Blocks()) == 0 {
				t.Fatal("nothing was compacted")
			}
			first = before[0]
		}
		if after := mappedFiles(t, dir); len(after) != 1 || after[0] != first {
			t.Errorf("start %d: after a compaction the files are %v, want %s", start, after, first)
		}
		if floats, _ := count(t, s, "a"); floats != 2 {
			t.Errorf("start %d: %d samples", start, floats)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func mappedFiles(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "chunks_head", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Without room for a file of mapped chunks, compactions wait until there is one.
func TestCompactionsWaitForTheFirstFileOfMappedChunks(t *testing.T) {
	dir, free := t.TempDir(), uint64(32<<20)
	s := open(t, dir, func(string) (uint64, error) { return free, nil })
	if found := mappedFiles(t, dir); len(found) != 0 || s.disk.mapped {
		t.Fatalf("a full disk has %v", found)
	}
	ctx, stop := context.WithCancel(context.Background())
	free = 1 << 40
	s.checkDisk() // which wakes holdBack
	done := make(chan error)
	go func() { done <- s.disk.holdBack(ctx, s.db) }()
	for len(mappedFiles(t, dir)) == 0 { // or the test times out
		runtime.Gosched()
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// A commit that panics has left a series locked: recovering from it would leave a process that hangs.
func TestAPanicOfACommitEndsTheProcess(t *testing.T) {
	if os.Getenv("SIGNALBOX_TEST_PANIC") != "" {
		s := open(t, t.TempDir(), nil)
		func() {
			defer func() { _ = recover() }()
			_ = s.inTurn(func() error { panic("of a commit") })
		}()
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAPanicOfACommitEndsTheProcess$") //nolint:gosec // this test
	cmd.Env = append(os.Environ(), "SIGNALBOX_TEST_PANIC=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic: of a commit")) {
		t.Errorf("%v: %s", err, out)
	}
}
