package envelope

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/seal"
)

// vector was made by Node's crypto: HKDF-SHA256 of the bytes 0 to 31, AES-256-GCM twice.
const vector = "signalbox-sealed-1.OGQxOTc1Njg1NTlmZDIwZg.AQEBAQEBAQEBAQEBbEATV97VUH71x6BvdsXrUhEKgyQZLbekJMSWPIl46AMpxV1D2lgmp3s5oyHDor1V." +
	"AgICAgICAgICAgICedubdT6IwQdyP_TEh1Od_3RPgJxrAknMZ2Q-C34\n"

// keyOf is a key in a file: the bytes begin, begin+1, …
func keyOf(t testing.TB, begin int) Key {
	t.Helper()
	b := make([]byte, 32)
	for i := range b {
		b[i] = byte(begin + i)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(b)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Key{File: path}
}

func sealer(t testing.TB, cfg Config) seal.Sealer {
	t.Helper()
	s, err := Open(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func kept(t testing.TB, s seal.Sealer, plain, what string) []byte {
	t.Helper()
	b, err := s.Seal([]byte(plain), what)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func opens(t *testing.T, s seal.Sealer, text []byte, what, plain string, current bool) {
	t.Helper()
	got, now, err := seal.Open(s, text, what)
	if err != nil || string(got) != plain || now != current {
		t.Errorf("%q, current %v, %v; want %q, %v", got, now, err, plain, current)
	}
}

func TestWhatAnotherImplementationSealedOpens(t *testing.T) {
	opens(t, sealer(t, Config{Keys: []Key{keyOf(t, 0)}}), []byte(vector), "a thing", "correct horse", true)
}

func TestASecretOpensUnderItsNameAlone(t *testing.T) {
	s := sealer(t, Config{Keys: []Key{keyOf(t, 0)}})
	for _, plain := range []string{"", "x", strings.Repeat("long", 10_000), "signalbox-sealed-1.not.really."} {
		text := kept(t, s, plain, "one")
		if !seal.Is(text) || len(plain) > 4 && bytes.Contains(text, []byte(plain)) {
			t.Errorf("%q was not sealed: %q", plain, text)
		}
		opens(t, s, text, "one", plain, true)
		if _, _, err := seal.Open(s, text, "other"); !errors.Is(err, seal.ErrDamaged) || seal.Locked(err) {
			t.Errorf("under another name: %v", err)
		}
		if again := kept(t, s, plain, "one"); bytes.Equal(again, text) {
			t.Error("one secret is sealed alike twice")
		}
	}
	opens(t, s, []byte("never sealed"), "one", "never sealed", false)
}

// Whatever byte is changed, a sealed text opens to nothing.
func TestAChangedTextNeverOpens(t *testing.T) {
	cfg := Config{Keys: []Key{keyOf(t, 0)}}
	text := kept(t, sealer(t, cfg), "secret", "one")
	for i := len(seal.Prefix); i < len(text)-1; i++ {
		for _, b := range []byte{'A', 'b', '.', '-', 0, '\n', 0xff} {
			if text[i] == b {
				continue
			}
			changed := bytes.Clone(text)
			changed[i] = b
			if got, _, err := seal.Open(sealer(t, cfg), changed, "one"); err == nil {
				t.Fatalf("byte %d changed to %q: opened to %q", i, b, got)
			}
		}
		if _, _, err := seal.Open(sealer(t, cfg), text[:i], "one"); err == nil {
			t.Fatalf("cut at %d: opened", i)
		}
	}
}

func TestWhatAKeyIsMissingForIsLockedAndNotDamaged(t *testing.T) {
	first, second := keyOf(t, 0), keyOf(t, 100)
	text := kept(t, sealer(t, Config{Keys: []Key{first}}), "secret", "one")
	for name, s := range map[string]seal.Sealer{"another key": sealer(t, Config{Keys: []Key{second}}), "none": seal.Plain{}} {
		_, _, err := seal.Open(s, text, "one")
		if !seal.Locked(err) || errors.Is(err, seal.ErrDamaged) || !strings.Contains(err.Error(), "seal.keys") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err := sealer(t, Config{Keys: []Key{second}}).Open(text, "one")
	if !strings.Contains(err.Error(), "8d197568559fd20f") {
		t.Errorf("the key that is missing is not named: %v", err)
	}
}

func TestRotationSealsAnewAndUndoOpens(t *testing.T) {
	first, second := keyOf(t, 0), keyOf(t, 100)
	old := kept(t, sealer(t, Config{Keys: []Key{first}}), "secret", "one")
	both := sealer(t, Config{Keys: []Key{second, first}})
	opens(t, both, old, "one", "secret", false)
	anew := kept(t, both, "secret", "one")
	opens(t, sealer(t, Config{Keys: []Key{second}}), anew, "one", "secret", true)
	if _, _, err := seal.Open(sealer(t, Config{Keys: []Key{first}}), anew, "one"); !seal.Locked(err) {
		t.Errorf("the former key seals: %v", err)
	}
	undo := sealer(t, Config{Keys: []Key{second, first}, Undo: true})
	opens(t, undo, old, "one", "secret", false)
	opens(t, undo, []byte("secret"), "one", "secret", true)
	if plain := kept(t, undo, "secret", "one"); string(plain) != "secret" {
		t.Errorf("%q", plain)
	}
}

// What a lost key sealed is given up where that is said, and nothing else is.
func TestForgetGivesUpWhatALostKeySealed(t *testing.T) {
	lost := kept(t, sealer(t, Config{Keys: []Key{keyOf(t, 0)}}), "secret", "one")
	for _, cfg := range []Config{{Forget: true}, {Forget: true, Keys: []Key{keyOf(t, 100)}}} {
		s := sealer(t, cfg)
		if _, _, err := seal.Open(s, lost, "one"); !errors.Is(err, seal.ErrDamaged) || seal.Locked(err) {
			t.Errorf("%v", err)
		}
		opens(t, s, kept(t, s, "other", "two"), "two", "other", true)
	}
	v, srv := newTransit(t)
	cfg := v.config(t, srv.URL)
	one := kept(t, sealer(t, cfg), "secret", "one")
	cfg.Forget = true
	s := sealer(t, cfg)
	v.down = 503
	s.(forgetful).Sealer.(*Sealer).keys[0].(*vault).client.Attempts = 1
	if _, _, err := seal.Open(s, one, "one"); !seal.Locked(err) {
		t.Errorf("a vault that is down is taken for a key that is lost: %v", err)
	}
}

// A start asks a key service once for each data key: there must not be one for each start.
func TestStartsShareADataKey(t *testing.T) {
	cfg := Config{Keys: []Key{keyOf(t, 0)}}
	text := kept(t, sealer(t, cfg), "secret", "one")
	later := sealer(t, cfg)
	opens(t, later, text, "one", "secret", true)
	headOf := func(b []byte) string { return string(b[:bytes.LastIndexByte(b, '.')]) }
	if another := kept(t, later, "other", "two"); headOf(another) != headOf(text) {
		t.Error("the second start sealed by a data key of its own")
	}
}

func TestBadSettingsAreNamedWithTheirCure(t *testing.T) {
	t.Setenv("SB_EMPTY", "")
	good := keyOf(t, 0)
	at := func(v Vault) Config { return Config{Keys: []Key{{Vault: &v}}} }
	for want, cfg := range map[string]Config{
		"seal.keys[0]: needs one of file, environment and vault; make a key with: head -c 32": {Keys: []Key{{}}},
		"not several":                              {Keys: []Key{{File: "x", Vault: &Vault{}}}},
		"seal.undo: the":                           {Undo: true},
		"seal.keys[1]: is the key of keys[0]":      {Keys: []Key{good, keyOf(t, 0)}},
		"no such file":                             {Keys: []Key{{File: "/nowhere/key"}}},
		"environment variable SB_EMPTY: must hold": {Keys: []Key{{Environment: "SB_EMPTY"}}},
		"vault.address: give the server's address": at(Vault{Address: "ftp://x", Key: "k"}),
		"vault.address: use https":                 at(Vault{Address: "http://vault.example.org", Key: "k"}),
		`vault.key: ""`:                            at(Vault{Address: "https://vault.example.org"}),
		`vault.key: "a/b"`:                         at(Vault{Address: "https://vault.example.org", Key: "a/b"}),
		`vault.mount: "../sys"`:                    at(Vault{Address: "https://vault.example.org", Key: "k", Mount: "../sys"}),
	} {
		if _, err := Open(cfg, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := sealer(f, Config{Keys: []Key{keyOf(f, 0)}})
	f.Add([]byte(vector), "a thing")
	f.Add([]byte(seal.Prefix), "")
	f.Add([]byte(seal.Prefix+"OGQxOTc1Njg1NTlmZDIwZg.."), "x")
	f.Fuzz(func(t *testing.T, text []byte, what string) {
		plain, _, err := s.Open(text, what)
		if err == nil && seal.Is(text) && string(plain) != "correct horse" {
			t.Errorf("%q opened to %q", text, plain)
		}
		if again := kept(t, s, string(text), what); err == nil {
			opens(t, s, again, what, string(text), true)
		}
	})
}
