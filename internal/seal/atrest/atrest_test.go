package atrest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
)

// disk stands in for a file system that encrypts: it knows which folders are to be, and which keys it has.
type disk struct {
	keys    map[identity]int // how often each was given
	folders map[uint64]identity
	free    int64
	refuse  error // of Add
}

func newDisk() *disk {
	return &disk{keys: map[identity]int{}, folders: map[uint64]identity{}, free: 1 << 40}
}

func inode(path string) (uint64, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return fi.Sys().(*syscall.Stat_t).Ino, nil
}

func (d *disk) Add(_ string, key []byte) (id identity, err error) {
	if d.refuse != nil {
		return id, d.refuse
	}
	copy(id[:], key)
	d.keys[id]++
	return id, nil
}

func (d *disk) Remove(_ string, id identity) (bool, error) {
	if d.keys[id] == 0 {
		return false, errors.New("no such key")
	}
	delete(d.keys, id)
	return false, nil
}

func (d *disk) Encrypt(dir string, id identity) error {
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		return errors.Join(err, errors.New("not empty"))
	}
	n, err := inode(dir)
	d.folders[n] = id
	return err
}

func (d *disk) KeyOf(dir string) (id identity, plain bool, err error) {
	n, err := inode(dir)
	if err != nil {
		return id, false, err
	}
	id, ok := d.folders[n]
	return id, !ok, nil
}

func (d *disk) Free(string) (int64, error) { return d.free, nil }

// quiet fails where a key is left in the kernel.
func (d *disk) quiet(t *testing.T) {
	t.Helper()
	if len(d.keys) > 0 {
		t.Errorf("%d keys were left in the kernel", len(d.keys))
	}
}

// data fills a storage folder and answers what is in it.
func data(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{
		"state/LOCK": "", "state/state.db": "rows", "metrics/wal/00000001": strings.Repeat("samples ", 1000), "events/2026/part": "", "tenants/pay/state/state.db": "others",
		"auth/accounts.key": "secret",
	}
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	for name, text := range files {
		path := filepath.Join(root, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o750))
		must(t, os.WriteFile(path, []byte(text), 0o600))
		must(t, os.Chtimes(path, at, at))
	}
	must(t, os.Symlink("part", filepath.Join(root, "events/2026/link")))
	must(t, os.Mkdir(filepath.Join(root, "sql"), 0o700))
	return contents(t, root)
}

// contents are files, folders and links below a folder, each with what makes it one.
func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range Folders() {
		must(t, filepath.WalkDir(filepath.Join(root, name), func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			must(t, err)
			fi, err := e.Info()
			must(t, err)
			rel, _ := filepath.Rel(root, path)
			text := fi.Mode().String()
			switch {
			case e.Type().IsRegular():
				b, err := os.ReadFile(path)
				must(t, err)
				text += fmt.Sprint(fi.ModTime().UnixNano(), string(b))
			case e.Type()&fs.ModeSymlink != 0:
				to, err := os.Readlink(path)
				must(t, err)
				text += to
			}
			out[rel] = text
			return nil
		}))
	}
	return out
}

func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("%s: %v\nwant %v", what, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func silent(int64, int64) {}

var on = Config{Encrypt: true}

func TestAFolderIsEncryptedFromItsFirstStart(t *testing.T) {
	root, d, keys := t.TempDir(), newDisk(), sealtest.Keys{"k1"}
	must(t, os.Mkdir(filepath.Join(root, "lost+found"), 0o700)) // of a volume of its own
	o, err := open(root, on, keys, d)
	must(t, err)
	if _, plain, _ := d.KeyOf(o.Dir); plain || len(d.keys) != 1 || Of(root) != o.Dir {
		t.Errorf("the data lie in %s, plain %v, with %d keys", o.Dir, plain, len(d.keys))
	}
	if _, err := open(root, on, keys, d); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second process: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(o.Dir, "x"), []byte("kept"), 0o600))
	_, err = o.Close()
	must(t, err)
	d.quiet(t)
	o, err = open(root, on, sealtest.Keys{"k2", "k1"}, d) // the key that seals was changed
	must(t, err)
	_, err = o.Close()
	must(t, err)
	o, err = open(root, on, sealtest.Keys{"k2"}, d)
	must(t, err)
	if text, _ := os.ReadFile(filepath.Join(o.Dir, "x")); string(text) != "kept" {
		t.Errorf("after two starts the file holds %q", text)
	}
	_, err = o.Close()
	must(t, err)
}

// Whatever is not as it must be stops the start, says what to do, and leaves everything as it was.
func TestWhatStopsAStart(t *testing.T) {
	keys := sealtest.Keys{"k1"}
	for name, c := range map[string]struct {
		spoil func(root string, d *disk)
		cfg   Config
		keys  seal.Sealer
		says  string
	}{
		"the setting is off":         {nil, Config{}, keys, "signalbox storage decrypt"},
		"the sealing key is missing": {nil, on, sealtest.Keys{"k9"}, "seal.keys"},
		"the key is missing":         {func(root string, _ *disk) { _ = os.Remove(filepath.Join(root, keyFile)) }, on, keys, "restore it from a backup"},
		"the key is damaged": {func(root string, _ *disk) {
			must(t, seal.WriteFile(filepath.Join(root, keyFile), []byte("x"), keys, "something else"))
		}, on, keys, "restore it from a backup"},
		"another key": {func(root string, _ *disk) {
			must(t, seal.WriteFile(filepath.Join(root, keyFile), make([]byte, keyBytes), keys, what))
		}, on, keys, "another key"},
		"a copy on another disk":      {func(_ string, d *disk) { clear(d.folders) }, on, keys, "signalbox storage encrypt"},
		"plain data beside":           {func(root string, _ *disk) { data(t, root) }, on, keys, "plain data (auth, events, metrics, state, tenants)"},
		"a move was interrupted":      {func(root string, _ *disk) { must(t, begin(root, decrypting)) }, on, keys, "signalbox storage decrypt"},
		"a file system that does not": {func(_ string, d *disk) { d.refuse = errors.New("tune2fs") }, on, keys, "tune2fs"},
	} {
		root, d := t.TempDir(), newDisk()
		o, err := open(root, on, keys, d)
		must(t, err)
		_, err = o.Close()
		must(t, err)
		if c.spoil != nil {
			c.spoil(root, d)
		}
		before, _ := os.ReadFile(filepath.Join(root, keyFile))
		if _, err := open(root, c.cfg, c.keys, d); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want one that says %q", name, err, c.says)
		}
		if after, _ := os.ReadFile(filepath.Join(root, keyFile)); string(after) != string(before) {
			t.Errorf("%s: the key was changed", name)
		}
		d.quiet(t)
	}
}

func TestDataAreMovedThereAndBack(t *testing.T) {
	root, d, keys := t.TempDir(), newDisk(), sealtest.Keys{"k1"}
	want := data(t, root)
	must(t, os.WriteFile(filepath.Join(root, "signalbox.yml"), []byte("ours"), 0o600))
	var done, total int64
	must(t, encrypt(root, keys, d, func(a, b int64) { done, total = a, b }))
	if done != total || total == 0 {
		t.Errorf("told %d of %d", done, total)
	}
	same(t, "encrypted", contents(t, filepath.Join(root, folder)), want)
	same(t, "left plain", contents(t, root), map[string]string{})
	if err := encrypt(root, keys, d, silent); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("again: %v", err)
	}
	o, err := open(root, on, keys, d)
	must(t, err)
	if err := decrypt(root, keys, d, silent); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("while the server runs: %v", err)
	}
	_, err = o.Close()
	must(t, err)
	must(t, decrypt(root, keys, d, silent))
	same(t, "decrypted", contents(t, root), want)
	if left, _ := filepath.Glob(filepath.Join(root, "encrypt*")); len(left) != 1 || filepath.Base(left[0]) != lockFile {
		t.Errorf("left behind: %v", left)
	}
	if text, _ := os.ReadFile(filepath.Join(root, "signalbox.yml")); string(text) != "ours" {
		t.Error("a file that is not the server's was moved")
	}
	d.quiet(t)
}

// killed is what stands for a kill.
type killed struct{}

// A move that is killed at any file goes on, and loses nothing.
func TestAMoveThatIsKilledGoesOn(t *testing.T) {
	keys := sealtest.Keys{"k1"}
	moves := map[string]func(root string, d *disk, tell Tell) error{
		encrypting: func(root string, d *disk, tell Tell) error { return encrypt(root, keys, d, tell) },
		decrypting: func(root string, d *disk, tell Tell) error { return decrypt(root, keys, d, tell) },
	}
	for name, move := range moves {
		for at := 1; ; at++ {
			root, d := t.TempDir(), newDisk()
			want := data(t, root)
			end := filepath.Join(root, folder)
			if name == decrypting {
				must(t, encrypt(root, keys, d, silent))
				end = root
			}
			files := 0
			interrupted := func() (yes bool) {
				defer func() { yes = recover() == killed{} }()
				must(t, move(root, d, func(int64, int64) {
					if files++; files == at {
						panic(killed{})
					}
				}))
				return false
			}()
			if !interrupted {
				if at < 5 {
					t.Errorf("%s told of %d files only", name, files)
				}
				break
			}
			if _, err := open(root, on, keys, d); err == nil || !strings.Contains(err.Error(), "interrupted") {
				t.Errorf("%s killed at file %d: the start says %v", name, at, err)
			}
			must(t, move(root, d, silent))
			same(t, fmt.Sprintf("%s killed at file %d", name, at), contents(t, end), want)
			d.quiet(t)
		}
	}
}

// A kill after the copying, at each step that follows.
func TestAMoveThatIsKilledAfterItsCopyingGoesOn(t *testing.T) {
	keys := sealtest.Keys{"k1"}
	root, d := t.TempDir(), newDisk()
	want := data(t, root)
	must(t, encrypt(root, keys, d, silent))
	must(t, os.CopyFS(root, os.DirFS(filepath.Join(root, folder)))) // plain files that were not removed yet, one was
	must(t, os.Remove(filepath.Join(root, "state", "state.db")))
	must(t, begin(root, encrypting))
	must(t, encrypt(root, keys, d, silent))
	same(t, "encrypted", contents(t, filepath.Join(root, folder)), want)
	same(t, "left plain", contents(t, root), map[string]string{})

	from := filepath.Join(root, folder)
	must(t, os.Mkdir(filepath.Join(root, plainNew), 0o750))
	entries, err := os.ReadDir(from)
	must(t, err)
	for i, e := range entries {
		to := filepath.Join(root, plainNew, e.Name())
		if i < 2 { // these were placed already
			to = filepath.Join(root, e.Name())
		}
		must(t, os.Rename(filepath.Join(from, e.Name()), to))
	}
	must(t, os.Rename(from, filepath.Join(root, moved)))
	must(t, begin(root, decrypting))
	must(t, decrypt(root, keys, d, silent))
	same(t, "decrypted", contents(t, root), want)
	if exists(filepath.Join(root, moved)) || exists(filepath.Join(root, keyFile)) || exists(filepath.Join(root, marker)) {
		t.Error("something is left of the encrypted folder")
	}
}

func TestWhatStopsAMove(t *testing.T) {
	keys := sealtest.Keys{"k1"}
	for name, c := range map[string]struct {
		spoil func(root string, d *disk)
		says  string
	}{
		"no data":            {func(root string, _ *disk) { must(t, os.RemoveAll(root)); must(t, os.Mkdir(root, 0o700)) }, "holds no data"},
		"no folder":          {func(root string, _ *disk) { must(t, os.RemoveAll(root)) }, "--storage.path"},
		"no room":            {func(_ string, d *disk) { d.free = 1 << 20 }, "make room"},
		"the other way":      {func(root string, _ *disk) { must(t, begin(root, decrypting)) }, "signalbox storage decrypt"},
		"neither":            {func(root string, _ *disk) { must(t, syscall.Mkfifo(filepath.Join(root, "state", "pipe"), 0o600)) }, "neither file nor folder"},
		"it does not":        {func(_ string, d *disk) { d.refuse = errors.New("tune2fs") }, "tune2fs"},
		"encrypted and more": {func(root string, d *disk) { must(t, encrypt(root, keys, d, silent)); data(t, root) }, "move away"},
	} {
		root, d := filepath.Join(t.TempDir(), "data"), newDisk()
		data(t, root)
		c.spoil(root, d)
		before := map[string]string{}
		if exists(root) {
			before = contents(t, root)
		}
		if err := encrypt(root, keys, d, silent); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want one that says %q", name, err, c.says)
		}
		if exists(root) {
			same(t, name+": what is plain", contents(t, root), before)
		}
		d.quiet(t)
	}
	root := t.TempDir()
	data(t, root)
	held, err := lock(filepath.Join(root, stateLock)) // a server that runs on plain data
	must(t, err)
	defer held.Close()
	if err := encrypt(root, keys, newDisk(), silent); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("beside a server: %v", err)
	}
}

// A command that reads beside a running server leaves it its key.
func TestLookLeavesTheServerItsKey(t *testing.T) {
	root, d, keys := t.TempDir(), newDisk(), sealtest.Keys{"k1"}
	asked := 0
	sealer := func() (seal.Sealer, error) { asked++; return keys, nil }
	plain, err := look(root, sealer, d)
	must(t, err)
	if plain.Dir != root || asked != 0 {
		t.Errorf("a plain folder is read at %s after %d questions for the key", plain.Dir, asked)
	}
	o, err := open(root, on, keys, d)
	must(t, err)
	for _, runs := range []bool{true, false} {
		if !runs {
			_, err = o.Close()
			must(t, err)
		}
		l, err := look(root, sealer, d)
		must(t, err)
		if len(d.keys) != 1 || l.Dir != o.Dir {
			t.Errorf("runs %v: %s is read with %d keys", runs, l.Dir, len(d.keys))
		}
		_, err = l.Close()
		must(t, err)
		if want := map[bool]int{true: 1, false: 0}[runs]; len(d.keys) != want {
			t.Errorf("runs %v: %d keys after it", runs, len(d.keys))
		}
	}
}
