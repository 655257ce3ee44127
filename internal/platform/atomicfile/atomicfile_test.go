package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestAFailedWriteKeepsTheOldContentAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := WriteBytes(path, 0o600, []byte("old")); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("no more")
	err := Write(path, 0o600, func(w io.Writer) error {
		_, _ = w.Write([]byte("ne"))
		return cause
	})
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want the cause and the path", err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("content %q", got)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"f"}) {
		t.Errorf("left behind: %q", got)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

func TestWritersOfOnePathNeverMix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	var wg sync.WaitGroup
	for _, letter := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			for range 20 {
				if err := WriteBytes(path, 0o600, []byte(strings.Repeat(letter, 5000))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got := read(t, path)
	if len(got) != 5000 || got != strings.Repeat(got[:1], 5000) {
		t.Error("the file holds parts of several writes")
	}
}

// failing fails one step by name, as a full or broken disk does.
type failing struct {
	system
	step  string
	steps []string
}

var errBroken = errors.New("broken disk")

func (f *failing) do(step string) error {
	f.steps = append(f.steps, step)
	if step == f.step {
		return errBroken
	}
	return nil
}

type failingFile struct {
	*os.File
	fs *failing
}

func (f failingFile) Sync() error { return errors.Join(f.fs.do("sync"), f.File.Sync()) }

func (f *failing) Create(name string) (failingFile, error) {
	if err := f.do("create"); err != nil {
		return failingFile{}, err
	}
	file, err := f.system.Create(name)
	return failingFile{file, f}, err
}

func (f *failing) Rename(from, to string) error {
	return errors.Join(f.do("rename"), f.system.Rename(from, to))
}

func (f *failing) SyncDir(dir string) error {
	return errors.Join(f.do("sync folder"), f.system.SyncDir(dir))
}

func TestContentIsSyncedBeforeItsNameAndTheNameBeforeSuccess(t *testing.T) {
	fs := &failing{}
	path := filepath.Join(t.TempDir(), "f")
	hello := func(w io.Writer) error { _, err := w.Write([]byte("hello")); return err }
	if err := WriteOn[failingFile](fs, path, ".tmp", hello); err != nil {
		t.Fatal(err)
	}
	if want := []string{"create", "sync", "rename", "sync folder"}; !slices.Equal(fs.steps, want) {
		t.Errorf("steps %q, want %q", fs.steps, want)
	}
	for _, step := range fs.steps {
		if err := WriteOn[failingFile](&failing{step: step}, path, ".tmp", hello); !errors.Is(err, errBroken) {
			t.Errorf("a failed %s: got %v", step, err)
		}
		if got := read(t, path); got != "hello" {
			t.Errorf("after a failed %s: %q", step, got)
		}
		if _, err := os.Stat(path + ".tmp"); err == nil {
			t.Errorf("a failed %s left its temporary file", step)
		}
	}
}

func TestCleanRemovesWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f[1]")
	for _, name := range []string{path, path + ".tmp-123", filepath.Join(dir, "other.tmp-1")} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	Clean(path)
	if got := names(t, dir); !slices.Equal(got, []string{"f[1]", "other.tmp-1"}) {
		t.Errorf("left: %q", got)
	}
}

func TestSetAsideFindsAFreeNameForFilesAndFolders(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	path := filepath.Join(dir, "f")
	for _, make := range []func() error{
		func() error { return os.WriteFile(path, []byte("1"), 0o600) },
		func() error { return os.Mkdir(path, 0o700) },
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if _, err := SetAside(path, now); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{path + ".corrupt-20260301T120000Z", path + ".corrupt-20260301T120000Z-2"}
	if got := Aside(path); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := SetAside(path, now); err == nil {
		t.Error("nothing to set aside must be an error")
	}
}

func TestAFileWhereAFolderBelongsIsSetAside(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	path := filepath.Join(dir, "state")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	aside, err := MakeDir(path, 0o750, now)
	if err != nil || read(t, aside) != "x" {
		t.Fatalf("%q, %v", aside, err)
	}
	if again, err := MakeDir(path, 0o750, now); err != nil || again != "" {
		t.Errorf("a folder that is there: %q, %v", again, err)
	}
	if _, err := MakeDir(filepath.Join(aside, "below"), 0o750, now); err == nil || read(t, aside) != "x" {
		t.Error("a file above the folder is none of its business")
	}
}
