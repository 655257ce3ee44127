// Package clip makes text fit into what other systems take: so many characters, so many bytes, one line.
//
// It knows no system. In: text, of which nothing is sure. Out: valid UTF-8 without control characters, no longer than asked, with
// an ellipsis where something is missing. A cut never splits a character, nor the parts of one that people see as one where
// they are joined by combining marks and zero-width joiners. Functions are pure.
//
// Start reading at Text.
package clip

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const ellipsis = "…"

// Text is s in at most n characters as Unicode counts them.
func Text(s string, n int) string { return fit(s, n, func(rune) int { return 1 }) }

// Bytes is s in at most n bytes of UTF-8.
func Bytes(s string, n int) string { return fit(s, n, utf8.RuneLen) }

// Units is s in at most n units of UTF-16, which is how JavaScript and what is written in it count: an emoji is two.
func Units(s string, n int) string { return fit(s, n, utf16.RuneLen) }

// Line is s in one line: every run of white space is one blank.
func Line(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }

// Clean is s as valid UTF-8, without what does not print but changes how the rest is read: control characters but for tab and line
// feed, and marks that turn the direction of writing.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == '\ufeff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// fit cuts before the character that is too much, and takes back what belongs to it.
func fit(s string, n int, size func(rune) int) string {
	s = Clean(s)
	total := 0
	for _, r := range s {
		total += size(r)
	}
	if total <= n {
		return s
	}
	room := 0
	for _, r := range ellipsis {
		room += size(r)
	}
	if n < room {
		return ""
	}
	used, end := 0, 0
	for i, r := range s {
		if used+size(r) > n-room {
			end = i
			break
		}
		used += size(r)
	}
	return strings.TrimRightFunc(s[:whole(s, end)], unicode.IsSpace) + ellipsis
}

// whole is the last place at or before end where one visible character ends and another begins.
func whole(s string, end int) int {
	for at, steps := end, 0; at > 0 && steps < 32; steps++ {
		next, _ := utf8.DecodeRuneInString(s[at:])
		last, size := utf8.DecodeLastRuneInString(s[:at])
		if !joins(next) && last != '\u200d' {
			return at
		}
		at -= size
	}
	return end
}

// joins says whether a character is drawn into the one before it.
func joins(r rune) bool {
	return r == '\u200d' || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) || unicode.Is(unicode.Variation_Selector, r) || r >= 0x1F3FB && r <= 0x1F3FF
}
