package sign

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/seal"
)

// The example of RFC 8785, section 3.2.2 and 3.2.3.
func TestCanonicalIsRFC8785(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{
			"the example of section 3.2.2",
			`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		},
		{
			"keys are sorted by UTF-16 code units, section 3.2.3",
			`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
		},
		{"white space and line separators", "[ 1 , \"\u2028<&>\" , {} ]", "[1,\"\u2028<&>\",{}]"},
		{"zero has no sign", "[-0, 0.0]", "[0,0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Canonical(json.RawMessage(c.in))
			if err != nil || string(got) != c.want {
				t.Errorf("got  %s\nwant %s (%v)", got, c.want, err)
			}
		})
	}
}

func TestCanonicalOfCanonicalIsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.Float64Range(-1e300, 1e300))).Draw(t, "value")
		once, err := Canonical(v)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Canonical(json.RawMessage(once))
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s becomes %s, %v", once, twice, err)
		}
		var back map[string][]float64
		if err := json.Unmarshal(once, &back); err != nil || len(back) != len(v) {
			t.Fatalf("%v becomes %v, %v", v, back, err)
		}
	})
}

func TestAKeyIsMadeOnceAndReadByItsOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gate")
	k, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, FileName)
	st, err := os.Stat(file)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	again, err := Open(dir, nil)
	if err != nil || !again.Public().Equal(k.Public()) {
		t.Errorf("another key after a restart: %v", err)
	}
	text, err := PEM(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	if public, err := ParsePEM([]byte(text)); err != nil || !public.Equal(k.Public()) {
		t.Errorf("PEM does not come back: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	again, err = Open(dir, nil)
	if err != nil || !again.Public().Equal(k.Public()) || len(again.Problems()) != 1 || !strings.Contains(again.Problems()[0].Message, "0644") {
		t.Errorf("a key that others could read: %v, problems %+v", err, again.Problems())
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("it is still open to them: %v, %v", st.Mode(), err)
	}
}

// A disk without room for a key does not stop the start: a key that lasts as long as the process signs.
func TestAKeyThatCannotBeKeptSignsAndSaysSo(t *testing.T) {
	dir := t.TempDir()
	k, err := create(filepath.Join(dir, "none", FileName), seal.Plain{})
	if err != nil || len(k.Problems()) != 1 || !strings.Contains(k.Problems()[0].Message, "cannot be kept") {
		t.Errorf("%v, problems %+v", err, k.Problems())
	}
}

// keys remembers public keys.
type keys []model.GateKey

func (m *keys) SaveGateKey(_ context.Context, k model.GateKey) error { *m = append(*m, k); return nil }
func (m *keys) GateKeys(context.Context) ([]model.GateKey, error)    { return *m, nil }

// Every damage of the key's file: a new key signs, the loss is named, and what was signed before is still
// verified.
func TestADamagedKeyIsReplacedAndOldDecisionsStayVerifiable(t *testing.T) {
	write := func(b []byte) func(string) error {
		return func(file string) error { return os.WriteFile(file, b, 0o600) }
	}
	for name, c := range map[string]struct {
		damage func(file string) error
		kept   bool
	}{
		"empty":    {write(nil), true},
		"no PEM":   {write([]byte("secret")), true},
		"no key":   {write([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")), true},
		"a folder": {func(file string) error { return errors.Join(os.Remove(file), os.Mkdir(file, 0o755)) }, true},
		"missing":  {os.Remove, false},
		"a letter of the secret itself, so that it is another key": {func(file string) error {
			b, err := os.ReadFile(file)
			letter := &b[len(b)-len("x==\n-----END PRIVATE KEY-----\n")-12]
			if *letter == 'A' {
				*letter = 'B'
			} else {
				*letter = 'A'
			}
			return errors.Join(err, os.WriteFile(file, b, 0o600))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir, m, at := t.TempDir(), &keys{}, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			before, err := Open(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := before.Remember(t.Context(), m, at); err != nil {
				t.Fatal(err)
			}
			old := before.Sign("a/b", []byte("x"))
			if err := c.damage(filepath.Join(dir, FileName)); err != nil {
				t.Fatal(err)
			}
			for _, start := range []string{"first", "second"} {
				k, err := Open(dir, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := k.Remember(t.Context(), m, at.Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
				if k.Public().Equal(before.Public()) {
					t.Fatal("the damaged key signs on")
				}
				if err := Verify(k.Signer(&old), old); err != nil {
					t.Errorf("%s start: a decision of before: %v", start, err)
				}
				if fresh := k.Sign("a/b", []byte("y")); Verify(k.Signer(&fresh), fresh) != nil {
					t.Errorf("%s start: a new decision does not verify", start)
				}
				if ps := k.Problems(); start == "first" && (len(ps) != 1 || !strings.Contains(ps[0].Message, KeyID(k.Public()))) {
					t.Errorf("problems %+v do not name the new key", ps)
				}
				if len(*m) != 2 {
					t.Errorf("%d keys are remembered, want 2", len(*m))
				}
			}
			if aside := atomicfile.Aside(filepath.Join(dir, FileName)); (len(aside) == 1) != c.kept {
				t.Errorf("set aside: %q", aside)
			}
		})
	}
}

func TestAnyChangeOfAnEnvelopeIsDetected(t *testing.T) {
	k, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	good := k.Sign("a/b", []byte(`{"verdict":"block"}`))
	if err := Verify(k.Public(), good); err != nil {
		t.Fatal(err)
	}
	if err := Verify(other.Public(), good); !errors.Is(err, ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := k.Sign("a/b", bytes.Clone(good.Payload))
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			i := rapid.IntRange(0, len(e.Payload)-1).Draw(t, "byte")
			e.Payload[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		case 1:
			i := rapid.IntRange(0, len(e.Signatures[0].Sig)-1).Draw(t, "byte")
			e.Signatures[0].Sig[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		case 2:
			e.PayloadType += rapid.StringN(1, 5, -1).Draw(t, "more")
		case 3:
			e.Signatures = nil
		}
		if err := Verify(k.Public(), e); !errors.Is(err, ErrSignature) {
			t.Fatalf("changed, and accepted: %v", err)
		}
	})
	if diff := cmp.Diff("DSSEv1 29 http://example.com/HelloWorld 11 hello world", string(encoded("http://example.com/HelloWorld", []byte("hello world")))); diff != "" {
		t.Error("DSSE's own example of the encoding: ", diff)
	}
}
