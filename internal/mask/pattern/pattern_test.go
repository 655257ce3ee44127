package pattern

import (
	"slices"
	"strings"
	"testing"
)

func found(t *testing.T, setting, s string) []string {
	t.Helper()
	p, err := New(setting)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, at := range p.Find(s) {
		out = append(out, s[at.Start:at.End])
	}
	return out
}

func TestPatternsFindWhatTheyAreNamedAfter(t *testing.T) {
	for _, c := range []struct {
		setting, in string
		want        []string
	}{
		{"email", "mail ann.b+x@mail.example.co.uk now", []string{"ann.b+x@mail.example.co.uk"}},
		{"email", "user@host", nil},
		{"card", "pan 4111 1111 1111 1111.", []string{"4111 1111 1111 1111"}},
		{"card", "4111111111111112 5500005555555559", []string{"5500005555555559"}},
		{"iban", "to DE89 3704 0044 0532 0130 00 and GB29NWBK60161331926819", []string{"DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"}},
		{"iban", "de89370400440532013000", []string{"de89370400440532013000"}},
		{"iban", "DE89370400440532013001 AB12", nil},
		{"ipv4", "from 10.1.2.3:80, 256.1.1.1 and 010.0.0.1", []string{"10.1.2.3", "010.0.0.1"}},
		{"ipv4", "v1.2.3.4 1.2.3 1.2.3.4x", nil},
		{"ipv6", "a [2001:db8::1]:80 ip:2001:db8::2. id:fe80::1", []string{"2001:db8::1", "2001:db8::2", "fe80::1"}},
		{"ipv6", "std::abc 12:30:45 :: a::vector", nil},
		{"bearer", "Authorization: Bearer abcdef.12345 x", []string{"abcdef.12345"}},
		{"jwt", "t=eyJhbGciOi.eyJzdWIiOiI.c2lnbmF0dXJl;", []string{"eyJhbGciOi.eyJzdWIiOiI.c2lnbmF0dXJl"}},
		{`/account (\d+)/`, "account 4711 of account 12", []string{"4711", "12"}},
		{`/a(x)?b/`, "ab axb", []string{"ab", "x"}},
	} {
		if got := found(t, c.setting, c.in); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
			t.Errorf("%s in %q: %q, want %q", c.setting, c.in, got, c.want)
		}
	}
}

func TestPatternsThatCannotWorkAreRefused(t *testing.T) {
	for setting, says := range map[string]string{"phone": "none of email, card", "/(/": "missing closing", "/x*/": "empty text", "": "none of"} {
		if _, err := New(setting); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("x 4111 1111 1111 1111 DE89 3704 0044 0532 0130 00 10.0.0.1 fe80::1 ann@b.de Bearer abcdefgh eyJaaaaaa.bbbbbb.c")
	var all []*Pattern
	for _, n := range append(Names(), `/\d+(.)/`) {
		p, err := New(n)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, p)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i, p := range all {
			last := 0
			for _, at := range p.Find(s) {
				if at.Start < last || at.End <= at.Start || at.End > len(s) {
					t.Fatalf("pattern %d in %q: %+v after %d", i, s, at, last)
				}
				last = at.End
			}
		}
	})
}
