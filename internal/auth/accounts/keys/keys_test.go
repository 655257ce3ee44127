package keys

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, dir string) *Keys {
	t.Helper()
	k, _, err := Open(dir, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func key(t *testing.T, k *Keys, use string) []byte {
	t.Helper()
	b, err := k.For(use)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOneKeyStaysAndEachUseHasItsOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "auth")
	k := open(t, dir)
	links := key(t, k, "links")
	if !bytes.Equal(links, key(t, open(t, dir), "links")) {
		t.Error("the next start has another key")
	}
	if bytes.Equal(links, key(t, k, "sessions")) {
		t.Error("two uses share a key")
	}
	path := filepath.Join(dir, file)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	for _, damaged := range []string{"", "short", string(make([]byte, 100))} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(links, key(t, open(t, dir), "links")) {
			t.Error("a damaged key is the old one")
		}
		aside, _ := filepath.Glob(path + ".*")
		if len(aside) == 0 {
			t.Errorf("a damaged key of %d bytes was not kept", len(damaged))
		}
	}
}

func TestABoxOpensForWhomItWasSealed(t *testing.T) {
	k := open(t, t.TempDir())
	b, err := k.Box("sessions")
	if err != nil {
		t.Fatal(err)
	}
	kept := b.Seal([]byte("refresh"), "s1")
	if got, err := b.Open(kept, "s1"); err != nil || string(got) != "refresh" {
		t.Error(string(got), err)
	}
	other, _ := k.Box("links")
	_, wrongUse := other.Open(kept, "s1")
	_, wrongWhom := b.Open(kept, "s2")
	_, cut := b.Open(kept[:10], "s1")
	_, junk := b.Open("%", "s1")
	if wrongUse == nil || wrongWhom == nil || cut == nil || junk == nil {
		t.Error(wrongUse, wrongWhom, cut, junk)
	}
}

// locked is a sealer whose key is not there.
type locked struct{ Sealer }

func (locked) Open([]byte, string) ([]byte, bool, error) { return nil, false, errors.New("no key") }

func TestAKeyThatDoesNotOpenIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	before, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, time.Now(), locked{}); err == nil || !strings.Contains(err.Error(), "no key") || !strings.Contains(err.Error(), file) {
		t.Errorf("%v", err)
	}
	entries, err := os.ReadDir(dir)
	after, readErr := os.ReadFile(filepath.Join(dir, file))
	if err != nil || readErr != nil || len(entries) != 1 || !bytes.Equal(before, after) {
		t.Error(entries, err, readErr)
	}
}
