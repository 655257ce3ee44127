package atrest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
)

// image is a small ext4 of its own.
type image struct{ file, dir string }

func newImage(t *testing.T, features string) image {
	t.Helper()
	i := image{filepath.Join(t.TempDir(), "image"), t.TempDir()}
	must(t, os.WriteFile(i.file, nil, 0o600))
	must(t, os.Truncate(i.file, 160<<20))
	if out, err := exec.Command("mkfs.ext4", "-q", "-O", features, i.file).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: no ext4 can be made here: %v %s", err, out)
	}
	i.mount(t)
	t.Cleanup(func() { _ = syscall.Unmount(i.dir, syscall.MNT_DETACH) })
	return i
}

func (i image) mount(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("mount", "-o", "loop", i.file, i.dir).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: an image cannot be mounted here, which needs root and loop devices: %v %s", err, out)
	}
}

func (i image) unmount(t *testing.T) {
	t.Helper()
	must(t, syscall.Unmount(i.dir, 0))
}

// The kernel's own encryption, on a file system of its own: what was written cannot be read from the disk, nor without the key, and
// is there again with it.
func TestTheKernelEncrypts(t *testing.T) {
	i, keys := newImage(t, "encrypt"), sealtest.Keys{"k1"}
	const secret = "words that must not be on the disk"
	root := filepath.Join(i.dir, "data")
	must(t, os.MkdirAll(filepath.Join(root, "state"), 0o750))
	o, err := Open(root, on, keys)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOTTY) {
		t.Skipf("NOT TESTED: this kernel encrypts no folders: %v", err)
	}
	must(t, err)
	file := filepath.Join(o.Dir, "state", "a name that is nobody's business")
	must(t, os.Mkdir(filepath.Dir(file), 0o750))
	must(t, os.WriteFile(file, bytes.Repeat([]byte(secret), 1000), 0o600))
	busy, err := o.Close()
	if must(t, err); busy {
		t.Error("nothing has a file open, and one is said to be")
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err == nil && strings.Contains(entries[0].Name(), "business") {
		t.Error("without the key names are shown")
	}
	if _, err := os.ReadFile(file); err == nil {
		t.Error("without the key the file was read")
	}
	for range 2 { // also after a restart of the machine
		if o, err = Open(root, on, keys); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), secret) {
			t.Errorf("with the key the file reads %.40q, %v", text, err)
		}
		_, err = o.Close()
		must(t, err)
		i.unmount(t)
		i.mount(t)
	}
	must(t, Decrypt(root, keys, silent))
	if text, _ := os.ReadFile(filepath.Join(root, "state", filepath.Base(file))); !strings.HasPrefix(string(text), secret) {
		t.Errorf("decrypted it reads %.40q", text)
	}
	must(t, os.RemoveAll(root))
	must(t, os.Mkdir(root, 0o750))
	want := data(t, root)
	must(t, Encrypt(root, keys, silent))
	o, err = Open(root, on, keys)
	must(t, err)
	same(t, "moved into the encrypted folder", contents(t, o.Dir), want)
	_, err = o.Close()
	must(t, err)
}

// What lies on the disk itself is unreadable, of contents and of names.
func TestTheDiskHoldsNothingPlain(t *testing.T) {
	i, keys := newImage(t, "encrypt"), sealtest.Keys{"k1"}
	const secret, name = "words that must not be on the disk", "a-name-that-is-nobodys-business"
	o, err := Open(i.dir, on, keys)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOTTY) {
		t.Skipf("NOT TESTED: this kernel encrypts no folders: %v", err)
	}
	must(t, err)
	must(t, os.WriteFile(filepath.Join(o.Dir, name), bytes.Repeat([]byte(secret), 1000), 0o600))
	plain := filepath.Join(i.dir, "control-name")
	must(t, os.WriteFile(plain, []byte("control-words"), 0o600))
	_, err = o.Close()
	must(t, err)
	i.unmount(t)
	raw, err := os.ReadFile(i.file)
	must(t, err)
	for text, there := range map[string]bool{secret: false, name: false, "control-words": true, "control-name": true} {
		if bytes.Contains(raw, []byte(text)) != there {
			t.Errorf("%q on the disk: %v, want %v", text, !there, there)
		}
	}
}

func TestAFileSystemThatDoesNotEncryptSaysSo(t *testing.T) {
	i := newImage(t, "^encrypt")
	for dir, says := range map[string]string{i.dir: "tune2fs", "/dev/shm": "ext4, F2FS or UBIFS"} {
		root := filepath.Join(dir, filepath.Base(t.TempDir())+"-atrest")
		_, err := Open(root, on, sealtest.Keys{"k1"})
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "LUKS") {
			t.Errorf("%s: %v, want one that says %q", dir, err, says)
		}
		must(t, os.RemoveAll(root))
	}
}
