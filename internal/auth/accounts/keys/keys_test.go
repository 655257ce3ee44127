package keys

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func open(t *testing.T, dir string) *Keys {
	t.Helper()
	k, err := Open(dir, time.Now())
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
	sealed := b.Seal([]byte("refresh"), "s1")
	if got, err := b.Open(sealed, "s1"); err != nil || string(got) != "refresh" {
		t.Error(string(got), err)
	}
	other, _ := k.Box("links")
	_, wrongUse := other.Open(sealed, "s1")
	_, wrongWhom := b.Open(sealed, "s2")
	_, cut := b.Open(sealed[:10], "s1")
	_, junk := b.Open("%", "s1")
	if wrongUse == nil || wrongWhom == nil || cut == nil || junk == nil {
		t.Error(wrongUse, wrongWhom, cut, junk)
	}
}
