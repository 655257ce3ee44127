package cipherfile

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/minio/sio"

	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/seal/sealtest"
)

func keys(t testing.TB, encrypt bool, names ...string) *Keys {
	t.Helper()
	k, err := New(sealtest.Keys(names), encrypt)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func content(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// kept writes a file as it is kept.
func kept(t testing.TB, k *Keys, name string, b []byte) string {
	t.Helper()
	out, err := k.Make(name, b)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var sizes = []int{1, 100, packageSize - 1, packageSize, packageSize + 1, 3*packageSize + 17}

func TestAFileIsReadAsItWasMadeWholeAndByTheRange(t *testing.T) {
	for _, encrypt := range []bool{false, true} {
		k := keys(t, encrypt, "a")
		for _, n := range sizes {
			want := content(n)
			path := kept(t, k, "one", want)
			if got, err := k.ReadFile(path); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes: %v", n, err)
			}
			f, err := k.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if f.Size() != int64(n) || f.Kept != (Kept{Encrypted: encrypt, Current: true}) {
				t.Errorf("size %d, %+v", f.Size(), f.Kept)
			}
			r, whole := rand.New(rand.NewPCG(2, uint64(n))), bytes.NewReader(want)
			for range 200 {
				at, length := r.Int64N(int64(n)+5), r.IntN(2*packageSize)
				a, b := make([]byte, length), make([]byte, length)
				na, errA := f.ReadAt(a, at)
				nb, errB := whole.ReadAt(b, at)
				if na != nb || errA != errB || !bytes.Equal(a, b) { //nolint:errorlint // io.EOF as it is
					t.Fatalf("%d bytes at %d: %d, %v; want %d, %v", length, at, na, errA, nb, errB)
				}
			}
			if _, err := f.ReadAt(make([]byte, 1), -1); err == nil {
				t.Error("read before the beginning")
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// What is on the disk is what sio opens by the key in the header, and never twice the same.
func TestTheBodyIsDAREByAKeyOfItsOwn(t *testing.T) {
	k, want := keys(t, true, "a"), content(2*packageSize+5)
	data, err := os.ReadFile(kept(t, k, "one", want))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, want[1000:1020]) {
		t.Error("the content is there in plain")
	}
	h, err := k.read(bytes.NewReader(data), "one")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := sio.Decrypt(&got, bytes.NewReader(data[h.size:]), sio.Config{Key: h.key}); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("sio: %v", err)
	}
	again, err := k.Make("one", want)
	if err != nil || bytes.Equal(again[h.size:], data[h.size:]) {
		t.Errorf("one content is encrypted alike twice, %v", err)
	}
}

// openAll reads a file in both ways, which must agree on whether it is whole.
func openAll(k *Keys, path string) ([]byte, error) {
	whole, err := k.ReadFile(path)
	f, openErr := k.Open(path)
	if openErr != nil {
		return whole, errors.Join(err, openErr)
	}
	defer f.Close()
	_, rangeErr := f.ReadAt(make([]byte, f.Size()), 0)
	if err == nil {
		return whole, rangeErr
	}
	if rangeErr == nil {
		return nil, errors.New("read whole it is damaged, by the range it is not")
	}
	return nil, err
}

// Whatever is flipped, cut off or appended is found, and is never taken for a key that is missing.
func TestAChangedFileIsDamagedAndNeverLocked(t *testing.T) {
	k, want := keys(t, true, "a"), content(2*packageSize+300)
	data, err := k.Make("one", want)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "one")
	check := func(what string, at int, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := openAll(k, path)
		if at < len(magic) && what == "flipped" { // it is no encrypted file any more
			if bytes.Contains(got, want[:64]) {
				t.Errorf("%s at %d: opened", what, at)
			}
			return
		}
		if !errors.Is(err, ErrDamaged) || seal.Locked(err) {
			t.Errorf("%s at %d: %v", what, at, err)
		}
	}
	head := len(data) - (len(want) + 3*overhead)
	places := []int{head + 1, head + 17, head + 5000, head + packageSize + overhead, head + packageSize + overhead + 20, len(data) - 1}
	for i := range head + 16 {
		places = append(places, i)
	}
	for _, at := range places {
		flipped := bytes.Clone(data)
		flipped[at] ^= 0x21
		check("flipped", at, flipped)
		if at >= len(magic) {
			check("cut", at, bytes.Clone(data[:at]))
		}
	}
	check("cut", head+packageSize+overhead, data[:head+packageSize+overhead])
	check("cut", head+2*(packageSize+overhead), data[:head+2*(packageSize+overhead)])
	check("longer", len(data), append(bytes.Clone(data), content(packageSize)...))
	first := data[head : head+packageSize+overhead]
	second := data[head+packageSize+overhead : head+2*(packageSize+overhead)]
	check("swapped", head, bytes.Join([][]byte{data[:head], second, first, data[head+2*(packageSize+overhead):]}, nil))
}

func TestOneFileDoesNotPassForAnother(t *testing.T) {
	k := keys(t, true, "a")
	path := kept(t, k, "one", content(100))
	other := filepath.Join(filepath.Dir(path), "other")
	if err := os.Rename(path, other); err != nil {
		t.Fatal(err)
	}
	if _, err := openAll(k, other); !errors.Is(err, ErrDamaged) || seal.Locked(err) {
		t.Errorf("under another name: %v", err)
	}
}

func TestWithoutItsKeyAFileIsLockedAndWithAFormerOneItIsNotCurrent(t *testing.T) {
	path := kept(t, keys(t, true, "a"), "one", content(100))
	plain := kept(t, keys(t, false, "a"), "one", content(100))
	for name, c := range map[string]struct {
		keys   *Keys
		path   string
		want   Kept
		locked bool
	}{
		"none":                  {nil, path, Kept{}, true},
		"another":               {keys(t, true, "b"), path, Kept{}, true},
		"a former":              {keys(t, true, "b", "a"), path, Kept{Encrypted: true}, false},
		"the first":             {keys(t, true, "a", "b"), path, Kept{Encrypted: true, Current: true}, false},
		"switched off":          {keys(t, false, "a"), path, Kept{Encrypted: true}, false},
		"plain":                 {nil, plain, Kept{Current: true}, false},
		"plain and switched on": {keys(t, true, "a"), plain, Kept{}, false},
	} {
		got, err := c.keys.Check(c.path)
		if got != c.want || seal.Locked(err) != c.locked || c.locked != (err != nil) || errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if _, err := c.keys.Open(c.path); seal.Locked(err) != c.locked {
			t.Errorf("%s: open: %v", name, err)
		}
	}
	if _, err := New(seal.Plain{}, true); err == nil {
		t.Error("files are to be encrypted without a key, and nobody says so")
	}
}

func TestRecordsOpenByTheirFileAlone(t *testing.T) {
	k := keys(t, true, "a")
	head, key, err := k.Begin("log")
	if err != nil {
		t.Fatal(err)
	}
	record := key.Seal([]byte("before"), []byte("a record"))
	if n := len(record) - len("before") - len("a record"); n != key.Overhead() {
		t.Errorf("%d bytes longer, said %d", n, key.Overhead())
	}
	size, again, err := k.Records(append(head, "rest"...), "log")
	if err != nil || size != len(head) || again.Kept != (Kept{true, true}) {
		t.Fatalf("%d, %+v, %v", size, again, err)
	}
	if got, err := again.Open(record[len("before"):]); err != nil || string(got) != "a record" {
		t.Errorf("%q, %v", got, err)
	}
	_, other, _ := k.Begin("log")
	if _, err := other.Open(record[len("before"):]); !errors.Is(err, ErrDamaged) {
		t.Errorf("by another key: %v", err)
	}
	if _, _, err := k.Records(head[:len(head)-1], "log"); !errors.Is(err, ErrCutOff) {
		t.Errorf("cut off: %v", err)
	}
	var none *Key
	if size, key, err := k.Records([]byte("plain records"), "log"); size != 0 || key != nil || err != nil {
		t.Errorf("plain: %d, %v, %v", size, key, err)
	}
	if got, err := none.Open(none.Seal(nil, []byte("x"))); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
}

// Nothing that is read gives what was not written, or ends the process.
func FuzzOpen(f *testing.F) {
	k := keys(f, true, "a")
	data, err := k.Make("one", content(300))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:40])
	f.Add([]byte(magic))
	path := filepath.Join(f.TempDir(), "one")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := openAll(k, path)
		encrypted := bytes.HasPrefix(b, []byte(magic))
		switch {
		case !encrypted && (err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(got, b)):
			t.Fatalf("plain: %v", err)
		case encrypted && err == nil && !bytes.Equal(got, content(300)) && !bytes.Contains(b, []byte(seal.Prefix+"a|event file one|")):
			t.Fatal("opened without a key")
		}
	})
}
