package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// smallDisk is a file system of its own, so that it can be filled up.
type smallDisk struct{ dir, ballast string }

func quotaFolder(t *testing.T) smallDisk {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1g"); err != nil {
		t.Fatalf("mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return smallDisk{dir: dir, ballast: filepath.Join(dir, "ballast")}
}

// fill leaves less than a page.
func (d smallDisk) fill(t *testing.T) {
	t.Helper()
	f, err := os.Create(d.ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, chunk := range []int{1 << 20, 4096} {
		for zero := make([]byte, chunk); err == nil; {
			_, err = f.Write(zero)
		}
		err = nil
	}
}

func (d smallDisk) free(t *testing.T) {
	t.Helper()
	if err := os.Remove(d.ballast); err != nil {
		t.Fatal(err)
	}
}
