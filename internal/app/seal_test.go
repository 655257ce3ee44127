package app

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

// stored is a storage folder with secrets in it.
type stored struct {
	dir     string            // of the configuration
	secrets map[string][]byte // as they were before anything was sealed
	gate    ed25519.PublicKey
	signed  model.GateEnvelope
}

func (s *stored) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir, "data"}, parts...)...)
}

// leaveSecrets runs a process that makes every secret that is kept: a user, keys of two tenants and a decision.
func leaveSecrets(t *testing.T) *stored {
	t.Helper()
	g := startGuarded(t, map[string]string{"signalbox.yml": "tenants: [{name: acme}]\n"})
	s := &stored{dir: g.dir, secrets: map[string][]byte{}}
	made := g.ask(t, "POST", "/sb/v1/gate", `{"service":"edge","environment":"prod","version":"1"}`, "Cookie", g.cookie)
	var d model.GateDecision
	if err := json.Unmarshal([]byte(made.text), &d); err != nil || made.status != 200 {
		t.Fatalf("%d %s", made.status, made.text)
	}
	g.stop()
	if strings.Count(g.log.String(), "seal.keys") != 1 {
		t.Errorf("without a key the log says so once:\n%s", g.log)
	}
	read := func(name string, parts ...string) []byte {
		b, err := os.ReadFile(s.path(parts...))
		if err != nil {
			t.Fatal(err)
		}
		s.secrets[name] = b
		return b
	}
	read("key of accounts", "auth", "accounts.key")
	for _, tenant := range []string{"", "tenants/acme"} {
		block, _ := pem.Decode(read("signing key, PEM "+tenant, tenant, "gate", sign.FileName))
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		s.secrets["signing key, seed "+tenant] = key.(ed25519.PrivateKey).Seed()
		if tenant == "" {
			s.gate = key.(ed25519.PrivateKey).Public().(ed25519.PublicKey)
		}
	}
	st, err := state.Open(t.Context(), state.Config{Dir: s.path("state")}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	users, err := st.Users(t.Context())
	if err != nil || len(users) != 1 || !strings.HasPrefix(users[0].Password, "$argon2id$") {
		t.Fatalf("%+v %v", users, err)
	}
	s.secrets["hash of a password"] = []byte(users[0].Password[strings.LastIndexByte(users[0].Password, '$')+1:])
	full, err := st.Decision(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.signed = *full.Envelope
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// found lists the files below the storage folder that hold a secret, in any spelling.
func (s *stored) found(t *testing.T, secret []byte) (out []string) {
	t.Helper()
	spellings := [][]byte{secret, []byte(hex.EncodeToString(secret))}
	for skip := range 3 { // as base64 begins anywhere in a longer text
		spellings = append(spellings, []byte(base64.RawStdEncoding.EncodeToString(secret[skip:])[:20]), []byte(base64.RawURLEncoding.EncodeToString(secret[skip:])[:20]))
	}
	err := filepath.WalkDir(s.path(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "SPARE" {
			return err
		}
		b, err := os.ReadFile(path)
		for _, spelling := range spellings {
			if bytes.Contains(b, spelling) {
				out = append(out, path)
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// check fails unless every secret is kept plain, or none.
func (s *stored) check(t *testing.T, when string, plain bool) {
	t.Helper()
	for name, secret := range s.secrets {
		if found := s.found(t, secret); len(found) > 0 != plain {
			t.Errorf("%s: %s is in %v", when, name, found)
		}
	}
}

func (s *stored) config(t *testing.T, seal string) string {
	t.Helper()
	files(t, s.dir, map[string]string{"signalbox.yml": "tenants: [{name: acme}]\n" + seal})
	return filepath.Join(s.dir, "signalbox.yml")
}

// run starts and stops a process, in which everything must work as before.
func (s *stored) run(t *testing.T, seal string) (log string) {
	t.Helper()
	text := s.config(t, seal)
	g := &guarded{running: startIn(t, s.dir, nil, func(o *Options) { o.Auth, o.ConfigFile = true, text })}
	defer g.stop()
	in := g.ask(t, "POST", "/sb/v1/login", `{"name":"root","password":"correct horse battery"}`)
	if in.status != 200 {
		t.Fatalf("login: %d %s", in.status, in.text)
	}
	g.cookie = in.cookies[len(in.cookies)-1].Name + "=" + in.cookies[len(in.cookies)-1].Value
	key := g.ask(t, "GET", "/sb/v1/gate/key", "", "Cookie", g.cookie)
	if !strings.Contains(key.text, sign.KeyID(s.gate)) {
		t.Errorf("another key signs: %s", key.text)
	}
	if shown := g.ask(t, "GET", "/api/v1/status/config", "", "Cookie", g.cookie); shown.status != 200 || strings.Contains(shown.text, sealKey(0)) {
		t.Errorf("%d %s", shown.status, shown.text)
	}
	return g.log.String()
}

// refuses fails unless a start says what to do, and has changed no secret.
func (s *stored) refuses(t *testing.T, seal, want string) {
	t.Helper()
	before := s.files(t)
	o := options(t, s.dir)
	o.Auth, o.ConfigFile = true, s.config(t, seal)
	p, err := Build(t.Context(), o)
	if err == nil {
		_ = p.Close()
	}
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "seal.keys") {
		t.Errorf("%v, want %s", err, want)
	}
	for path, text := range s.files(t) {
		if before[path] != text {
			t.Errorf("a start that was refused changed %s", path)
		}
	}
}

// files are those that hold keys, and whatever is set aside.
func (s *stored) files(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"auth/accounts.key*", "gate/*", "tenants/acme/gate/*", "state/*.corrupt*"} {
		found, err := filepath.Glob(s.path(filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out[path] = string(b)
		}
	}
	return out
}

func sealKey(begin byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{begin + 1, begin + 7}, 16))
}

func TestSecretsOpenWithTheKeyAlone(t *testing.T) {
	s := leaveSecrets(t)
	s.check(t, "before", true)
	files(t, s.dir, map[string]string{"a.key": sealKey(0), "b.key": sealKey(50)})
	const a, b, both = "seal: {keys: [{file: a.key}]}\n", "seal: {keys: [{file: b.key}]}\n", "seal: {keys: [{file: b.key}, {file: a.key}]}\n"

	if log := s.run(t, a); strings.Contains(log, sealKey(0)) || strings.Contains(log, "kept plain") {
		t.Error("the log shows the key, or says that secrets are plain")
	}
	s.check(t, "sealed", false)
	if found := s.found(t, bytes.Repeat([]byte{1, 7}, 16)); len(found) > 0 {
		t.Errorf("the key itself is in %v", found)
	}
	s.refuses(t, "", "is not configured, nor is any")
	s.refuses(t, b, "is not configured, but")
	if err := sign.Verify(s.gate, s.signed); err != nil {
		t.Errorf("without a key a decision is not verified any more: %v", err)
	}

	s.run(t, both)
	s.run(t, b)
	s.check(t, "rotated", false)
	s.refuses(t, a, "is not configured, but")

	s.run(t, strings.Replace(b, "seal: {", "seal: {undo: true, ", 1))
	s.check(t, "undone", true)
}

// What is sealed and was damaged is named, is kept, and a new key is not made in silence.
func TestADamagedSealedKeyIsNamed(t *testing.T) {
	s := leaveSecrets(t)
	files(t, s.dir, map[string]string{"a.key": sealKey(0)})
	const a = "seal: {keys: [{file: a.key}]}\n"
	s.run(t, a)
	for _, file := range []string{s.path("gate", sign.FileName), s.path("auth", "accounts.key")} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)-10] ^= 1
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conf := s.config(t, a)
	g := &guarded{running: startIn(t, s.dir, nil, func(o *Options) { o.Auth, o.ConfigFile = true, conf })}
	in := g.ask(t, "POST", "/sb/v1/login", `{"name":"root","password":"correct horse battery"}`)
	cookie := in.cookies[len(in.cookies)-1]
	g.cookie = fmt.Sprint(cookie.Name, "=", cookie.Value)
	status := g.ask(t, "GET", "/sb/v1/status", "", "Cookie", g.cookie).text
	if !strings.Contains(status, "signing key") || !strings.Contains(status, "the sealed value is damaged") {
		t.Errorf("%s", status)
	}
	if !strings.Contains(g.log.String(), "key of accounts: it was damaged and is kept as") {
		t.Errorf("%s", g.log)
	}
	if aside, _ := filepath.Glob(s.path("*", "*.corrupt-*")); len(aside) != 2 {
		t.Errorf("kept: %v", aside)
	}
	if got := g.ask(t, "GET", "/sb/v1/gate/key", "", "Cookie", g.cookie).text; !strings.Contains(got, sign.KeyID(s.gate)) {
		t.Errorf("the former public key is not known: %s", got)
	}
}

func TestAKeyIsNotKeptBesideWhatItSeals(t *testing.T) {
	dir := t.TempDir()
	o := options(t, dir)
	files(t, o.StoragePath, map[string]string{"seal.key": sealKey(0)})
	if err := os.Symlink(filepath.Join(o.StoragePath, "seal.key"), filepath.Join(dir, "link.key")); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"data/seal.key", "link.key"} {
		files(t, dir, map[string]string{"signalbox.yml": "seal: {keys: [{file: " + file + "}]}\n"})
		o.ConfigFile = filepath.Join(dir, "signalbox.yml")
		if _, err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "lies in the storage folder") {
			t.Errorf("%s: %v", file, err)
		}
	}
	if liesIn(dir+"/data.key", dir+"/data") || liesIn(dir+"/..key", dir+"/data") {
		t.Error("a file beside the folder is taken for one in it")
	}
}
