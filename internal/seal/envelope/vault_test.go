package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/seal"
)

// transit is Vault's transit engine as its API documentation has it, and refuses whatever that does not say.
type transit struct {
	t     *testing.T
	token string

	mu       sync.Mutex
	versions []cipher.AEAD
	oldest   int // min_decryption_version
	calls    map[string]int
	down     int // status of every answer; 0 when it works
}

func newTransit(t *testing.T) (*transit, *httptest.Server) {
	v := &transit{t: t, token: "hvs.SECRET-token", oldest: 1, calls: map[string]int{}}
	v.rotate()
	srv := httptest.NewServer(v)
	t.Cleanup(srv.Close)
	return v, srv
}

func (v *transit) rotate() {
	v.mu.Lock()
	defer v.mu.Unlock()
	block, err := aes.NewCipher([]byte(strings.Repeat(string(rune('a'+len(v.versions))), 32)))
	if err != nil {
		v.t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		v.t.Fatal(err)
	}
	v.versions = append(v.versions, aead)
}

func (v *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	refuse := func(status int, text string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string][]string{"errors": {text}})
	}
	operation, ok := strings.CutPrefix(r.URL.Path, "/v1/team/transit/")
	operation, key, _ := strings.Cut(operation, "/")
	v.calls[operation]++
	var body map[string]string
	decoder := json.NewDecoder(r.Body)
	switch {
	case v.down != 0:
		refuse(v.down, "Vault is sealed")
	case !ok || key != "signalbox":
		refuse(404, "no handler for route")
	case r.Header.Get("Authorization") != "Bearer "+v.token || r.Header.Get("X-Vault-Namespace") != "sre":
		refuse(403, "permission denied")
	case r.Method != http.MethodPost || r.Header.Get("X-Vault-Request") != "true" || decoder.Decode(&body) != nil || len(body) != 1:
		refuse(400, "bad request")
	case operation == "encrypt":
		plain, err := base64.StdEncoding.DecodeString(body["plaintext"])
		if err != nil || len(plain) == 0 {
			refuse(400, "plaintext is not base64")
			return
		}
		n := len(v.versions)
		sealed := v.versions[n-1].Seal(nil, nil, plain, nil)
		v.answer(w, map[string]any{"ciphertext": fmt.Sprintf("vault:v%d:%s", n, base64.StdEncoding.EncodeToString(sealed)), "key_version": n})
	case operation == "decrypt":
		var n int
		var text string
		if _, err := fmt.Sscanf(body["ciphertext"], "vault:v%d:%s", &n, &text); err != nil || n < v.oldest || n > len(v.versions) {
			refuse(400, "ciphertext or signature version is disallowed by policy (too old)")
			return
		}
		raw, _ := base64.StdEncoding.DecodeString(text)
		plain, err := v.versions[n-1].Open(nil, nil, raw, nil)
		if err != nil {
			refuse(400, "cipher: message authentication failed")
			return
		}
		v.answer(w, map[string]any{"plaintext": base64.StdEncoding.EncodeToString(plain)})
	default:
		refuse(404, "unsupported operation")
	}
}

func (*transit) answer(w http.ResponseWriter, data map[string]any) {
	_ = json.NewEncoder(w).Encode(map[string]any{"request_id": "1", "lease_id": "", "renewable": false, "data": data, "mount_type": "transit"})
}

func (v *transit) config(t *testing.T, address string) Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(v.token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{Keys: []Key{{Vault: &Vault{Address: address + "/", Mount: "team/transit", Key: "signalbox", HTTP: &promconfig.HTTPClientConfig{
		Authorization: &promconfig.Authorization{Type: "Bearer", CredentialsFile: file},
		HTTPHeaders:   &promconfig.Headers{Headers: map[string]promconfig.Header{"X-Vault-Namespace": {Values: []string{"sre"}}}},
	}}}}}
}

func TestVaultSealsAndIsAskedOnceForADataKey(t *testing.T) {
	v, srv := newTransit(t)
	cfg := v.config(t, srv.URL)
	s := sealer(t, cfg)
	one, two := kept(t, s, "secret", "one"), kept(t, s, "other", "two")
	later := sealer(t, cfg)
	opens(t, later, one, "one", "secret", true)
	opens(t, later, two, "two", "other", true)
	if v.calls["encrypt"] != 2 || v.calls["decrypt"] != 1 {
		t.Errorf("two starts and two secrets: %v", v.calls)
	}
	// A Vault that moved has the same keys.
	moved := httptest.NewServer(v)
	defer moved.Close()
	opens(t, sealer(t, v.config(t, moved.URL)), one, "one", "secret", true)
}

func TestAKeyThatWasRotatedInVaultSealsAnew(t *testing.T) {
	v, srv := newTransit(t)
	cfg := v.config(t, srv.URL)
	one := kept(t, sealer(t, cfg), "secret", "one")
	v.rotate()
	later := sealer(t, cfg)
	opens(t, later, one, "one", "secret", false)
	anew := kept(t, later, "secret", "one")
	v.oldest = 2
	opens(t, sealer(t, cfg), anew, "one", "secret", true)
	_, _, err := seal.Open(sealer(t, cfg), one, "one")
	if !seal.Locked(err) || !strings.Contains(err.Error(), "min_decryption_version") {
		t.Errorf("%v", err)
	}
}

func TestFromAFileToVault(t *testing.T) {
	v, srv := newTransit(t)
	file := keyOf(t, 0)
	one := kept(t, sealer(t, Config{Keys: []Key{file}}), "secret", "one")
	opens(t, sealer(t, Config{Keys: append(v.config(t, srv.URL).Keys, file)}), one, "one", "secret", false)
}

// Whatever Vault says, nothing is taken for damaged, and no error shows the token or a key.
func TestAVaultThatDoesNotAnswerLocks(t *testing.T) {
	v, srv := newTransit(t)
	cfg := v.config(t, srv.URL)
	s := sealer(t, cfg)
	one := kept(t, s, "secret", "one")
	fails := func(name, want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	v.down = 400
	fresh := &Sealer{keys: s.(*Sealer).keys, opened: map[string]*dataKey{}}
	_, _, err := seal.Open(fresh, one, "one")
	if !seal.Locked(err) {
		t.Errorf("%v", err)
	}
	fails("open", "vault:team/transit/signalbox", err)
	_, err = Open(cfg, nil)
	fails("refused", "min_decryption_version", err)
	v.down = 0
	v.token = "hvs.another"
	_, err = Open(cfg, nil)
	fails("token", "capability update on encrypt and decrypt", err)
	other := v.config(t, srv.URL)
	other.Keys[0].Vault.Key = "none"
	_, err = Open(other, nil)
	fails("key", "check mount and key", err)
}
