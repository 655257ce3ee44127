package sign

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
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
	k, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, FileName)
	st, err := os.Stat(file)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	again, err := Open(dir)
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
	if _, err := Open(dir); err == nil {
		t.Error("a key that others may read was taken")
	}
	for name, damage := range map[string]string{"empty": "", "no PEM": "secret", "no key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, []byte(damage), 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil {
			t.Errorf("%s: a damaged key was taken", name)
		}
	}
}

func TestAnyChangeOfAnEnvelopeIsDetected(t *testing.T) {
	k, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(t.TempDir())
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
