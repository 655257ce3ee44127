package identifiers

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// keyOf is a key of which every byte is known: begin, begin+1, …
func keyOf(begin, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(begin + i)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func write(t *testing.T, text string) secretfile.Key {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return secretfile.Key{File: path}
}

func hasher(t *testing.T, names []string, keys ...secretfile.Key) *Hasher {
	t.Helper()
	h, err := New(Config{Hash: names, Keys: keys}, prometheus.NewPedanticRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The hash was made by Python's hmac and hashlib: HKDF-SHA256 without salt, then HMAC-SHA256.
const vector = "h1:2552fe3d:3aeafae06561f7a7eba1c1c0ac7fc52b"

func TestAHashIsThatOfAnotherImplementation(t *testing.T) {
	h := hasher(t, []string{"user_id"}, write(t, keyOf(0, 32)+"\n"))
	if got, ok := h.Hash("4711"); got != vector || !ok {
		t.Errorf("%s, want %s", got, vector)
	}
	t.Setenv("SB_TEST_KEY", keyOf(0, 32))
	if got, _ := hasher(t, []string{"user_id"}, secretfile.Key{Environment: "SB_TEST_KEY"}).Hash("4711"); got != vector {
		t.Errorf("from the environment: %s", got)
	}
}

func TestARotatedKeyMakesOtherHashesAndKnowsTheOld(t *testing.T) {
	old, current := write(t, keyOf(0, 32)), write(t, keyOf(100, 40))
	h := hasher(t, []string{"user_id"}, current, old)
	got, _ := h.Hash("4711")
	if got == vector || got[:11] == vector[:11] {
		t.Errorf("the current key's hash is the former key's: %s", got)
	}
	if forms := h.Forms("4711"); len(forms) != 2 || forms[0] != got || forms[1] != vector {
		t.Errorf("forms %v", forms)
	}
	for _, hashed := range []string{got, vector} {
		if again, ok := h.Hash(hashed); again != hashed || ok {
			t.Errorf("%s was hashed again: %s", hashed, again)
		}
	}
	for _, other := range []string{strings.ToUpper(vector), vector + "0", vector[:43], "h1:00000000:" + vector[12:], "h1:"} {
		if again, ok := h.Hash(other); again == other || !ok {
			t.Errorf("%s is no hash of ours and stayed", other)
		}
	}
}

func TestNames(t *testing.T) {
	h := hasher(t, []string{"user.id", "enduser.id", "sub"}, write(t, keyOf(0, 32)))
	for name, want := range map[string]bool{
		"user.id": true, "user_id": true, "userId": true, "USER_ID": true, "user-id": true, "userid": true, "client.user.id": true, "clientUserId": true,
		"enduser.id": true, "enduser_id": true, "sub": true, "jwt.sub": true, "user.id_": true,
		"user.ident": false, "id": false, "user": false, "superuserid": false, "hubsub": false, "": false, "_": false,
	} {
		if got := h.Names(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
		if want && !h.MayName(`{"`+name+`":1}`) {
			t.Errorf("%s would be passed over in a text", name)
		}
	}
	if hasher(t, []string{"name"}, write(t, keyOf(0, 32))).Names("__name__") {
		t.Error("the name of a metric would be hashed")
	}
}

func TestLabels(t *testing.T) {
	h := hasher(t, []string{"user.id"}, write(t, keyOf(0, 32)))
	in := labels.FromStrings("__name__", "logins", "user_id", "4711", "job", "edge")
	got := h.Labels(in)
	if want := labels.FromStrings("__name__", "logins", "user_id", vector, "job", "edge"); !labels.Equal(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
	if again := h.Labels(got); !labels.Equal(again, got) {
		t.Errorf("hashed again: %s", again)
	}
	if in.Get("user_id") != "4711" {
		t.Error("the sender's labels were changed")
	}
	if n := testutil.ToFloat64(h.hashed.WithLabelValues("metrics")); n != 1 {
		t.Errorf("counted %v", n)
	}
	var none *Hasher
	if !labels.Equal(none.Labels(in), in) || none.Names("user_id") || none.Forms("x") != nil || none.MayName("user_id") {
		t.Error("without configuration something is hashed")
	}
}

func TestBadSettingsAreNamedWithTheirCure(t *testing.T) {
	t.Setenv("SB_EMPTY", "")
	good := write(t, keyOf(0, 32))
	for want, cfg := range map[string]Config{
		"keys: a key is needed to hash; make one with: head -c 32": {Hash: []string{"user_id"}},
		`hash[0]: "._" is no name`:                                 {Hash: []string{"._"}, Keys: []secretfile.Key{good}},
		"hash[1]: le cannot be hashed":                             {Hash: []string{"a", "le"}, Keys: []secretfile.Key{good}},
		"keys[0]: needs either file or environment":                {Hash: []string{"a"}, Keys: []secretfile.Key{{}}},
		"keys[1]: is the key of keys[0]":                           {Hash: []string{"a"}, Keys: []secretfile.Key{good, write(t, keyOf(0, 32))}},
		"at least 32 bytes; make a key with: head -c 32":           {Hash: []string{"a"}, Keys: []secretfile.Key{write(t, keyOf(0, 31))}},
		"variable SB_EMPTY: must hold base64":                      {Hash: []string{"a"}, Keys: []secretfile.Key{{Environment: "SB_EMPTY"}}},
		"must hold base64 of":                                      {Hash: []string{"a"}, Keys: []secretfile.Key{write(t, "SECRET not base64 but long enough for a key")}},
		"no such file":                                             {Hash: []string{"a"}, Keys: []secretfile.Key{{File: "/nowhere/key"}}},
	} {
		_, err := New(cfg, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "privacy") || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
