package store

import (
	"strings"
	"unicode/utf8"
)

// TextMatcher finds a Text in strings; it is immutable.
type TextMatcher struct {
	pattern string // folded
	ascii   bool
	first   rune // a word must begin at it if it is a word's rune
	last    rune // a word must end at it; 0 where it need not
	rare    int  // index in pattern of its rarest byte, where ascii
}

// NewTextMatcher prepares t. An empty phrase is found everywhere.
func NewTextMatcher(t Text) *TextMatcher {
	m := &TextMatcher{pattern: string(AppendFolded(nil, Visible(t.Phrase))), ascii: true}
	for i := range len(m.pattern) {
		if m.pattern[i] >= utf8.RuneSelf {
			m.ascii = false
		}
	}
	if m.pattern != "" {
		m.first, _ = utf8.DecodeRuneInString(m.pattern)
		if !t.Prefix {
			m.last, _ = utf8.DecodeLastRuneInString(m.pattern)
		}
	}
	for i := range len(m.pattern) {
		if byteFrequency(m.pattern[i]) < byteFrequency(m.pattern[m.rare]) {
			m.rare = i
		}
	}
	return m
}

// byteFrequency ranks lower-case bytes by how often log text holds them: a small number is
// rare. Only speed depends on it.
func byteFrequency(c byte) int {
	if i := strings.IndexByte("zqxjkvbpygfwmucldrhsnioate", c); i >= 0 {
		return 10 + i
	}
	switch c {
	case ' ':
		return 100
	case '=', '"', '.', ':', '-', '/', '_', ',', '0', '1':
		return 24
	}
	return 18
}

// Match reports whether s, as it is seen, holds the text.
func (m *TextMatcher) Match(s string) bool {
	s = Visible(s)
	for from := 0; ; {
		start, end := m.Next(s, from)
		if start < 0 {
			return false
		}
		if m.Bounded(s, start, end) {
			return true
		}
		from = start + 1
	}
}

// Bounded reports whether s[start:end], found by Next, stands at word bounds.
func (m *TextMatcher) Bounded(s string, start, end int) bool {
	if start > 0 {
		if r, _ := utf8.DecodeLastRuneInString(s[:start]); joined(r, m.first) {
			return false
		}
	}
	if m.last != 0 && end < len(s) {
		if r, _ := utf8.DecodeRuneInString(s[end:]); joined(m.last, r) {
			return false
		}
	}
	return true
}

// Next finds the next place at or after from where the pattern stands in s in
// any case, without regard to word bounds and escape sequences; -1 when there is none.
func (m *TextMatcher) Next(s string, from int) (start, end int) {
	if from > len(s) {
		return -1, -1
	}
	if m.pattern == "" {
		return from, from
	}
	if m.ascii {
		return m.nextASCII(s, from)
	}
	for i := from; i < len(s); {
		if n, ok := foldedPrefix(s[i:], m.pattern); ok {
			return i, i + n
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		i += n
	}
	return -1, -1
}

func (m *TextMatcher) nextASCII(s string, from int) (start, end int) {
	lower := m.pattern[m.rare]
	upper := lower
	if 'a' <= lower && lower <= 'z' {
		upper = lower - ('a' - 'A')
	}
	nextLower, nextUpper := -1, -1 // positions at or after at; len(s) when there is none
	for at := from + m.rare; at < len(s); {
		if nextLower < at {
			nextLower = indexFrom(s, lower, at)
		}
		if nextUpper < at {
			nextUpper = nextLower
			if upper != lower {
				nextUpper = indexFrom(s[:nextLower], upper, at)
			}
		}
		at = min(nextLower, nextUpper)
		start = at - m.rare
		end = start + len(m.pattern)
		if end > len(s) {
			return -1, -1
		}
		if equalFoldASCII(s[start:end], m.pattern) {
			return start, end
		}
		at++
	}
	return -1, -1
}

// indexFrom is the position of c in s at or after from, len(s) if there is none.
func indexFrom(s string, c byte, from int) int {
	if i := strings.IndexByte(s[from:], c); i >= 0 {
		return from + i
	}
	return len(s)
}

// equalFoldASCII compares s with a folded ASCII pattern of the same length.
func equalFoldASCII(s, folded string) bool {
	for i := range len(folded) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != folded[i] {
			return false
		}
	}
	return true
}

// foldedPrefix is the length of s's beginning that folds to pattern.
func foldedPrefix(s, pattern string) (int, bool) {
	i := 0
	for _, want := range pattern {
		if i >= len(s) {
			return 0, false
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if FoldRune(r) != want {
			return 0, false
		}
		i += n
	}
	return i, true
}
