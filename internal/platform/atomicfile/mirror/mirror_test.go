package mirror

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// usable is a format that notices less than a checksum does: it only begins well.
func usable(b []byte) error {
	if !bytes.HasPrefix(b, []byte("v1 ")) {
		return errors.New("no v1")
	}
	return nil
}

func save(t *testing.T, f File, text string) {
	t.Helper()
	if err := f.Save(func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		t.Fatal(err)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Every damage of the file or of its copy, also one that the format takes for good.
func TestWhatWasSavedLastComesBackWhateverIsDamaged(t *testing.T) {
	edit := func(change func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			do(t, err)
			do(t, os.WriteFile(path, change(b), 0o600))
		}
	}
	damages := map[string]func(*testing.T, string){
		"flipped in the middle": edit(func(b []byte) []byte { b[len(b)/2] ^= 0x55; return b }),
		"flipped at the start":  edit(func(b []byte) []byte { b[0] ^= 0x55; return b }),
		"flipped at the end":    edit(func(b []byte) []byte { b[len(b)-1] ^= 0x55; return b }),
		"cut by one byte":       edit(func(b []byte) []byte { return b[:len(b)-1] }),
		"cut in half":           edit(func(b []byte) []byte { return b[:len(b)/2] }),
		"empty":                 edit(func([]byte) []byte { return nil }),
		"zeroes":                edit(func(b []byte) []byte { return make([]byte, len(b)) }),
		"missing":               func(t *testing.T, path string) { do(t, os.Remove(path)) },
		"a folder":              func(t *testing.T, path string) { do(t, errors.Join(os.Remove(path), os.Mkdir(path, 0o700))) },
	}
	for what, damage := range damages {
		for _, ext := range []string{"", CopyExt} {
			t.Run(what+ext, func(t *testing.T) {
				f := File{Path: filepath.Join(t.TempDir(), "silences"), Perm: 0o600}
				save(t, f, "v1 one two three four")
				save(t, f, "v1 one two three four five")
				damage(t, f.Path+ext)
				got, found, err := f.Load(time.Now(), usable)
				if err != nil || string(got) != "v1 one two three four five" {
					t.Fatalf("got %q, %v", got, err)
				}
				silent := what == "missing" && ext == CopyExt // as of a release that kept none
				if !silent && (found == nil || found.Lost || found.Cause == nil) {
					t.Errorf("finding %+v", found)
				}
				if what != "missing" && (found == nil || found.Aside == "") {
					t.Error("the damaged file was not kept")
				}
				if got, found, err := f.Load(time.Now(), usable); err != nil || found != nil || !strings.HasSuffix(string(got), "five") {
					t.Errorf("the next start: %q, %+v, %v; want it repaired", got, found, err)
				}
			})
		}
	}
}

func TestBothDamagedIsANamedLoss(t *testing.T) {
	f := File{Path: filepath.Join(t.TempDir(), "silences"), Perm: 0o600}
	save(t, f, "v1 one")
	do(t, errors.Join(os.WriteFile(f.Path, []byte("junk"), 0o600), os.WriteFile(f.Path+CopyExt, nil, 0o600)))
	got, found, err := f.Load(time.Now(), usable)
	if err != nil || got != nil || found == nil || !found.Lost {
		t.Fatalf("got %q, %+v, %v", got, found, err)
	}
	if len(atomicfile.Aside(f.Path)) != 1 || len(atomicfile.Aside(f.Path+CopyExt)) != 1 {
		t.Error("the damaged files were not kept")
	}
}

// A kill within Save leaves the copy new and the file old, which is no damage.
func TestACrashBetweenTheTwoIsNoFinding(t *testing.T) {
	for _, first := range []string{"", "v1 one"} {
		f := File{Path: filepath.Join(t.TempDir(), "silences"), Perm: 0o600}
		if first != "" {
			save(t, f, first)
		}
		old, _ := os.ReadFile(f.Path)
		save(t, f, "v1 one two")
		if first == "" {
			do(t, os.Remove(f.Path))
		} else {
			do(t, os.WriteFile(f.Path, old, 0o600))
		}
		got, found, err := f.Load(time.Now(), usable)
		if err != nil || found != nil || string(got) != "v1 one two" {
			t.Errorf("after %q: %q, %+v, %v", first, got, found, err)
		}
	}
}

func TestAFileWithoutACopyIsTakenAsItIs(t *testing.T) {
	f := File{Path: filepath.Join(t.TempDir(), "silences"), Perm: 0o600}
	if got, found, err := f.Load(time.Now(), usable); got != nil || found != nil || err != nil {
		t.Fatalf("nothing there: %q, %+v, %v", got, found, err)
	}
	do(t, os.WriteFile(f.Path, []byte("v1 old release"), 0o600))
	got, found, err := f.Load(time.Now(), usable)
	if string(got) != "v1 old release" || found != nil || err != nil {
		t.Errorf("got %q, %+v, %v", got, found, err)
	}
	if _, err := f.readCopy(); err != nil {
		t.Errorf("the copy was not made: %v", err)
	}
}

func FuzzCopy(f *testing.F) {
	f.Add([]byte("v1 x" + mark + " " + strings.Repeat("0", 64) + " " + strings.Repeat("0", 64) + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		content, _, err := parse(text)
		if err == nil && !bytes.HasPrefix(text, content) {
			t.Error("a content that the copy does not hold")
		}
	})
}
