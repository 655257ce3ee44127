package metrics

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/signalbox-project/signalbox/internal/store"
)

// full makes the writes of this process to a file fail as on a full disk, until the function it returns is called.
func full(t *testing.T, path string) (mend func()) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	for _, e := range fds {
		fd, _ := strconv.Atoi(e.Name())
		flags, err := fcntl(fd, syscall.F_GETFL)
		if target, _ := os.Readlink("/proc/self/fd/" + e.Name()); target != path || err != nil || flags&syscall.O_ACCMODE == syscall.O_RDONLY {
			continue
		}
		kept, err := syscall.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Dup3(int(device.Fd()), fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := errors.Join(syscall.Dup3(kept, fd, syscall.O_CLOEXEC), syscall.Close(kept)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Fatalf("%s is not open", path)
	return nil
}

func fcntl(fd, cmd int) (int, error) {
	v, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), uintptr(cmd), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(v), nil
}

func newest(t *testing.T, dir string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "0*"))
	if len(found) == 0 {
		t.Fatalf("no segment in %s", dir)
	}
	path, err := filepath.EvalSymlinks(found[len(found)-1])
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The TSDB only logs that it could not log late samples. Their sender must not be told that all is well, nor when it
// sends them again and memory has them, nor may a kill lose them once it was.
func TestLateSamplesThatCannotBeLoggedAreRefusedUntilTheyAreInABlock(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := open(t, dir, nil)
	if err := putMany(s, "up", 3, now); err != nil {
		t.Fatal(err)
	}
	repair := full(t, newest(t, filepath.Join(dir, "wbl")))
	for _, what := range []string{"first", "again"} {
		err := putMany(s, "up", 3, now.Add(-time.Hour))
		if !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: got %v, want ErrReadOnly that names the disk", what, err)
		}
	}
	if reason := s.ReadOnly(); !strings.Contains(reason, "log") {
		t.Errorf("the store says %q of itself", reason)
	}
	if n := testutil.ToFloat64(s.late.failures); n != 1 {
		t.Errorf("counted %v failures, want 1", n)
	}
	if err := s.lateToBlocks(context.Background(), 0); err == nil || s.Ready() == nil {
		t.Errorf("with the disk still full: %v, ready: %v", err, s.Ready())
	}
	repair()
	if err := s.lateToBlocks(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	if err := putMany(s, "up", 3, now.Add(-time.Hour)); err != nil {
		t.Errorf("the disk has room again: %v", err)
	}
	if floats, _ := count(t, killedNow(t, dir), "up"); floats != 6 {
		t.Errorf("after a kill there are %d samples, want 6", floats)
	}
}

// A series whose description could not be logged is in memory all the same: later samples of it would be taken, and
// lost with the next kill.
func TestSeriesThatCouldNotBeLoggedDoNotLoseLaterSamples(t *testing.T) {
	for _, series := range []int{3, 3000} { // within a page of the log, and across pages
		dir, now := t.TempDir(), time.Now()
		s := open(t, dir, nil)
		if err := putMany(s, "before", 1, now); err != nil {
			t.Fatal(err)
		}
		repair := full(t, newest(t, filepath.Join(dir, "wal")))
		if err := putMany(s, "up", series, now); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("got %v, want ErrReadOnly", err)
		}
		repair()
		s.checkDisk() // the disk has room, but nobody may rely on it
		if err := putMany(s, "before", 1, now.Add(time.Second)); !errors.Is(err, store.ErrReadOnly) || !strings.Contains(err.Error(), "restart") {
			t.Errorf("got %v, want ErrReadOnly that asks for a restart", err)
		}
		acknowledged := 0
		for i := range 3 {
			if err := putMany(s, "up", series, now.Add(time.Duration(i)*time.Second)); err == nil {
				acknowledged += series
			}
		}
		again := killedNow(t, dir)
		if floats, _ := count(t, again, "up"); floats < acknowledged {
			t.Errorf("%d series: %d samples after a kill, %d were acknowledged", series, floats, acknowledged)
		}
		if err := putMany(again, "up", series, now.Add(time.Minute)); err != nil {
			t.Errorf("after a restart: %v", err)
		}
	}
}

// Without new series nothing of what comes later depends on the batch that could not be written.
func TestSamplesThatCouldNotBeLoggedAreTakenAgainWithoutARestart(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := open(t, dir, nil)
	if err := putMany(s, "up", 3, now); err != nil {
		t.Fatal(err)
	}
	repair := full(t, newest(t, filepath.Join(dir, "wal")))
	if err := putMany(s, "up", 3, now.Add(time.Second)); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("got %v, want ErrReadOnly", err)
	}
	repair()
	s.checkDisk()
	if err := putMany(s, "up", 3, now.Add(2*time.Second)); err != nil {
		t.Errorf("the disk has room again: %v", err)
	}
	if floats, _ := count(t, killedNow(t, dir), "up"); floats < 6 {
		t.Errorf("%d samples after a kill, want those that were acknowledged", floats)
	}
}

// A try is counted before it is made, as its end may never come.
func TestATryThatDoesNotEndIsCounted(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	s := openShort(t, dir)
	if err := putMany(s, "up", 1, now); err != nil {
		t.Fatal(err)
	}
	if err := putMany(s, "up", 100, now.Add(-5*time.Hour)); err != nil {
		t.Fatal(err)
	}
	repair := full(t, newest(t, filepath.Join(dir, "wbl")))
	defer repair()
	for want := range 2 {
		if err := s.lateToBlocks(context.Background(), 0); err == nil {
			t.Fatal("a full disk is no error")
		}
		if text, _ := os.ReadFile(filepath.Join(dir, lateTries)); string(text) != strconv.Itoa(want+1) {
			t.Errorf("counted %q tries, want %d", text, want+1)
		}
	}
}
