package clip

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func TestTextIsCutBetweenCharacters(t *testing.T) {
	for _, c := range []struct {
		name, got, want string
	}{
		{"short", Text("hello", 5), "hello"},
		{"long", Text("hello world", 6), "hello…"},
		{"a blank at the cut", Text("hello world", 7), "hello…"},
		{"letters of two bytes", Text("äöüäöü", 4), "äöü…"},
		{"bytes", Bytes("äöüäöü", 8), "äö…"},
		{"units of UTF-16", Units("🔥🔥🔥", 5), "🔥🔥…"},
		{"an accent stays with its letter", Text("ae\u0301\u0301xyz", 4), "a…"},
		{"a family stays together", Text("a👨\u200d👩\u200d👧bcdef", 5), "a…"},
		{"no room", Text("hello", 0), ""},
		{"no room for the ellipsis", Bytes("hello", 2), ""},
		{"broken UTF-8", Text("a\xff\xfeb", 9), "a\ufffdb"},
		{"control characters", Text("a\x00\x1b[31mb\u202ec", 9), "a[31mbc"},
		{"lines", Line(" a\r\n\tb \u2028 c"), "a b c"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestWhateverComesFits(t *testing.T) {
	letters := []rune("aä漢🔥\u0301\u200d\n\x00\u202e\ufffd ")
	for range 2000 {
		var b strings.Builder
		for range rand.IntN(40) {
			if rand.IntN(9) == 0 {
				b.WriteByte(byte(rand.IntN(256)))
			}
			b.WriteRune(letters[rand.IntN(len(letters))])
		}
		s, n := b.String(), rand.IntN(30)
		text, bytes, units := Text(s, n), Bytes(s, n), Units(s, n)
		if utf8.RuneCountInString(text) > n || len(bytes) > n || len(utf16.Encode([]rune(units))) > n {
			t.Fatalf("%q in %d: %q, %q, %q", s, n, text, bytes, units)
		}
		if !utf8.ValidString(text + bytes + units) {
			t.Fatalf("%q in %d: invalid UTF-8", s, n)
		}
	}
}
