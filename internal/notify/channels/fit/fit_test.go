package fit_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

func TestTextThatFitsStaysAndWhatDoesNotEndsInAnEllipsis(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{fit.Runes("abc", 3), "abc"},
		{fit.Runes("abcd", 3), "ab…"},
		{fit.Runes("äöüß", 3), "äö…"},
		{fit.Runes("abc", 0), ""},
		{fit.Bytes("äöü", 6), "äöü"},
		{fit.Bytes("äöü", 5), "ä…"},
		{fit.Bytes("abcd", 2), ""},
		{fit.UTF16("😀😀", 4), "😀😀"},
		{fit.UTF16("😀😀", 3), "😀…"},
		{fit.Runes("👩\u200d🚀xx", 3), "…"}, // not half of an astronaut
		{fit.Runes("a\xffb", 10), "a\uFFFDb"},
		{fit.Line(" a\r\nb\tc\x00\x1b[31m "), "a b c[31m"},
		{fit.Line("pay\u202egnp.exe"), "paygnp.exe"},
		{fit.Text("a\r\nb\rc\u2028d"), "a\nb\nc\nd"},
		{fit.Line("🏴\U000e0067\U000e0062\U000e007f"), "🏴\U000e0067\U000e0062\U000e007f"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestWhateverComesFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, most := string(rapid.SliceOf(rapid.Byte()).Draw(t, "text")), rapid.IntRange(0, 40).Draw(t, "most")
		if rapid.Bool().Draw(t, "whole characters") {
			s = rapid.String().Draw(t, "text")
		}
		for name, n := range map[string]int{
			"runes": utf8.RuneCountInString(fit.Runes(s, most)), "bytes": len(fit.Bytes(s, most)), "utf16": len(utf16.Encode([]rune(fit.UTF16(s, most)))),
		} {
			if n > most {
				t.Errorf("%s: %d of %d", name, n, most)
			}
		}
		for _, out := range []string{fit.Runes(s, most), fit.Bytes(s, most), fit.UTF16(s, most), fit.Line(s), fit.Text(s)} {
			if !utf8.ValidString(out) {
				t.Errorf("%q is not UTF-8", out)
			}
		}
		if strings.ContainsAny(fit.Line(s), "\n\r\t\x00\x1b") {
			t.Errorf("%q is not one line", fit.Line(s))
		}
	})
}

func TestAMessageHasOneName(t *testing.T) {
	m := notify.Message{DedupKey: "k", Kind: notify.Paged, Title: "a", Time: time.Unix(1, 0)}
	again, other := m, m
	again.Time, other.Kind = m.Time.UTC(), notify.Resolved
	if fit.ID(m) != fit.ID(again) || fit.ID(m) == fit.ID(other) || len(fit.ID(m)) != 32 {
		t.Error(fit.ID(m), fit.ID(again), fit.ID(other))
	}
}
