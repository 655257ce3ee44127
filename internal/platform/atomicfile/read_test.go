package atomicfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

func TestOnlyFilesAndFoldersArePlain(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	for _, err := range []error{
		os.MkdirAll(at("a/b"), 0o750), os.WriteFile(at("a/b/file"), nil, 0o600), os.WriteFile(filepath.Join(elsewhere, "file"), nil, 0o600),
		os.Symlink(elsewhere, at("folder elsewhere")), os.Symlink(filepath.Join(elsewhere, "file"), at("file elsewhere")), os.Symlink("a/b/file", at("near")),
		os.Symlink("circle", at("circle")), os.Symlink("nowhere", at("a/nowhere")), os.Symlink("/dev/zero", at("a/b/endless")),
		syscall.Mkfifo(at("a/pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{at("a/b/endless"), at("a/nowhere"), at("a/pipe"), at("circle")}
	found := atomicfile.Odd(root)
	if !slices.Equal(found, want) {
		t.Errorf("got %q, want %q", found, want)
	}
	for _, path := range found {
		if _, err := atomicfile.SetAside(path, time.Now()); err != nil {
			t.Error(err)
		}
	}
	if left := atomicfile.Odd(root); len(left) > 0 {
		t.Errorf("still there: %q", left)
	}
	if found := atomicfile.Odd(at("none")); len(found) > 0 {
		t.Errorf("in a folder that is not there: %q", found)
	}
}

func TestALargeFileIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("four"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := atomicfile.ReadAtMost(path, 4); err != nil || string(text) != "four" {
		t.Errorf("%q, %v", text, err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	if _, err := atomicfile.ReadAtMost(path, 4); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if _, err := atomicfile.ReadAtMost(path+"x", 4); !os.IsNotExist(err) {
		t.Errorf("error %v", err)
	}
}
