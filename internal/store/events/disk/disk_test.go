package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, f File, text string) {
	t.Helper()
	if n, err := f.Write([]byte(text)); err != nil || n != len(text) {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

func TestWritesGoToTheEndAlsoAfterTruncate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	f, err := OS{}.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, "whole and torn")
	if err := f.Truncate(int64(len("whole"))); err != nil {
		t.Fatal(err)
	}
	write(t, f, ", next") // no hole of zeros where the torn end was
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	g, err := OS{}.Append(name)
	if err != nil {
		t.Fatal(err)
	}
	write(t, g, ", last")
	if err := errors.Join(g.Truncate(int64(len("whole, next, "))), g.Sync()); err != nil {
		t.Fatal(err)
	}
	write(t, g, "end")
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, name); got != "whole, next, end" {
		t.Errorf("the file holds %q", got)
	}
}

func TestAFileThatExistsIsNotMadeAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (OS{}).Create(name); !errors.Is(err, fs.ErrExist) || content(t, name) != "kept" {
		t.Errorf("err = %v, the file holds %q", err, content(t, name))
	}
}

// What is written holds what people said: others must not read it.
func TestOthersMayNotRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := (OS{}).MkdirAll(dir); err != nil {
		t.Fatal(err)
	}
	f, err := OS{}.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, path := range []string{filepath.Dir(dir), dir, filepath.Join(dir, "file")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o007 != 0 || info.Mode().Perm()&0o600 != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// Every operation that fails says on which file, and never makes one.
func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	gone := filepath.Join(dir, "gone", "file")
	closed, err := OS{}.Create(filepath.Join(dir, "closed"))
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	_, writeErr := closed.Write([]byte("x"))
	_, createErr := OS{}.Create(gone)
	_, appendErr := OS{}.Append(gone)
	_, inFolderErr := OS{}.Append(filepath.Join(dir, "absent"))
	for _, c := range []struct {
		what, file string
		err        error
	}{
		{"create", gone, createErr},
		{"append", gone, appendErr},
		{"append to what is not there", "absent", inFolderErr},
		{"rename", gone, OS{}.Rename(gone, gone+"2")},
		{"remove", gone, OS{}.Remove(gone)},
		{"sync of a folder", "gone", OS{}.SyncDir(filepath.Dir(gone))},
		{"a folder below a file", "closed", OS{}.MkdirAll(filepath.Join(dir, "closed", "x"))},
		{"write", "closed", writeErr},
		{"sync", "closed", closed.Sync()},
		{"truncate", "closed", closed.Truncate(0)},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.file) {
			t.Errorf("%s: err = %v", c.what, c.err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left over: %v", left)
	}
}

func TestFreeIsOfTheFileSystemOfTheFolder(t *testing.T) {
	free, total, err := OS{}.Free(t.TempDir())
	if err != nil || total == 0 || free > total {
		t.Errorf("%d of %d bytes, %v", free, total, err)
	}
	if _, err := os.Stat("/proc/self"); err == nil { // one without room
		if free, _, err := (OS{}).Free("/proc"); err != nil || free != 0 {
			t.Errorf("/proc: %d bytes free, %v", free, err)
		}
	}
	if _, _, err := (OS{}).Free(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("err = %v", err)
	}
}

// failing fails one operation, the one with number at, and notes all of them.
type failing struct {
	OS
	at   int
	done []string
}

var errFails = errors.New("broken disk")

func (d *failing) op(what string) error {
	d.done = append(d.done, what)
	if len(d.done) == d.at {
		return errFails
	}
	return nil
}

type failingFile struct {
	File
	d *failing
}

func (d *failing) Create(name string) (File, error) {
	if err := d.op("create"); err != nil {
		return nil, err
	}
	f, err := d.OS.Create(name)
	return failingFile{f, d}, err
}

func (d *failing) Rename(from, to string) error {
	if err := d.op("rename"); err != nil {
		return err
	}
	return d.OS.Rename(from, to)
}

func (d *failing) SyncDir(dir string) error {
	return errors.Join(d.op("sync folder"), d.OS.SyncDir(dir))
}

func (f failingFile) Write(b []byte) (int, error) {
	if err := f.d.op("write"); err != nil {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, err
	}
	return f.File.Write(b)
}

func (f failingFile) Sync() error { return errors.Join(f.d.op("sync"), f.File.Sync()) }

func (f failingFile) Close() error { return errors.Join(f.d.op("close"), f.File.Close()) }

// Whichever operation fails: the old content or the new one, whole, and nothing else in the folder. Only
// when all went well, in the order that makes it durable, is there no error.
func TestPublishIsWholeOrNothingWhateverFails(t *testing.T) {
	for at := range 7 {
		dir := t.TempDir()
		name := filepath.Join(dir, "file")
		for path, text := range map[string]string{name: "old", name + TempExt: "left by a crash, and longer than what comes"} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d := &failing{at: at}
		err := Publish(d, name, []byte("new content"))
		if (err == nil) != (at == 0) || err != nil && !errors.Is(err, errFails) {
			t.Errorf("operation %d of %v fails: err = %v", at, d.done, err)
		}
		if at == 0 && fmt.Sprint(d.done) != "[create write sync close rename sync folder]" {
			t.Errorf("order %v", d.done)
		}
		want := "old"
		if at == 0 || at == 6 { // the last sync failed: it is there, but may not survive a power cut
			want = "new content"
		}
		if got := content(t, name); got != want {
			t.Errorf("operation %d of %v fails: %q, want %q", at, d.done, got, want)
		}
		left, _ := filepath.Glob(filepath.Join(dir, "*"))
		if len(left) != 1 {
			t.Errorf("operation %d of %v fails: left over %v", at, d.done, left)
		}
	}
}

func TestOnlyADiskThatTakesNothingIsFull(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("seal: %w", &os.PathError{Op: "write", Path: "x", Err: err}) }
	for _, c := range []struct {
		err  error
		full bool
	}{
		{syscall.ENOSPC, true},
		{wrap(syscall.ENOSPC), true},
		{wrap(syscall.EDQUOT), true},
		{wrap(syscall.EROFS), true},
		{errors.Join(errFails, wrap(syscall.ENOSPC)), true},
		{nil, false},
		{wrap(syscall.EIO), false},
		{wrap(syscall.EACCES), false},
		{wrap(syscall.EMFILE), false},
		{errors.New("no space left on device"), false}, // a text is no proof
	} {
		if got := IsFull(c.err); got != c.full {
			t.Errorf("%v: %t, want %t", c.err, got, c.full)
		}
	}
}
