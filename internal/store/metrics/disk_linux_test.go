package metrics

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/metrics/spare"
)

// smallDisk is a file system of its own.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); errors.Is(err, syscall.EPERM) {
		t.Skip("mounting a small file system is not permitted: needs root, as CI has")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillUp leaves nothing, not a byte.
func fillUp(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1 << 20, 4096} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// openSmall opens a store that leaves little of a disk free.
func openSmall(t *testing.T, dir string) *Store {
	t.Helper()
	cfg := DefaultConfig()
	cfg.MinFreeBytes = 32 << 20
	s, err := Open(cfg, Deps{Dir: dir, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// putMinutes commits samples of some series, from so many minutes ago to now: several chunks each.
func putMinutes(t *testing.T, s *Store, minutes int) {
	t.Helper()
	for m := range minutes {
		app := s.AppenderV2(context.Background())
		for i := range 50 {
			at := time.Now().Add(time.Duration(m-minutes)*time.Minute + time.Duration(i)*time.Millisecond)
			ls := labels.FromStrings("__name__", "up", "i", strings.Repeat("i", i+1))
			if _, err := app.Append(0, ls, 0, at.UnixMilli(), math.Sqrt(float64(m*i)), nil, nil, storage.AOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

// The TSDB panics where it cannot write a chunk. With the disk full to the last byte it must open all the same, answer
// what is there, refuse what comes, and take it again once there is room, from whatever the log's chunks can be
// written to: what was set aside, what the log makes again, another disk.
func TestADiskWithoutAByteIsOpenedReadAndResumes(t *testing.T) {
	for _, c := range []struct{ name, set string }{
		{name: "room was set aside", set: spare.Name},
		{name: "there is another disk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mount := smallDisk(t, "size=400m")
			dir := filepath.Join(mount, "metrics")
			s := openSmall(t, dir)
			putMinutes(t, s, 300)
			s.checkDisk()
			if _, err := os.Stat(filepath.Join(dir, spare.Name)); err != nil {
				t.Fatalf("no room was set aside: %v", err)
			}
			killed := filepath.Join(mount, "killed")
			if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(killed, "lock")); err != nil {
				t.Fatal(err)
			}
			if c.set == "" {
				if err := os.Remove(filepath.Join(killed, spare.Name)); err != nil {
					t.Fatal(err)
				}
			}
			want, _ := count(t, s, "up")
			free := fillUp(t, mount)
			s = openSmall(t, killed)
			if got, _ := count(t, s, "up"); got != want {
				t.Errorf("%d samples, want %d", got, want)
			}
			if _, err := os.Readlink(filepath.Join(killed, "chunks_head")); (err == nil) != (c.set == "") {
				t.Errorf("chunks on another disk: %v", err)
			}
			free()
			s.checkDisk()
			putMinutes(t, s, 1)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			away, _ := os.Readlink(filepath.Join(killed, "chunks_head"))
			s = openSmall(t, killed)
			if got, _ := count(t, s, "up"); got != want+50 {
				t.Errorf("after another start %d samples, want %d", got, want+50)
			}
			if _, err := os.Stat(away); away != "" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is left behind: %v", away, err)
			}
		})
	}
}

// A disk that others fill while chunks wait in memory: the pass that moves them out, which the TSDB makes by itself every
// minute, must find room.
func TestADiskThatOthersFillDoesNotTakeTheProcessDown(t *testing.T) {
	if os.Getenv("SIGNALBOX_FULL_DISK") == "" { // a panic would end every test of the package
		cmd := exec.Command(os.Args[0], "-test.run", t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "SIGNALBOX_FULL_DISK=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		} else if strings.Contains(string(out), "SKIP") {
			t.Skip("mounting a small file system is not permitted: needs root, as CI has")
		}
		return
	}
	dir := filepath.Join(smallDisk(t, "size=300m"), "metrics")
	s := openSmall(t, dir)
	s.checkDisk()
	putMinutes(t, s, 300)
	free := fillUp(t, filepath.Dir(dir))
	s.checkDisk()
	if err := s.Ready(); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("ready: %v", err)
	}
	s.db.ForceHeadMMap() // as the TSDB does every minute
	if got, _ := count(t, s, "up"); got != 300*50 {
		t.Errorf("%d samples", got)
	}
	free()
	s.checkDisk()
	putMinutes(t, s, 1)
	if got, _ := count(t, s, "up"); got != 301*50 {
		t.Errorf("after there was room again %d samples", got)
	}
}
